//! The simulated Discord's control: stamps without a pause, and people who move.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::rng::Rng;
use super::viewers::Onlooker;
use crate::bench::http::Client;

/// A load cannot be ended, so it is asked for in pieces.
const PIECE_SECONDS: u64 = 2;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The part of `GET /sim/state` that a run needs.
#[derive(Deserialize)]
pub(crate) struct DiscordState {
    application: ApplicationStarts,
    users: Vec<User>,
    guilds: Vec<LoadedGuild>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApplicationStarts {
    session_starts: Starts,
}

#[derive(Deserialize)]
struct Starts {
    total: u64,
    remaining: u64,
}

#[derive(Deserialize)]
struct User {
    id: String,
    bot: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoadedGuild {
    id: String,
    load_user_id: Option<String>,
    channels: Vec<Channel>,
    members: Vec<MemberId>,
}

#[derive(Deserialize)]
struct Channel {
    id: String,
    #[serde(rename = "type")]
    kind: u8,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MemberId {
    user_id: String,
}

/// Discord's number for a voice channel.
const VOICE: u8 = 2;

/// Who may be moved, and where to: any room, whoever sees it, or none.
pub(crate) struct People {
    guild_id: String,
    movers: Vec<String>,
    rooms: Vec<Option<String>>,
}

impl DiscordState {
    pub(crate) fn read(simulator: &mut Client) -> anyhow::Result<Self> {
        let answer = simulator.get("/sim/state", &[])?;
        serde_json::from_str(&answer.body).context("GET /sim/state has another shape")
    }

    /// How many IDENTIFYs there were.
    pub(crate) fn identifies(&self) -> u64 {
        let starts = &self.application.session_starts;
        starts.total - starts.remaining
    }

    /// The members of the first guild but those who look on, and the load user.
    pub(crate) fn people(&self, viewers: &[Onlooker]) -> anyhow::Result<People> {
        let guild = self.guilds.first().context("the simulator has no guild")?;
        let is_bot = |id: &String| self.users.iter().any(|user| user.id == *id && user.bot);
        let looks_on = |id: &String| viewers.iter().any(|viewer| viewer.user_id == *id);
        let others = guild.members.iter().map(|member| &member.user_id);
        let movers: Vec<String> = others
            .filter(|id| !is_bot(id) && !looks_on(id))
            .filter(|id| Some(*id) != guild.load_user_id.as_ref())
            .cloned()
            .collect();
        let voice = guild
            .channels
            .iter()
            .filter(|channel| channel.kind == VOICE);
        let rooms = voice.map(|channel| Some(channel.id.clone()));
        Ok(People {
            guild_id: guild.id.clone(),
            movers,
            rooms: rooms.chain([None]).collect(),
        })
    }
}

impl People {
    /// Somebody joins, moves or leaves, or stays where he is.
    pub(crate) fn move_one(&self, simulator: &mut Client, rng: &mut Rng) -> anyhow::Result<()> {
        let user = rng.of(&self.movers).context("nobody can be moved")?;
        let room = rng.of(&self.rooms).context("there are no rooms")?;
        let body = serde_json::json!({"userId": user, "channelId": room}).to_string();
        let path = format!("/sim/guilds/{}/voice", self.guild_id);
        let answer = simulator.post(&path, &body)?;
        if answer.status != 200 {
            bail!("nobody was moved: {} {}", answer.status, answer.body);
        }
        Ok(())
    }
}

/// Stamps at a rate until it is told to end.
pub(crate) struct Load {
    thread: JoinHandle<anyhow::Result<u64>>,
    stop: Arc<AtomicBool>,
}

impl Load {
    pub(crate) fn begin(simulator_at: SocketAddr, guild_id: &str, per_second: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let order = serde_json::json!({
            "eventsPerSecond": per_second,
            "seconds": PIECE_SECONDS,
            "guilds": [guild_id],
        });
        let stopped = stop.clone();
        let thread = thread::spawn(move || run(simulator_at, &order.to_string(), &stopped));
        Self { thread, stop }
    }

    /// Waits for the piece under way; how many stamps were sent in all.
    pub(crate) fn end(self) -> anyhow::Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.join() {
            Ok(sent) => sent,
            Err(_) => bail!("the thread that asks for load panicked"),
        }
    }
}

#[derive(Deserialize)]
struct Progress {
    sent: u64,
    done: bool,
    failed: Option<String>,
}

fn run(simulator_at: SocketAddr, order: &str, stop: &AtomicBool) -> anyhow::Result<u64> {
    let mut simulator = Client::new(simulator_at);
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        let answer = simulator.post("/sim/load", order)?;
        if answer.status != 202 {
            bail!("no load: {} {}", answer.status, answer.body);
        }
        sent += loop {
            let answer = simulator.get("/sim/load", &[])?;
            let progress: Progress = serde_json::from_str(&answer.body)?;
            match progress {
                Progress {
                    failed: Some(why), ..
                } => bail!("the load failed: {why}"),
                Progress {
                    sent, done: true, ..
                } => break sent,
                Progress { .. } => thread::sleep(LOOK_AGAIN),
            }
        };
    }
    Ok(sent)
}
