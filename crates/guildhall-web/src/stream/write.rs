//! Writes what a stream sends, as events and JSON. It takes nothing about a guild that is not
//! `Visible`.

use std::sync::Arc;

use bytes::Bytes;
use guildhall_model::{GuildId, Position, UnixMs, json};
use serde::Serialize;

use super::replay::{AvailabilityChange, Replay};
use crate::{
    replica::{Record, StatusPayload},
    sse::SseBuffer,
    visible::{ControlEvent, GuildAvailability, GuildSnapshot, SnapshotReason, Visible},
};

/// What one poll of a stream sends, joined into one piece.
#[derive(Debug, Default)]
pub(crate) struct SseWriter {
    buffer: SseBuffer,
}

/// Whether an event carries the cursor of its position: from there a browser can go on.
#[derive(Clone, Copy)]
enum EventCursor {
    Included,
    LeftOut,
}

impl SseWriter {
    /// Records, in order.
    pub(crate) fn records(&mut self, run: &[Visible<Arc<Record>>]) {
        let frames = run.iter().filter_map(|visible| visible.get().frame());
        if run.len() > 1 {
            self.buffer.reserve(frames.clone().map(Bytes::len).sum());
        }
        for frame in frames {
            self.buffer.push(frame);
        }
    }

    /// Records, and guilds that came or went between them, in order. An event from whose position
    /// the browser could not go on carries no cursor; the last change does.
    pub(crate) fn replay(&mut self, replay: &Replay) {
        if replay.availability.is_empty() && replay.resumable_to.is_none() {
            return self.records(&replay.records);
        }
        let cursor_at = |at: Position| match replay.resumable_to {
            Some(last) if at.seq > last => EventCursor::LeftOut,
            _ => EventCursor::Included,
        };
        let mut records = replay.records.iter().peekable();
        for (index, change) in replay.availability.iter().enumerate() {
            while let Some(visible) =
                records.next_if(|visible| visible.get().at.seq <= change.at.seq)
            {
                self.record(visible.get(), cursor_at(visible.get().at));
            }
            let last = index + 1 == replay.availability.len() && records.peek().is_none();
            let cursor = if last {
                EventCursor::Included
            } else {
                cursor_at(change.at)
            };
            self.availability(change, cursor);
        }
        for visible in records {
            self.record(visible.get(), cursor_at(visible.get().at));
        }
    }

    fn record(&mut self, record: &Record, cursor: EventCursor) {
        let Some(encoded) = record.frame() else {
            return;
        };
        match cursor {
            EventCursor::Included => self.buffer.push(encoded),
            EventCursor::LeftOut => {
                if let Some(payload) = record.event.public() {
                    let name = record.event.change.name();
                    self.buffer.event(name, None, &json::to_vec(&payload));
                }
            }
        }
    }

    fn availability(&mut self, change: &AvailabilityChange, cursor: EventCursor) {
        let mut data = json::to_vec(&OfGuild {
            guild_id: change.guild_id,
            ts: change.ts,
        });
        let name = match change.what.get() {
            GuildAvailability::Available(snapshot) => {
                data.pop();
                data.extend_from_slice(b",\"guild\":");
                guild(&mut data, snapshot);
                data.push(b'}');
                "guild.available"
            }
            GuildAvailability::Unavailable => "guild.unavailable",
            GuildAvailability::Removed => "guild.removed",
        };
        let cursor = match cursor {
            EventCursor::Included => Some(change.at),
            EventCursor::LeftOut => None,
        };
        self.buffer.event(name, cursor, &data);
    }

    /// A control event. `cursor`: the last position before the first record still to be sent.
    pub(crate) fn control(&mut self, cursor: Option<Position>, event: &Visible<ControlEvent>) {
        let data = json::to_vec(event.get());
        self.buffer.event(event.get().name(), cursor, &data);
    }

    /// How long the browser waits before it reconnects; belongs to the event that follows.
    pub(crate) fn retry(&mut self, ms: u64) {
        self.buffer.retry(ms);
    }

    /// `snapshot`.
    pub(crate) fn snapshot(
        &mut self,
        at: Position,
        reason: SnapshotReason,
        status: &Visible<StatusPayload>,
        guilds: &[Visible<GuildSnapshot>],
    ) {
        let mut data = b"{\"reason\":".to_vec();
        data.extend_from_slice(&json::to_vec(&reason));
        snapshot_body(&mut data, status, guilds);
        self.buffer.event("snapshot", Some(at), &data);
    }

    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// All of it.
    pub(crate) fn finish(self) -> Bytes {
        self.buffer.finish()
    }
}

/// The answer of `/api/state`: the snapshot with its cursor.
pub(crate) fn state_json(
    at: Position,
    status: &Visible<StatusPayload>,
    guilds: &[Visible<GuildSnapshot>],
) -> Bytes {
    let mut data = b"{\"cursor\":".to_vec();
    data.extend_from_slice(&json::to_vec(&at));
    snapshot_body(&mut data, status, guilds);
    Bytes::from(data)
}

/// The rest of an open JSON object, from `,"status"` to its end.
fn snapshot_body(
    out: &mut Vec<u8>,
    status: &Visible<StatusPayload>,
    guilds: &[Visible<GuildSnapshot>],
) {
    out.extend_from_slice(b",\"status\":");
    out.extend_from_slice(&json::to_vec(status.get()));
    out.extend_from_slice(b",\"guilds\":[");
    for (index, snapshot) in guilds.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        guild(out, snapshot.get());
    }
    out.extend_from_slice(b"]}");
}

fn guild(out: &mut Vec<u8>, snapshot: &GuildSnapshot) {
    out.extend_from_slice(&snapshot.head);
    out.extend_from_slice(b",\"rooms\":[");
    for (index, room) in snapshot.rooms.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(room);
    }
    out.extend_from_slice(b"]}");
}

/// What every event about a guild begins with.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfGuild {
    guild_id: GuildId,
    ts: UnixMs,
}
