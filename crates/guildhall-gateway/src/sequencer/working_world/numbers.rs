//! Which dispatches of a session have come, by Discord's numbers of them.

use std::ops::RangeInclusive;

/// What its number says of a dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbering {
    New,
    /// It has come before.
    Repeated,
    /// It is new, and what should have come between the last one and it has not.
    BehindHole,
}

/// What is known of a session's numbers beside the last one, which is kept with the session.
#[derive(Debug, Default)]
pub(super) struct DispatchNumbers {
    /// The next one has the number behind the last.
    continuous: bool,
    /// Numbers up to the last one that have not come.
    missed: Option<RangeInclusive<u64>>,
    /// It was said that some have not.
    said: bool,
}

impl DispatchNumbers {
    /// A dispatch with a number came, behind the number `last`. `live`: nothing is being replayed.
    ///
    /// In a replay holes mean nothing: RESUMED may have a number of its own, and Discord keeps none.
    pub(super) fn came(&mut self, number: u64, last: u64, live: bool) -> Numbering {
        if number <= last {
            let missed = self.missed.as_ref();
            // A number that is far too high must not hide those behind it.
            return if missed.is_some_and(|missed| missed.contains(&number)) {
                Numbering::New
            } else {
                Numbering::Repeated
            };
        }
        let was_continuous = std::mem::replace(&mut self.continuous, live);
        let next = last.saturating_add(1);
        if number == next || !live || !was_continuous {
            return Numbering::New;
        }
        self.missed = Some(next..=number.saturating_sub(1));
        Numbering::BehindHole
    }

    /// Something came of which nobody knows whether it had a number: a RESUMED, or a dispatch whose
    /// envelope is odd.
    pub(super) fn unnumbered_came(&mut self) {
        self.continuous = false;
    }

    /// Whether a hole has still to be told of; once.
    pub(super) fn say(&mut self) -> bool {
        !std::mem::replace(&mut self.said, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_noticed_and_what_belongs_into_it_is_no_repetition() {
        let mut numbers = DispatchNumbers::default();
        assert_eq!(numbers.came(8, 5, true), Numbering::New, "the first");
        assert_eq!(numbers.came(9, 8, true), Numbering::New);
        assert_eq!(numbers.came(9, 9, true), Numbering::Repeated);
        assert_eq!(numbers.came(12, 9, true), Numbering::BehindHole);
        assert_eq!(numbers.came(11, 12, true), Numbering::New, "late");
        assert_eq!(numbers.came(9, 12, true), Numbering::Repeated);
        assert_eq!(numbers.came(13, 12, true), Numbering::New);
        assert!(numbers.say());
        assert!(!numbers.say());
    }

    #[test]
    fn no_number_hides_the_dispatches_behind_it() {
        for far in [1 << 40, u64::MAX - 1, u64::MAX] {
            let mut numbers = DispatchNumbers::default();
            assert_eq!(numbers.came(2, 1, true), Numbering::New);
            assert_eq!(numbers.came(far, 2, true), Numbering::BehindHole);
            for number in 3..20 {
                assert_eq!(numbers.came(number, far, true), Numbering::New, "{far}");
            }
            assert_eq!(numbers.came(far, far, true), Numbering::Repeated);
        }
    }

    #[test]
    fn a_replay_and_what_has_no_number_may_leave_numbers_out() {
        let mut numbers = DispatchNumbers::default();
        assert_eq!(numbers.came(2, 1, true), Numbering::New);
        assert_eq!(numbers.came(5, 2, false), Numbering::New, "replayed");
        assert_eq!(numbers.came(9, 5, false), Numbering::New, "replayed");
        numbers.unnumbered_came();
        assert_eq!(numbers.came(11, 9, true), Numbering::New, "behind RESUMED");
        assert_eq!(numbers.came(13, 11, true), Numbering::BehindHole);
        numbers.unnumbered_came();
        assert_eq!(numbers.came(15, 13, true), Numbering::New);
    }
}
