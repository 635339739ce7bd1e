//! What an attachment has still to send of one log: the join's part, once, then batches of the log.

use std::{sync::Arc, vec};

use guildhall_model::{Position, SealedEvent};

use super::Output;
use crate::frame::{Base, Frame};

/// What is still to be sent, first the join's part, then batches of the log.
#[derive(Debug)]
pub(super) struct SendQueue {
    bases: vec::IntoIter<Base>,
    events: vec::IntoIter<Arc<SealedEvent>>,
    /// Where `events` end, which may be above the last of them.
    end: Position,
    /// What was sent last; where all before `end` is sent, `end`.
    pub(super) sent: Position,
    /// The same, but never inside a group.
    pub(super) whole: Position,
    pub(super) reading: bool,
}

impl SendQueue {
    /// Goes on with the log after a position.
    pub(super) fn after(position: Position) -> Self {
        Self::from_bases(Vec::new(), Vec::new(), position)
    }

    /// Begins with the bases, and with what came after them up to `head`.
    pub(super) fn from_bases(
        bases: Vec<Base>,
        backlog: Vec<Arc<SealedEvent>>,
        head: Position,
    ) -> Self {
        Self {
            bases: bases.into_iter(),
            events: backlog.into_iter(),
            end: head,
            sent: head.at(0),
            whole: head.at(0),
            reading: false,
        }
    }

    /// The next of it; then all up to `end` is sent.
    pub(super) fn next(&mut self) -> Option<Output> {
        if let Some(base) = self.bases.next() {
            return Some(Output::Send(Frame::Snapshot(Box::new(base))));
        }
        let Some(sealed) = self.events.next() else {
            // A batch may end inside a group; then its last event is where it ends.
            if self.sent == self.whole || self.sent != self.end {
                self.whole = self.end;
            }
            self.sent = self.end;
            return None;
        };
        self.sent = sealed.at;
        if !sealed.more {
            self.whole = sealed.at;
        }
        Some(Output::Relay(sealed))
    }

    /// The log's answer: the next batch, which is not empty.
    pub(super) fn read(&mut self, events: Vec<Arc<SealedEvent>>, end: Position) {
        self.end = end;
        self.events = events.into_iter();
    }
}
