//! Positions and cursors (`docs/protocol/sse.md`, "Cursors").

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{LogId, UnixMs};

/// A place in a log: just after the event that carries it.
///
/// `seq` is contiguous within one `(log, epoch)`; 0 is the place before the first event. Two
/// positions of different epochs say nothing about each other's order of events.
///
/// Text form `LOG.EPOCH-SEQ` in plain decimals. `EPOCH-SEQ` alone is also a valid explicit id of
/// a Redis stream entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Which log.
    pub log: LogId,
    /// When this epoch of the log began, in Unix milliseconds.
    pub epoch: UnixMs,
    /// Number of the event within the epoch, from 1.
    pub seq: u64,
}

impl Position {
    /// The place before the first event of an epoch.
    #[must_use]
    pub fn start(log: LogId, epoch: UnixMs) -> Self {
        Self { log, epoch, seq: 0 }
    }

    /// The same log and epoch at another number.
    #[must_use]
    pub fn at(self, seq: u64) -> Self {
        Self { seq, ..self }
    }

    /// Whether both stand in the same epoch of the same log, so that their numbers compare.
    #[must_use]
    pub fn comparable(self, other: Self) -> bool {
        self.log == other.log && self.epoch == other.epoch
    }
}

/// What a browser keeps to go on from: one position for each log behind its query.
///
/// Opaque to clients. Text form: positions in ascending order of log, joined by `~`, so always
/// within `[A-Za-z0-9._~-]{1,200}` and safe in an SSE `id:` line, a URL and a header.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor(Vec<Position>);

/// Why a text or a list is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// Not the text form of a position, or not its only one.
    #[error("a position is written LOG.EPOCH-SEQ")]
    Malformed,
    /// No position, more than [`Cursor::MAX_LOGS`], or two of one log.
    #[error("a cursor has 1 to 4 positions in ascending order of log")]
    NotAList,
}

impl Cursor {
    /// So many positions always fit the 200 characters, whatever their numbers.
    pub const MAX_LOGS: usize = 4;

    /// Makes a cursor of positions, at most one of each log, in ascending order of log.
    pub fn new(positions: Vec<Position>) -> Result<Self, CursorError> {
        let ascending = positions.windows(2).all(|pair| pair[0].log < pair[1].log);
        if positions.is_empty() || positions.len() > Self::MAX_LOGS || !ascending {
            return Err(CursorError::NotAList);
        }
        Ok(Self(positions))
    }

    /// The positions, in ascending order of log.
    #[must_use]
    pub fn positions(&self) -> &[Position] {
        &self.0
    }

    /// The position in one log, if the cursor has one there.
    #[must_use]
    pub fn in_log(&self, log: LogId) -> Option<Position> {
        self.0.iter().copied().find(|position| position.log == log)
    }
}

impl From<Position> for Cursor {
    fn from(position: Position) -> Self {
        Self(vec![position])
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}-{}", self.log, self.epoch, self.seq)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, position) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("~")?;
            }
            position.fmt(f)?;
        }
        Ok(())
    }
}

impl FromStr for Position {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (log, rest) = text.split_once('.').ok_or(CursorError::Malformed)?;
        let (epoch, seq) = rest.split_once('-').ok_or(CursorError::Malformed)?;
        let log = u16::try_from(decimal(log)?).map_err(|_| CursorError::Malformed)?;
        Ok(Self {
            log: LogId(log),
            epoch: decimal(epoch)?,
            seq: decimal(seq)?,
        })
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        // Counted before anything is collected: the text comes from anyone.
        if text.split('~').nth(Self::MAX_LOGS).is_some() {
            return Err(CursorError::NotAList);
        }
        let positions = text.split('~').map(str::parse).collect::<Result<_, _>>()?;
        Self::new(positions)
    }
}

/// One number has one text: no sign, no leading zero. So equal cursors are equal texts.
fn decimal(text: &str) -> Result<u64, CursorError> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    match text.parse() {
        Ok(number) if canonical => Ok(number),
        _ => Err(CursorError::Malformed),
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

as_text!(Position);
as_text!(Cursor);

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_map, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn every_cursor_is_read_back_as_it_was_written(
            positions in btree_map(any::<u16>(), (any::<u64>(), any::<u64>()), 1..=Cursor::MAX_LOGS)
        ) {
            let positions = positions
                .into_iter()
                .map(|(log, (epoch, seq))| Position { log: LogId(log), epoch, seq })
                .collect();
            let cursor = Cursor::new(positions).expect("ascending and few");
            let text = cursor.to_string();
            prop_assert!((1..=200).contains(&text.len()));
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b)));
            prop_assert_eq!(text.parse(), Ok(cursor));
        }

        #[test]
        fn any_text_is_a_cursor_or_an_error_and_never_two_texts_for_one(text in "[0-9.~+ -]{0,60}|\\PC{0,40}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }

    #[test]
    fn malformed_cursors_are_refused() {
        for text in [
            "",
            "0",
            "0.1",
            "0.1-",
            ".1-1",
            "0.1-1~",
            "0.01-1",
            "0.+1-1",
            "1.1-1~0.1-1",
            "0.1-1~0.1-2",
            "70000.1-1",
            "0.1-99999999999999999999",
            "0.1-1~1.1-1~2.1-1~3.1-1~4.1-1",
        ] {
            assert!(text.parse::<Cursor>().is_err(), "{text:?}");
        }
    }
}
