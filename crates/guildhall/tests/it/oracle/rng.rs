//! Everything random of a run comes from its seed: the same seed acts in the same way.

/// A generator of numbers (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// Another generator, whose numbers have nothing to do with those of this one.
    pub(crate) fn branch(&mut self) -> Self {
        Self(self.draw())
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `least` to `most`, both included.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.draw() % (most - least + 1)
    }

    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.draw().is_multiple_of(times)
    }

    /// One of them; `None`: there is none.
    pub(crate) fn pick<T>(&mut self, all: impl IntoIterator<Item = T>) -> Option<T> {
        let mut all: Vec<T> = all.into_iter().collect();
        if all.is_empty() {
            return None;
        }
        let most = u64::try_from(all.len() - 1).expect("a length");
        let which = usize::try_from(self.between(0, most)).expect("an index");
        Some(all.swap_remove(which))
    }

    /// One of these, which are there.
    pub(crate) fn choose<T: Copy>(&mut self, all: &[T]) -> T {
        self.pick(all.iter().copied()).expect("there is one")
    }
}
