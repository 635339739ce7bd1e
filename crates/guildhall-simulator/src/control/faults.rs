//! What can go wrong on purpose.

/// What a fault is called, and what has to be said of it.
mod fault;

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{FromRef, State},
    http::StatusCode,
    routing::get,
};
use serde_json::{Value, json};
use tokio::{select, time::sleep};
use tokio_util::sync::CancellationToken;

pub(super) use fault::Fault;

use fault::LimitScope;

use super::{
    error::{ControlError, ControlResult},
    read::StrictJson,
};
use crate::{
    clock,
    faults::{CompressionFault, Due, GatewayFaults, Loss, RestFault, RestFaults, ResumeFault},
    limits::RateLimitScope,
    rest::is_known_route,
    sessions::{CloseCode, Order},
    snowflake::Snowflake,
    state::{AppState, Discord, Initiator, ScriptLog, Shared, Tasks},
    world::{Overwrite, OverwriteKind, Permissions},
};

/// The longest that anything is made to wait here. A 429 may ask for longer.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Logarithms of the windows that zstd's compressor makes on a machine of 64 bits.
const ZSTD_WINDOWS: RangeInclusive<u8> = 10..=31;

fn wait(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms)).min(LONGEST_WAIT)
}

/// What faults are done to, and where they are written down.
#[derive(Clone)]
pub(super) struct FaultTargets {
    discord: Arc<Discord>,
    rest_faults: Shared<RestFaults>,
    script: Shared<ScriptLog>,
    tasks: Arc<Tasks>,
}

impl FromRef<AppState> for FaultTargets {
    fn from_ref(state: &AppState) -> Self {
        Self {
            discord: state.discord.clone(),
            rest_faults: state.rest_faults.clone(),
            script: state.script.clone(),
            tasks: state.tasks.clone(),
        }
    }
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/faults", get(done).post(cause))
}

/// `POST /sim/faults`: answers with how many connections it met.
async fn cause(
    State(targets): State<FaultTargets>,
    StrictJson(fault): StrictJson<Fault>,
) -> ControlResult {
    targets.apply(fault, Initiator::Person)
}

/// `GET /sim/faults`: the newest that were caused, oldest first, and by whom.
async fn done(State(script): State<Shared<ScriptLog>>) -> ControlResult {
    Ok(Json(json!({"done": script.lock().caused()})))
}

impl FaultTargets {
    /// Causes one fault, and writes it down.
    pub(super) fn apply(&self, fault: Fault, by: Initiator) -> ControlResult {
        let what = json!(fault);
        let answer = self.perform(fault)?;
        let unix_ms = clock::unix_micros() / 1000;
        let mut script = self.script.lock();
        script.record_fault(unix_ms, &what, by, &answer.0);
        Ok(answer)
    }

    fn perform(&self, fault: Fault) -> ControlResult {
        let discord = &*self.discord;
        let ordered =
            |session_id: Option<String>, what| order(discord, session_id.as_deref(), what);
        Ok(match fault {
            Fault::Drop { session_id } => ordered(session_id, Order::Drop),
            Fault::Close { session_id, code } => {
                let code = code.unwrap_or(4000);
                if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                    return Err(ControlError::Invalid(format!(
                        "{code} cannot close a WebSocket"
                    )));
                }
                ordered(session_id, Order::Close(CloseCode::asked(code)))
            }
            Fault::Reconnect { session_id } => ordered(session_id, Order::Reconnect),
            Fault::InvalidSession {
                session_id,
                resumable,
            } => ordered(session_id, Order::InvalidSession { resumable }),
            Fault::AskHeartbeat { session_id } => ordered(session_id, Order::AskHeartbeat),
            Fault::StopAcking { session_id } => ordered(session_id, Order::StopAcknowledging),
            Fault::Silence { session_id } => ordered(session_id, Order::Silence),
            Fault::HalfFrame { session_id } => ordered(session_id, Order::HalfFrame),
            Fault::Slow {
                session_id,
                bytes,
                pause_ms,
            } => {
                let (bytes, pause) = (usize::from(bytes), wait(u32::from(pause_ms)));
                ordered(session_id, Order::Slow { bytes, pause })
            }
            Fault::Resume503 { .. }
            | Fault::ResumeRefused { .. }
            | Fault::ResumeHang { .. }
            | Fault::Rewind { .. }
            | Fault::ReconnectHello { .. }
            | Fault::NoCompression { .. }
            | Fault::ZstdWindow { .. } => self.add_to_connections(&fault)?,
            Fault::Duplicate { times } => {
                discord.with(|core| core.delivery.duplicate(times));
                Json(json!({}))
            }
            Fault::Reorder { times, within_ms } => {
                discord.with(|core| core.delivery.swap(times));
                let release = release_after(
                    self.discord.clone(),
                    wait(within_ms),
                    self.tasks.stop.clone(),
                );
                self.tasks.tracker.spawn(release);
                Json(json!({}))
            }
            Fault::Latency { .. }
            | Fault::Status { .. }
            | Fault::Hang { .. }
            | Fault::Tear { .. }
            | Fault::RateLimit { .. } => self.add_to_rest(fault)?,
            Fault::UserAgent { over } => {
                self.rest_faults.lock().user_agent_required = !over;
                Json(json!({}))
            }
            Fault::Heal {} => self.heal(),
            Fault::Outage { guild_id, over } => {
                discord.change(clock::now(), |world| world.set_available(guild_id, over))?;
                Json(json!({}))
            }
            Fault::Obfuscate { channel_id, over } => obfuscate(discord, channel_id, over)?,
        })
    }

    /// What waits for the next connections.
    fn add_to_connections(&self, fault: &Fault) -> ControlResult {
        self.discord.with(|core| {
            let faults = &mut core.faults;
            match *fault {
                Fault::Resume503 { times } => faults.fail_resumes(ResumeFault::Unavailable, times),
                Fault::ResumeRefused { times } => faults.fail_resumes(ResumeFault::Torn, times),
                Fault::ResumeHang { times } => faults.fail_resumes(ResumeFault::Hanging, times),
                Fault::Rewind { times, dispatches } => {
                    faults.rewind_replays(dispatches.into(), times);
                }
                Fault::ReconnectHello { times } => faults.reconnect_instead_of_hello(times),
                Fault::NoCompression { times } => {
                    faults.spoil_compression(CompressionFault::Missing, times);
                }
                Fault::ZstdWindow { times, log } if ZSTD_WINDOWS.contains(&log) => {
                    faults.spoil_compression(CompressionFault::ZstdWindow(log), times);
                }
                Fault::ZstdWindow { log, .. } => {
                    let none = format!("zstd has no window of 2^{log}");
                    return Err(ControlError::Invalid(none));
                }
                _ => {
                    let none = "not a fault of connections".to_owned();
                    return Err(ControlError::Invalid(none));
                }
            }
            Ok(Json(json!({})))
        })
    }

    /// What meets requests, route by route.
    fn add_to_rest(&self, fault: Fault) -> ControlResult {
        let (route, due, what) = match fault {
            Fault::Latency {
                route,
                times,
                skip,
                latency_ms,
            } => (
                route,
                Due { skip, times },
                RestFault::Latency(wait(latency_ms)),
            ),
            Fault::Status {
                route,
                times,
                skip,
                status,
                code,
                undone,
            } => {
                let loss = Loss::Status(error_status(status)?, code);
                (route, Due { skip, times }, RestFault::Lost { loss, undone })
            }
            Fault::Hang {
                route,
                times,
                skip,
                undone,
            } => {
                let loss = Loss::Silence;
                (route, Due { skip, times }, RestFault::Lost { loss, undone })
            }
            Fault::Tear {
                route,
                times,
                skip,
                undone,
            } => {
                let loss = Loss::Torn;
                (route, Due { skip, times }, RestFault::Lost { loss, undone })
            }
            Fault::RateLimit {
                route,
                times,
                skip,
                scope,
                retry_after_ms,
            } => {
                let wait = Duration::from_millis(retry_after_ms.into());
                let what = match scope {
                    LimitScope::User => RestFault::Limited(RateLimitScope::User, wait),
                    LimitScope::Global => RestFault::Limited(RateLimitScope::Global, wait),
                    LimitScope::Shared => RestFault::Limited(RateLimitScope::Shared, wait),
                    LimitScope::Edge => RestFault::Edge(wait),
                };
                (route, Due { skip, times }, what)
            }
            _ => return Err(ControlError::Invalid("not a fault of REST".to_owned())),
        };
        if let Some(route) = route.as_deref().filter(|route| !is_known_route(route)) {
            return Err(ControlError::Invalid(format!(
                "{route} is no route of REST"
            )));
        }
        self.rest_faults.lock().add(route.as_deref(), due, what);
        Ok(Json(json!({})))
    }

    fn heal(&self) -> Json<Value> {
        self.rest_faults.lock().heal();
        self.discord.with(|core| {
            core.faults = GatewayFaults::default();
            core.delivery.duplicate(0);
            core.sessions.order(None, Order::Heal);
        });
        self.discord.release(clock::now());
        Json(json!({}))
    }
}

fn error_status(status: u16) -> Result<StatusCode, ControlError> {
    StatusCode::from_u16(status)
        .ok()
        .filter(|status| status.is_server_error() || status.is_client_error())
        .ok_or_else(|| ControlError::Invalid(format!("{status} is no error's status")))
}

fn order(discord: &Discord, session_id: Option<&str>, order: Order) -> Json<Value> {
    let met = discord.with(|core| core.sessions.order(session_id, order));
    Json(json!({"connections": met}))
}

async fn release_after(discord: Arc<Discord>, wait: Duration, stop: CancellationToken) {
    select! {
        () = sleep(wait) => discord.release(clock::now()),
        () = stop.cancelled() => {}
    }
}

/// Denies the bot itself VIEW_CHANNEL, or takes that back.
fn obfuscate(discord: &Discord, channel_id: Snowflake, over: bool) -> ControlResult {
    discord.change(clock::now(), |world| {
        let bot = world.bot_id();
        if over {
            world.remove_overwrite(channel_id, bot)
        } else {
            world.put_overwrite(
                channel_id,
                Overwrite {
                    id: bot,
                    kind: OverwriteKind::Member,
                    allow: Permissions::NONE,
                    deny: Permissions::VIEW_CHANNEL,
                },
            )
        }
    })?;
    Ok(Json(json!({})))
}
