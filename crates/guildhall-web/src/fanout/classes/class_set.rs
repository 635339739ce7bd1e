//! Sets of classes: one bit for each.

use super::ClassId;

const BITS: usize = 64;

/// Some of a guild's classes.
#[derive(Debug, Default)]
pub(super) struct ClassSet(Vec<u64>);

impl ClassSet {
    /// Adds one.
    pub(super) fn insert(&mut self, id: ClassId) {
        let (word, bit) = place(id);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    /// Removes one and says whether none is left.
    pub(super) fn remove(&mut self, id: ClassId) -> bool {
        let (word, bit) = place(id);
        if let Some(word) = self.0.get_mut(word) {
            *word &= !bit;
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self.0.is_empty()
    }

    /// Those that are in it, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = ClassId> {
        let words = (0..).step_by(BITS).zip(&self.0);
        words.flat_map(|(first, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let next = (left != 0).then(|| ClassId(first + left.trailing_zeros()))?;
                left &= left - 1;
                Some(next)
            })
        })
    }
}

fn place(id: ClassId) -> (usize, u64) {
    let number = id.0 as usize;
    (number / BITS, 1 << (number % BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_it_is_told_in_order() {
        let mut set = ClassSet::default();
        for id in [130, 0, 63, 64, 65] {
            set.insert(ClassId(id));
        }
        let ids = |set: &ClassSet| set.iter().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(ids(&set), [0, 63, 64, 65, 130]);
        for id in [130, 64, 500, 63, 65] {
            assert!(!set.remove(ClassId(id)));
        }
        assert_eq!(ids(&set), [0]);
        assert!(set.remove(ClassId(0)));
    }
}
