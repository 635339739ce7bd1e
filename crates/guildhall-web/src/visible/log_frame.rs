//! What a stream is sent at one place of a log: a record, or a room that a record shows or hides.

use std::sync::{Arc, Weak};

use guildhall_model::{Position, UnixMs};

use super::Visible;
use crate::{
    replica::{GroupSpan, Record, RoomTransition, TransitionKind},
    sse::EncodedEvent,
};

/// One frame of what a stream is sent of a log.
#[derive(Clone, Debug)]
pub(crate) enum LogFrame {
    Record(Arc<Record>),
    Room(Arc<RoomTransition>),
}

/// The same as a buffer holds it: a room for as long as its log keeps it, so that buffers cost
/// nothing that is not counted there.
#[derive(Debug)]
pub(crate) enum HeldFrame {
    Record(Arc<Record>),
    Room(u64, Weak<RoomTransition>),
}

impl LogFrame {
    /// The position just after the record.
    #[inline]
    pub(crate) fn at(&self) -> Position {
        match self {
            Self::Record(record) => record.at,
            Self::Room(room) => room.at,
        }
    }

    /// The group that it is of.
    #[inline]
    pub(crate) fn group(&self) -> GroupSpan {
        match self {
            Self::Record(record) => record.group,
            Self::Room(room) => room.group,
        }
    }

    /// Where a browser can go on that has its group: what its `id:` says.
    #[inline]
    pub(crate) fn cursor(&self) -> Position {
        self.group().cursor(self.at())
    }

    /// As all streams have it. `None`: an internal event, which nothing visible is.
    #[inline]
    pub(crate) fn encoded(&self) -> Option<&EncodedEvent> {
        match self {
            Self::Record(record) => record.frame(),
            Self::Room(room) => Some(room.frame()),
        }
    }

    /// When the gateway heard of what changed the viewer's rights, if that is what this tells.
    pub(crate) fn rights_changed_at(&self) -> Option<UnixMs> {
        match self {
            Self::Record(_) => None,
            Self::Room(room) => room.rights_changed_at,
        }
    }

    /// Whether it is a room that was not there before, of which nothing else is known yet.
    pub(crate) fn shows_room(&self) -> bool {
        matches!(self, Self::Room(room) if room.kind == TransitionKind::Shown)
    }
}

impl Visible<LogFrame> {
    /// To be held in a buffer.
    pub(crate) fn hold(self) -> Visible<HeldFrame> {
        Visible(match self.0 {
            LogFrame::Record(record) => HeldFrame::Record(record),
            LogFrame::Room(room) => HeldFrame::Room(room.at.seq, Arc::downgrade(&room)),
        })
    }
}

impl Visible<HeldFrame> {
    /// Where it stands in its log.
    #[inline]
    pub(crate) fn seq(&self) -> u64 {
        match &self.0 {
            HeldFrame::Record(record) => record.at.seq,
            HeldFrame::Room(seq, _) => *seq,
        }
    }

    /// Whether it is a record.
    pub(crate) fn is_record(&self) -> bool {
        matches!(self.0, HeldFrame::Record(_))
    }

    /// To be sent. `None`: the log keeps it no more.
    #[inline]
    pub(crate) fn take(&self) -> Option<Visible<LogFrame>> {
        let frame = match &self.0 {
            HeldFrame::Record(record) => LogFrame::Record(Arc::clone(record)),
            HeldFrame::Room(_, room) => LogFrame::Room(room.upgrade()?),
        };
        Some(Visible(frame))
    }
}
