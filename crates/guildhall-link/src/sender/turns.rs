//! Whose turn it is: each log that has something to send has so many outputs in a row, then the
//! next one has, so that however much one has to send, the others go on.

/// Outputs of one log in a row. Enough that changing over costs nothing, and so few that the others
/// wait for some kilobytes.
const OUTPUTS_PER_TURN: u32 = 32;

/// Which of at most 128 have something to do, and which of them is on.
#[derive(Debug)]
pub(super) struct Turns {
    count: u32,
    busy: u128,
    current: u32,
    left: u32,
}

impl Turns {
    /// Nobody has.
    pub(super) fn new(count: usize) -> Self {
        Self {
            count: u32::try_from(count).unwrap_or(u128::BITS).min(u128::BITS),
            busy: 0,
            current: 0,
            left: OUTPUTS_PER_TURN,
        }
    }

    /// This one has something to do again.
    pub(super) fn wake(&mut self, index: usize) {
        if let Ok(index) = u32::try_from(index)
            && index < self.count
        {
            self.busy |= 1 << index;
        }
    }

    /// This one has nothing to do any more.
    pub(super) fn rest(&mut self, index: usize) {
        if let Ok(index) = u32::try_from(index)
            && index < self.count
        {
            self.busy &= !(1 << index);
        }
    }

    /// Who is on for one output. `None`: nobody has anything.
    pub(super) fn next(&mut self) -> Option<usize> {
        if self.busy == 0 {
            return None;
        }
        let is_on = self.left > 0 && self.busy >> self.current & 1 == 1;
        if !is_on {
            // The first behind the current one, round to itself.
            let from = (self.current + 1) % u128::BITS;
            let ahead = self.busy.rotate_right(from).trailing_zeros();
            self.current = (from + ahead) % u128::BITS;
            self.left = OUTPUTS_PER_TURN;
        }
        self.left -= 1;
        usize::try_from(self.current).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn whoever_has_something_waits_for_one_turn_of_each_other(
            count in 1..=128_usize, busy in vec(0..128_usize, 1..20)
        ) {
            let mut turns = Turns::new(count);
            let busy: std::collections::BTreeSet<usize> =
                busy.into_iter().map(|index| index % count).collect();
            for index in &busy {
                turns.wake(*index);
            }
            let round = busy.len() * OUTPUTS_PER_TURN as usize;
            let mut seen = vec![0; count];
            for _ in 0..2 * round {
                seen[turns.next().expect("somebody is busy")] += 1;
            }
            for (index, times) in seen.into_iter().enumerate() {
                let fair = if busy.contains(&index) { 2 * OUTPUTS_PER_TURN } else { 0 };
                prop_assert_eq!(times, fair, "{}", index);
            }
        }
    }

    #[test]
    fn who_rests_is_passed_over_at_once() {
        let mut turns = Turns::new(3);
        assert_eq!(turns.next(), None);
        turns.wake(0);
        turns.wake(2);
        let first = turns.next().expect("one of them");
        turns.rest(first);
        assert_eq!(turns.next(), Some(2 - first));
        turns.rest(2 - first);
        assert_eq!(turns.next(), None);
    }
}
