//! Bytes, in whatever parts they come, to events.

use std::str::Utf8Error;
use std::time::Duration;

/// One block of a stream. A browser dispatches only those with data; the others say `retry:` or
/// keep the connection open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The field `event`; empty if it is not there.
    pub name: String,
    /// The field `id`.
    pub id: Option<String>,
    /// The lines of the field `data`.
    pub data: String,
    /// The field `retry`.
    pub retry: Option<Duration>,
    /// As it came, with comments before it.
    pub raw: String,
}

/// Takes bytes and gives events. What an ended connection left unfinished goes with it.
#[derive(Debug, Default)]
pub struct Parser {
    bytes: Vec<u8>,
    /// Where the next event begins.
    read: usize,
}

impl Parser {
    /// What was read next.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.read);
        self.read = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole event, if there is one. Comments are no events.
    ///
    /// # Errors
    /// If it is not UTF-8.
    #[expect(
        clippy::should_implement_trait,
        reason = "no iterator: it goes on after `None` when more has come"
    )]
    pub fn next(&mut self) -> Result<Option<Event>, Utf8Error> {
        let mut event = Event::default();
        let mut is_event = false;
        let mut end = self.read;
        while let Some(length) = memchr::memchr(b'\n', &self.bytes[end..]) {
            let line = std::str::from_utf8(&self.bytes[end..end + length])?;
            let line = line.strip_suffix('\r').unwrap_or(line);
            end += length + 1;
            if !line.is_empty() {
                is_event |= event.take(line);
            } else if is_event {
                let raw = std::str::from_utf8(&self.bytes[self.read..end])?;
                raw.clone_into(&mut event.raw);
                self.read = end;
                return Ok(Some(event));
            }
        }
        Ok(None)
    }
}

impl Event {
    /// Whether the line is a field that is known.
    fn take(&mut self, line: &str) -> bool {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "id" => self.id = Some(value.to_owned()),
            "retry" => self.retry = value.parse().ok().map(Duration::from_millis),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "retry: 1500\nevent: snapshot\ndata: {\"a\":1}\nid: 0.1-2\n\n\
        : nothing\n\nevent:bye\r\ndata: 1\r\ndata:2\r\n\r\nevent: half";

    fn events(part: usize) -> Vec<Event> {
        let (mut parser, mut events) = (Parser::default(), Vec::new());
        for bytes in STREAM.as_bytes().chunks(part) {
            parser.push(bytes);
            while let Some(event) = parser.next().expect("UTF-8") {
                events.push(event);
            }
        }
        events
    }

    #[test]
    fn events_are_whole_whatever_parts_they_come_in() {
        let whole = events(STREAM.len());
        assert_eq!(whole.len(), 2);
        assert_eq!(
            whole[0],
            Event {
                name: "snapshot".to_owned(),
                id: Some("0.1-2".to_owned()),
                data: "{\"a\":1}".to_owned(),
                retry: Some(Duration::from_millis(1500)),
                raw: STREAM[..53].to_owned(),
            }
        );
        assert!(whole[1].raw.starts_with(": nothing\n\nevent:bye"));
        assert_eq!((whole[1].name.as_str(), &*whole[1].data), ("bye", "1\n2"));
        for part in 1..STREAM.len() {
            assert_eq!(events(part), whole, "in parts of {part}");
        }
    }

    #[test]
    fn what_is_not_text_is_an_error() {
        let mut parser = Parser::default();
        parser.push(b"data: \xff\n\n");
        assert!(parser.next().is_err());
    }
}
