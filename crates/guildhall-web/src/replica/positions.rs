//! Where somebody stands in each of several logs.

use std::{cmp::Ordering, iter::once};

use guildhall_model::{Cursor, LogId, Position};

/// A position in each of one log or more, ascending by log.
///
/// A stream behind one log is the common case: it takes no allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogPositions {
    first: Position,
    others: Vec<Position>,
}

impl LogPositions {
    /// Those of an iterator, in any order; of two in one log the later one. `None`: there are none.
    pub(crate) fn of(positions: impl IntoIterator<Item = Position>) -> Option<Self> {
        let mut positions = positions.into_iter();
        let mut all = Self::from(positions.next()?);
        positions.for_each(|position| all.set(position));
        Some(all)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Position> + '_ {
        once(self.first).chain(self.others.iter().copied())
    }

    /// The position in the first log.
    pub(crate) fn first(&self) -> Position {
        self.first
    }

    /// Those in the others.
    pub(crate) fn others(&self) -> &[Position] {
        &self.others
    }

    /// Whether there is one log.
    pub(crate) fn is_one(&self) -> bool {
        self.others.is_empty()
    }

    /// The position in a log.
    pub(crate) fn in_log(&self, log: LogId) -> Option<Position> {
        if self.first.log == log {
            return Some(self.first);
        }
        let found = self.index_of(log).ok();
        found.and_then(|index| self.others.get(index).copied())
    }

    /// Puts a position into its log, in the place of the one that was there, if any.
    #[inline]
    pub(crate) fn set(&mut self, position: Position) {
        if position.log == self.first.log {
            // The common case, on every delivery.
            self.first = position;
        } else {
            self.set_other(position);
        }
    }

    fn set_other(&mut self, position: Position) {
        match position.log.cmp(&self.first.log) {
            Ordering::Equal => self.first = position,
            Ordering::Less => {
                let second = std::mem::replace(&mut self.first, position);
                self.others.insert(0, second);
            }
            Ordering::Greater => match self.index_of(position.log) {
                Ok(index) => self.others[index] = position,
                Err(index) => self.others.insert(index, position),
            },
        }
    }

    /// Whether these are at or beyond another's, in each log of the other's.
    pub(crate) fn reaches(&self, other: &Cursor) -> bool {
        other.positions().iter().all(|there| {
            self.in_log(there.log)
                .is_some_and(|here| here.comparable(*there) && here.seq >= there.seq)
        })
    }

    /// These as a cursor. Where they fit none, that of the first alone: whoever comes back with it
    /// lacks the others, and gets a snapshot.
    pub(crate) fn cursor(&self) -> Cursor {
        if self.others.is_empty() {
            return self.first.into();
        }
        Cursor::new(self.iter()).unwrap_or_else(|_| self.first.into())
    }

    fn index_of(&self, log: LogId) -> Result<usize, usize> {
        self.others.binary_search_by_key(&log, |other| other.log)
    }
}

impl From<Position> for LogPositions {
    fn from(first: Position) -> Self {
        Self {
            first,
            others: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn at((log, seq): (u16, u64)) -> Position {
        Position {
            log: LogId(log),
            epoch: 7,
            seq,
        }
    }

    proptest! {
        #[test]
        fn they_are_one_for_each_log_in_order(told in vec((0..20_u16, 0..9_u64), 1..60)) {
            let positions = LogPositions::of(told.iter().copied().map(at)).expect("some");
            let expected: BTreeMap<u16, u64> = told.iter().copied().collect();
            let expected: Vec<Position> = expected.into_iter().map(at).collect();
            prop_assert_eq!(positions.iter().collect::<Vec<_>>(), &expected[..]);
            for log in 0..20 {
                let in_it = expected.iter().copied().find(|position| position.log.0 == log);
                prop_assert_eq!(positions.in_log(LogId(log)), in_it);
            }
            prop_assert_eq!(positions.is_one(), expected.len() == 1);
            prop_assert_eq!(positions.cursor(), Cursor::new(expected.iter().copied()).expect("few"));
            prop_assert!(positions.reaches(&positions.cursor()));
        }
    }

    #[test]
    fn a_cursor_is_reached_in_each_of_its_logs_and_in_its_epochs() {
        let here = LogPositions::of([at((0, 5)), at((3, 9))]).expect("some");
        let cursor =
            |positions: &[(u16, u64)]| Cursor::new(positions.iter().copied().map(at)).expect("few");
        assert!(here.reaches(&cursor(&[(3, 9)])) && here.reaches(&cursor(&[(0, 5), (3, 2)])));
        assert!(!here.reaches(&cursor(&[(0, 6), (3, 2)])));
        assert!(!here.reaches(&cursor(&[(1, 0)])));
        let other_epoch = Position {
            epoch: 8,
            ..at((0, 1))
        };
        assert!(!here.reaches(&other_epoch.into()));
    }

    #[test]
    fn what_fits_no_cursor_is_one_that_lacks_most_of_it() {
        let many = LogPositions::of((0..200).map(|log| at((log, 1)))).expect("some");
        assert_eq!(many.cursor(), Cursor::from(at((0, 1))));
    }
}
