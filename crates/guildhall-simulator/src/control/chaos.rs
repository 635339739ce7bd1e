//! A timeline drawn from a seed: the same one for the same seed and world.

use axum::{Extension, Router, extract::State, response::Response, routing::get};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{error::ControlError, read::StrictJson, script};
use crate::{
    snowflake::{SeededRng, Snowflake},
    state::AppState,
    world::World,
};

const MOST_PER_SECOND: f64 = 100.0;
const LONGEST: u32 = 60 * 60;

/// Every kind of fault that chaos draws.
const KINDS: [&str; 19] = [
    "drop",
    "close",
    "reconnect",
    "invalid_session",
    "ask_heartbeat",
    "stop_acking",
    "silence",
    "half_frame",
    "slow",
    "resume_503",
    "resume_refused",
    "resume_hang",
    "reconnect_hello",
    "rate_limit",
    "status",
    "latency",
    "duplicate",
    "reorder",
    "obfuscate",
];

pub(super) fn routes() -> Router<AppState> {
    Router::new().route(
        "/chaos",
        get(script::progress).post(start).delete(script::stop),
    )
}

/// What chaos is asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    /// The simulator's own, unless it says otherwise.
    seed: Option<u64>,
    seconds: u32,
    per_second: f64,
    /// Of these kinds only.
    kinds: Option<Vec<String>>,
}

/// `POST /sim/chaos`: draws a script and begins it; 202. `GET` shows it.
async fn start(
    State(state): State<AppState>,
    Extension(target): Extension<script::Target>,
    StrictJson(body): StrictJson<Body>,
) -> Result<Response, ControlError> {
    if !(1..=LONGEST).contains(&body.seconds)
        || body.per_second <= 0.0
        || body.per_second > MOST_PER_SECOND
        || body.per_second.is_nan()
    {
        return Err(ControlError::Invalid(format!(
            "seconds is 1 to {LONGEST}, perSecond up to {MOST_PER_SECOND}"
        )));
    }
    let kinds = match body.kinds {
        None => KINDS.iter().map(|kind| (*kind).to_owned()).collect(),
        Some(kinds) => kinds,
    };
    let known = |kind: &String| KINDS.contains(&kind.as_str()) || kind == "outage";
    if kinds.is_empty() || !kinds.iter().all(known) {
        let all = KINDS.join(", ");
        return Err(ControlError::Invalid(format!(
            "kinds are of {all} and outage"
        )));
    }
    let mut rng = SeededRng::from_seed(body.seed.unwrap_or(state.config.seed));
    let steps = state
        .discord
        .with(|core| plan(&core.world, &mut rng, &kinds, body.seconds, body.per_second));
    script::run(&state, target, steps)
}

/// Draws until the time is over; what hides or takes away is given back at the end.
pub(super) fn plan(
    world: &World,
    rng: &mut SeededRng,
    kinds: &[String],
    seconds: u32,
    per_second: f64,
) -> Vec<Value> {
    let (mut steps, mut over) = (Vec::new(), Vec::new());
    let mean = (1000.0 / per_second).max(1.0);
    let mut left = f64::from(seconds) * 1000.0;
    loop {
        // Between half and one and a half of the mean.
        let share = f64::from(u32::try_from(rng.next_u64() % 1000).unwrap_or(0)) / 1000.0;
        let pause = (mean * (0.5 + share)).round();
        left -= pause;
        if left < 0.0 {
            break;
        }
        let kind = &kinds[below(rng, kinds.len())];
        let (mut step, healing) = draw(world, rng, kind);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a pause lies between 0 and an hour"
        )]
        let ms = pause as u64;
        step["afterMs"] = json!(ms);
        steps.push(step);
        over.extend(healing.filter(|step| !over.contains(step)));
    }
    over.push(json!({"kind": "heal"}));
    steps.extend(over);
    steps
}

/// One fault, and what takes it back if it does not pass by itself.
fn draw(world: &World, rng: &mut SeededRng, kind: &str) -> (Value, Option<Value>) {
    let times = 1 + rng.next_u64() % 3;
    match kind {
        "close" => {
            let codes = [4000, 4001, 4002, 4008, 4009, 1001];
            (
                json!({"kind": kind, "code": codes[below(rng, codes.len())]}),
                None,
            )
        }
        "invalid_session" => {
            let resumable = rng.next_u64().is_multiple_of(2);
            (json!({"kind": kind, "resumable": resumable}), None)
        }
        "slow" => {
            let (bytes, pause) = (64 + rng.next_u64() % 512, rng.next_u64() % 50);
            (
                json!({"kind": kind, "bytes": bytes, "pauseMs": pause}),
                None,
            )
        }
        "resume_503" | "resume_refused" | "resume_hang" | "reconnect_hello" | "duplicate"
        | "reorder" => (json!({"kind": kind, "times": times}), None),
        "rate_limit" => {
            let scopes = ["user", "global", "shared", "edge"];
            let scope = scopes[below(rng, scopes.len())];
            let wait = 100 + rng.next_u64() % 900;
            let step = json!({"kind": kind, "times": times, "scope": scope, "retryAfterMs": wait});
            (step, None)
        }
        "status" => {
            let statuses = [500, 502, 503, 504];
            let status = statuses[below(rng, statuses.len())];
            (
                json!({"kind": kind, "times": times, "status": status}),
                None,
            )
        }
        "latency" => {
            let wait = rng.next_u64() % 2000;
            (
                json!({"kind": kind, "times": times, "latencyMs": wait}),
                None,
            )
        }
        "obfuscate" => match any_channel(world, rng) {
            Some(id) => (
                json!({"kind": kind, "channelId": id}),
                Some(json!({"kind": kind, "channelId": id, "over": true})),
            ),
            None => (json!({"kind": "drop"}), None),
        },
        "outage" => {
            let guilds: Vec<_> = world.bot_guilds().map(|guild| guild.id).collect();
            match guilds.get(below(rng, guilds.len())) {
                Some(id) => (
                    json!({"kind": kind, "guildId": id}),
                    Some(json!({"kind": kind, "guildId": id, "over": true})),
                ),
                None => (json!({"kind": "drop"}), None),
            }
        }
        plain => (json!({"kind": plain}), None),
    }
}

/// A channel that the bot sees and has no overwrite of its own in.
fn any_channel(world: &World, rng: &mut SeededRng) -> Option<Snowflake> {
    let bot = world.bot_id();
    let channels: Vec<_> = world
        .bot_guilds()
        .flat_map(|guild| {
            guild.channels.iter().filter(move |channel| {
                guild.shows(channel, bot) && channel.overwrites.iter().all(|one| one.id != bot)
            })
        })
        .map(|channel| channel.id)
        .collect();
    channels.get(below(rng, channels.len())).copied()
}

fn below(rng: &mut SeededRng, count: usize) -> usize {
    let count = u64::try_from(count.max(1)).unwrap_or(1);
    usize::try_from(rng.next_u64() % count).unwrap_or(0)
}
