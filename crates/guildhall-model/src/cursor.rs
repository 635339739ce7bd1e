//! What a browser keeps to go on from (`docs/protocol/sse.md`, "Cursors").

/// The text of a cursor with positions in several logs.
mod packed;

use std::{fmt, str::FromStr};

use crate::{LogId, Position};

/// What a browser keeps to go on from: one position for each log behind its query.
///
/// Opaque to clients. The text of one position is the position's own, `LOG.EPOCH-SEQ`; that of
/// several is packed: `~`, then base64url without padding. Either way it is within
/// `[A-Za-z0-9._~-]{1,2000}`, safe in an SSE `id:` line, a URL and a header, and equal cursors are
/// equal texts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor(Vec<Position>);

/// Why a text or a list is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// Not the text of a position or of several, or not its only one.
    #[error("a cursor is LOG.EPOCH-SEQ, or several of these, packed")]
    Malformed,
    /// No position, more than [`Cursor::MAX_LOGS`], or two of one log.
    #[error("a cursor has 1 to 128 positions, each in a log of its own")]
    NotAList,
    /// The numbers are so large that the text would be longer than [`Cursor::MAX_TEXT`].
    #[error("the numbers of so many positions fit no cursor")]
    TooLarge,
}

impl Cursor {
    /// So many positions fit, if no epoch is 2^42 or later (that is in the year 2109) and no `seq`
    /// 2^40. Of 80 positions, any do.
    pub const MAX_LOGS: usize = 128;
    /// No cursor's text is longer.
    pub const MAX_TEXT: usize = 2_000;

    /// Makes a cursor of positions in any order, at most one of each log.
    pub fn new(positions: impl IntoIterator<Item = Position>) -> Result<Self, CursorError> {
        // One more than will do: an iterator may have no end.
        let mut positions: Vec<_> = positions.into_iter().take(Self::MAX_LOGS + 1).collect();
        positions.sort_unstable();
        let twice = positions.windows(2).any(|pair| pair[0].log == pair[1].log);
        if positions.is_empty() || positions.len() > Self::MAX_LOGS || twice {
            return Err(CursorError::NotAList);
        }
        if positions.len() > 1 && packed::length(&positions) > Self::MAX_TEXT {
            return Err(CursorError::TooLarge);
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
        let found = self.0.binary_search_by_key(&log, |position| position.log);
        found.ok().and_then(|index| self.0.get(index).copied())
    }

    /// The same with this position, in the place of the one in its log if there is one.
    pub fn with(&self, position: Position) -> Result<Self, CursorError> {
        let others = self.0.iter().copied();
        let others = others.filter(|other| other.log != position.log);
        Self::new(others.chain([position]))
    }
}

impl From<Position> for Cursor {
    fn from(position: Position) -> Self {
        Self(vec![position])
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [position] => position.fmt(f),
            positions => f.write_str(&packed::text(positions)),
        }
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        // The text comes from anyone.
        if text.len() > Self::MAX_TEXT {
            return Err(CursorError::Malformed);
        }
        if !text.starts_with(packed::MARKER) {
            let position = text.parse::<Position>();
            return position.map(Self::from).map_err(|_| CursorError::Malformed);
        }
        let positions = packed::read(text).ok_or(CursorError::Malformed)?;
        let cursor = Self::new(positions)?;
        // Several texts are read as the same positions: with wider numbers than they need, or with
        // other bits behind the last.
        if cursor.0.len() > 1 && packed::text(&cursor.0) == text {
            Ok(cursor)
        } else {
            Err(CursorError::Malformed)
        }
    }
}

crate::position::as_text!(Cursor);

#[cfg(test)]
mod tests;
