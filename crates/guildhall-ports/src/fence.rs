//! Who may write: a number that only rises. Contiguous positions give each place in a log one
//! owner; only the fence makes it the right one.

use std::fmt;

use guildhall_model::{LogId, Position};

/// The number of whoever writes to a log: a later writer has a higher one, and once it has
/// written, whoever was before it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub u64);

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A writer was refused, and nothing changed: somebody else has the log, or this writer stands
/// elsewhere than it thinks. It has to stop, for what it holds is not the log any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fenced {
    /// Whoever has a higher fence has written.
    #[error("log {log} is written with fence {kept} by now, and the writer has {fence}")]
    Stale {
        /// Of which log.
        log: LogId,
        /// The writer's.
        fence: Fence,
        /// The highest that was written with.
        kept: Fence,
    },
    /// The writer is not at the head.
    #[error("the log's head is {head}, and the writer would go on after {after}")]
    NotAtHead {
        /// What the writer's events follow.
        after: Position,
        /// The last position.
        head: Position,
    },
    /// No epoch of the log has begun.
    #[error("log {0} was not begun")]
    NotBegun(LogId),
}

impl Fence {
    /// Refuses a writer whose fence is lower than the one that was written with.
    pub fn admit(self, log: LogId, kept: Self) -> Result<(), Fenced> {
        if self < kept {
            let fence = self;
            return Err(Fenced::Stale { log, fence, kept });
        }
        Ok(())
    }
}

/// Where a batch leads that goes on after `after`; refused if that is not `head`, or if the batch
/// does not follow it without a hole.
pub fn follow(
    head: Position,
    after: Position,
    places: impl IntoIterator<Item = Position>,
) -> Result<Position, Fenced> {
    if after != head {
        return Err(Fenced::NotAtHead { after, head });
    }
    let mut end = head;
    for at in places {
        if Some(at.seq) != end.seq.checked_add(1) || !at.comparable(end) {
            let after = at.at(at.seq.saturating_sub(1));
            return Err(Fenced::NotAtHead { after, head });
        }
        end = at;
    }
    Ok(end)
}
