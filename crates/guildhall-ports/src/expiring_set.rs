//! A bounded set of ids, each of which expires at a time of its own.

use std::collections::{BTreeMap, BTreeSet};

use guildhall_model::UnixMs;

/// A set whose members each leave at a time of their own. Bounded: when full, the one that would
/// leave next makes room.
#[derive(Debug)]
pub struct ExpiringSet<K> {
    until: BTreeMap<K, UnixMs>,
    by_time: BTreeSet<(UnixMs, K)>,
    most: usize,
}

impl<K: Clone + Ord> ExpiringSet<K> {
    /// Holds so many at most.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            until: BTreeMap::new(),
            by_time: BTreeSet::new(),
            most,
        }
    }

    /// Keeps `id` until a time. Whether it was new.
    pub fn insert(&mut self, id: K, until: UnixMs, now: UnixMs) -> bool {
        while let Some((time, next)) = self.by_time.first() {
            if *time > now {
                break;
            }
            self.until.remove(next);
            self.by_time.pop_first();
        }
        if self.until.contains_key(&id) {
            return false;
        }
        if self.until.len() >= self.most
            && let Some((_, next)) = self.by_time.pop_first()
        {
            self.until.remove(&next);
        }
        self.until.insert(id.clone(), until);
        self.by_time.insert((until, id));
        true
    }

    /// Removes `id` before its time.
    pub fn remove(&mut self, id: &K) {
        if let Some(until) = self.until.remove(id) {
            self.by_time.remove(&(until, id.clone()));
        }
    }

    /// Whether `id` is kept.
    #[must_use]
    pub fn contains(&self, id: &K) -> bool {
        self.until.contains_key(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_until_its_time_has_passed() {
        let mut ids = ExpiringSet::new(10);
        assert!(ids.insert("a", 100, 0));
        assert!(!ids.insert("a", 200, 99), "the first time stands");
        assert!(ids.contains(&"a"));
        assert!(ids.insert("b", 300, 100));
        assert!(!ids.contains(&"a"));
        assert!(ids.insert("a", 300, 100));
        ids.remove(&"a");
        assert!(ids.insert("a", 300, 100));
    }

    #[test]
    fn when_full_the_next_to_leave_makes_room() {
        let mut ids = ExpiringSet::new(2);
        ids.insert("late", 300, 0);
        ids.insert("soon", 100, 0);
        ids.insert("new", 200, 0);
        assert!(ids.contains(&"late") && ids.contains(&"new"));
        assert!(!ids.contains(&"soon"));
    }
}
