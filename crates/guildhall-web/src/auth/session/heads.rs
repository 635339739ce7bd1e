//! Where the logs stood at login: a cursor below that is another's.

use guildhall_model::{Position, UnixMs};
use serde::{Deserialize, Serialize};

/// The head of each log at login, or the position after it where somebody else was signed in
/// before.
///
/// A cookie always has room for some thirty of them, and for a hundred beside names and guilds of
/// usual length. Where there were more, cursors in the other logs are not used: a snapshot is sent
/// for them, unless their log began after the login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Position>", into = "Vec<Position>")]
pub(crate) struct LoginHeads {
    /// At most one of each log.
    pub(super) heads: Vec<Position>,
    /// In a log that is not among them, nothing of an epoch from before this time is used.
    pub(super) others_from: UnixMs,
}

impl LoginHeads {
    /// Where somebody else was signed in before: a tab of theirs comes back as this user, with a
    /// cursor that may be the head itself, or one of a log that nobody told us of yet.
    pub(crate) fn behind_another(heads: Vec<Position>, now: UnixMs) -> Self {
        let behind = |head: Position| head.at(head.seq.saturating_add(1));
        Self {
            heads: heads.into_iter().map(behind).collect(),
            others_from: now.saturating_add(1),
        }
    }

    /// Whether a position is from before the login, or may be.
    pub(crate) fn precede(&self, position: Position) -> bool {
        match self.heads.iter().find(|head| head.log == position.log) {
            Some(head) => head.comparable(position) && position.seq < head.seq,
            None => position.epoch < self.others_from,
        }
    }
}

impl From<Vec<Position>> for LoginHeads {
    /// Of all logs there were.
    fn from(heads: Vec<Position>) -> Self {
        Self {
            heads,
            others_from: 0,
        }
    }
}

impl From<LoginHeads> for Vec<Position> {
    fn from(heads: LoginHeads) -> Self {
        heads.heads
    }
}
