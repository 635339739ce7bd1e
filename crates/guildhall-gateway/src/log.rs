//! The log as this gateway keeps it: what it has appended to the bus, and each guild before that.
//!
//! One writer appends, any number of readers follow at their own pace, over the [`EventBus`].
//! Retention is per guild and window, so that a busy guild neither wakes nor evicts others: each
//! guild has a *floor*, the number of its last evicted event, and a *base*, its world at that floor.
//! A base with the retained events after it is the guild as it is at the head. Groups
//! ([`guildhall_model::Envelope::more`]) are evicted whole, so a base is a world that there was.

/// The events that are retained, and the guilds before them.
mod retained;
/// What all logs of the process may retain together.
mod process_retention;

use std::sync::Arc;

use guildhall_link::frame::Base;
use guildhall_model::{GuildId, LogId, Position, SealedEvent, World};
use guildhall_ports::{
    AppendError, EventBus, Fence, Fenced, ReadError,
    journal::{Floor, JournalBase},
};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;
use tracing::debug;

use retained::RetainedLog;

pub(crate) use process_retention::ProcessRetention;

/// A handle on the log. Sections under its lock are short and never await.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    bus: Arc<dyn EventBus>,
    /// The bus's.
    head: watch::Receiver<Position>,
    retained: Arc<Mutex<RetainedLog>>,
    process: ProcessRetention,
}

/// How much is retained of a log. Bytes are measured as JSON on the link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retention {
    /// Events per guild and window.
    pub records_per_guild: usize,
    /// Bytes of them.
    pub bytes_per_guild: usize,
    /// All events of the log together. Beyond it the guild with the most bytes gives first.
    pub bytes: usize,
}

/// What a log is made with.
#[derive(Clone, Debug)]
pub(crate) struct LogSetup {
    /// Where it is read.
    pub bus: Arc<dyn EventBus>,
    /// Of this writer.
    pub fence: Fence,
    pub retention: Retention,
    /// Shared by all logs of the process.
    pub process: ProcessRetention,
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

impl Log {
    /// A log as it was kept: each guild at its floor, and all events after the floors, ascending.
    /// What the retention has no room for goes into the bases. Begins it on the bus.
    pub(crate) async fn restored(
        setup: LogSetup,
        head: Position,
        bases: Vec<JournalBase>,
        events: Vec<SealedEvent>,
    ) -> Result<Self, AppendError> {
        let LogSetup {
            bus,
            fence,
            retention,
            process,
        } = setup;
        let mut retained = RetainedLog::new(head, fence, retention);
        for base in bases {
            retained.restore_base(base);
        }
        for event in events {
            retained.push(Arc::new(event));
        }
        // Above the highest floor nothing is missing, and nobody reads below it.
        let (start, events) = retained.contiguous();
        bus.begin(fence, start).await?;
        bus.append(fence, start, &events).await?;
        let id = head.log;
        let head = bus.follow(id).ok_or(Fenced::NotBegun(id))?;
        let retained = Arc::new(Mutex::new(retained));
        process.watch_over(&retained);
        let log = Self {
            bus,
            head,
            retained,
            process,
        };
        log.make_room_in_process().await;
        Ok(log)
    }

    /// The last position; before the first event, the start of the epoch.
    pub(crate) fn head(&self) -> Position {
        *self.head.borrow()
    }

    /// Its number.
    pub(crate) fn id(&self) -> LogId {
        self.head().log
    }

    /// Marks a change after each append. Read the log from your own position then: marks of
    /// several appends may be one.
    pub(crate) fn follow(&self) -> watch::Receiver<Position> {
        self.head.clone()
    }

    /// Appends events, which follow `after` without a hole, if that is the head. All or nothing;
    /// readers see all of it at once.
    pub(crate) async fn append(
        &self,
        after: Position,
        events: Vec<Arc<SealedEvent>>,
    ) -> Result<(), AppendError> {
        if events.is_empty() {
            return Ok(());
        }
        let fence = self.lock().fence();
        self.bus.append(fence, after, &events).await?;
        let gone = {
            let mut retained = self.lock();
            let floor = retained.highest_floor();
            for event in events {
                retained.push(event);
            }
            (retained.highest_floor() > floor).then(|| retained.contiguous_from())
        };
        if let Some(upto) = gone {
            self.trim(fence, upto).await;
        }
        self.make_room_in_process().await;
        Ok(())
    }

    /// The guilds as they are at the head: each base with the events after it.
    pub(crate) fn world(&self) -> World {
        self.lock().world()
    }

    /// Floors that have risen since this was asked last.
    pub(crate) fn risen_floors(&self) -> Vec<Floor> {
        self.lock().risen_floors()
    }

    /// These guilds at their floors.
    pub(crate) fn bases_of(&self, guild_ids: &[GuildId]) -> Vec<JournalBase> {
        let retained = self.lock();
        let bases = guild_ids.iter().filter_map(|id| retained.journal_base(*id));
        bases.collect()
    }

    /// Decides how a reader begins, and if from the bases, takes all it needs under one lock.
    pub(crate) fn join(&self, after: Option<Position>) -> Join {
        let retained = self.lock();
        // What is appended right now may be on the bus, and be read there, and not be retained yet.
        let head = self.head();
        match after {
            Some(after) if after.comparable(head) && after.seq > head.seq => Join::Beyond(after),
            Some(after) if after.comparable(head) && after.seq >= retained.highest_floor() => {
                Join::After(after)
            }
            _ => retained.join_anew(),
        }
    }

    /// At most `most` events after a position, in log order and without a gap. Empty: `after` is
    /// the head.
    pub(crate) async fn read(
        &self,
        after: Position,
        most: usize,
    ) -> Result<Vec<Arc<SealedEvent>>, ReadError> {
        self.bus.read(after, most).await
    }

    /// Where the process retains too much, its largest guilds give, in whichever log they are.
    async fn make_room_in_process(&self) {
        for (fence, upto) in self.process.make_room() {
            self.trim(fence, upto).await;
        }
    }

    /// That a bus keeps more for a while harms nobody. If another writer has that log, its next
    /// append says so, to whoever it concerns.
    async fn trim(&self, fence: Fence, upto: Position) {
        if let Err(error) = self.bus.trim(fence, upto).await {
            debug!(%error, "[Gateway] The bus keeps what has been evicted");
        }
    }

    fn lock(&self) -> MutexGuard<'_, RetainedLog> {
        // Nothing under the lock can leave it half done but a panic in the allocator.
        self.retained.lock()
    }
}

#[cfg(test)]
pub(crate) mod tests;
