//! Server-sent events as bytes: the framing, in one place.

use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};
use guildhall_model::{Position, json};
use serde::Serialize;

/// One event with its position, which is also the cursor as long as there is one log behind every
/// query.
pub(crate) fn encode(event: &str, at: Position, payload: &impl Serialize) -> Bytes {
    let mut out = BytesMut::with_capacity(512);
    frame(&mut out, event, Some(at), &json::to_vec(payload));
    out.freeze()
}

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

    /// Adds an event that [`encode`] made.
    pub(crate) fn push(&mut self, encoded: &Bytes) {
        if self.is_empty() {
            self.only = Some(encoded.clone());
        } else {
            self.join().extend_from_slice(encoded);
        }
    }

    /// Adds an event. `data`: JSON written by [`json`]; `cursor`: its `id`, if it has one.
    pub(crate) fn event(&mut self, event: &str, cursor: Option<Position>, data: &[u8]) {
        frame(self.join(), event, cursor, data);
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
