//! The bytes of an SSE stream cut into frames, and the stamps found in them.
//!
//! This is read once for each delivery on the same machine as what is measured,
//! so it looks only for what it needs and copies only a frame that came in parts.

use memchr::memmem;

/// What a frame means to the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// The event the bench counts.
    Stamp(Stamp),
    /// The picture anew: right at the beginning, a loss later on.
    Snapshot,
    /// The server is about to close.
    Bye,
    /// Heartbeats, states, and events of others.
    Other,
}

/// `SEQ:UNIX_MICROS`, as it travels in a user's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) sequence: u64,
    pub(crate) sent_micros: u64,
}

/// Calls `found` with each whole frame and its length, and keeps what is left
/// in `rest` for the next call.
pub(crate) fn cut(rest: &mut Vec<u8>, bytes: &[u8], mut found: impl FnMut(Frame, usize)) {
    if rest.is_empty() {
        let used = cut_whole(bytes, &mut found);
        rest.extend_from_slice(&bytes[used..]);
    } else {
        rest.extend_from_slice(bytes);
        let used = cut_whole(rest, &mut found);
        rest.drain(..used);
    }
}

/// Returns how many bytes belonged to whole frames.
fn cut_whole(bytes: &[u8], found: &mut impl FnMut(Frame, usize)) -> usize {
    let mut used = 0;
    while let Some(length) = memmem::find(&bytes[used..], b"\n\n") {
        let end = used + length + 2;
        found(read(&bytes[used..end]), end - used);
        used = end;
    }
    used
}

/// The HTTP chunk sizes between frames are skipped with what is not looked for.
fn read(frame: &[u8]) -> Frame {
    if memmem::find(frame, b"event: voice.updated\n").is_some() {
        return stamp(frame).map_or(Frame::Other, Frame::Stamp);
    }
    if memmem::find(frame, b"event: snapshot\n").is_some() {
        return Frame::Snapshot;
    }
    if memmem::find(frame, b"event: bye\n").is_some() {
        return Frame::Bye;
    }
    Frame::Other
}

fn stamp(frame: &[u8]) -> Option<Stamp> {
    const FIELD: &[u8] = b"\"username\":\"";
    let begin = memmem::find(frame, FIELD)? + FIELD.len();
    let value = &frame[begin..];
    let value = &value[..memchr::memchr(b'"', value)?];
    let (sequence, sent_micros) = std::str::from_utf8(value).ok()?.split_once(':')?;
    Some(Stamp {
        sequence: sequence.parse().ok()?,
        sent_micros: sent_micros.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
        1f\r\nretry: 2000\n\n\
        event: snapshot\ndata: {\"username\":\"1:2\"}\n\n\r\n\
        2a\r\nevent: voice.updated\ndata: {\"username\":\"7:1234\",\"a\":1}\nid: x\n\n\
        event: voice.updated\ndata: {\"username\":\"Ann\"}\n\n\
        event: bye\ndata: {}\n\n";

    fn frames(parts: impl Iterator<Item = Vec<u8>>) -> Vec<Frame> {
        let mut rest = Vec::new();
        let mut frames = Vec::new();
        for part in parts {
            cut(&mut rest, &part, |frame, _| frames.push(frame));
        }
        frames
    }

    #[test]
    fn stamps_count_only_in_the_event_that_carries_them() {
        let whole = frames(std::iter::once(STREAM.as_bytes().to_vec()));
        let stamp = Stamp {
            sequence: 7,
            sent_micros: 1234,
        };
        assert_eq!(
            whole,
            [
                Frame::Other,
                Frame::Snapshot,
                Frame::Stamp(stamp),
                Frame::Other,
                Frame::Bye
            ]
        );
    }

    #[test]
    fn bytes_may_come_in_any_parts() {
        let whole = frames(std::iter::once(STREAM.as_bytes().to_vec()));
        for size in 1..40 {
            let parts = STREAM.as_bytes().chunks(size).map(<[u8]>::to_vec);
            assert_eq!(frames(parts), whole, "in parts of {size}");
        }
    }

    #[test]
    fn lengths_add_up_to_what_was_read() {
        let mut sum = 0;
        cut(&mut Vec::new(), STREAM.as_bytes(), |_, length| {
            sum += length;
        });
        assert_eq!(sum, STREAM.len());
    }
}
