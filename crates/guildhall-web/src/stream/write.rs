//! Writes what a stream sends, as events and JSON. It takes nothing about a guild that is not
//! `Visible`.

use std::sync::Arc;

use bytes::Bytes;
use guildhall_model::{
    Cursor, GuildId, Position, UnixMs,
    event::{
        GUILD_AVAILABLE, GUILD_REMOVED, GUILD_UNAVAILABLE, LiveEvent, SNAPSHOT, SnapshotReason,
        StatusPayload,
    },
    json,
};
use serde::Serialize;

use super::replay::{AvailabilityChange, Replay};
use crate::{
    fanout::StreamPosition,
    replica::LogPositions,
    sse::{EncodedEvent, SseBuffer},
    visible::{ControlEvent, GuildAvailability, GuildSnapshot, LogFrame, Visible},
};

/// What one poll of a stream sends, joined into one piece.
#[derive(Debug, Default)]
pub(crate) struct SseWriter {
    buffer: SseBuffer,
    /// When the gateway heard of the first change of the viewer's rights that is told here.
    rights_changed_at: Option<UnixMs>,
    /// A room is shown here.
    shows_rooms: bool,
}

/// One event of a run.
#[derive(Clone, Copy)]
enum RunEvent<'a> {
    Frame(&'a LogFrame, &'a EncodedEvent),
    Availability(&'a AvailabilityChange),
}

impl SseWriter {
    /// What a stream is sent of one log, in order, which moves it on. Only the last of a group
    /// carries an `id:`.
    pub(crate) fn frames(&mut self, run: &[Visible<LogFrame>], position: &mut StreamPosition) {
        if position.positions().is_one() {
            return self.shared(run);
        }
        self.note_rights(run);
        let mut frames = run.iter().filter_map(encoded).peekable();
        while let Some((frame, encoded)) = frames.next() {
            match frames.peek() {
                Some((next, _)) if next.cursor() == frame.cursor() => {
                    self.buffer.push_without_id(encoded);
                }
                _ => {
                    position.advance(frame.cursor());
                    self.buffer.push_with_id(encoded, &position.cursor());
                }
            }
        }
    }

    /// The same on a stream that is about that log alone: the bytes as they are.
    fn shared(&mut self, run: &[Visible<LogFrame>]) {
        self.note_rights(run);
        let mut frames = run.iter().filter_map(encoded).peekable();
        if run.len() > 1 {
            let lengths = run.iter().filter_map(encoded);
            self.buffer
                .reserve(lengths.map(|(_, encoded)| encoded.len()).sum());
        }
        while let Some((frame, encoded)) = frames.next() {
            match frames.peek() {
                Some((next, _)) if next.cursor() == frame.cursor() => {
                    self.buffer.push_without_id(encoded);
                }
                _ => self.buffer.push(encoded),
            }
        }
    }

    fn note_rights(&mut self, run: &[Visible<LogFrame>]) {
        let changes = run.iter().map(Visible::get);
        let changes = changes.filter_map(LogFrame::rights_changed_at);
        self.rights_changed_at = self.rights_changed_at.into_iter().chain(changes).min();
        self.shows_rooms |= run.iter().any(|frame| frame.get().shows_room());
    }

    /// Whether a room is shown here: what the live lane said of it before is not known to the browser.
    pub(crate) fn shows_rooms(&self) -> bool {
        self.shows_rooms
    }

    /// When the gateway heard of the first change of the viewer's rights that is told here. `None`:
    /// none is.
    pub(crate) fn rights_changed_at(&self) -> Option<UnixMs> {
        self.rights_changed_at
    }

    /// Records, and guilds that came or went between them, in order. Only the last of what a group
    /// did carries an `id:`, and no event does from whose position the browser could not go on; the
    /// last change does.
    pub(crate) fn replay(&mut self, replay: &Replay) {
        let changes = self.rights_changed_at.into_iter();
        self.rights_changed_at = changes.chain(replay.rights_changed_at).min();
        let resumable = |at: Position| {
            let mut limits = replay.resumable_to.iter();
            limits.all(|limit| limit.log != at.log || at.seq <= limit.seq)
        };
        if replay.upto.is_one() && replay.availability.is_empty() && replay.resumable_to.is_empty()
        {
            return self.shared(&replay.frames);
        }
        self.note_rights(&replay.frames);
        let told = in_order(replay);
        let mut cursor = replay.from.clone();
        for (index, event) in told.iter().enumerate() {
            let has_cursor = match told.get(index + 1) {
                Some(next) if next.cursor() == event.cursor() => false,
                None if event.is_snapshot() => {
                    cursor = replay.upto.clone();
                    true
                }
                _ => !event.is_snapshot() && resumable(event.cursor()),
            };
            if has_cursor {
                cursor.set(event.cursor());
            }
            let cursor = has_cursor.then_some(&cursor);
            match (event, cursor) {
                (RunEvent::Frame(_, encoded), None) => self.buffer.push_without_id(encoded),
                (RunEvent::Frame(_, encoded), Some(cursor)) => self.frame(encoded, cursor),
                (RunEvent::Availability(change), cursor) => {
                    self.availability(change, cursor.map(LogPositions::cursor).as_ref());
                }
            }
        }
    }

    fn frame(&mut self, encoded: &EncodedEvent, cursor: &LogPositions) {
        if cursor.is_one() {
            self.buffer.push(encoded);
        } else {
            self.buffer.push_with_id(encoded, &cursor.cursor());
        }
    }

    fn availability(&mut self, change: &AvailabilityChange, cursor: Option<&Cursor>) {
        let mut data = json::to_vec(&OfGuild {
            guild_id: change.guild_id,
            ts: change.ts,
        });
        let event = match change.what.get() {
            GuildAvailability::Available(snapshot) => {
                data.pop();
                data.extend_from_slice(b",\"guild\":");
                guild(&mut data, snapshot);
                data.push(b'}');
                &GUILD_AVAILABLE
            }
            GuildAvailability::Unavailable => &GUILD_UNAVAILABLE,
            GuildAvailability::Removed => &GUILD_REMOVED,
        };
        self.buffer.event(event.name, cursor, &data);
    }

    /// A word of the live lane: it has no `id`, since nobody goes on from it.
    pub(crate) fn live(&mut self, event: &Visible<Arc<LiveEvent>>) {
        let event = event.get();
        let name = event.definition().name;
        self.buffer.event(name, None, event.payload().as_bytes());
    }

    /// A control event. `cursor`: the last position before the first record still to be sent.
    pub(crate) fn control(&mut self, cursor: Option<&Cursor>, event: &Visible<ControlEvent>) {
        let data = json::to_vec(event.get());
        self.buffer
            .event(event.get().definition().name, cursor, &data);
    }

    /// How long the browser waits before it reconnects; belongs to the event that follows.
    pub(crate) fn retry(&mut self, ms: u64) {
        self.buffer.retry(ms);
    }

    /// `snapshot`.
    pub(crate) fn snapshot(
        &mut self,
        at: &Cursor,
        reason: SnapshotReason,
        status: &Visible<StatusPayload>,
        guilds: &[Visible<GuildSnapshot>],
    ) {
        let mut data = b"{\"reason\":".to_vec();
        data.extend_from_slice(&json::to_vec(&reason));
        snapshot_body(&mut data, status, guilds);
        self.buffer.event(SNAPSHOT.name, Some(at), &data);
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

/// A frame with its bytes. `None`: internal, which nothing visible is.
fn encoded(visible: &Visible<LogFrame>) -> Option<(&LogFrame, &EncodedEvent)> {
    let frame = visible.get();
    Some((frame, frame.encoded()?))
}

/// What a replay tells: each guild that goes after the records up to its position, and those that
/// come last.
fn in_order(replay: &Replay) -> Vec<RunEvent<'_>> {
    let frames = replay.frames.iter().filter_map(encoded);
    let frames = frames.map(|(frame, encoded)| RunEvent::Frame(frame, encoded));
    let changes = replay.availability.iter().map(RunEvent::Availability);
    let mut told: Vec<_> = frames.chain(changes).collect();
    // Stable, so a change comes after the frames at its position.
    told.sort_by_key(|event| (event.is_snapshot(), event.at()));
    told
}

impl RunEvent<'_> {
    /// Where it happened.
    fn at(&self) -> Position {
        match self {
            Self::Frame(frame, _) => frame.at(),
            Self::Availability(change) => change.at,
        }
    }

    /// Where the group ends that it is of.
    fn cursor(&self) -> Position {
        match self {
            Self::Frame(frame, _) => frame.cursor(),
            Self::Availability(change) => change.at,
        }
    }

    /// Whether it is a guild as it is now.
    fn is_snapshot(&self) -> bool {
        let Self::Availability(change) = self else {
            return false;
        };
        matches!(change.what.get(), GuildAvailability::Available(_))
    }
}

/// The answer of `/api/state`: the snapshot with its cursor.
pub(crate) fn state_json(
    at: &Cursor,
    status: &Visible<StatusPayload>,
    guilds: &[Visible<GuildSnapshot>],
) -> Bytes {
    let mut data = b"{\"cursor\":".to_vec();
    data.extend_from_slice(&json::to_vec(at));
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
