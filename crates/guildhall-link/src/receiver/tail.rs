//! One log as it comes in: which event may come next (after `snapshot_end` the one after the last,
//! before it what the subscription began with decides), and the group that is not whole yet.

use guildhall_model::{Envelope, LogId, Position};

use crate::attachment::GROUP_EVENTS;

/// One log of an attachment.
#[derive(Debug)]
pub(super) struct LogTail {
    /// Its head in the hello: the epoch that everything of it is of.
    head: Position,
    expects: Expects,
    /// What has come of a group whose last event has not.
    group: Vec<Envelope>,
}

/// What may come next.
#[derive(Clone, Copy, Debug)]
enum Expects {
    /// Nothing has come: bases, or the event after this position.
    Anything { after: Option<Position> },
    /// Only the event after this.
    After { last: Position },
    /// More bases, or the first event.
    Bases,
    /// Events above this; what is left out is in the bases.
    Backlog { last: Position },
}

/// An event or a base has come.
#[derive(Debug, PartialEq)]
pub(super) struct TailOutput {
    /// It is the first of a new replica of this log.
    pub(super) begins: bool,
    /// The groups that are whole with it: of an event one, or, in a new replica where the last of
    /// a group could not be read, two.
    pub(super) groups: Vec<Vec<Envelope>>,
}

/// Why what came is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// It leaves a hole, or is of another epoch.
    OutOfOrder,
    /// It has no place here and now.
    Unexpected,
    /// The group has no end.
    Endless,
}

impl LogTail {
    /// Nothing has come. `after`: where the replica stands in it.
    pub(super) fn new(head: Position, after: Option<Position>) -> Self {
        Self {
            head,
            expects: Expects::Anything { after },
            group: Vec::new(),
        }
    }

    pub(super) fn log(&self) -> LogId {
        self.head.log
    }

    /// A guild's base at a floor. Returns whether it is the first.
    pub(super) fn base(&mut self, floor: Position) -> Result<bool, NotTaken> {
        let begins = match self.expects {
            Expects::Anything { .. } => true,
            Expects::Bases => false,
            Expects::After { .. } | Expects::Backlog { .. } => return Err(NotTaken::Unexpected),
        };
        if !floor.comparable(self.head) {
            return Err(NotTaken::OutOfOrder);
        }
        self.expects = Expects::Bases;
        Ok(begins)
    }

    /// The next event.
    pub(super) fn event(&mut self, envelope: Envelope) -> Result<TailOutput, NotTaken> {
        let at = envelope.at;
        if !at.comparable(self.head) {
            return Err(NotTaken::OutOfOrder);
        }
        let next = self.expects.after_event(at).ok_or(NotTaken::OutOfOrder)?;
        let begins = matches!(self.expects, Expects::Anything { .. })
            && matches!(next, Expects::Backlog { .. });
        self.expects = next;
        let mut groups = Vec::new();
        if let Some(last) = self.group.last()
            && !precedes(last.at, at)
        {
            // Only in a new replica, which goes on without an event that could not be read.
            groups.push(std::mem::take(&mut self.group));
        }
        let more = envelope.more;
        self.group.push(envelope);
        if !more {
            groups.push(std::mem::take(&mut self.group));
        } else if self.group.len() >= GROUP_EVENTS {
            return Err(NotTaken::Endless);
        }
        Ok(TailOutput { begins, groups })
    }

    /// The replay ended here. From now on each event follows the last. What it leads to, if the
    /// position fits what has come: groups are whole then whose last could not be read.
    pub(super) fn end_replay(&mut self, at: Position) -> Result<TailOutput, NotTaken> {
        if !at.comparable(self.head) {
            return Err(NotTaken::OutOfOrder);
        }
        let half = self.group.first().map(|first| first.at);
        let mut begins = false;
        let (last, fits) = match self.expects {
            Expects::Anything { after: Some(after) } if after.comparable(at) => (at, after == at),
            Expects::Anything { .. } => {
                // Nothing came, and it was not the subscriber who had it all: an empty world.
                begins = true;
                (at, true)
            }
            Expects::Bases => (at, true),
            // What has come of a group that is whole later is behind it.
            Expects::After { last } => match half {
                Some(first) => (last, precedes(at, first)),
                None => (last, last == at),
            },
            Expects::Backlog { last } => match half {
                Some(first) if at.seq < first.seq => (last, precedes(at, first)),
                Some(_) => (at, last.seq < at.seq),
                None => (at, last.seq <= at.seq),
            },
        };
        if !fits {
            return Err(NotTaken::OutOfOrder);
        }
        self.expects = Expects::After { last };
        let mut groups = Vec::new();
        if last == at && !self.group.is_empty() {
            // The last of it could not be read.
            groups.push(std::mem::take(&mut self.group));
        }
        Ok(TailOutput { begins, groups })
    }

    /// Whether an event or a base that cannot be read is a hole. What is already a new replica goes
    /// on without it: it would be no better next time.
    pub(super) fn misses_nothing(&self) -> bool {
        matches!(
            self.expects,
            Expects::Anything { after: None } | Expects::Bases | Expects::Backlog { .. }
        )
    }
}

impl Expects {
    /// What may come after an event; `None`: the event may not come here.
    fn after_event(self, at: Position) -> Option<Self> {
        match self {
            Self::Anything { after: Some(last) } if last.comparable(at) => {
                precedes(last, at).then_some(Self::After { last: at })
            }
            Self::Anything { .. } | Self::Bases => Some(Self::Backlog { last: at }),
            Self::After { last } => precedes(last, at).then_some(Self::After { last: at }),
            Self::Backlog { last } => (at.seq > last.seq).then_some(Self::Backlog { last: at }),
        }
    }
}

/// Whether a position is the one right before another.
fn precedes(last: Position, at: Position) -> bool {
    at.comparable(last) && last.seq.checked_add(1) == Some(at.seq)
}
