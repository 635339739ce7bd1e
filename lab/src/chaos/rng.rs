//! The same numbers for the same seed.

use std::ops::RangeInclusive;

/// SplitMix64: every seed is as good as another.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// Any of the range, as likely as the others.
    pub(crate) fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        let span = range.end() - range.start() + 1;
        range.start() + self.draw() % span
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.draw().is_multiple_of(many)
    }

    /// One of them; `None` of none.
    pub(crate) fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let last = u64::try_from(all.len()).ok()?.checked_sub(1)?;
        all.get(usize::try_from(self.within(0..=last)).ok()?)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_run_of_numbers_within_their_range() {
        let draw = |seed| {
            let mut rng = Rng::from_seed(seed);
            [(); 100].map(|()| rng.within(50..=1_500))
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!(draw(7).iter().all(|number| (50..=1_500).contains(number)));
    }

    #[test]
    fn of_nothing_nothing_is_chosen() {
        assert_eq!(Rng::from_seed(1).of::<u8>(&[]), None);
        assert_eq!(Rng::from_seed(1).of(&[5]), Some(&5));
    }
}
