//! 4b: the replica: the world at a position, and each guild's recent records, serialised once.
//!
//! One task writes (`ReplicaWriter`, the link's), every stream reads. A stream that waits holds
//! no lock and no queue: it has a place in the log, and a class that knows what came after it.

/// Who listens to a guild, and what their classes are shown.
mod audience;
/// One guild: now, its records, and before them.
mod guild;
/// One event, serialised once.
mod record;
/// Guilds that have just come.
mod arrivals;
/// What was answered about one person.
mod proof;
/// How fresh all of this is.
mod status;
/// One person on this instance.
mod viewer;
/// Whom to wake.
mod wake;
/// The one writer.
mod writer;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use guildhall_model::{GuildId, Position, UserId};
use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard};
use tokio::{sync::watch, time::Instant};

pub(crate) use arrivals::Arrived;
pub(crate) use audience::{Behind, Seat};
pub(crate) use guild::GuildLog;
pub(crate) use proof::{GoodFor, Noted};
pub(crate) use record::{Family, Record};
pub(crate) use status::{Standing, StatusPayload};
pub(crate) use viewer::{Attendance, Viewer};
pub(crate) use writer::ReplicaWriter;

use arrivals::Arrivals;
use audience::Audience;

use crate::stream::filter::{Narrow, Sight};

/// Bytes of records kept for one log, all guilds together.
const LOG_BYTES: usize = 64 << 20;

/// The readers' handle.
#[derive(Clone, Debug)]
pub(crate) struct Replica(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: RwLock<Store>,
    /// The last number that every class has heard; streams look here before they look anywhere.
    published: AtomicU64,
    audiences: Mutex<HashMap<GuildId, Arc<Audience>>>,
    viewers: Mutex<HashMap<UserId, Arc<Viewer>>>,
    standing: Mutex<Standing>,
    /// Counts changes of `standing`.
    standing_turn: AtomicU64,
    draining: AtomicBool,
    progress: watch::Sender<Progress>,
    arrivals: Arrivals,
}

/// How far the replica has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Its place; `None` until it was complete for the first time.
    pub(crate) position: Option<Position>,
    /// How often it was completed: once for each attachment to the gateway.
    pub(crate) completed: u64,
}

/// The guilds at one position.
#[derive(Debug)]
pub(crate) struct Store {
    /// `None` until it was complete for the first time.
    position: Option<Position>,
    guilds: BTreeMap<GuildId, GuildLog>,
    window: usize,
    bytes: usize,
    /// Bytes of records kept, all guilds together.
    cost: usize,
}

/// A new, empty replica that keeps `window` records per guild: its one writer, and the handle for
/// all readers.
pub(crate) fn new(window: usize) -> (ReplicaWriter, Replica) {
    let replica = Replica(Arc::new(Shared {
        store: RwLock::new(Store::empty(window, LOG_BYTES)),
        published: AtomicU64::new(0),
        audiences: Mutex::default(),
        viewers: Mutex::default(),
        standing: Mutex::new(Standing::unheard()),
        standing_turn: AtomicU64::new(0),
        draining: AtomicBool::new(false),
        progress: watch::Sender::new(Progress::default()),
        arrivals: Arrivals::default(),
    }));
    (ReplicaWriter::new(replica.clone()), replica)
}

impl Replica {
    /// Where the replica stands. `None` before it was complete for the first time.
    pub(crate) fn position(&self) -> Option<Position> {
        self.0.progress.borrow().position
    }

    /// Marks a change at every group of events and at every completion.
    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.0.progress.subscribe()
    }

    /// Completes when the replica has come to `at` in the same life of the log. Bound it by a
    /// time limit: a life that is over is never reached.
    pub(crate) async fn reached(&self, at: Position) {
        let there = |progress: &Progress| {
            progress
                .position
                .is_some_and(|position| position.comparable(at) && position.seq >= at.seq)
        };
        // The sender lives as long as `self`, so waiting ends only with success.
        let _ended = self.0.progress.subscribe().wait_for(there).await.is_ok();
    }

    /// The last number that every class has heard. Acquire it before [`Viewer::turn`].
    pub(crate) fn published(&self) -> u64 {
        self.0.published.load(Ordering::Acquire)
    }

    /// Holds the replica still. Keep it short: the writer waits.
    pub(crate) fn hold(&self) -> RwLockReadGuard<'_, Store> {
        self.0.store.read()
    }

    /// Seats a stream at a guild; `held` proves that the replica stands still meanwhile.
    pub(crate) fn seat(
        &self,
        held: &Store,
        guild: GuildId,
        attendance: &Attendance,
        sight: Option<&Sight>,
        narrow: &Narrow,
    ) -> Seat {
        let now = held.position.map_or(0, |position| position.seq);
        let looked_up = held.guild(guild).and_then(GuildLog::guild);
        let user = attendance.viewer().id();
        let looked_up = looked_up.map(|guild| guild.memberships.contains_key(&user));
        // Entered under the lock of the list, so that the writer's sweep cannot come between.
        let mut audiences = self.audiences();
        let audience = audiences
            .entry(guild)
            .or_insert_with(|| Arc::new(Audience::new(guild)));
        let (viewer, signal) = (attendance.viewer(), attendance.signal());
        audience.enter(viewer, signal, (sight, looked_up), narrow, now)
    }

    /// The person, as known on this instance.
    pub(crate) fn viewer(&self, user: UserId) -> Arc<Viewer> {
        let mut viewers = self.viewers();
        let viewer = viewers
            .entry(user)
            .or_insert_with(|| Arc::new(Viewer::new(user)));
        Arc::clone(viewer)
    }

    /// Everybody who has a stream open.
    pub(crate) fn present(&self) -> Vec<Arc<Viewer>> {
        let viewers = self.viewers();
        let present = viewers.values().filter(|viewer| !viewer.is_idle());
        present.cloned().collect()
    }

    /// Waits for guilds that have come since the last call.
    pub(crate) async fn arrived(&self) -> Arrived {
        self.0.arrivals.next().await
    }

    /// Everybody who has a stream open that is about a guild.
    fn wanting(&self, guild: GuildId) -> Vec<Arc<Viewer>> {
        let mut present = self.present();
        present.retain(|viewer| viewer.wants_guild(guild));
        present
    }

    /// Forgets people, guilds and answers that nobody needs any more.
    pub(crate) fn sweep(&self, now: Instant, idle_for: std::time::Duration) {
        self.viewers().retain(|_, viewer| {
            // Whoever else holds it is about to open a stream.
            let held = Arc::strong_count(viewer) > 1 || !viewer.is_idle();
            let recent = viewer.sweep(idle_for, now);
            held || recent
        });
        self.audiences().retain(|_, audience| !audience.is_empty());
    }

    /// How fresh the replica is.
    pub(crate) fn standing(&self) -> Standing {
        self.0.standing.lock().clone()
    }

    /// Counts changes of [`Replica::standing`].
    pub(crate) fn standing_turn(&self) -> u64 {
        self.0.standing_turn.load(Ordering::Acquire)
    }

    /// Asks every stream to say `bye` and end; new ones do so at once.
    pub(crate) fn drain(&self) {
        self.0.draining.store(true, Ordering::Release);
        self.ring_all();
    }

    /// Whether streams are to end.
    pub(crate) fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    fn ring_all(&self) {
        for viewer in self.present() {
            viewer.ring();
        }
    }

    fn audience(&self, guild: GuildId) -> Option<Arc<Audience>> {
        self.audiences().get(&guild).cloned()
    }

    fn audiences(&self) -> MutexGuard<'_, HashMap<GuildId, Arc<Audience>>> {
        self.0.audiences.lock()
    }

    fn viewers(&self) -> MutexGuard<'_, HashMap<UserId, Arc<Viewer>>> {
        self.0.viewers.lock()
    }
}

impl Store {
    fn empty(window: usize, bytes: usize) -> Self {
        Self {
            position: None,
            guilds: BTreeMap::new(),
            window,
            bytes,
            cost: 0,
        }
    }

    /// Where it stands.
    pub(crate) fn position(&self) -> Option<Position> {
        self.position
    }

    /// Records kept per guild at most, and how far ahead another instance may be believed.
    pub(crate) fn window(&self) -> usize {
        self.window
    }

    /// A guild's part of the log.
    pub(crate) fn guild(&self, id: GuildId) -> Option<&GuildLog> {
        self.guilds.get(&id)
    }

    /// Whether a guild is there.
    pub(crate) fn has(&self, id: GuildId) -> bool {
        self.guild(id).is_some_and(|log| log.guild().is_some())
    }

    /// The guilds that are there.
    pub(crate) fn guild_ids(&self) -> impl Iterator<Item = GuildId> {
        let there = self.guilds.iter().filter(|(_, log)| log.guild().is_some());
        there.map(|(id, _)| *id)
    }

    /// A guild's floor; one that no record was ever kept of has none above the start.
    pub(crate) fn floor(&self, id: GuildId) -> u64 {
        self.guilds.get(&id).map_or(0, GuildLog::floor)
    }
}

#[cfg(test)]
mod tests;
