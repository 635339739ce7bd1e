//! What one class of viewers is shown of a guild: filtered once, read by all of its streams.

use std::{collections::VecDeque, sync::Arc};

use guildhall_model::{ChannelId, VisibleRooms, event::LiveEvent};
use parking_lot::{Mutex, MutexGuard};

use super::wake_list::{Slot, StreamWaker, WakeList};
use crate::{
    replica::Record,
    visible::{Selector, Visible, show, show_live},
};

/// Records that a buffer keeps. A stream further behind reads the guild's log itself.
const RECORDS_KEPT: usize = 512;

/// The records that one class, with one query, is shown.
#[derive(Debug)]
pub(crate) struct ClassBuffer {
    selector: Selector,
    state: Mutex<BufferState>,
    streams: WakeList,
}

#[derive(Debug)]
struct BufferState {
    /// What the class sees now.
    rooms: VisibleRooms,
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

impl ClassBuffer {
    /// An empty one. `rooms`: what the class sees at `now`, the replica's position.
    pub(super) fn new(selector: Selector, rooms: VisibleRooms, now: u64) -> Self {
        Self {
            selector,
            state: Mutex::new(BufferState {
                rooms,
                records: VecDeque::new(),
                from: now,
                woken_for: now,
            }),
            streams: WakeList::default(),
        }
    }

    /// What its streams ask for.
    pub(super) fn selector(&self) -> &Selector {
        &self.selector
    }

    /// The class sees these rooms from now on.
    pub(super) fn set_rooms(&self, rooms: &VisibleRooms) {
        self.lock().rooms = rooms.clone();
    }

    /// A stream reads this from now on.
    pub(crate) fn subscribe(&self, waker: &Arc<StreamWaker>) -> Slot {
        self.streams.add(waker)
    }

    /// It does not any more. Returns whether none is left.
    pub(crate) fn unsubscribe(&self, slot: &Slot) -> bool {
        self.streams.remove(slot)
    }

    /// Keeps a record if the class may see it, who saw `before` just before it and sees `after` just
    /// after it. `floor`: the log's. Returns whether the streams are to be woken: it is the first of
    /// its group that is shown.
    pub(super) fn push(
        &self,
        record: &Arc<Record>,
        before: &VisibleRooms,
        after: &VisibleRooms,
        floor: u64,
    ) -> bool {
        let Some(visible) = show(record, Some(before), Some(after), &self.selector) else {
            return false;
        };
        let mut state = self.lock();
        let wakes = state.woken_for != record.group.end;
        state.woken_for = record.group.end;
        state.records.push_back(visible);
        state.trim(floor);
        wakes
    }

    /// Drops what the log has dropped.
    pub(super) fn trim(&self, floor: u64) {
        self.lock().trim(floor);
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
        show_live(event, Some(&self.lock().rooms), &self.selector)
    }

    /// Whether the class sees a room now.
    pub(crate) fn sees(&self, room: ChannelId) -> bool {
        self.lock().rooms.contains(room)
    }

    /// Wakes the streams that read this.
    pub(crate) fn wake(&self) {
        self.streams.wake();
    }

    fn lock(&self) -> MutexGuard<'_, BufferState> {
        self.state.lock()
    }
}
