//! Many guilds full of people in voice, made through the simulator's control: requests sent in
//! rows, on two connections, or it would take minutes.

use std::fmt::Write as _;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::bench::http::read_response;

const CONNECTIONS: u64 = 2;
/// Requests before the first of their answers is read.
const ROW: usize = 64;
const PATIENCE: Duration = Duration::from_secs(20);
const ROOMS: u64 = 10;
/// Ids far from those that the seed makes.
const FIRST_ID: u64 = 1_300_000_000_000_000_000;
/// Ids of one guild and what is in it.
const IDS_PER_GUILD: u64 = 1_000_000;

/// Adds `guilds` guilds with `people` people each, all of them in one of ten rooms.
pub(super) fn make(simulator: SocketAddr, guilds: u64, people: u64) -> anyhow::Result<()> {
    let threads: Vec<_> = (0..CONNECTIONS)
        .map(|connection| {
            thread::spawn(move || {
                let mut row = Row::open(simulator)?;
                for guild in (0..guilds).filter(|guild| guild % CONNECTIONS == connection) {
                    fill(&mut row, guild, people)?;
                }
                row.send()
            })
        })
        .collect();
    for thread in threads {
        match thread.join() {
            Ok(made) => made.context("the simulator's guilds")?,
            Err(_) => bail!("a thread that makes guilds panicked"),
        }
    }
    Ok(())
}

fn fill(row: &mut Row, number: u64, people: u64) -> anyhow::Result<()> {
    let guild = FIRST_ID + number * IDS_PER_GUILD;
    row.post(
        "/sim/guilds",
        &format!(r#"{{"id":"{guild}","name":"Guild number {number}"}}"#),
    )?;
    for room in 1..=ROOMS {
        let id = guild + room;
        row.post(
            &format!("/sim/guilds/{guild}/channels"),
            &format!(r#"{{"id":"{id}","name":"Room {room}","type":2}}"#),
        )?;
    }
    for person in 0..people {
        let user = guild + ROOMS + 1 + person;
        let room = guild + 1 + person % ROOMS;
        let name = format!("person.{number}.{person}");
        row.post(
            "/sim/users",
            &format!(r#"{{"id":"{user}","username":"{name}","globalName":"Person {person}"}}"#),
        )?;
        row.post(
            &format!("/sim/guilds/{guild}/members"),
            &format!(r#"{{"userId":"{user}"}}"#),
        )?;
        row.post(
            &format!("/sim/guilds/{guild}/voice"),
            &format!(r#"{{"userId":"{user}","channelId":"{room}"}}"#),
        )?;
    }
    Ok(())
}

/// Requests that are sent together.
struct Row {
    connection: BufReader<TcpStream>,
    text: String,
    requests: usize,
    host: SocketAddr,
}

impl Row {
    fn open(host: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect_timeout(&host, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            connection: BufReader::new(stream),
            text: String::new(),
            requests: 0,
            host,
        })
    }

    fn post(&mut self, path: &str, json: &str) -> anyhow::Result<()> {
        let length = json.len();
        write!(
            self.text,
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{json}",
            self.host
        )?;
        self.requests += 1;
        if self.requests == ROW {
            self.send()
        } else {
            Ok(())
        }
    }

    fn send(&mut self) -> anyhow::Result<()> {
        self.connection.get_mut().write_all(self.text.as_bytes())?;
        self.text.clear();
        for _ in 0..std::mem::take(&mut self.requests) {
            let answer = read_response(&mut self.connection)?;
            if answer.status != 200 {
                bail!("{} {}", answer.status, answer.body);
            }
        }
        Ok(())
    }
}
