//! Events: what is told, to whom, in Discord's JSON.

use std::sync::Arc;

use serde::Serialize;

use super::Intents;
use crate::snowflake::Snowflake;

/// One dispatch, before it has a sequence number.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Discord's name, such as `VOICE_STATE_UPDATE`.
    pub(crate) name: &'static str,
    /// A session gets the event if it has these.
    pub(crate) needs: Intents,
    /// `None` is of no guild, and therefore shard 0's.
    pub(crate) guild_id: Option<Snowflake>,
    pub(crate) body: EventBody,
}

/// What stands under `d`, serialised once for all sessions that are shown the same.
#[derive(Clone, Debug)]
pub(crate) enum EventBody {
    Shared(Arc<str>),
    /// A message: whole for sessions with MESSAGE_CONTENT, else without what was said.
    Message {
        whole: Arc<str>,
        blank: Arc<str>,
    },
    /// A GUILD_CREATE shows more or less by a session's intents.
    GuildCreate(Appears),
}

/// Why a guild is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appears {
    /// The bot has just joined it.
    Joined,
    /// It was there, and can be seen now: READY named it, or an outage is over.
    Available,
}

impl Event {
    pub(crate) fn new(
        name: &'static str,
        needs: Intents,
        guild_id: Snowflake,
        data: &impl Serialize,
    ) -> Self {
        Self {
            name,
            needs,
            guild_id: Some(guild_id),
            body: EventBody::Shared(text(data)),
        }
    }

    /// An event of no guild.
    pub(crate) fn global(name: &'static str, data: &impl Serialize) -> Self {
        Self {
            name,
            needs: Intents::ALWAYS,
            guild_id: None,
            body: EventBody::Shared(text(data)),
        }
    }

    /// The guild as a whole, each session's own view of it.
    pub(crate) fn guild_create(guild_id: Snowflake, appears: Appears) -> Self {
        Self {
            name: "GUILD_CREATE",
            needs: Intents::GUILDS,
            guild_id: Some(guild_id),
            body: EventBody::GuildCreate(appears),
        }
    }
}

/// JSON of a payload.
pub(crate) fn text(data: &impl Serialize) -> Arc<str> {
    // Payloads are built from strings, numbers and lists: serde_json refuses none of those.
    serde_json::to_string(data)
        .unwrap_or_else(|_| "null".to_owned())
        .into()
}
