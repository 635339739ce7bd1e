//! A window: the recent records of one guild, in order, and the floor below them.

use std::{collections::VecDeque, sync::Arc};

use super::record::Record;

/// The records that are kept of a guild for one purpose, with their own floor and their own bytes.
/// A guild has one: *world*, all that the reducer applies.
#[derive(Debug)]
pub(super) struct RecordWindow {
    floor: u64,
    records: VecDeque<Arc<Record>>,
    cost: usize,
}

impl RecordWindow {
    /// An empty one.
    pub(super) fn new(floor: u64) -> Self {
        Self {
            floor,
            records: VecDeque::new(),
            cost: 0,
        }
    }

    /// The last evicted sequence number: below it no replay is complete.
    pub(super) fn floor(&self) -> u64 {
        self.floor
    }

    /// The sequence number of the last record, or the floor.
    pub(super) fn head(&self) -> u64 {
        self.records.back().map_or(self.floor, |last| last.at.seq)
    }

    /// The records after a sequence number, oldest first.
    pub(super) fn after(&self, seq: u64) -> impl Iterator<Item = &Arc<Record>> {
        let first = self.records.partition_point(|record| record.at.seq <= seq);
        self.records.range(first..)
    }

    /// What they cost in memory.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Adds the newest.
    pub(super) fn push(&mut self, record: Arc<Record>) {
        self.cost += record.cost();
        self.records.push_back(record);
    }

    /// Evicts the oldest.
    pub(super) fn pop(&mut self) -> Option<Arc<Record>> {
        let record = self.records.pop_front()?;
        self.cost -= record.cost();
        self.floor = record.at.seq;
        Some(record)
    }
}
