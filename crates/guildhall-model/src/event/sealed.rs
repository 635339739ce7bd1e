//! An event of the log with its JSON, which is written once.

use std::ops::Deref;

use bytes::Bytes;

use super::Envelope;
use crate::json;

/// An event at its place in the log, and its JSON: what the journal keeps, what is counted against
/// the window, and what every attachment sends are the same bytes.
///
/// It is read as its [`Envelope`] and never changes, so the two are of one mind.
#[derive(Clone, Debug, PartialEq)]
pub struct SealedEvent {
    envelope: Envelope,
    /// The whole frame of the link, UTF-8.
    frame: Bytes,
    /// Where the frame's `data` begins and ends.
    data: (usize, usize),
}

/// More than nearly all frames have.
const FRAME_BYTES: usize = 640;

impl SealedEvent {
    /// Writes the JSON.
    #[must_use]
    pub fn new(envelope: Envelope) -> Self {
        let more = if envelope.more { r#","more":true"# } else { "" };
        let before = format!(r#"{{"type":"event","id":"{}","data":"#, envelope.at);
        let behind = format!(r#"{more},"ts":{}}}"#, envelope.event.ts);
        let mut frame = Vec::with_capacity(FRAME_BYTES);
        frame.extend_from_slice(before.as_bytes());
        json::append(&mut frame, &envelope.event);
        let data = (before.len(), frame.len());
        frame.extend_from_slice(behind.as_bytes());
        Self {
            envelope,
            frame: frame.into(),
            data,
        }
    }

    /// The event frame of the link (`docs/protocol/link.md`), one line of JSON in UTF-8. To clone
    /// it is to count one more who has it.
    #[must_use]
    pub fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// `{"event": NAME, "payload": {…}}`: the `data` of the event frame, one line.
    #[must_use]
    pub fn data(&self) -> &str {
        let (from, to) = self.data;
        // It was written from texts.
        str::from_utf8(&self.frame[from..to]).unwrap_or_default()
    }

    /// The payload of it, an object, for whoever keeps the name beside it. What
    /// [`Event::from_wire`](super::Event::from_wire) reads.
    #[must_use]
    pub fn payload(&self) -> &str {
        const BEFORE_NAME: usize = r#"{"event":""#.len();
        const BEHIND_NAME: usize = r#"","payload":"#.len();
        let from = BEFORE_NAME + self.event.change.name().len() + BEHIND_NAME;
        // Names are lower-case letters, dots and underscores, so none of them is escaped.
        let data = self.data();
        &data[from..data.len() - "}".len()]
    }

    /// Bytes that it takes: the fixed part, and the JSON, which is near enough to the rest.
    #[must_use]
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.frame.len()
    }

    /// The event alone.
    #[must_use]
    pub fn into_envelope(self) -> Envelope {
        self.envelope
    }
}

impl Deref for SealedEvent {
    type Target = Envelope;

    fn deref(&self) -> &Envelope {
        &self.envelope
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Event, LogId, Position, arbitrary};

    proptest! {
        #[test]
        fn the_payload_is_the_one_of_the_wire(event in arbitrary::event()) {
            let at = Position::start(LogId(0), 5).at(3);
            let sealed = SealedEvent::new(Envelope { at, more: true, event: event.clone() });
            prop_assert_eq!(sealed.payload(), json::to_string(&event.wire_payload()));
            let read = Event::from_wire(event.change.name(), sealed.payload());
            prop_assert_eq!(read.ok(), Some(event));
        }
    }
}
