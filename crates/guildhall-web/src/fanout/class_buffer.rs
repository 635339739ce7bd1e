//! What one class of viewers is shown of a guild: filtered once, read by all of its streams.

use std::{collections::VecDeque, sync::Arc};

use guildhall_model::{ChannelId, Guild, ViewerClass, event::LiveEvent};
use parking_lot::{Mutex, MutexGuard};

use super::wake_list::{Slot, StreamWaker, WakeList};
use crate::{
    replica::{Affects, Record},
    visible::{Selector, Visible, VisibleRooms, show, show_live, view_changed},
};

/// Records that a buffer keeps. A stream further behind reads the guild's log itself.
const RECORDS_KEPT: usize = 512;

/// The records that one class, with one query, is shown.
#[derive(Debug)]
pub(crate) struct ClassBuffer {
    key: (ViewerClass, Selector),
    state: Mutex<BufferState>,
    streams: WakeList,
}

#[derive(Debug)]
struct BufferState {
    /// What the class sees now. `None`: there is no such guild.
    rooms: Option<VisibleRooms>,
    records: VecDeque<Visible<Arc<Record>>>,
    /// Records at or below this are not kept.
    from: u64,
    /// The end of the last group of which anything was shown: its streams are woken once for each.
    woken_for: u64,
}

impl BufferState {
    /// Drops what the log has dropped, and what is more than is kept.
    fn trim(&mut self, floor: u64) {
        self.from = self.from.max(floor);
        while let Some(oldest) = self.records.front() {
            let oldest = oldest.get().at.seq;
            if oldest > self.from && self.records.len() <= RECORDS_KEPT {
                return;
            }
            self.from = self.from.max(oldest);
            self.records.pop_front();
        }
    }
}

/// A stream is further behind than the buffer goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooFarBehind;

/// What a record did to a buffer.
pub(crate) struct Pushed {
    /// It is the first of its group that is shown: the streams are to be woken.
    pub(crate) wakes: bool,
    /// What the class sees changed in a way that the record may not tell.
    pub(crate) changed: bool,
}

impl ClassBuffer {
    /// An empty one. `rooms`: what the class sees at `now`, the replica's position.
    pub(crate) fn new(key: (ViewerClass, Selector), rooms: VisibleRooms, now: u64) -> Self {
        Self {
            key,
            state: Mutex::new(BufferState {
                rooms: Some(rooms),
                records: VecDeque::new(),
                from: now,
                woken_for: now,
            }),
            streams: WakeList::default(),
        }
    }

    /// The class, and its query.
    pub(crate) fn key(&self) -> &(ViewerClass, Selector) {
        &self.key
    }

    /// The class.
    pub(crate) fn class(&self) -> &ViewerClass {
        &self.key.0
    }

    /// A stream reads this from now on.
    pub(crate) fn subscribe(&self, waker: &Arc<StreamWaker>) -> Slot {
        self.streams.add(waker)
    }

    /// It does not any more. Returns whether none is left.
    pub(crate) fn unsubscribe(&self, slot: &Slot) -> bool {
        self.streams.remove(slot)
    }

    /// Keeps a record if the class may see it. `after`: the guild after the record; `floor`: the
    /// log's.
    pub(crate) fn push(&self, record: &Arc<Record>, after: Option<&Guild>, floor: u64) -> Pushed {
        let mut state = self.lock();
        let (visible, changed) = if record.affects == Affects::Everybody {
            let rooms = after.map(|guild| VisibleRooms::of(self.key.0.clone(), guild));
            let before = std::mem::replace(&mut state.rooms, rooms);
            let (before, after) = (before.as_ref(), state.rooms.as_ref());
            let visible = show(record, before, after, &self.key.1);
            (visible, view_changed(record, before, after))
        } else {
            let rooms = state.rooms.as_ref();
            (show(record, rooms, rooms, &self.key.1), false)
        };
        let wakes = visible.is_some() && state.woken_for != record.group.end;
        if wakes {
            state.woken_for = record.group.end;
        }
        let pushed = Pushed { wakes, changed };
        state.records.extend(visible);
        state.trim(floor);
        pushed
    }

    /// Adds what the class was shown after one position and up to another, in order.
    pub(crate) fn read(
        &self,
        after: u64,
        upto: u64,
        out: &mut Vec<Visible<Arc<Record>>>,
    ) -> Result<(), TooFarBehind> {
        let state = self.lock();
        if after < state.from {
            return Err(TooFarBehind);
        }
        // A stream is at most a few records behind, so the search begins at the end.
        let newest = state.records.iter().rev();
        let pending = newest
            .take_while(|visible| visible.get().at.seq > after)
            .count();
        let first = state.records.len() - pending;
        let pending = state.records.range(first..);
        out.extend(
            pending
                .take_while(|visible| visible.get().at.seq <= upto)
                .cloned(),
        );
        Ok(())
    }

    /// Shows a word of the live lane by what the class sees now.
    pub(crate) fn show_live(&self, event: &Arc<LiveEvent>) -> Option<Visible<Arc<LiveEvent>>> {
        show_live(event, self.lock().rooms.as_ref(), &self.key.1)
    }

    /// Whether the class sees a room now.
    pub(crate) fn sees(&self, room: ChannelId) -> bool {
        let state = self.lock();
        state
            .rooms
            .as_ref()
            .is_some_and(|rooms| rooms.contains(room))
    }

    /// Wakes the streams that read this.
    pub(crate) fn wake(&self) {
        self.streams.wake();
    }

    fn lock(&self) -> MutexGuard<'_, BufferState> {
        self.state.lock()
    }
}
