//! Many guilds full of people in voice, made through the simulator's control, several at a time.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;

/// Guilds that are being made at one time.
const AT_ONCE: usize = 16;
const ROOMS: u64 = 10;
/// Ids far from those that the seed makes.
const FIRST_ID: u64 = 1_300_000_000_000_000_000;
/// Ids of one guild and what is in it.
const IDS_PER_GUILD: u64 = 1_000_000;

/// Adds `guilds` guilds with `people` people each, all of them in one of ten rooms.
pub(super) fn make(simulator: SocketAddr, guilds: u64, people: u64) -> anyhow::Result<()> {
    let control = Control {
        http: Client::builder().no_proxy().build()?,
        simulator,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let made = stream::iter(0..guilds)
        .map(|number| fill(&control, number, people))
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>();
    runtime.block_on(made).context("the simulator's guilds")
}

async fn fill(control: &Control, number: u64, people: u64) -> anyhow::Result<()> {
    let guild = FIRST_ID + number * IDS_PER_GUILD;
    let body = format!(r#"{{"id":"{guild}","name":"Guild number {number}"}}"#);
    control.post("guilds", body).await?;
    for room in 1..=ROOMS {
        let id = guild + room;
        let body = format!(r#"{{"id":"{id}","name":"Room {room}","type":2}}"#);
        control
            .post(&format!("guilds/{guild}/channels"), body)
            .await?;
    }
    for person in 0..people {
        let user = guild + ROOMS + 1 + person;
        let room = guild + 1 + person % ROOMS;
        let name = format!("person.{number}.{person}");
        let body =
            format!(r#"{{"id":"{user}","username":"{name}","globalName":"Person {person}"}}"#);
        control.post("users", body).await?;
        let body = format!(r#"{{"userId":"{user}"}}"#);
        control
            .post(&format!("guilds/{guild}/members"), body)
            .await?;
        let body = format!(r#"{{"userId":"{user}","channelId":"{room}"}}"#);
        control.post(&format!("guilds/{guild}/voice"), body).await?;
    }
    Ok(())
}

struct Control {
    http: Client,
    simulator: SocketAddr,
}

impl Control {
    async fn post(&self, path: &str, json: String) -> anyhow::Result<()> {
        let request = self
            .http
            .post(format!("http://{}/sim/{path}", self.simulator));
        let request = request.header(CONTENT_TYPE, "application/json").body(json);
        let response = request.send().await?;
        let status = response.status();
        let said = response.text().await?;
        if status != 200 {
            bail!("{status} {said}");
        }
        Ok(())
    }
}
