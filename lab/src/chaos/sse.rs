//! The bytes of a stream as a browser takes them: chunks joined, frames cut, and a frame whose end
//! did not come thrown away with the connection.

use anyhow::{Context, bail};

/// A chunk's size is a few digits.
const SIZE_LINE_AT_MOST: usize = 32;

/// One frame, its fields as they stood there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) event: String,
    pub(crate) id: Option<String>,
    pub(crate) data: String,
    pub(crate) retry_ms: Option<u64>,
    /// As it came, `id:` and all.
    pub(crate) bytes: usize,
}

/// Cuts the body of one response into frames.
pub(crate) struct Body {
    length: Length,
    text: Vec<u8>,
}

/// How a body says where it ends.
enum Length {
    Chunked(Chunks),
    /// A stream that only says `bye` is a short answer like any other.
    Left(usize),
}

impl Body {
    /// The body behind this head of an answer.
    pub(crate) fn behind(head: &str) -> anyhow::Result<Self> {
        let head = head.to_ascii_lowercase();
        let mut headers = head.lines().filter_map(|line| line.split_once(':'));
        let length = headers.find_map(|(name, value)| (name == "content-length").then_some(value));
        let length = match length {
            Some(length) => Length::Left(length.trim().parse().context("no length")?),
            None if head.contains("chunked") => Length::Chunked(Chunks::default()),
            None => bail!("an answer that does not say where it ends: {head}"),
        };
        Ok(Self {
            length,
            text: Vec::new(),
        })
    }

    /// Takes what was read and hands on each frame that is whole now. `true`: the body has ended.
    pub(crate) fn take(
        &mut self,
        bytes: &[u8],
        mut found: impl FnMut(Frame),
    ) -> anyhow::Result<bool> {
        let ended = match &mut self.length {
            Length::Chunked(chunks) => chunks.take(bytes, &mut self.text)?,
            Length::Left(left) => {
                self.text.extend_from_slice(bytes);
                *left = left.saturating_sub(bytes.len());
                *left == 0
            }
        };
        let mut used = 0;
        while let Some(length) = memchr::memmem::find(&self.text[used..], b"\n\n") {
            let end = used + length + 2;
            let text = std::str::from_utf8(&self.text[used..end]).context("not UTF-8")?;
            found(frame(text));
            used = end;
        }
        self.text.drain(..used);
        Ok(ended)
    }
}

fn frame(text: &str) -> Frame {
    let mut frame = Frame {
        bytes: text.len(),
        ..Frame::default()
    };
    for line in text.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut frame.event),
            "id" => frame.id = Some(value.to_owned()),
            "data" => value.clone_into(&mut frame.data),
            "retry" => frame.retry_ms = value.parse().ok(),
            // A comment, or what we do not know.
            _ => {}
        }
    }
    frame
}

/// HTTP/1.1's chunked coding, which comes in any parts.
#[derive(Default)]
struct Chunks {
    /// Of the present chunk, with the line end behind it.
    left: usize,
    size_line: Vec<u8>,
    ended: bool,
}

/// What stands behind each chunk.
const LINE_END: usize = 2;

impl Chunks {
    fn take(&mut self, mut bytes: &[u8], body: &mut Vec<u8>) -> anyhow::Result<bool> {
        while !bytes.is_empty() && !self.ended {
            if self.left == 0 {
                bytes = self.take_size(bytes)?;
                continue;
            }
            let here = self.left.min(bytes.len());
            let content = self.left.saturating_sub(LINE_END).min(here);
            body.extend_from_slice(&bytes[..content]);
            self.left -= here;
            bytes = &bytes[here..];
        }
        Ok(self.ended)
    }

    fn take_size<'a>(&mut self, bytes: &'a [u8]) -> anyhow::Result<&'a [u8]> {
        let end = memchr::memchr(b'\n', bytes);
        let here = end.map_or(bytes.len(), |end| end + 1);
        self.size_line.extend_from_slice(&bytes[..here]);
        if self.size_line.len() > SIZE_LINE_AT_MOST {
            bail!("this is no chunked body");
        }
        if end.is_some() {
            let line = String::from_utf8_lossy(&self.size_line);
            let size = usize::from_str_radix(line.trim(), 16)
                .with_context(|| format!("{line:?} is no size of a chunk"))?;
            self.ended = size == 0;
            self.left = size + LINE_END;
            self.size_line.clear();
        }
        Ok(&bytes[here..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMES: &str = "retry: 1500\nevent: snapshot\nid: 0.1-2\ndata: {\"a\":1}\n\n\
        : nothing\n\nevent: bye\ndata: {}\n\nevent: half";

    fn chunked(size: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for chunk in FRAMES.as_bytes().chunks(size) {
            bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
        bytes
    }

    #[test]
    fn frames_are_whole_whatever_parts_they_come_in() {
        for (chunk, read) in [(1, 1), (7, 3), (1000, 1000), (20, 1000), (1000, 1)] {
            let (mut body, mut frames, mut ended) = (streamed(), Vec::new(), false);
            for part in chunked(chunk).chunks(read) {
                ended = body.take(part, |frame| frames.push(frame)).expect("chunks");
            }
            assert!(ended);
            assert_eq!(frames.len(), 3, "chunks of {chunk} read by {read}");
            let first = &frames[0];
            assert_eq!(
                (first.event.as_str(), first.retry_ms),
                ("snapshot", Some(1500))
            );
            assert_eq!(first.id.as_deref(), Some("0.1-2"));
            assert_eq!(first.data, "{\"a\":1}");
            assert_eq!((frames[2].event.as_str(), &frames[2].id), ("bye", &None));
        }
    }

    #[test]
    fn a_short_answer_ends_where_it_says() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 21\r\n";
        let mut body = Body::behind(head).expect("a length");
        let mut frames = Vec::new();
        let mut take = |bytes: &[u8]| body.take(bytes, |frame| frames.push(frame)).expect("text");
        assert!(!take(b"event: bye\n"));
        assert!(take(b"data: {}\n\n"));
        assert_eq!(frames[0].event, "bye");
    }

    #[test]
    fn what_is_not_chunked_is_an_error() {
        assert!(streamed().take(b"event: snapshot\n", |_| ()).is_err());
        assert!(streamed().take(&[b'1'; 100], |_| ()).is_err());
        assert!(Body::behind("HTTP/1.1 200 OK\r\n").is_err());
    }

    fn streamed() -> Body {
        Body::behind("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n").expect("chunked")
    }
}
