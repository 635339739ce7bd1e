//! Reads the link's form of an event.

use serde::Deserialize;

use super::Event;
use crate::{
    Change, GuildId, UnixMs,
    event::{EVENTS, EventTable, Lane},
};

/// Why a payload is none of ours.
#[derive(Debug, thiserror::Error)]
#[error("{event}: {reason}")]
pub struct EventError {
    event: String,
    reason: serde_json::Error,
}

impl Event {
    /// Reads the link's form. An event name this build does not know becomes
    /// [`Change::Unknown`]; a payload that does not fit its name is an error.
    pub fn from_wire(name: &str, payload: &str) -> Result<Self, EventError> {
        Self::from_wire_by(EVENTS, name, payload)
    }

    /// [`Event::from_wire`], by the events of a table.
    pub fn from_wire_by(table: EventTable, name: &str, payload: &str) -> Result<Self, EventError> {
        let read = || -> Result<Self, serde_json::Error> {
            // Read twice rather than flattened, which takes longer.
            let meta: Meta = serde_json::from_str(payload)?;
            let change = match table.find(name).map(|event| event.lane) {
                Some(Lane::Log(read)) => read(payload)?,
                Some(Lane::Live(_) | Lane::Stream) | None => Change::Unknown,
            };
            Ok(Self {
                guild_id: meta.guild_id,
                ts: meta.ts,
                synthetic: meta.synthetic,
                change,
            })
        };
        read().map_err(|reason| EventError {
            event: name.chars().take(40).collect(),
            reason,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    pub(super) guild_id: GuildId,
    pub(super) ts: UnixMs,
    #[serde(default)]
    synthetic: bool,
}
