//! Server-sent events as bytes: the framing, in one place.

use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};
use guildhall_model::{Cursor, Position, json};
use serde::Serialize;

/// One event of a log as it stands on every stream that is about this log alone. Its `id:` is the
/// last line, so what a stream sends with another, or without one, is a part of the same bytes.
#[derive(Clone, Debug)]
pub(crate) struct EncodedEvent {
    bytes: Bytes,
    /// Where the line of the `id:` begins.
    id_at: usize,
}

/// Renders an event, once for all streams. `cursor`: where a browser that has it can go on in its
/// log.
pub(crate) fn encode(event: &str, cursor: Position, payload: &impl Serialize) -> EncodedEvent {
    encode_json(event, cursor, &json::to_vec(payload))
}

/// The same of a payload that is JSON already, written by [`json`].
pub(crate) fn encode_json(event: &str, cursor: Position, payload: &[u8]) -> EncodedEvent {
    let mut out = BytesMut::with_capacity(payload.len() + 128);
    body(&mut out, event, payload);
    let id_at = out.len();
    end(&mut out, Some(&cursor.into()));
    let bytes = out.freeze();
    EncodedEvent { bytes, id_at }
}

impl EncodedEvent {
    /// With its `id:`.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// About as long as the `id:` of a stream on twenty logs.
const ID_LINE: usize = 192;

/// Events to be sent at once, joined into one piece.
#[derive(Debug, Default)]
pub(crate) struct SseBuffer {
    /// The only piece so far, as it is shared: one encoded event on its own is not copied.
    only: Option<Bytes>,
    joined: BytesMut,
}

impl SseBuffer {
    /// Makes room for so many bytes of encoded events, which are known to be more than one.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        let only = self.only.as_ref().map_or(0, Bytes::len);
        self.joined.reserve(bytes + only);
    }

    /// Adds an event of the log.
    pub(crate) fn push(&mut self, encoded: &EncodedEvent) {
        if self.is_empty() {
            self.only = Some(encoded.bytes.clone());
        } else {
            self.join().extend_from_slice(&encoded.bytes);
        }
    }

    /// Adds an event of the log from which a browser could not go on: its bytes but for the `id:`.
    pub(crate) fn push_without_id(&mut self, encoded: &EncodedEvent) {
        let joined = self.join();
        joined.extend_from_slice(&encoded.bytes[..encoded.id_at]);
        end(joined, None);
    }

    /// Adds an event of the log from which a browser goes on in more logs than this one: its bytes
    /// but for the `id:`, and that.
    pub(crate) fn push_with_id(&mut self, encoded: &EncodedEvent, cursor: &Cursor) {
        let joined = self.join();
        joined.reserve(encoded.id_at + ID_LINE);
        joined.extend_from_slice(&encoded.bytes[..encoded.id_at]);
        end(joined, Some(cursor));
    }

    /// Adds an event. `data`: JSON written by [`json`]; `cursor`: its `id`, if it has one.
    pub(crate) fn event(&mut self, event: &str, cursor: Option<&Cursor>, data: &[u8]) {
        let joined = self.join();
        body(joined, event, data);
        end(joined, cursor);
    }

    /// How long the browser waits before it reconnects; belongs to the event that follows.
    pub(crate) fn retry(&mut self, ms: u64) {
        writeln!(self.join(), "retry: {ms}").expect("memory takes all text");
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

/// One event of a stream, up to its `id:`.
///
/// INVARIANT(one-line): JSON written by `guildhall_model::json` has no raw line end of any kind
/// (they are escaped inside strings, and nothing here is pretty-printed), names are ours, a
/// position is digits and three signs. So no field can end its line or the frame.
fn body(out: &mut BytesMut, event: &str, data: &[u8]) {
    debug_assert!(
        !data.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)),
        "data is one line"
    );
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(event.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\n");
}

/// The rest of an event: its `id:`, if it has one, and the blank line.
fn end(out: &mut BytesMut, cursor: Option<&Cursor>) {
    if let Some(cursor) = cursor {
        writeln!(out, "id: {cursor}").expect("memory takes all text");
    }
    out.extend_from_slice(b"\n");
}

#[cfg(test)]
mod tests;
