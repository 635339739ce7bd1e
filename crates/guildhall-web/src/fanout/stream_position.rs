//! Where a stream stands, and how far the logs behind it are published.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use guildhall_model::{Cursor, LogId, Position};
use parking_lot::Mutex;

use crate::replica::LogPositions;

/// The last sequence number of one log that every buffer has taken in; streams look here first.
#[derive(Debug, Default)]
struct PublishedHead(AtomicU64);

/// Those of all logs. A log keeps its own as long as the process lives.
#[derive(Debug, Default)]
pub(super) struct PublishedHeads(Mutex<BTreeMap<LogId, Arc<PublishedHead>>>);

/// Where a stream stands in each log behind its query: all up to there was sent.
#[derive(Debug)]
pub(crate) struct StreamPosition {
    at: LogPositions,
    /// Of the first of these logs.
    first: Arc<PublishedHead>,
    /// Of the others, in the same order.
    others: Vec<Arc<PublishedHead>>,
}

/// How far the logs behind a stream were published at one moment.
#[derive(Debug)]
pub(crate) struct Published {
    first: u64,
    others: Vec<u64>,
}

impl PublishedHeads {
    /// All up to this position is in the buffers.
    pub(super) fn publish(&self, position: Position) {
        let head = self.of(position.log);
        head.0.store(position.seq, Ordering::Release);
    }

    /// A stream that stands at these positions.
    pub(super) fn stream_position(&self, at: LogPositions) -> StreamPosition {
        let others = at.others().iter();
        StreamPosition {
            first: self.of(at.first().log),
            others: others.map(|position| self.of(position.log)).collect(),
            at,
        }
    }

    fn of(&self, log: LogId) -> Arc<PublishedHead> {
        Arc::clone(self.0.lock().entry(log).or_default())
    }
}

impl StreamPosition {
    /// Where it stands.
    pub(crate) fn positions(&self) -> &LogPositions {
        &self.at
    }

    /// What a browser goes on from that has read all up to here.
    pub(crate) fn cursor(&self) -> Cursor {
        self.at.cursor()
    }

    /// How far its logs are published. To be read before the viewer's rights generation.
    #[inline]
    pub(crate) fn published(&self) -> Published {
        let read = |head: &Arc<PublishedHead>| head.0.load(Ordering::Acquire);
        Published {
            first: read(&self.first),
            others: if self.others.is_empty() {
                Vec::new()
            } else {
                self.others.iter().map(read).collect()
            },
        }
    }

    /// Where it stands in a log that is published beyond that, with how far.
    #[inline]
    pub(crate) fn behind(&self, published: &Published) -> Option<(Position, u64)> {
        let first = self.at.first();
        if first.seq < published.first {
            return Some((first, published.first));
        }
        if self.others.is_empty() {
            return None;
        }
        let mut others = self.at.others().iter().zip(&published.others);
        let behind = others.find(|(at, upto)| at.seq < **upto);
        behind.map(|(at, upto)| (*at, *upto))
    }

    /// All up to a position in one of its logs was sent.
    #[inline]
    pub(crate) fn advance(&mut self, to: Position) {
        self.at.set(to);
    }
}
