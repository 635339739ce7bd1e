//! What may be sent in a second, and whose share of it that is.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Discord counts by the second where requests arrive, and the network may bring two nearer
/// together than they were sent.
pub(super) const WINDOW: Duration = Duration::from_millis(1_050);
/// So much of the look-ups' share is kept free of commands although no look-up waits: one part of
/// this many. The rest of it they have to themselves within a second.
const KEPT_FREE: usize = 4;

/// What this process may send to Discord in a second. Discord allows a bot 50 in all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RestBudget {
    /// At most so many are look-ups.
    pub look_ups: u16,
    /// So many are always left to commands, which may also have what look-ups leave.
    pub commands: u16,
}

/// Whose part of the budget a call is paid from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::discord_rest) enum RestShare {
    LookUps,
    Commands,
}

/// A sliding window over what was sent.
#[derive(Debug)]
pub(super) struct SecondWindow {
    look_ups: usize,
    all: usize,
    sent: VecDeque<(Instant, RestShare)>,
}

impl SecondWindow {
    pub(super) fn new(budget: RestBudget) -> Self {
        let count = |of: u16| usize::from(of).max(1);
        let look_ups = count(budget.look_ups);
        Self {
            look_ups,
            all: look_ups + count(budget.commands),
            sent: VecDeque::new(),
        }
    }

    /// From when on one more may be sent; `None`: now.
    pub(super) fn free_at(&mut self, share: RestShare, now: Instant) -> Option<Instant> {
        while self.sent.front().is_some_and(|(at, _)| *at + WINDOW <= now) {
            self.sent.pop_front();
        }
        let is_look_up = |share: RestShare| share == RestShare::LookUps;
        let mut all = self.sent.len();
        let mut look_ups = self.sent.iter().filter(|(_, of)| is_look_up(*of)).count();
        let mut free_at = None;
        for (at, of) in &self.sent {
            if self.has_room(share, all, look_ups) {
                break;
            }
            all -= 1;
            look_ups -= usize::from(is_look_up(*of));
            free_at = Some(*at + WINDOW);
        }
        free_at
    }

    pub(super) fn take(&mut self, share: RestShare, now: Instant) {
        self.sent.push_back((now, share));
    }

    fn has_room(&self, share: RestShare, all: usize, look_ups: usize) -> bool {
        match share {
            RestShare::LookUps => look_ups < self.look_ups && all < self.all,
            RestShare::Commands => {
                let kept_free = self.look_ups.div_ceil(KEPT_FREE);
                all - look_ups + look_ups.max(kept_free) < self.all
            }
        }
    }
}
