//! The subscribers of one guild: its viewers, the class of each, and a buffer for each class.

/// What an event makes of the classes.
mod regroup;

use std::{collections::HashMap, sync::Arc};

use guildhall_model::{
    GuildId, LogId, Position,
    event::{Audience, LiveEvent},
};
use parking_lot::{Mutex, MutexGuard};

use super::{
    access_history::AccessHistory,
    class_buffer::ClassBuffer,
    classes::{Class, ClassId, Classes},
    viewer::Viewer,
    wake_list::{Slot, StreamWaker},
};
use crate::{
    replica::{BufferBounds, GuildLog, Record, RoomsAhead, ViewerId},
    visible::{Access, Selector},
};

use regroup::Regrouped;

/// Buffers that get no records are trimmed once the log's floor has risen by so many.
const TRIMMED_EVERY: u64 = 64;

/// The viewers of one guild and the buffers of their classes.
#[derive(Debug)]
pub(crate) struct GuildSubscribers {
    guild_id: GuildId,
    subscriptions: Mutex<Subscriptions>,
}

#[derive(Debug)]
struct Subscriptions {
    viewers: HashMap<ViewerId, SubscribedViewer>,
    classes: Classes,
    /// The floor at which all buffers were last trimmed.
    trimmed_at: u64,
}

/// A viewer with at least one stream on this guild.
#[derive(Debug)]
struct SubscribedViewer {
    viewer: Arc<Viewer>,
    /// What they are to the guild; unknown, too, as long as this instance has no answer about them.
    access: AccessHistory,
    /// Of those who see the same; `None` unless they are a member.
    class: Option<ClassId>,
    streams: usize,
}

/// Who is to be woken after a group.
#[derive(Debug, Default)]
pub(crate) struct WakeSet {
    /// Each once: a buffer says itself whether it is the first time for a group.
    buffers: Vec<Arc<ClassBuffer>>,
    /// However many records of a group concern somebody.
    viewers: HashMap<ViewerId, Arc<Viewer>>,
}

impl WakeSet {
    /// A viewer's streams have to join again: at once they read nothing any more of what is
    /// published from now on, and they are woken after it.
    pub(crate) fn rejoin(&mut self, viewer: &Arc<Viewer>) {
        viewer.rights_changed();
        let known = self.viewers.entry(viewer.id());
        known.or_insert_with(|| Arc::clone(viewer));
    }

    /// Wakes them all, once what they are woken for is published.
    pub(crate) fn wake(self) {
        for buffer in self.buffers {
            buffer.wake();
        }
        for viewer in self.viewers.into_values() {
            viewer.wake();
        }
    }
}

impl GuildSubscribers {
    pub(crate) fn new(guild_id: GuildId, buffers: BufferBounds) -> Self {
        Self {
            guild_id,
            subscriptions: Mutex::new(Subscriptions {
                viewers: HashMap::new(),
                classes: Classes::new(buffers),
                trimmed_at: 0,
            }),
        }
    }

    /// Subscribes one stream of a viewer. To be called while the replica is locked, so that
    /// `access`, what the viewer is to the guild, holds at the buffer's next record. `now`: the
    /// replica's position in its log.
    pub(crate) fn add(
        self: &Arc<Self>,
        viewer: &Arc<Viewer>,
        waker: &Arc<StreamWaker>,
        access: &Access,
        selector: &Selector,
        now: Position,
    ) -> GuildSubscription {
        let mut subscriptions = self.lock();
        let Subscriptions {
            viewers, classes, ..
        } = &mut *subscriptions;
        let subscribed = viewers
            .entry(viewer.id())
            .or_insert_with(|| SubscribedViewer {
                viewer: Arc::clone(viewer),
                access: AccessHistory::new(Access::Unknown, u64::MAX),
                class: None,
                streams: 0,
            });
        let sees = |class: ClassId| classes.get(class).map(Class::rooms);
        let mut others_read_on = false;
        if subscribed.class.and_then(sees) != access.rooms() {
            if let Some(class) = subscribed.class.take() {
                classes.leave(class, 1);
                others_read_on = subscribed.streams > 0;
            }
            subscribed.class = access.rooms().map(|rooms| classes.enter(rooms));
        }
        if subscribed.access.now() != access {
            subscribed.access = AccessHistory::new(access.clone(), now.seq);
        }
        subscribed.streams += 1;
        let reader = subscribed.class.and_then(|class| {
            let buffer = classes.buffer(class, selector, now.seq)?;
            let slot = buffer.subscribe(waker);
            Some(ClassReader {
                class,
                buffer,
                slot,
            })
        });
        drop(subscriptions);
        if others_read_on {
            // INVARIANT(raised-by-class): whoever goes out of a class has a higher generation of
            // rights then. If it is over by that, what a stream still reads of it has no end.
            viewer.rights_changed();
            viewer.wake();
        }
        GuildSubscription {
            subscribers: Arc::clone(self),
            log: now.log,
            viewer: viewer.id(),
            reader,
        }
    }

    /// What a viewer is to the guild, and was. `None`: nobody subscribed for them, or it has to be
    /// looked at.
    pub(super) fn access_history(&self, viewer: ViewerId) -> Option<AccessHistory> {
        let subscriptions = self.lock();
        let history = &subscriptions.viewers.get(&viewer)?.access;
        (*history.now() != Access::Unknown).then(|| history.clone())
    }

    /// Shows a record to every class here and notes for whom what they see may have changed. `log`:
    /// the guild's, with the record in it; `ahead`: what the rest of its group makes of rooms.
    pub(crate) fn push(
        &self,
        record: &Arc<Record>,
        log: &mut GuildLog,
        ahead: &RoomsAhead,
        to_wake: &mut WakeSet,
    ) {
        let mut subscriptions = self.lock();
        let regrouped = subscriptions.regroup(record, self.guild_id, log, ahead, to_wake);
        subscriptions.show(record, &regrouped, log.floor(), to_wake);
    }

    /// Wakes the streams that are shown a word of the live lane.
    pub(crate) fn wake_for(&self, event: &Arc<LiveEvent>) {
        for (_, class) in self.lock().classes.iter() {
            for buffer in class.buffers() {
                if buffer.show_live(event).is_some() {
                    buffer.wake();
                }
            }
        }
    }

    /// Drops all classes with their buffers, because the replica was replaced. Streams find out by
    /// the rights generation of their viewers, which the caller raises.
    pub(crate) fn reset(&self) {
        let mut subscriptions = self.lock();
        subscriptions.classes.clear();
        subscriptions.trimmed_at = 0;
        for subscribed in subscriptions.viewers.values_mut() {
            subscribed.access = AccessHistory::new(Access::Unknown, u64::MAX);
            subscribed.class = None;
        }
    }

    /// Whether nobody is subscribed.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().viewers.is_empty()
    }

    /// The class of a viewer, and what it sees.
    #[cfg(test)]
    pub(super) fn class_of(
        &self,
        viewer: ViewerId,
    ) -> Option<(ClassId, guildhall_model::VisibleRooms)> {
        let subscriptions = self.lock();
        let class = subscriptions.viewers.get(&viewer)?.class?;
        let rooms = subscriptions.classes.get(class)?.rooms().clone();
        assert_eq!(
            subscriptions.classes.of(&rooms),
            Some(class),
            "is found by what it sees"
        );
        let mut seeing = rooms.ids().iter();
        assert!(seeing.all(|room| {
            subscriptions
                .classes
                .seeing(*room)
                .any(|(id, _)| id == class)
        }));
        Some((class, rooms))
    }

    fn lock(&self) -> MutexGuard<'_, Subscriptions> {
        self.subscriptions.lock()
    }
}

impl Subscriptions {
    /// Shows a record to the classes that may see it: to those that see other rooms after it with
    /// those rooms.
    fn show(
        &mut self,
        record: &Arc<Record>,
        regrouped: &Regrouped,
        floor: u64,
        to_wake: &mut WakeSet,
    ) {
        let Regrouped { moved, transitions } = regrouped;
        for (id, before) in moved {
            let class = self.classes.live(*id);
            for buffer in class.buffers() {
                let seen = [before, class.rooms()];
                if buffer.push_with_rooms(record, transitions.as_deref(), seen, floor) {
                    to_wake.buffers.push(Arc::clone(buffer));
                }
            }
        }
        let mut push = |(id, class): (ClassId, &Class)| {
            if moved.contains_key(&id) {
                return;
            }
            for buffer in class.buffers() {
                if buffer.push(record, class.rooms(), floor) {
                    to_wake.buffers.push(Arc::clone(buffer));
                }
            }
        };
        match record.event.change.audience() {
            Audience::Room(room) | Audience::RoomBefore(room) => {
                self.classes.seeing(room).for_each(&mut push);
            }
            Audience::Guild | Audience::GuildBefore => self.classes.iter().for_each(&mut push),
            Audience::Nobody => {}
        }
        if floor >= self.trimmed_at + TRIMMED_EVERY {
            self.trimmed_at = floor;
            let classes = self.classes.iter();
            let buffers = classes.flat_map(|(_, class)| class.buffers());
            buffers.for_each(|buffer| buffer.trim(floor));
        }
    }
}

/// One stream's subscription to one guild. Ends when dropped.
#[derive(Debug)]
pub(crate) struct GuildSubscription {
    subscribers: Arc<GuildSubscribers>,
    log: LogId,
    viewer: ViewerId,
    reader: Option<ClassReader>,
}

/// What a stream reads, and of which class it was when it began to.
#[derive(Debug)]
struct ClassReader {
    class: ClassId,
    buffer: Arc<ClassBuffer>,
    slot: Slot,
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
        self.reader.as_ref().map(|reader| &*reader.buffer)
    }
}

impl Drop for GuildSubscription {
    fn drop(&mut self) {
        let mut subscriptions = self.subscribers.lock();
        let Subscriptions {
            viewers, classes, ..
        } = &mut *subscriptions;
        if let Some(subscribed) = viewers.get_mut(&self.viewer) {
            subscribed.streams -= 1;
            if subscribed.streams == 0 {
                if let Some(class) = subscribed.class {
                    classes.leave(class, 1);
                }
                viewers.remove(&self.viewer);
            }
        }
        if let Some(ClassReader {
            class,
            buffer,
            slot,
        }) = &self.reader
            && buffer.unsubscribe(slot)
        {
            classes.remove_buffer(*class, buffer);
        }
    }
}
