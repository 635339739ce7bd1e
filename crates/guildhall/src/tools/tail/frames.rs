//! Server-Sent Events, as Guildhall writes them.

use serde_json::Value;

/// Larger than any snapshot.
const LONGEST: usize = 256 * 1024 * 1024;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StreamFrame {
    pub(super) event: String,
    pub(super) data: Value,
    /// The cursor to go on from.
    pub(super) id: Option<String>,
    /// When to come back, in milliseconds.
    pub(super) retry: Option<u64>,
}

impl StreamFrame {
    /// Whether it has a place in the log, unlike what a stream says of itself.
    pub(super) fn is_of_the_log(&self) -> bool {
        let of_stream = ["snapshot", "resumed", "status", "checkpoint", "bye"];
        !of_stream.contains(&self.event.as_str())
    }
}

/// What came is something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what comes is no stream of Guildhall's")]
pub(super) struct NoStream;

/// Bytes on their way to frames.
#[derive(Debug, Default)]
pub(super) struct FrameReader {
    bytes: Vec<u8>,
    /// So many of them have no frame's end.
    searched: usize,
}

impl FrameReader {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame, if it is whole.
    pub(super) fn take(&mut self) -> Result<Option<StreamFrame>, NoStream> {
        let from = self.searched.saturating_sub(1);
        let end = self.bytes[from..].windows(2).position(|two| two == b"\n\n");
        let Some(end) = end.map(|at| from + at) else {
            self.searched = self.bytes.len();
            return match self.bytes.len() {
                0..=LONGEST => Ok(None),
                _ => Err(NoStream),
            };
        };
        let rest = self.bytes.split_off(end + 2);
        let bytes = std::mem::replace(&mut self.bytes, rest);
        self.searched = 0;
        let frame = std::str::from_utf8(&bytes).ok().and_then(read);
        frame.map(Some).ok_or(NoStream)
    }
}

fn read(text: &str) -> Option<StreamFrame> {
    let field = |name: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    Some(StreamFrame {
        event: field("event")?.to_owned(),
        data: serde_json::from_str(field("data")?).ok()?,
        id: field("id").map(str::to_owned),
        retry: field("retry").and_then(|ms| ms.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn frames_come_out_whole_however_they_are_cut() {
        let text = "retry: 1500\nevent: snapshot\ndata: {\"guilds\":[]}\nid: 0.1-2\n\n\
                    event: voice.left\ndata: {\"userId\":\"7\"}\n\n";
        for length in [1, 2, 7, text.len()] {
            let mut reader = FrameReader::default();
            let mut came = Vec::new();
            for piece in text.as_bytes().chunks(length) {
                reader.push(piece);
                while let Some(frame) = reader.take().expect("it is one") {
                    came.push(frame);
                }
            }
            let [snapshot, left] = &came[..] else {
                panic!("{came:?}");
            };
            assert_eq!(snapshot.id.as_deref(), Some("0.1-2"));
            assert_eq!(snapshot.retry, Some(1_500));
            assert!(!snapshot.is_of_the_log());
            assert_eq!(left.data, json!({ "userId": "7" }));
            assert_eq!((&left.id, left.is_of_the_log()), (&None, true));
        }
    }

    #[test]
    fn a_page_of_html_is_no_stream() {
        for text in [
            "<!doctype html>\n\n",
            "event: x\n\n",
            "event: x\ndata: {\n\n",
        ] {
            let mut reader = FrameReader::default();
            reader.push(text.as_bytes());
            assert_eq!(reader.take(), Err(NoStream), "{text}");
        }
    }
}
