//! What can go wrong on purpose.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::json;

use super::{
    error::{Answer, ControlError},
    read::Sent,
};
use crate::{
    clock,
    discord::Discord,
    gateway_ws::{CloseCode, Order},
    snowflake::Snowflake,
    world::{Overwrite, OverwriteKind, Permissions},
};

/// One fault. Those of connections meet every attached session, or the one that
/// `sessionId` names.
#[derive(Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum Body {
    /// Tears the connection; no close frame.
    Drop { session_id: Option<String> },
    /// Closes with a code, 4000 unless it says otherwise.
    Close {
        session_id: Option<String>,
        code: Option<u16>,
    },
    /// Op 7; the connection stays until the client leaves.
    Reconnect { session_id: Option<String> },
    /// Op 9; a session that is not resumable ends.
    InvalidSession {
        session_id: Option<String>,
        #[serde(default)]
        resumable: bool,
    },
    /// Op 1 from the server.
    AskHeartbeat { session_id: Option<String> },
    /// Heartbeats go unanswered until the client reconnects.
    StopAcking { session_id: Option<String> },
    /// The next upgrades of the resume URL are answered with 503; 0 heals.
    #[serde(rename = "resume_503")]
    Resume503 {
        #[serde(default = "once")]
        times: u32,
    },
    /// The next connections get op 7 in place of HELLO; 0 heals.
    ReconnectHello {
        #[serde(default = "once")]
        times: u32,
    },
    /// A guild goes out of service, or comes back with `over`.
    Outage {
        guild_id: Snowflake,
        #[serde(default)]
        over: bool,
    },
    /// Hides a channel from the bot, or shows it again with `over`.
    Obfuscate {
        channel_id: Snowflake,
        #[serde(default)]
        over: bool,
    },
}

fn once() -> u32 {
    1
}

/// `POST /sim/faults`: answers with how many connections it met.
pub(super) async fn cause(State(discord): State<Arc<Discord>>, Sent(body): Sent<Body>) -> Answer {
    let (session_id, order) = match body {
        Body::Drop { session_id } => (session_id, Order::Drop),
        Body::Close { session_id, code } => {
            let code = code.unwrap_or(4000);
            if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                return Err(ControlError::Invalid(format!(
                    "{code} cannot close a WebSocket"
                )));
            }
            (session_id, Order::Close(CloseCode::asked(code)))
        }
        Body::Reconnect { session_id } => (session_id, Order::Reconnect),
        Body::InvalidSession {
            session_id,
            resumable,
        } => (session_id, Order::InvalidSession { resumable }),
        Body::AskHeartbeat { session_id } => (session_id, Order::AskHeartbeat),
        Body::StopAcking { session_id } => (session_id, Order::StopAcknowledging),
        Body::Resume503 { times } => {
            discord.with(|core| core.faults.refuse_resumes(times));
            return Ok(Json(json!({})));
        }
        Body::ReconnectHello { times } => {
            discord.with(|core| core.faults.reconnect_instead_of_hello(times));
            return Ok(Json(json!({})));
        }
        Body::Outage { guild_id, over } => {
            discord.change(clock::now(), |world| world.set_available(guild_id, over))?;
            return Ok(Json(json!({})));
        }
        Body::Obfuscate { channel_id, over } => return obfuscate(&discord, channel_id, over),
    };
    let met = discord.with(|core| core.sessions.order(session_id.as_deref(), order));
    Ok(Json(json!({"connections": met})))
}

/// Denies the bot itself VIEW_CHANNEL, or takes that back.
fn obfuscate(discord: &Discord, channel_id: Snowflake, over: bool) -> Answer {
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
