//! What one class of viewers is shown of a guild: filtered once, read by all of its streams.

use std::{collections::VecDeque, sync::Arc};

use guildhall_model::{ChannelId, VisibleRooms, event::LiveEvent};
use parking_lot::{Mutex, MutexGuard};

use super::wake_list::{Slot, StreamWaker, WakeList};
use crate::{
    replica::{BufferBounds, GroupSpan, Record, RoomTransitions},
    visible::{
        HeldFrame, LogFrame, Selector, ViewDifference, Visible, show, show_live, show_with_rooms,
        view_difference,
    },
};

/// What one class, with one query, is shown.
#[derive(Debug)]
pub(crate) struct ClassBuffer {
    selector: Selector,
    state: Mutex<BufferState>,
    streams: WakeList,
}

#[derive(Debug)]
struct BufferState {
    bounds: BufferBounds,
    /// What the class sees now.
    rooms: VisibleRooms,
    frames: VecDeque<Visible<HeldFrame>>,
    /// Those among them that are records.
    records: usize,
    /// What is at or below this is not kept.
    from: u64,
    /// The end of the last group of which anything was shown: its streams are woken once for each.
    woken_for: u64,
}

impl BufferState {
    /// Drops what the log has dropped, and what is more than is kept.
    fn trim(&mut self, floor: u64) {
        self.from = self.from.max(floor);
        while let Some(oldest) = self.frames.front() {
            let BufferBounds { records, frames } = self.bounds;
            let few = self.records <= records && self.frames.len() <= frames;
            if oldest.seq() > self.from && few {
                return;
            }
            self.from = self.from.max(oldest.seq());
            self.records -= usize::from(oldest.is_record());
            self.frames.pop_front();
        }
    }

    /// Adds what is shown of one record. Returns whether that is anything.
    fn push(&mut self, frames: impl IntoIterator<Item = Visible<LogFrame>>, floor: u64) -> bool {
        let kept = self.frames.len();
        self.frames.extend(frames.into_iter().map(Visible::hold));
        let added = self.frames.range(kept..);
        self.records += added.filter(|frame| frame.is_record()).count();
        if self.frames.len() == kept {
            return false;
        }
        self.trim(floor);
        true
    }

    /// Whether the streams are still to be woken for a group.
    fn wakes_for(&mut self, group: GroupSpan) -> bool {
        std::mem::replace(&mut self.woken_for, group.end) != group.end
    }
}

/// A stream is further behind than the buffer goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooFarBehind;

impl ClassBuffer {
    /// An empty one. `rooms`: what the class sees at `now`, the replica's position.
    pub(super) fn new(
        selector: Selector,
        rooms: VisibleRooms,
        now: u64,
        bounds: BufferBounds,
    ) -> Self {
        Self {
            selector,
            state: Mutex::new(BufferState {
                bounds,
                rooms,
                frames: VecDeque::new(),
                records: 0,
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

    /// Keeps a record if the class may see it, who see `rooms` before it and after it. `floor`: the
    /// log's. Returns whether the streams are to be woken: it is the first of its group that is shown.
    pub(super) fn push(&self, record: &Arc<Record>, rooms: &VisibleRooms, floor: u64) -> bool {
        let visible = show(record, Some(rooms), Some(rooms), &self.selector);
        if visible.is_none() {
            return false;
        }
        let mut state = self.lock();
        state.push(visible, floor) && state.wakes_for(record.group)
    }

    /// The same of a record by which the class goes on to other rooms, with those that appear or
    /// vanish by it. Where these are not there, whoever reads this joins again. Its streams are to be
    /// woken whether they are told anything or not: on which rooms' pages they count may differ.
    pub(super) fn push_with_rooms(
        &self,
        record: &Arc<Record>,
        transitions: Option<&RoomTransitions>,
        seen: [&VisibleRooms; 2],
        floor: u64,
    ) -> bool {
        let [before, after] = seen.map(Some);
        let frames = match view_difference(record, before, after, &self.selector) {
            ViewDifference::Nothing => {
                Some(Vec::from_iter(show(record, before, after, &self.selector)))
            }
            ViewDifference::Rooms(rooms) => transitions
                .and_then(|kept| show_with_rooms(record, kept, &rooms, seen, &self.selector).ok()),
            ViewDifference::Guild => None,
        };
        let mut state = self.lock();
        match frames {
            Some(frames) => _ = state.push(frames, floor),
            None => state.trim(record.at.seq),
        }
        state.wakes_for(record.group)
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
        out: &mut Vec<Visible<LogFrame>>,
    ) -> Result<(), TooFarBehind> {
        let state = self.lock();
        if after < state.from {
            return Err(TooFarBehind);
        }
        // A stream is at most a few records behind, so the search begins at the end.
        let newest = state.frames.iter().rev();
        let pending = newest.take_while(|frame| frame.seq() > after).count();
        let first = state.frames.len() - pending;
        let pending = state.frames.range(first..);
        for frame in pending.take_while(|frame| frame.seq() <= upto) {
            out.push(frame.take().ok_or(TooFarBehind)?);
        }
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
