//! The subscribers of one guild: its viewers, the class of each, and a buffer for each class.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use guildhall_model::{GuildId, LogId, Position, UserId, ViewerClass, event::LiveEvent};
use parking_lot::{Mutex, MutexGuard};

use super::{
    affected::AffectedViewers,
    class_buffer::ClassBuffer,
    viewer::Viewer,
    wake_list::{Slot, StreamWaker},
};
use crate::{
    replica::{GuildLog, Record},
    visible::{Selector, VisibleRooms},
};

/// The viewers of one guild and the buffers of their classes.
#[derive(Debug)]
pub(crate) struct GuildSubscribers {
    guild_id: GuildId,
    subscriptions: Mutex<Subscriptions>,
}

#[derive(Debug, Default)]
struct Subscriptions {
    viewers: HashMap<UserId, SubscribedViewer>,
    buffers: HashMap<(ViewerClass, Selector), Arc<ClassBuffer>>,
}

/// A viewer with at least one stream on this guild.
#[derive(Debug)]
struct SubscribedViewer {
    viewer: Arc<Viewer>,
    class: Option<ViewerClass>,
    /// Whether it is known what they are. `None`: there is no such guild.
    looked_up: Option<bool>,
    streams: usize,
}

/// Who is to be woken after a group.
#[derive(Debug, Default)]
pub(crate) struct WakeSet {
    pub(crate) buffers: Vec<Arc<ClassBuffer>>,
    pub(crate) viewers: Vec<Arc<Viewer>>,
}

impl GuildSubscribers {
    pub(crate) fn new(guild_id: GuildId) -> Self {
        Self {
            guild_id,
            subscriptions: Mutex::default(),
        }
    }

    /// Subscribes one stream of a viewer. To be called while the replica is locked, so that
    /// `rooms`, what the viewer sees, holds at the buffer's next record. `looked_up`: whether it is
    /// known what they are, if there is such a guild; `now`: the replica's position in its log.
    pub(crate) fn add(
        self: &Arc<Self>,
        viewer: &Arc<Viewer>,
        waker: &Arc<StreamWaker>,
        (rooms, looked_up): (Option<&VisibleRooms>, Option<bool>),
        selector: &Selector,
        now: Position,
    ) -> GuildSubscription {
        let mut subscriptions = self.lock();
        let class = rooms.map(|rooms| rooms.class().clone());
        let subscribed =
            subscriptions
                .viewers
                .entry(viewer.id())
                .or_insert_with(|| SubscribedViewer {
                    viewer: Arc::clone(viewer),
                    class: class.clone(),
                    looked_up,
                    streams: 0,
                });
        subscribed.class = class;
        subscribed.looked_up = looked_up;
        subscribed.streams += 1;
        let buffer = rooms.map(|rooms| {
            let key = (rooms.class().clone(), selector.clone());
            let buffer = subscriptions
                .buffers
                .entry(key.clone())
                .or_insert_with(|| Arc::new(ClassBuffer::new(key, rooms.clone(), now.seq)));
            let slot = buffer.subscribe(waker);
            (Arc::clone(buffer), slot)
        });
        GuildSubscription {
            subscribers: Arc::clone(self),
            log: now.log,
            user: viewer.id(),
            buffer,
        }
    }

    /// Shows a record to every class here and notes for whom what they see may have changed. `log`:
    /// the guild's, with the record in it.
    pub(crate) fn push(
        &self,
        record: &Arc<Record>,
        affected: &AffectedViewers,
        log: &GuildLog,
        to_wake: &mut WakeSet,
    ) {
        let after = log.guild();
        let mut subscriptions = self.lock();
        let mut changed: Vec<Arc<ClassBuffer>> = Vec::new();
        for buffer in subscriptions.buffers.values() {
            let pushed = buffer.push(record, after, log.floor());
            if pushed.wakes {
                to_wake.buffers.push(Arc::clone(buffer));
            }
            if pushed.changed {
                changed.push(Arc::clone(buffer));
            }
        }
        let in_changed_class: BTreeSet<UserId> = if changed.is_empty() {
            BTreeSet::new()
        } else {
            let of = |subscribed: &SubscribedViewer| {
                let class = subscribed.class.as_ref();
                changed.iter().any(|buffer| Some(buffer.class()) == class)
            };
            let hit = subscriptions
                .viewers
                .iter()
                .filter(|(_, subscribed)| of(subscribed));
            hit.map(|(user, _)| *user).collect()
        };
        let mut reclassify = |user: UserId, subscribed: &mut SubscribedViewer| {
            let class = after.and_then(|guild| ViewerClass::of(self.guild_id, guild, user));
            let looked_up = after.map(|guild| guild.memberships.contains_key(&user));
            let same = class == subscribed.class && looked_up == subscribed.looked_up;
            if !same || in_changed_class.contains(&user) {
                subscribed.class = class;
                subscribed.looked_up = looked_up;
                to_wake.viewers.push(Arc::clone(&subscribed.viewer));
            }
        };
        match affected {
            AffectedViewers::Nobody => {}
            AffectedViewers::Everybody => {
                for (user, subscribed) in &mut subscriptions.viewers {
                    reclassify(*user, subscribed);
                }
            }
            AffectedViewers::People(people) => {
                for user in people.union(&in_changed_class) {
                    if let Some(subscribed) = subscriptions.viewers.get_mut(user) {
                        reclassify(*user, subscribed);
                    }
                }
            }
        }
    }

    /// Wakes the streams that are shown a word of the live lane.
    pub(crate) fn wake_for(&self, event: &Arc<LiveEvent>) {
        for buffer in self.lock().buffers.values() {
            if buffer.show_live(event).is_some() {
                buffer.wake();
            }
        }
    }

    /// Drops all buffers, because the replica was replaced. Streams find out by the rights
    /// generation of their viewers, which the caller raises.
    pub(crate) fn reset(&self) {
        self.lock().buffers.clear();
    }

    /// Whether nobody is subscribed.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().viewers.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Subscriptions> {
        self.subscriptions.lock()
    }
}

/// One stream's subscription to one guild. Ends when dropped.
#[derive(Debug)]
pub(crate) struct GuildSubscription {
    subscribers: Arc<GuildSubscribers>,
    log: LogId,
    user: UserId,
    buffer: Option<(Arc<ClassBuffer>, Slot)>,
}

impl GuildSubscription {
    /// The guild.
    pub(crate) fn guild_id(&self) -> GuildId {
        self.subscribers.guild_id
    }

    /// The log that the guild is in.
    pub(crate) fn log_id(&self) -> LogId {
        self.log
    }

    /// What the stream reads; `None`: its viewer sees nothing of this guild.
    pub(crate) fn buffer(&self) -> Option<&ClassBuffer> {
        self.buffer.as_ref().map(|(buffer, _)| &**buffer)
    }
}

impl Drop for GuildSubscription {
    fn drop(&mut self) {
        let mut subscriptions = self.subscribers.lock();
        if let Some(subscribed) = subscriptions.viewers.get_mut(&self.user) {
            subscribed.streams -= 1;
            if subscribed.streams == 0 {
                subscriptions.viewers.remove(&self.user);
            }
        }
        let Some((buffer, slot)) = &self.buffer else {
            return;
        };
        // A buffer from before a reset is in the map no more, and its key may be another's.
        if buffer.unsubscribe(slot)
            && subscriptions
                .buffers
                .get(buffer.key())
                .is_some_and(|known| Arc::ptr_eq(known, buffer))
        {
            subscriptions.buffers.remove(buffer.key());
        }
    }
}
