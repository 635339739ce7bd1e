//! 7: bytes. The SSE framing, in one place. Only what is `Visible` can be written.

use std::{fmt::Write as _, sync::Arc};

use bytes::{Bytes, BytesMut};
use guildhall_model::{GuildId, Position, UnixMs, json};
use serde::Serialize;

use super::{
    control::SnapshotReason,
    filter::{Common, GuildNews, GuildPicture, Visible},
    join::{News, Replay},
};
use crate::replica::{Record, StatusPayload};

/// The bytes of one record on every stream. The position is also the cursor, as long as there is
/// one log behind every query.
pub(crate) fn record_frame(event: &str, at: Position, payload: &impl Serialize) -> Bytes {
    let mut out = BytesMut::with_capacity(512);
    frame(&mut out, event, Some(at), &json::to_vec(payload));
    out.freeze()
}

/// What one poll of a stream sends, joined into one piece.
#[derive(Debug, Default)]
pub(crate) struct SseWriter {
    /// The only piece so far, as it is shared: one record on its own is not copied.
    only: Option<Bytes>,
    joined: BytesMut,
}

impl SseWriter {
    /// Records, in order.
    pub(crate) fn records(&mut self, run: &[Visible<Arc<Record>>]) {
        let frames = run.iter().filter_map(|visible| visible.get().frame());
        if run.len() > 1 {
            let length: usize = frames.clone().map(Bytes::len).sum();
            self.joined
                .reserve(length + self.only.as_ref().map_or(0, Bytes::len));
        }
        for frame in frames {
            if self.is_empty() {
                self.only = Some(frame.clone());
            } else {
                self.join().extend_from_slice(frame);
            }
        }
    }

    /// Records, and guilds that came or went between them, in order. A frame from whose place the
    /// browser could not go on carries none; the last news do.
    pub(crate) fn replay(&mut self, replay: &Replay) {
        if replay.news.is_empty() && replay.sure.is_none() {
            return self.records(&replay.records);
        }
        let sure = |at: Position| replay.sure.is_none_or(|sure| at.seq <= sure);
        let mut records = replay.records.iter().peekable();
        for (index, news) in replay.news.iter().enumerate() {
            while let Some(visible) = records.next_if(|visible| visible.get().at.seq <= news.at.seq)
            {
                self.record(visible.get(), sure(visible.get().at));
            }
            let last = index + 1 == replay.news.len() && records.peek().is_none();
            self.news(news, last || sure(news.at));
        }
        for visible in records {
            self.record(visible.get(), sure(visible.get().at));
        }
    }

    /// One record, with or without its place.
    fn record(&mut self, record: &Record, placed: bool) {
        let Some(placed_frame) = record.frame() else {
            return;
        };
        if placed {
            self.join().extend_from_slice(placed_frame);
        } else if let Some(payload) = record.event.public() {
            let data = json::to_vec(&payload);
            frame(self.join(), record.event.change.name(), None, &data);
        }
    }

    fn news(&mut self, news: &News, placed: bool) {
        let mut data = json::to_vec(&OfGuild {
            guild_id: news.guild_id,
            ts: news.ts,
        });
        let name = match news.what.get() {
            GuildNews::Available(picture) => {
                data.pop();
                data.extend_from_slice(b",\"guild\":");
                guild(&mut data, picture);
                data.push(b'}');
                "guild.available"
            }
            GuildNews::Unavailable => "guild.unavailable",
            GuildNews::Removed => "guild.removed",
        };
        frame(self.join(), name, placed.then_some(news.at), &data);
    }

    /// A control event. `cursor`: the last place before the first record still to be sent.
    pub(crate) fn control<T: Common + Serialize>(
        &mut self,
        event: &str,
        cursor: Option<Position>,
        payload: &Visible<T>,
    ) {
        let data = json::to_vec(payload.get());
        frame(self.join(), event, cursor, &data);
    }

    /// How long the browser waits before it comes back; belongs to the event that follows.
    pub(crate) fn retry(&mut self, ms: u64) {
        writeln!(self.join(), "retry: {ms}").expect("memory takes all text");
    }

    /// `snapshot`.
    pub(crate) fn snapshot(
        &mut self,
        at: Position,
        reason: SnapshotReason,
        status: &Visible<StatusPayload>,
        guilds: &[Visible<GuildPicture>],
    ) {
        let mut data = b"{\"reason\":".to_vec();
        data.extend_from_slice(&json::to_vec(&reason));
        snapshot_body(&mut data, status, guilds);
        frame(self.join(), "snapshot", Some(at), &data);
    }

    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.only.is_none() && self.joined.is_empty()
    }

    /// All of it.
    pub(crate) fn finish(self) -> Bytes {
        self.only.unwrap_or_else(|| self.joined.freeze())
    }

    fn join(&mut self) -> &mut BytesMut {
        if let Some(only) = self.only.take() {
            self.joined.extend_from_slice(&only);
        }
        &mut self.joined
    }
}

/// The answer of `/api/state`: the snapshot with its cursor.
pub(crate) fn state_json(
    at: Position,
    status: &Visible<StatusPayload>,
    guilds: &[Visible<GuildPicture>],
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
    guilds: &[Visible<GuildPicture>],
) {
    out.extend_from_slice(b",\"status\":");
    out.extend_from_slice(&json::to_vec(status.get()));
    out.extend_from_slice(b",\"guilds\":[");
    for (index, picture) in guilds.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        guild(out, picture.get());
    }
    out.extend_from_slice(b"]}");
}

fn guild(out: &mut Vec<u8>, picture: &GuildPicture) {
    out.extend_from_slice(&picture.head);
    out.extend_from_slice(b",\"rooms\":[");
    for (index, room) in picture.rooms.iter().enumerate() {
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

/// One event of a stream.
///
/// INVARIANT(one-line): JSON written by `guildhall_model::json` has no raw line end of any kind
/// (they are escaped inside strings, and nothing here is pretty-printed), names are ours, a
/// position is digits and three signs. So no field can end its line or the frame.
fn frame(out: &mut BytesMut, event: &str, cursor: Option<Position>, data: &[u8]) {
    debug_assert!(
        !data.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)),
        "data is one line"
    );
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(event.as_bytes());
    if let Some(cursor) = cursor {
        write!(out, "\nid: {cursor}").expect("memory takes all text");
    }
    out.extend_from_slice(b"\ndata: ");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests;
