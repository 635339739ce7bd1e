//! Tells the gateway how many look at each room: once at the beginning, then what changes, gathered.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{Output, Receiver};
use crate::frame::{Frame, Tell, ViewerTable};

/// The table is told at most this often.
pub const VIEWERS_EVERY: Duration = Duration::from_secs(1);

/// A table of more rooms goes as several frames. One of so many is some 34 KiB, half of what the
/// gateway reads ([`crate::attachment::MESSAGE_BYTES_TO_GATEWAY`]).
pub const ROOMS_PER_TELL: usize = 1_000;

/// Whether there is something to tell, and since when it may be told.
#[derive(Debug, Default)]
pub(super) struct ViewersTelling {
    changed: bool,
    /// `None`: at once, as soon as the gateway is subscribed to.
    next: Option<Instant>,
}

impl ViewersTelling {
    /// When a table that waits is to be told.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.next.filter(|_| self.changed)
    }
}

impl<R> Receiver<R> {
    pub(super) fn viewers_changed(&mut self, now: Instant) {
        self.viewers.changed = true;
        self.tell_viewers_if_due(now);
    }

    /// Asks for the table if it has changed and was not told just now.
    pub(super) fn tell_viewers_if_due(&mut self, now: Instant) {
        let may_tell = self.viewers.next.is_none_or(|next| now >= next);
        if self.viewers.changed && may_tell && !self.conversation.is_opening() {
            self.viewers.changed = false;
            self.viewers.next = Some(now + VIEWERS_EVERY);
            self.conversation.push(Output::CountViewers);
        }
    }

    /// Sends all of it, in as many frames as it takes.
    pub(super) fn viewers_counted(&mut self, table: ViewerTable) {
        let ViewerTable { instance, rooms } = table;
        let mut rooms = rooms.into_iter().peekable();
        loop {
            let part: BTreeMap<_, _> = rooms.by_ref().take(ROOMS_PER_TELL).collect();
            let more = rooms.peek().is_some();
            let table = ViewerTable {
                instance: instance.clone(),
                rooms: part,
            };
            let tell = Tell::Viewers { table, more };
            self.conversation.send(Frame::Tell(tell));
            if !more {
                return;
            }
        }
    }
}
