//! Browsers on the simulated network: HTTP/1.1 by hand, so that it can break off anywhere, and the
//! picture that comes of it.

use std::{io, sync::Arc, time::Duration};

use guildhall_model::{Cursor, Position};
use http::HeaderValue;
use parking_lot::Mutex;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{
    super::{
        harness::{Sse, decode},
        picture::Picture,
    },
    net::{Host, Net},
    pass,
    pipe::SimulatedConnection,
    web::WEBS,
};

/// A checkpoint comes every 15 s. Who hears nothing for so long has no connection any more.
const SILENCE: Duration = Duration::from_secs(35);
const CONNECT: Duration = Duration::from_secs(5);

/// What a browser has been told.
#[derive(Default)]
pub(super) struct Told {
    /// Now, perhaps in the middle of a group.
    picture: Picture,
    /// The last cursor, and the picture there: what is left when the connection breaks.
    whole: Option<(String, Picture)>,
    last: Option<Position>,
    pub(super) sums: Sums,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) connections: u64,
    pub(super) events: u64,
    pub(super) resumed: u64,
    pub(super) snapshots: u64,
}

impl Sums {
    pub(super) fn add(&mut self, other: Self) {
        self.connections += other.connections;
        self.events += other.events;
        self.resumed += other.resumed;
        self.snapshots += other.snapshots;
    }
}

/// One browser.
pub(super) struct Browser {
    pub(super) number: u8,
    pub(super) cookie: HeaderValue,
    pub(super) told: Arc<Mutex<Told>>,
}

impl Told {
    pub(super) fn picture(&self) -> &Picture {
        &self.picture
    }

    fn broke_off(&mut self) {
        self.picture = self
            .whole
            .as_ref()
            .map_or_else(Picture::default, |(_, picture)| picture.clone());
    }

    /// # Panics
    ///
    /// If it should not have come now.
    fn take(&mut self, event: &Sse) {
        self.sums.events += 1;
        self.sums.resumed += u64::from(event.event == "resumed");
        self.sums.snapshots += u64::from(event.event == "snapshot");
        self.check_name(event);
        self.picture.take(event);
        let Some(id) = &event.id else { return };
        let cursor: Cursor = id.parse().expect("a cursor");
        let at = cursor.positions()[0];
        // Those are about the stream or its viewer, and may say again where it is.
        let may_repeat = matches!(
            event.event.as_str(),
            "resumed"
                | "status"
                | "checkpoint"
                | "bye"
                | "guild.available"
                | "guild.unavailable"
                | "guild.removed"
        );
        if let Some(last) = self.last.filter(|_| event.event != "snapshot") {
            assert!(
                last.comparable(at),
                "{} of another epoch, without a snapshot",
                event.event
            );
            let risen = at.seq > last.seq || (may_repeat && at.seq == last.seq);
            assert!(risen, "{} at {at} after {last}", event.event);
        }
        self.last = Some(at);
        self.whole = Some((id.clone(), self.picture.clone()));
    }
}

impl Told {
    /// The names of a guild are numbers one after the other, and everybody in it is told each.
    fn check_name(&self, event: &Sse) {
        if event.event != "guild.updated" {
            return;
        }
        let number = |name: &str| name.parse::<u64>().expect("a number");
        let told = number(event.data["name"].as_str().expect("a name"));
        let guild = event.data["guildId"].as_str().expect("an id");
        let known = number(&self.picture.name_of(guild).expect("a guild that was shown"));
        assert_eq!(told, known + 1, "one name after the other");
    }
}

impl Browser {
    /// Comes back for ever.
    pub(super) async fn run(self, net: Net, seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut retry = Duration::from_secs(1);
        loop {
            let web = Host::Web(rng.random_range(0..WEBS));
            let connected = timeout(CONNECT, net.connect(Host::Browser(self.number), web)).await;
            if let Ok(Ok(connection)) = connected {
                self.told.lock().sums.connections += 1;
                // Whatever ends it: it comes back.
                let _broken = self.follow(connection, &mut retry).await;
                self.told.lock().broke_off();
            }
            pass(retry).await;
        }
    }

    async fn follow(
        &self,
        mut connection: SimulatedConnection,
        retry: &mut Duration,
    ) -> io::Result<()> {
        let cursor = self.told.lock().whole.as_ref().map(|whole| whole.0.clone());
        let cursor = cursor.map_or_else(String::new, |id| format!("Last-Event-ID: {id}\r\n"));
        let cookie = self.cookie.to_str().expect("text");
        let cookie = cookie.split(';').next().unwrap_or_default();
        let request = format!(
            "GET /api/stream HTTP/1.1\r\nHost: localhost:3000\r\nCookie: {cookie}\r\n{cursor}\r\n"
        );
        connection.write_all(request.as_bytes()).await?;
        let mut response = Response::default();
        loop {
            let mut piece = [0; 4096];
            let read = timeout(SILENCE, connection.read(&mut piece));
            let length = read.await.map_err(|_| io::ErrorKind::TimedOut)??;
            if length == 0 {
                return Ok(());
            }
            response.came.extend_from_slice(&piece[..length]);
            for event in response.events() {
                if let Some(ms) = event.retry {
                    *retry = Duration::from_millis(ms);
                }
                self.told.lock().take(&event);
            }
        }
    }
}

/// What came and is not read.
#[derive(Default)]
struct Response {
    came: Vec<u8>,
    framing: Framing,
    body: String,
}

/// How the body is told from what comes after it.
#[derive(Clone, Copy, Default)]
enum Framing {
    /// The head is not whole.
    #[default]
    Unknown,
    /// A stream.
    Chunked,
    /// A single `bye`.
    Plain,
}

impl Response {
    /// The events that are whole.
    fn events(&mut self) -> Vec<Sse> {
        if matches!(self.framing, Framing::Unknown) {
            let Some(end) = position(&self.came, b"\r\n\r\n") else {
                return Vec::new();
            };
            let head = String::from_utf8(self.came.drain(..end + 4).collect()).expect("ASCII");
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            self.framing = if head.contains("transfer-encoding: chunked") {
                Framing::Chunked
            } else {
                Framing::Plain
            };
        }
        while let Some(chunk) = self.chunk() {
            self.body += &String::from_utf8(chunk).expect("each write is whole characters");
        }
        let end = self.body.rfind("\n\n").map_or(0, |at| at + 2);
        let whole: String = self.body.drain(..end).collect();
        decode(&whole)
    }

    fn chunk(&mut self) -> Option<Vec<u8>> {
        if matches!(self.framing, Framing::Plain) {
            let came = std::mem::take(&mut self.came);
            return Some(came).filter(|came| !came.is_empty());
        }
        let end = position(&self.came, b"\r\n")?;
        let length = std::str::from_utf8(&self.came[..end]).expect("a length");
        let length = usize::from_str_radix(length, 16).expect("a length");
        let begin = end + 2;
        if self.came.len() < begin + length + 2 {
            return None;
        }
        let chunk = self.came[begin..begin + length].to_vec();
        self.came.drain(..begin + length + 2);
        Some(chunk)
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut windows = bytes.windows(wanted.len());
    windows.position(|window| window == wanted)
}
