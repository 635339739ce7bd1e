//! To whom a record goes. Viewers who see the same rooms of a guild are one class; a record is
//! filtered once for each class into its buffer, and the streams of the class are woken and read it
//! there.
//!
//! A stream that waits holds no lock and no queue of its own: it has a position in the log, and
//! reads what its classes' buffers have after it.

/// Where a stream stands, and how far the logs behind it are published.
mod stream_position;
/// Lists of streams that are woken together.
mod wake_list;
/// In which guilds the rights of one viewer are known.
mod lookups;
/// The guilds that a stream is about.
mod wanted_guilds;
/// Which commands of a session are settled.
mod settled;
/// One viewer, with all of their open streams.
mod viewer;
/// One open stream, as it is registered with its viewer.
mod registration;
/// What one class of viewers is shown of a guild.
mod class_buffer;
/// What a viewer was to a guild at recent positions.
mod access_history;
/// The classes of one guild's viewers.
mod classes;
/// The subscribers of one guild: viewers, classes, buffers.
mod subscribers;
/// Who is on which room's page.
mod room_viewers;
/// Guilds that have come and in which nobody was looked up yet.
mod arrivals;
/// The one writer: applies what the link brings and publishes it.
mod publisher;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use guildhall_model::{
    GuildId, Position,
    event::{LiveEvent, LiveTable},
};
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

pub(crate) use access_history::AccessHistory;
pub(crate) use arrivals::ArrivedGuilds;
pub(crate) use class_buffer::TooFarBehind;
pub(crate) use lookups::{LookupAge, LookupChange, LookupTtl};
pub(crate) use publisher::Publisher;
pub(crate) use registration::StreamRegistration;
pub(crate) use room_viewers::{RoomViewers, ViewedRooms};
pub(crate) use settled::SettledReader;
pub(crate) use stream_position::{Published, StreamPosition};
pub(crate) use subscribers::GuildSubscription;
pub(crate) use viewer::Viewer;
pub(crate) use wanted_guilds::WantedGuilds;

use arrivals::GuildArrivals;
#[cfg(test)]
use classes::ClassId;
use stream_position::PublishedHeads;
use subscribers::GuildSubscribers;

use crate::{
    replica::{Bounds, BufferBounds, GuildLogs, LogPositions, Replica, ReplicaWriter, ViewerId},
    visible::{Access, Selector},
};

/// The viewers and subscribers of this instance, and the replica that they read. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Fanout(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    replica: Replica,
    buffers: BufferBounds,
    published: PublishedHeads,
    subscribers: Mutex<HashMap<GuildId, Arc<GuildSubscribers>>>,
    viewers: Mutex<HashMap<ViewerId, Arc<Viewer>>>,
    /// What counts of the live lane.
    live: Mutex<LiveTable>,
    /// The number of its last word; streams look here first.
    live_last: AtomicU64,
    draining: AtomicBool,
    arrivals: GuildArrivals,
    room_viewers: RoomViewers,
}

impl Fanout {
    /// An empty replica that keeps so much, with nobody who reads it: its one writer, and the handle
    /// for everybody else.
    pub(crate) fn new(bounds: Bounds) -> (Publisher, Self) {
        let writer = ReplicaWriter::new(bounds);
        let fanout = Self(Arc::new(Shared {
            replica: writer.replica().clone(),
            buffers: bounds.buffers,
            published: PublishedHeads::default(),
            subscribers: Mutex::default(),
            viewers: Mutex::default(),
            live: Mutex::default(),
            live_last: AtomicU64::new(0),
            draining: AtomicBool::new(false),
            arrivals: GuildArrivals::default(),
            room_viewers: RoomViewers::default(),
        }));
        (Publisher::new(writer, fanout.clone()), fanout)
    }

    /// The replica that is published from.
    pub(crate) fn replica(&self) -> &Replica {
        &self.0.replica
    }

    /// Where a stream stands that was sent all up to these positions.
    pub(crate) fn stream_position(&self, at: LogPositions) -> StreamPosition {
        self.0.published.stream_position(at)
    }

    fn publish(&self, position: Position) {
        self.0.published.publish(position);
    }

    /// The number of the live lane's last word. To be read before [`Viewer::rights_generation`].
    pub(crate) fn live_last(&self) -> u64 {
        self.0.live_last.load(Ordering::Acquire)
    }

    /// What the live lane says of a guild after one number and up to another.
    pub(crate) fn live_between(&self, id: GuildId, after: u64, upto: u64) -> Vec<Arc<LiveEvent>> {
        let live = self.0.live.lock();
        live.between(id, after, upto).cloned().collect()
    }

    /// Takes a word of the live lane in and wakes the guild's streams.
    fn publish_live(&self, event: &Arc<LiveEvent>) {
        let guild_id = event.key().guild_id;
        let mut live = self.0.live.lock();
        live.set(Arc::clone(event));
        self.0.live_last.store(live.last(), Ordering::Release);
        drop(live);
        if let Some(subscribers) = self.subscribers_of(guild_id) {
            subscribers.wake_for(event);
        }
    }

    /// What a viewer is to a guild, and was at recent positions. To be asked while the replica is
    /// locked. `None`: they have no stream on it, or it has to be looked at.
    pub(crate) fn access_history(&self, guild: GuildId, viewer: ViewerId) -> Option<AccessHistory> {
        self.subscribers_of(guild)?.access_history(viewer)
    }

    /// Subscribes a stream to a guild; `logs` proves that the replica is locked meanwhile. `access`:
    /// what the viewer is to the guild. `None`: the guild is in no log.
    pub(crate) fn subscribe(
        &self,
        logs: &GuildLogs,
        guild: GuildId,
        registration: &StreamRegistration,
        access: &Access,
        selector: &Selector,
    ) -> Option<GuildSubscription> {
        let now = logs.position_of(guild)?;
        // Added under the lock of the map, so that the writer's sweep cannot come between.
        let mut guilds = self.subscribers();
        let subscribers = guilds
            .entry(guild)
            .or_insert_with(|| Arc::new(GuildSubscribers::new(guild, self.0.buffers)));
        let (viewer, waker) = (registration.viewer(), registration.waker());
        Some(subscribers.add(viewer, waker, access, selector, now))
    }

    /// Who is on which room's page.
    pub(crate) fn room_viewers(&self) -> RoomViewers {
        self.0.room_viewers.clone()
    }

    /// A person, or the bot, as known on this instance.
    pub(crate) fn viewer(&self, id: impl Into<ViewerId>) -> Arc<Viewer> {
        let id = id.into();
        let mut viewers = self.viewers();
        let viewer = viewers
            .entry(id)
            .or_insert_with(|| Arc::new(Viewer::new(id)));
        Arc::clone(viewer)
    }

    /// Everybody who has a stream open.
    pub(crate) fn connected(&self) -> Vec<Arc<Viewer>> {
        let viewers = self.viewers();
        let connected = viewers.values().filter(|viewer| !viewer.is_idle());
        connected.cloned().collect()
    }

    /// Waits for guilds that have come since the last call.
    pub(crate) async fn arrived(&self) -> ArrivedGuilds {
        self.0.arrivals.next().await
    }

    /// Everybody who has a stream open that is about a guild.
    fn interested_in(&self, guild: GuildId) -> Vec<Arc<Viewer>> {
        let mut connected = self.connected();
        connected.retain(|viewer| viewer.is_interested_in(guild));
        connected
    }

    /// Drops viewers, guilds and answers that nobody needs any more.
    pub(crate) fn sweep(&self, now: Instant, idle_for: Duration) {
        self.viewers().retain(|_, viewer| {
            // Whoever else holds it is about to open a stream.
            let in_use = Arc::strong_count(viewer) > 1 || !viewer.is_idle();
            let recent = viewer.sweep(idle_for, now);
            in_use || recent
        });
        self.subscribers()
            .retain(|_, subscribers| !subscribers.is_empty());
    }

    /// Asks every stream to say `bye` and end; new ones do so at once.
    pub(crate) fn drain(&self) {
        self.0.draining.store(true, Ordering::Release);
        self.wake_all();
    }

    /// Whether streams are to end.
    pub(crate) fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    /// Wakes everybody's streams.
    fn wake_all(&self) {
        for viewer in self.connected() {
            viewer.wake();
        }
    }

    /// The class of a viewer in a guild, and what it sees.
    #[cfg(test)]
    fn class_of(
        &self,
        guild: GuildId,
        user: guildhall_model::UserId,
    ) -> Option<(ClassId, guildhall_model::VisibleRooms)> {
        self.subscribers_of(guild)?.class_of(user.into())
    }

    /// The subscribers of a guild. `None`: it has none.
    fn subscribers_of(&self, guild: GuildId) -> Option<Arc<GuildSubscribers>> {
        self.subscribers().get(&guild).cloned()
    }

    /// These guilds were replaced in the replica: what their buffers hold is void.
    fn reset_buffers(&self, guilds: &BTreeSet<GuildId>) {
        let subscribers = self.subscribers();
        for subscribers in guilds.iter().filter_map(|guild| subscribers.get(guild)) {
            subscribers.reset();
        }
    }

    fn subscribers(&self) -> MutexGuard<'_, HashMap<GuildId, Arc<GuildSubscribers>>> {
        self.0.subscribers.lock()
    }

    fn viewers(&self) -> MutexGuard<'_, HashMap<ViewerId, Arc<Viewer>>> {
        self.0.viewers.lock()
    }
}

#[cfg(test)]
pub(crate) mod tests;
