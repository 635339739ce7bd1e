//! Where in a log something stands.

use std::{fmt, str::FromStr};

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

/// A text is no position, or not its only text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a position is written LOG.EPOCH-SEQ")]
pub struct PositionError;

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

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}-{}", self.log, self.epoch, self.seq)
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let (log, rest) = text.split_once('.').ok_or(PositionError)?;
        let (epoch, seq) = rest.split_once('-').ok_or(PositionError)?;
        let log = u16::try_from(decimal(log)?).map_err(|_| PositionError)?;
        Ok(Self {
            log: LogId(log),
            epoch: decimal(epoch)?,
            seq: decimal(seq)?,
        })
    }
}

/// One number has one text: no sign, no leading zero. So equal positions are equal texts.
fn decimal(text: &str) -> Result<u64, PositionError> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    match text.parse() {
        Ok(number) if canonical => Ok(number),
        _ => Err(PositionError),
    }
}

/// A type whose JSON is its text.
macro_rules! as_text {
    ($name:ident) => {
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as ::serde::Deserialize>::deserialize(
                    deserializer,
                )?;
                text.parse().map_err(::serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use as_text;

as_text!(Position);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_position_is_read_back_as_it_was_written(
            log in any::<u16>(), epoch in any::<u64>(), seq in any::<u64>()
        ) {
            let position = Position { log: LogId(log), epoch, seq };
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }
    }
}
