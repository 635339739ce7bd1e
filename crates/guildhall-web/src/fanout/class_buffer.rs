//! What one class of viewers is shown of a guild: decided once, read by all of its streams.

use std::{collections::VecDeque, sync::Arc};

use guildhall_model::{Guild, ViewerClass};
use parking_lot::{Mutex, MutexGuard};

use super::wake_list::{Signal, Slot, WakeList};
use crate::{
    replica::{Record, Touches},
    visible::{Narrow, Sight, Visible, picture_broke, show},
};

/// Visible records that a class keeps at hand. A stream further behind reads the log itself.
const TAIL: usize = 512;

/// What one class (with one query) is shown: decided once, read by all of its streams.
#[derive(Debug)]
pub(crate) struct Feed {
    key: (ViewerClass, Narrow),
    shown: Mutex<Shown>,
    waiting: WakeList,
}

#[derive(Debug)]
struct Shown {
    sight: Option<Sight>,
    tail: VecDeque<Visible<Arc<Record>>>,
    /// Nothing at or below is in the tail.
    from: u64,
    /// The end of the last group of which anything was shown: once for each its streams are woken.
    woken_for: u64,
}

impl Shown {
    /// Lets go what the log has let go, and what is more than the tail's length.
    fn trim(&mut self, floor: u64) {
        self.from = self.from.max(floor);
        while let Some(oldest) = self.tail.front() {
            let oldest = oldest.get().at.seq;
            if oldest > self.from && self.tail.len() <= TAIL {
                return;
            }
            self.from = self.from.max(oldest);
            self.tail.pop_front();
        }
    }
}

/// A stream is further behind than the feed reaches.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Behind;

/// What a feed made of a record.
pub(crate) struct Heard {
    /// It is the first of its group that is shown.
    pub(crate) shown_first: bool,
    /// The class's sight changed in a way that the record may not tell.
    pub(crate) changed: bool,
}

impl Feed {
    /// An empty one. `sight`: what the class sees at `now`, the replica's place.
    pub(crate) fn new(key: (ViewerClass, Narrow), sight: Sight, now: u64) -> Self {
        Self {
            key,
            shown: Mutex::new(Shown {
                sight: Some(sight),
                tail: VecDeque::new(),
                from: now,
                woken_for: now,
            }),
            waiting: WakeList::default(),
        }
    }

    /// The class, and its query.
    pub(crate) fn key(&self) -> &(ViewerClass, Narrow) {
        &self.key
    }

    /// The class.
    pub(crate) fn class(&self) -> &ViewerClass {
        &self.key.0
    }

    /// A stream reads here from now on.
    pub(crate) fn listen(&self, signal: &Arc<Signal>) -> Slot {
        self.waiting.enter(signal)
    }

    /// It does not any more. Answers whether none is left.
    pub(crate) fn leave(&self, slot: &Slot) -> bool {
        self.waiting.leave(slot)
    }

    /// Shows a record to the class. `after`: the guild after the record; `floor`: the log's; `end`:
    /// where the record's group ends.
    pub(crate) fn hear(
        &self,
        record: &Arc<Record>,
        after: Option<&Guild>,
        floor: u64,
        end: u64,
    ) -> Heard {
        let mut shown = self.lock();
        let (visible, changed) = if record.touches == Touches::Everybody {
            let sight = after.map(|guild| Sight::of(self.key.0.clone(), guild));
            let before = std::mem::replace(&mut shown.sight, sight);
            let (before, after) = (before.as_ref(), shown.sight.as_ref());
            let visible = show(record, before, after, &self.key.1);
            (visible, picture_broke(record, before, after))
        } else {
            let sight = shown.sight.as_ref();
            (show(record, sight, sight, &self.key.1), false)
        };
        let shown_first = visible.is_some() && shown.woken_for != end;
        if shown_first {
            shown.woken_for = end;
        }
        let heard = Heard {
            shown_first,
            changed,
        };
        shown.tail.extend(visible);
        shown.trim(floor);
        heard
    }

    /// Adds what the class was shown after one place and up to another, in order.
    pub(crate) fn read(
        &self,
        after: u64,
        upto: u64,
        out: &mut Vec<Visible<Arc<Record>>>,
    ) -> Result<(), Behind> {
        let shown = self.lock();
        if after < shown.from {
            return Err(Behind);
        }
        // A stream is at most a few records behind, so the search begins at the end.
        let newest = shown.tail.iter().rev();
        let pending = newest
            .take_while(|visible| visible.get().at.seq > after)
            .count();
        let first = shown.tail.len() - pending;
        let pending = shown.tail.range(first..);
        out.extend(
            pending
                .take_while(|visible| visible.get().at.seq <= upto)
                .cloned(),
        );
        Ok(())
    }

    /// Wakes the streams that read here.
    pub(crate) fn ring(&self) {
        self.waiting.ring();
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock()
    }
}
