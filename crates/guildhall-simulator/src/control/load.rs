//! Stamps, one by one or at a rate.
//!
//! A stamp travels as the load user's name, so any client at any distance can
//! tell what was lost, doubled or reordered, and how long the way took.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{MethodFilter, get},
};
use serde::Deserialize;
use serde_json::json;
use tokio::{
    select,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    change::with_body,
    error::{ControlError, ControlResult},
    read::StrictJson,
};
use crate::{
    clock,
    snowflake::Snowflake,
    state::{AppState, Discord, Load, Shared, Tasks},
    world::{Changed, Refusal, World},
};

/// Stamps of one critical section. Sessions are served in between.
const STAMPS_PER_BATCH: u64 = 256;
const HIGHEST_RATE: u64 = 200_000;
const LONGEST_RUN: u64 = 24 * 60 * 60;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/stamp", with_body(MethodFilter::POST, stamp))
        .route("/load", get(progress).post(start))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StampBody {
    guild_id: Snowflake,
    stamp: String,
}

/// `POST /sim/stamp`: answers when every session has the dispatch in its queue.
fn stamp(
    world: &mut World,
    []: [Snowflake; 0],
    StampBody { guild_id, stamp }: StampBody,
) -> Changed<()> {
    if !(1..=100).contains(&stamp.chars().count()) {
        return Err(Refusal::invalid("a stamp has 1 to 100 characters"));
    }
    world.stamp(guild_id, &stamp)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LoadBody {
    events_per_second: u64,
    seconds: u64,
    /// So many guilds from the first, or these; the first alone if absent.
    guilds: Option<Guilds>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Guilds {
    Count(usize),
    Chosen(Vec<Snowflake>),
}

/// `POST /sim/load`: 202, and stamps `SEQ:UNIX_MICROS` in turn over the guilds.
/// One load at a time.
async fn start(
    State(discord): State<Arc<Discord>>,
    State(load): State<Shared<Load>>,
    State(tasks): State<Arc<Tasks>>,
    StrictJson(body): StrictJson<LoadBody>,
) -> Result<Response, ControlError> {
    if !(1..=HIGHEST_RATE).contains(&body.events_per_second)
        || !(1..=LONGEST_RUN).contains(&body.seconds)
    {
        return Err(ControlError::Invalid(format!(
            "eventsPerSecond is 1 to {HIGHEST_RATE}, seconds 1 to {LONGEST_RUN}"
        )));
    }
    let guilds = discord.with(|core| choose(&core.world, body.guilds))?;
    if !load.lock().begin() {
        return Err(ControlError::Conflict("a load is under way".to_owned()));
    }
    let total = body.events_per_second * body.seconds;
    let generator = Generator {
        discord,
        load,
        guilds,
    };
    let run = generator.run(body.events_per_second, total, tasks.stop.clone());
    tasks.tracker.spawn(run);
    Ok((StatusCode::ACCEPTED, Json(json!({"events": total}))).into_response())
}

/// `GET /sim/load`
async fn progress(State(load): State<Shared<Load>>) -> ControlResult {
    let load = load.lock();
    Ok(Json(
        json!({"sent": load.sent, "done": !load.running, "failed": load.failed}),
    ))
}

fn choose(world: &World, guilds: Option<Guilds>) -> Result<Vec<Snowflake>, Refusal> {
    let with_load_user = || {
        world
            .bot_guilds()
            .filter(|guild| guild.load_user_id.is_some())
    };
    let chosen: Vec<_> = match guilds {
        None => with_load_user().map(|guild| guild.id).take(1).collect(),
        Some(Guilds::Count(count)) => with_load_user().map(|guild| guild.id).take(count).collect(),
        Some(Guilds::Chosen(ids)) => ids,
    };
    if chosen.is_empty() {
        return Err(Refusal::invalid("no guild was chosen"));
    }
    if chosen
        .iter()
        .any(|id| !with_load_user().any(|guild| guild.id == *id))
    {
        return Err(Refusal::Unknown("guild with a load user"));
    }
    Ok(chosen)
}

/// Stamps the guilds in turn.
struct Generator {
    discord: Arc<Discord>,
    load: Shared<Load>,
    guilds: Vec<Snowflake>,
}

impl Generator {
    /// Stamps until `total`, each as close to its due time as the timer allows.
    async fn run(self, rate: u64, total: u64, stop: CancellationToken) {
        let began = clock::now();
        let mut sent = 0;
        let failed = loop {
            let due = due_by(clock::now(), began, rate).min(total);
            let batch = due.saturating_sub(sent).min(STAMPS_PER_BATCH);
            if batch > 0 {
                if let Err(refusal) = self.send(sent, batch) {
                    break Some(refusal.to_string());
                }
                sent += batch;
            }
            if sent == total {
                break None;
            }
            select! {
                () = sleep_until(due_at(sent, began, rate)) => {}
                () = stop.cancelled() => break Some("the simulator stopped".to_owned()),
            }
            // A load behind its time must not keep the sessions from being served.
            tokio::task::yield_now().await;
        };
        let mut load = self.load.lock();
        load.running = false;
        load.failed = failed;
    }

    fn send(&self, sent: u64, batch: u64) -> Result<(), Refusal> {
        let first = self.load.lock().next_seq;
        let guilds = &self.guilds;
        self.discord.change(clock::now(), |world| {
            let mut events = Vec::new();
            for place in 0..batch {
                let turn = (sent + place) % u64::try_from(guilds.len()).unwrap_or(1);
                let guild_id = guilds[usize::try_from(turn).unwrap_or(0)];
                let stamp = format!("{}:{}", first + place, clock::unix_micros());
                events.extend(world.stamp(guild_id, &stamp)?.1);
            }
            Ok(((), events))
        })?;
        let mut load = self.load.lock();
        load.next_seq = first + batch;
        load.sent = sent + batch;
        Ok(())
    }
}

/// How many events were due by `now`; the first is due at once.
pub(super) fn due_by(now: Instant, began: Instant, rate: u64) -> u64 {
    let micros = u64::try_from(now.duration_since(began).as_micros()).unwrap_or(u64::MAX);
    micros.saturating_mul(rate) / 1_000_000 + 1
}

/// When event number `count` (from 0) is due.
pub(super) fn due_at(count: u64, began: Instant, rate: u64) -> Instant {
    // Rounded up, so that at this time it is due for sure.
    began + Duration::from_micros(count.saturating_mul(1_000_000).div_ceil(rate))
}
