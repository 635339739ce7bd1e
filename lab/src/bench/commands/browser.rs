//! Browsers that give commands by RPC.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, COOKIE, ORIGIN};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::people::{CommandGiver, GUILDS};
use crate::bench::clock::now;

/// A little longer than the product's own deadline.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of commands that are given one at a time: the next is given no sooner after the one before, so
/// that Discord's limit is no part of what is measured.
const APART: Duration = Duration::from_millis(40);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Move,
    Limit,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Move, Self::Limit];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Move => "connectUserToVoiceChannel",
            Self::Limit => "setRoomLimit",
        }
    }
}

/// One command of one person.
#[derive(Clone, Debug)]
pub(super) struct Call {
    kind: Kind,
    cookie: String,
    body: Value,
    key: Option<String>,
}

/// What is done next, so that each command changes something.
pub(super) struct Script<'a> {
    people: &'a [CommandGiver],
    /// How many commands were written.
    written: usize,
}

impl<'a> Script<'a> {
    pub(super) fn new(people: &'a [CommandGiver]) -> Self {
        Self { people, written: 0 }
    }

    /// The next ones: each of another person, until all have had one, and as many moves as limits.
    pub(super) fn calls(&mut self, count: usize, keyed: bool) -> Vec<Call> {
        let calls = (self.written..).take(count);
        let calls = calls.map(|number| self.call(number, keyed)).collect();
        self.written += count;
        calls
    }

    fn call(&self, number: usize, keyed: bool) -> Call {
        let person = &self.people[number % self.people.len()];
        let round = number / self.people.len();
        // A move in each guild, a limit in each guild.
        let kind = Kind::ALL[(number / GUILDS + round) % 2];
        let body = match kind {
            // They are in the first room, and move in every other round.
            Kind::Move => json!({"channelId": person.rooms[(round / 2 + 1) % 2]}),
            Kind::Limit => json!({"channelId": person.own_room, "limit": 1 + round % 99}),
        };
        Call {
            kind,
            cookie: person.cookie.clone(),
            body,
            key: keyed.then(|| format!("bench-{number}")),
        }
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) kind: Kind,
    /// From the POST to the answer's last byte.
    pub(super) micros: u64,
    /// What was answered instead of 200 and `done`.
    pub(super) failure: Option<String>,
}

pub(super) struct Browser {
    runtime: Runtime,
    http: reqwest::Client,
    web_at: SocketAddr,
}

impl Browser {
    pub(super) fn new(web_at: SocketAddr) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .no_proxy()
            .build()?;
        Ok(Self {
            runtime: Builder::new_current_thread().enable_all().build()?,
            http,
            web_at,
        })
    }

    pub(super) fn one_at_a_time(&self, calls: Vec<Call>) -> anyhow::Result<Vec<Answered>> {
        self.runtime.block_on(async {
            let mut turns = tokio::time::interval(APART);
            turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut answers = Vec::with_capacity(calls.len());
            for call in calls {
                turns.tick().await;
                answers.push(give(self.http.clone(), self.web_at, call).await?);
            }
            Ok(answers)
        })
    }

    /// At this rate whatever comes back, and until all have come.
    pub(super) fn at_rate(&self, calls: Vec<Call>, rate: usize) -> anyhow::Result<Vec<Answered>> {
        self.runtime.block_on(async {
            let mut turns = tokio::time::interval(Duration::from_secs(1) / u32::try_from(rate)?);
            let mut given = JoinSet::new();
            for call in calls {
                turns.tick().await;
                given.spawn(give(self.http.clone(), self.web_at, call));
            }
            let answers = given.join_all().await;
            answers.into_iter().collect()
        })
    }
}

async fn give(http: reqwest::Client, web_at: SocketAddr, call: Call) -> anyhow::Result<Answered> {
    let mut request = http
        .post(format!("http://{web_at}/api/rpc/{}", call.kind.name()))
        .header(ORIGIN, format!("http://{web_at}"))
        .header(COOKIE, call.cookie)
        .header(CONTENT_TYPE, "application/json")
        .body(call.body.to_string());
    if let Some(key) = call.key {
        request = request.header("Idempotency-Key", key);
    }
    let began = now();
    let response = request.send().await?;
    let status = response.status().as_u16();
    let body = response.text().await?;
    Ok(Answered {
        kind: call.kind,
        micros: u64::try_from(began.elapsed().as_micros())?,
        failure: failure(status, &body),
    })
}

/// What is not `done` is none, though it may be 200: it was queued, or waits for somebody.
fn failure(status: u16, body: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(body).unwrap_or_default();
    let done = status == 200 && answer["outcome"] == "done";
    (!done).then(|| format!("{status} {body}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_command_of_a_script_changes_something() {
        let people: Vec<CommandGiver> = (0..2 * GUILDS).map(person).collect();
        let mut script = Script::new(&people);
        let mut calls = script.calls(50, true);
        calls.extend(script.calls(150, false));

        let mut where_they_are: BTreeMap<String, Value> = people
            .iter()
            .map(|person| (person.cookie.clone(), json!(person.rooms[0])))
            .collect();
        let mut limits = BTreeMap::new();
        for call in &calls {
            match call.kind {
                Kind::Move => {
                    let to = call.body["channelId"].clone();
                    let from = where_they_are.insert(call.cookie.clone(), to.clone());
                    assert_ne!(from, Some(to), "a move to where they are");
                }
                Kind::Limit => {
                    let limit = call.body["limit"].clone();
                    let before = limits.insert(call.cookie.clone(), limit.clone());
                    assert_ne!(before, Some(limit), "a limit that it has");
                }
            }
        }
        let moves = calls.iter().filter(|call| call.kind == Kind::Move).count();
        assert_eq!(moves, 100);
        let keys: Vec<_> = calls.iter().filter_map(|call| call.key.as_ref()).collect();
        assert_eq!(keys.len(), 50);
    }

    #[test]
    fn only_what_is_done_is_no_failure() {
        assert_eq!(failure(200, r#"{"outcome":"done"}"#), None);
        assert!(failure(200, r#"{"outcome":"queued","doneAt":1}"#).is_some());
        assert!(failure(503, r#"{"error":{"code":"busy"}}"#).is_some());
        assert!(failure(200, "").is_some());
    }

    fn person(number: usize) -> CommandGiver {
        CommandGiver {
            user_id: number.to_string(),
            guild_id: (number % GUILDS).to_string(),
            rooms: ["east".to_owned(), "west".to_owned()],
            own_room: format!("room {number}"),
            cookie: format!("cookie {number}"),
        }
    }
}
