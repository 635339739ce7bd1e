//! Two lines before one counter: who waits goes first, and refreshes never take every place.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Pair, Urgency};

/// Pairs to look up. Each stands here once, so its length is bounded by the pairs watched.
#[derive(Debug, Default)]
pub(super) struct Queue {
    at_once: VecDeque<Pair>,
    refresh: VecDeque<Pair>,
    queued: BTreeSet<Pair>,
    under_way: BTreeMap<Pair, Urgency>,
}

impl Queue {
    /// Adds a pair; one that is queued already moves up if it is wanted sooner now.
    pub(super) fn add(&mut self, pair: Pair, urgency: Urgency) {
        let new = self.queued.insert(pair);
        match urgency {
            Urgency::Refresh if new => self.refresh.push_back(pair),
            Urgency::AtOnce if new => self.at_once.push_back(pair),
            Urgency::AtOnce if !self.at_once.contains(&pair) => {
                self.refresh.retain(|queued| *queued != pair);
                self.at_once.push_back(pair);
            }
            Urgency::AtOnce | Urgency::Refresh => {}
        }
    }

    /// The next to send out, if there is room.
    pub(super) fn next(&mut self, at_once: usize, refreshes: usize) -> Option<Pair> {
        if self.under_way.len() >= at_once {
            return None;
        }
        let refreshing = self
            .under_way
            .values()
            .filter(|way| **way == Urgency::Refresh);
        let room_to_refresh = refreshing.count() < refreshes;
        let (pair, urgency) = match self.at_once.pop_front() {
            Some(pair) => (pair, Urgency::AtOnce),
            None if room_to_refresh => (self.refresh.pop_front()?, Urgency::Refresh),
            None => return None,
        };
        self.queued.remove(&pair);
        self.under_way.insert(pair, urgency);
        Some(pair)
    }

    /// A look-up has ended; its place is free.
    pub(super) fn ended(&mut self, pair: Pair) {
        self.under_way.remove(&pair);
    }
}
