//! The log in memory.
//!
//! One writer appends, any number of readers follow at their own pace. Retention is per guild, so
//! that a busy guild neither wakes nor evicts others: each guild has a *floor*, the number of its
//! last evicted event, and a *base*, its world at that floor. A base with the retained events
//! after it is the guild as it is at the head. Groups ([`guildhall_model::Envelope::more`]) are evicted whole, so a
//! base is a world that there was.

/// The events that are retained, and the guilds before them.
mod retained;
/// What the journal need not have any more.
mod compaction;

use std::{ops::Bound, sync::Arc};

use guildhall_link::frame::Base;
use guildhall_model::{Position, SealedEvent, World};
use guildhall_ports::journal::JournalBase;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use retained::RetainedLog;

/// A handle on the log. Sections under its lock are short and never await.
#[derive(Clone, Debug)]
pub(crate) struct Log(Arc<Mutex<RetainedLog>>);

/// How much is retained.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retention {
    /// Events per guild.
    pub records_per_guild: usize,
    /// All events of the log together, measured as their JSON on the link. Evicted events of half
    /// as many bytes may still be in the journal.
    pub bytes: usize,
    /// Evicted events that the journal may still have: more only in proportion to those kept.
    pub evicted_in_journal: usize,
}

/// Where a reader goes on from.
#[derive(Debug)]
pub(crate) enum Join {
    /// Its position is usable: [`Log::read`] goes on after it.
    After(Position),
    /// Its position is beyond the head of the same epoch. No such position was ever given, unless
    /// this log was rolled back to an older copy.
    Beyond(Position),
    /// It has to begin from the bases.
    Bases {
        /// Every guild the log has ever kept something of, at its own floor.
        bases: Vec<Base>,
        /// Every retained event, in log order. Numbers ascend, with holes where events below a
        /// guild's floor were evicted: those are in its base already.
        backlog: Vec<Arc<SealedEvent>>,
        /// Where that leads; [`Log::read`] goes on after it.
        head: Position,
    },
}

/// The writer was not at the head: somebody else wrote, or an answer came twice. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log's head is {head}, not where the writer stood")]
pub(crate) struct Fenced {
    /// The log's head.
    pub head: Position,
}

/// The position is of another epoch of the log, or some guild's floor is above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log no longer goes back that far")]
pub(crate) struct Expired;

impl Log {
    /// An empty log at the start of an epoch.
    pub(crate) fn new(start: Position, retention: Retention) -> Self {
        Self::restored(start, Vec::new(), Vec::new(), retention)
    }

    /// A log as it was kept: each guild at its floor, and all events after the floors, ascending.
    /// What the retention has no room for goes into the bases.
    pub(crate) fn restored(
        head: Position,
        bases: Vec<JournalBase>,
        events: Vec<SealedEvent>,
        retention: Retention,
    ) -> Self {
        let mut log = RetainedLog::new(head, retention);
        for base in bases {
            log.restore_base(base);
        }
        for event in events {
            log.push(Arc::new(event));
        }
        Self(Arc::new(Mutex::new(log)))
    }

    /// The last position; before the first event, the start of the epoch.
    pub(crate) fn head(&self) -> Position {
        self.lock().head()
    }

    /// Marks a change after each append. Read the log from your own position then: marks of
    /// several appends may be one.
    pub(crate) fn follow(&self) -> watch::Receiver<Position> {
        self.lock().head.subscribe()
    }

    /// Appends in order, if the events follow the head without a hole. All or nothing; readers
    /// see all of it at once.
    pub(crate) fn append(&self, events: Vec<Arc<SealedEvent>>) -> Result<(), Fenced> {
        let mut log = self.lock();
        let before = log.head();
        let mut head = before;
        for event in &events {
            head = head.at(head.seq + 1);
            if event.at != head {
                return Err(Fenced { head: before });
            }
        }
        if head != before {
            for event in events {
                log.push(event);
            }
            log.head.send_replace(head);
        }
        Ok(())
    }

    /// The guilds as they are at the head: each base with the events after it.
    pub(crate) fn world(&self) -> World {
        let log = self.lock();
        let mut world = log.bases.clone();
        for kept in log.events.values() {
            world.apply(&kept.event);
        }
        world
    }

    /// Bases that the journal is to have, if it keeps too much of what was evicted here: those of
    /// the guilds it keeps most of, until it keeps half of what it may. Each is answered once.
    pub(crate) fn compact(&self) -> Vec<JournalBase> {
        let mut log = self.lock();
        let evicted = log.retention.evicted_in_journal;
        log.compact_beyond(evicted)
    }

    /// Decides how a reader begins, and if from the bases, takes all it needs under one lock.
    pub(crate) fn join(&self, after: Option<Position>) -> Join {
        let log = self.lock();
        match after {
            Some(after) if log.goes_back_to(after) => Join::After(after),
            Some(after) if log.is_behind(after) => Join::Beyond(after),
            _ => Join::Bases {
                bases: log.bases(),
                backlog: log.events.values().map(Arc::clone).collect(),
                head: log.head(),
            },
        }
    }

    /// At most `most` events after a position, in log order and without a gap. Empty: `after` is
    /// the head.
    pub(crate) fn read(
        &self,
        after: Position,
        most: usize,
    ) -> Result<Vec<Arc<SealedEvent>>, Expired> {
        let log = self.lock();
        if !log.goes_back_to(after) {
            return Err(Expired);
        }
        let later = (Bound::Excluded(after.seq), Bound::Unbounded);
        let later = log.events.range(later).take(most);
        Ok(later.map(|(_, kept)| Arc::clone(kept)).collect())
    }

    fn lock(&self) -> MutexGuard<'_, RetainedLog> {
        // Nothing under the lock can leave it half done but a panic in the allocator.
        self.0.lock()
    }
}

#[cfg(test)]
pub(crate) mod tests;
