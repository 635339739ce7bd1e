//! An event of the log with its JSON, which is written once.

use std::ops::Deref;

use super::Envelope;
use crate::json;

/// An event at its place in the log, and its JSON: what the journal keeps, what is counted against
/// the window, and what every attachment sends are the same bytes.
///
/// It is read as its [`Envelope`] and never changes, so the two are of one mind.
#[derive(Clone, Debug, PartialEq)]
pub struct SealedEvent {
    envelope: Envelope,
    data: Box<str>,
}

impl SealedEvent {
    /// Writes the JSON.
    #[must_use]
    pub fn new(envelope: Envelope) -> Self {
        let data = json::to_string(&envelope.event).into_boxed_str();
        Self { envelope, data }
    }

    /// `{"event": NAME, "payload": {…}}`: the `data` of an event frame of the link, one line.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.data
    }

    /// The payload of it, an object, for whoever keeps the name beside it. What
    /// [`Event::from_wire`](super::Event::from_wire) reads.
    #[must_use]
    pub fn payload(&self) -> &str {
        const BEFORE_NAME: usize = r#"{"event":""#.len();
        const BEHIND_NAME: usize = r#"","payload":"#.len();
        let from = BEFORE_NAME + self.event.change.name().len() + BEHIND_NAME;
        // Names are lower-case letters, dots and underscores, so none of them is escaped.
        &self.data[from..self.data.len() - "}".len()]
    }

    /// Bytes that it takes: the fixed part, and the JSON, which is near enough to the rest.
    #[must_use]
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.data.len()
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
