//! Reads the link's form of an event.

use serde::de::Error as _;
use serde_json::Error;

use super::Event;
use crate::{
    Change,
    event::{EVENTS, EventTable, Lane, PayloadReader},
};

/// Why a payload is none of ours.
#[derive(Debug, thiserror::Error)]
#[error("{event}: {reason}")]
pub struct EventError {
    event: String,
    reason: Error,
}

impl Event {
    /// Reads the link's form. An event name this build does not know becomes
    /// [`Change::Unknown`]; a payload that does not fit its name is an error.
    pub fn from_wire(name: &str, payload: &str) -> Result<Self, EventError> {
        Self::from_wire_by(EVENTS, name, payload)
    }

    /// [`Event::from_wire`], by the events of a table.
    pub fn from_wire_by(table: EventTable, name: &str, payload: &str) -> Result<Self, EventError> {
        let (event, end) = Self::read_first(table, name, payload)?;
        match payload[end..].trim_ascii_start() {
            "" => Ok(event),
            _ => Err(EventError::of(
                name,
                Error::custom("something follows the payload"),
            )),
        }
    }

    /// Reads a payload at the beginning of a text, in one walk over it, whatever follows. Also
    /// answered: how many bytes it takes.
    pub fn read_first(
        table: EventTable,
        name: &str,
        text: &str,
    ) -> Result<(Self, usize), EventError> {
        let mut reader = PayloadReader::new(text);
        let read = || -> Result<(Self, usize), Error> {
            let change = match table.find(name).map(|event| event.lane) {
                Some(Lane::Log(read)) => read(&mut reader)?,
                Some(Lane::Live(_) | Lane::Stream) | None => Change::Unknown,
            };
            let (meta, end) = reader.end()?;
            let event = Self {
                guild_id: meta.guild_id,
                ts: meta.ts,
                synthetic: meta.synthetic,
                change,
            };
            Ok((event, end))
        };
        read().map_err(|reason| EventError::of(name, reason))
    }
}

impl EventError {
    fn of(name: &str, reason: Error) -> Self {
        Self {
            event: name.chars().take(40).collect(),
            reason,
        }
    }
}
