//! The replica: the world at a position, and each guild's recent records with their bytes.
//!
//! One task writes it ([`ReplicaWriter`] is the only way to), everybody reads.

/// How much is kept.
mod bounds;
/// Rooms with their people as JSON.
mod fragments;
/// One guild: now, its records, and before them.
mod guild;
/// Where somebody stands in each of several logs.
mod positions;
/// A guild's recent records, and the floor below them.
mod window;
/// All guilds, each log's at one position.
mod logs;
/// One event, serialised once.
mod record;
/// Whose eyes a guild is seen with.
mod viewer_id;
/// Rooms that a record shows or hides.
mod transition;
/// How fresh all of this is.
mod freshness;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use guildhall_model::Cursor;
use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::watch;

pub(crate) use bounds::{Bounds, BufferBounds};
pub(crate) use freshness::{Freshness, StatusScope};
pub(crate) use guild::GuildLog;
pub(crate) use logs::{GuildLogs, LocatedGuild, OutOfOrder};
pub(crate) use positions::LogPositions;
pub(crate) use record::{Affects, GroupSpan, Record};
pub(crate) use transition::{
    RoomTransition, RoomTransitions, RoomsAhead, RoomsToTell, TransitionKind, Untold,
};
pub(crate) use viewer_id::ViewerId;

/// The readers' handle.
#[derive(Clone, Debug)]
pub(crate) struct Replica(Arc<Shared>);

/// The one writer's handle.
#[derive(Debug)]
pub(crate) struct ReplicaWriter(Replica);

#[derive(Debug)]
struct Shared {
    logs: RwLock<GuildLogs>,
    progress: watch::Sender<Progress>,
    freshness: Mutex<Freshness>,
    /// Counts changes of `freshness`.
    freshness_generation: AtomicU64,
}

/// How far the replica has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Its position in each log; `None` until it was complete for the first time.
    pub(crate) positions: Option<LogPositions>,
    /// How often it was completed: once for each attachment to the gateway.
    pub(crate) completed: u64,
}

impl Replica {
    /// Its position in each log. `None` before it was complete for the first time.
    pub(crate) fn positions(&self) -> Option<LogPositions> {
        self.0.progress.borrow().positions.clone()
    }

    /// Whether it was ever complete.
    pub(crate) fn has_world(&self) -> bool {
        self.0.progress.borrow().positions.is_some()
    }

    /// Marks a change at every group of events and at every completion.
    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.0.progress.subscribe()
    }

    /// Completes when the replica has come to `at` in each of its logs, in the same epoch. Bound it
    /// by a time limit: a position of an epoch that is over is never reached.
    pub(crate) async fn reached(&self, at: &Cursor) {
        let there = |progress: &Progress| {
            let positions = progress.positions.as_ref();
            positions.is_some_and(|positions| positions.reaches(at))
        };
        // The sender lives as long as `self`, so waiting ends only with success.
        let _ended = self.0.progress.subscribe().wait_for(there).await.is_ok();
    }

    /// The guilds, which do not change meanwhile. Keep it short: the writer waits.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, GuildLogs> {
        self.0.logs.read()
    }

    /// How fresh the replica is.
    pub(crate) fn freshness(&self) -> Freshness {
        self.0.freshness.lock().clone()
    }

    /// Counts changes of [`Replica::freshness`].
    pub(crate) fn freshness_generation(&self) -> u64 {
        self.0.freshness_generation.load(Ordering::Acquire)
    }
}

impl ReplicaWriter {
    /// Of a new, empty replica that keeps so much.
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self(Replica(Arc::new(Shared {
            logs: RwLock::new(GuildLogs::empty(bounds)),
            progress: watch::Sender::new(Progress::default()),
            freshness: Mutex::new(Freshness::unknown()),
            freshness_generation: AtomicU64::new(0),
        })))
    }

    /// What readers see.
    pub(crate) fn replica(&self) -> &Replica {
        &self.0
    }

    /// The guilds, to be changed while nobody reads them.
    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, GuildLogs> {
        self.0.0.logs.write()
    }

    /// Sets how far the replica has come, and wakes who waits for it.
    pub(crate) fn set_progress(&self, change: impl FnOnce(&mut Progress)) {
        self.0.0.progress.send_modify(change);
    }

    /// Changes how fresh the replica is. Returns whether anything changed by it.
    pub(crate) fn update_freshness(&self, change: impl FnOnce(&mut Freshness)) -> bool {
        let mut freshness = self.0.0.freshness.lock();
        let was = freshness.clone();
        change(&mut freshness);
        let changed = was != *freshness;
        drop(freshness);
        if changed {
            self.0.0.freshness_generation.fetch_add(1, Ordering::AcqRel);
        }
        changed
    }
}
