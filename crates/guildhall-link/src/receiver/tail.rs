//! Which event may come next: after `snapshot_end` the one after the last, before it what the
//! subscription began with decides.

use guildhall_model::Position;

/// What may come next before `snapshot_end`.
#[derive(Debug)]
pub(super) enum Tail {
    /// Nothing has come: bases, or the event after this position.
    Open { after: Option<Position> },
    /// Only the event after this.
    After { last: Position },
    /// More bases, or the first event.
    Bases,
    /// Events above this; what is left out is in the bases.
    Backlog { last: Position },
}

impl Tail {
    /// What may come after an event; `None`: the event may not come here.
    pub(super) fn after_event(&self, at: Position) -> Option<Self> {
        match *self {
            Self::Open { after: Some(last) } if last.comparable(at) => {
                follows(last, at).then_some(Self::After { last: at })
            }
            Self::Open { .. } | Self::Bases => Some(Self::Backlog { last: at }),
            Self::After { last } => follows(last, at).then_some(Self::After { last: at }),
            Self::Backlog { last } => (at.seq > last.seq).then_some(Self::Backlog { last: at }),
        }
    }
}

/// Whether a position is the one right after another.
pub(super) fn follows(last: Position, at: Position) -> bool {
    at.comparable(last) && last.seq.checked_add(1) == Some(at.seq)
}
