//! What a viewer was to a guild at recent positions of its log.

use std::collections::VecDeque;

use crate::visible::Access;

/// Changes that are remembered. Whoever was away for more is judged by the log itself.
const CHANGES_KEPT: usize = 8;

/// What a viewer is to a guild, and was after each position from some on. It is kept while they have
/// a stream, so that one that joins again need not find out from the log what was so when.
#[derive(Clone, Debug)]
pub(crate) struct AccessHistory {
    /// What was before this position is not known.
    since: u64,
    /// What they were until just before each of these, ascending.
    changes: VecDeque<(u64, Access)>,
    now: Access,
}

impl AccessHistory {
    /// Nothing is known of before `since`.
    pub(super) fn new(now: Access, since: u64) -> Self {
        Self {
            since,
            changes: VecDeque::new(),
            now,
        }
    }

    /// What they are.
    pub(crate) fn now(&self) -> &Access {
        &self.now
    }

    /// The event at this position made them something else.
    pub(super) fn change(&mut self, at: u64, now: Access) {
        let before = std::mem::replace(&mut self.now, now);
        self.changes.push_back((at, before));
        if self.changes.len() > CHANGES_KEPT
            && let Some((oldest, _)) = self.changes.pop_front()
        {
            self.since = oldest;
        }
    }

    /// Whether it is known what they were after this position and all that follow.
    pub(crate) fn covers(&self, position: u64) -> bool {
        position >= self.since
    }

    /// What they were just after the event at a position that is covered.
    pub(crate) fn after(&self, position: u64) -> &Access {
        let next = self.changes.iter().find(|(at, _)| *at > position);
        next.map_or(&self.now, |(_, before)| before)
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::{ChannelId, VisibleRooms};

    use super::*;

    fn sees(room: u64) -> Access {
        Access::Member(VisibleRooms::of([ChannelId(room)].into_iter()))
    }

    #[test]
    fn what_was_so_is_known_from_the_beginning_to_now() {
        let mut history = AccessHistory::new(sees(1), 5);
        history.change(7, sees(2));
        history.change(9, Access::Unknown);
        assert!(!history.covers(4) && history.covers(5));
        let after = |position| history.after(position).clone();
        let seen = [5, 6, 7, 8, 9, 10].map(after);
        let unknown = || Access::Unknown;
        let expected = [sees(1), sees(1), sees(2), sees(2), unknown(), unknown()];
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_is_too_long_ago_is_not_covered() {
        let mut history = AccessHistory::new(sees(0), 0);
        for at in 1..=10 {
            history.change(at, sees(at));
        }
        assert!(!history.covers(1) && history.covers(2));
        assert_eq!(*history.after(2), sees(2));
        assert_eq!(history.now(), history.after(10));
    }
}
