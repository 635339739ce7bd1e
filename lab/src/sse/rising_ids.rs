//! Whether the ids of a stream rise.

use std::fmt;

use super::Event;

/// A place in the log, from an id `LOG.EPOCH-SEQ`. Clients may not look into a cursor; a test does,
/// to see that later ones are higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    epoch: u64,
    seq: u64,
}

impl Position {
    /// Of an event with an id; nothing where that names several logs.
    pub fn of(event: &Event) -> Option<Self> {
        let (_log, rest) = event.id.as_deref()?.split_once('.')?;
        let (epoch, seq) = rest.split_once('-')?;
        Some(Self {
            epoch: epoch.parse().ok()?,
            seq: seq.parse().ok()?,
        })
    }
}

/// What came of one stream, over all its connections.
#[derive(Debug, Default)]
pub struct RisingIds {
    last: Option<Position>,
}

/// An id that is not higher than one before it.
#[derive(Debug, PartialEq, Eq)]
pub struct OutOfOrder {
    name: String,
    position: Position,
    last: Position,
}

impl fmt::Display for OutOfOrder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            position,
            last,
        } = self;
        write!(formatter, "{name} at {position:?} after {last:?}")
    }
}

impl RisingIds {
    /// Takes the next event. Those that happened must rise; those about the stream may say again
    /// where it is; a snapshot may begin anew.
    ///
    /// # Errors
    /// If it should not have come now. The next ones are held against it all the same.
    pub fn take(&mut self, event: &Event) -> Result<(), OutOfOrder> {
        let Some(position) = Position::of(event) else {
            return Ok(());
        };
        let fallen = self.last.filter(|last| match event.name.as_str() {
            "snapshot" => false,
            "resumed" | "status" | "checkpoint" | "bye" => position < *last,
            _ => position <= *last,
        });
        self.last = Some(position);
        fallen.map_or(Ok(()), |last| {
            Err(OutOfOrder {
                name: event.name.clone(),
                position,
                last,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, id: &str) -> Event {
        Event {
            name: name.to_owned(),
            id: Some(id.to_owned()),
            ..Event::default()
        }
    }

    #[test]
    fn what_happened_rises_and_what_is_about_the_stream_may_repeat() {
        let mut order = RisingIds::default();
        for (name, id) in [
            ("snapshot", "0.7-1"),
            ("voice.joined", "0.7-2"),
            ("status", "0.7-2"),
            ("voice.left", "0.8-1"),
            ("room.created", "0.8-2,1.8-1"),
            ("snapshot", "0.8-1"),
        ] {
            assert_eq!(order.take(&event(name, id)), Ok(()), "{name} {id}");
        }
    }

    #[test]
    fn an_id_that_falls_or_repeats_an_event_is_found() {
        let mut order = RisingIds::default();
        for (name, id, is_good) in [
            ("voice.joined", "0.7-5", true),
            ("voice.joined", "0.7-5", false),
            ("checkpoint", "0.7-4", false),
            ("voice.joined", "0.7-5", true),
        ] {
            assert_eq!(order.take(&event(name, id)).is_ok(), is_good, "{name} {id}");
        }
    }
}
