//! How much may be sent: Discord takes 120 messages in a minute of one connection, heartbeats
//! included, and closes with 4008 at one more (Discord's documentation, "Gateway", Rate Limiting).

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Discord's bound on messages in a minute.
const SENDS: usize = 120;
/// A second more than Discord's minute: of two messages the later one may have travelled faster.
const WINDOW: Duration = Duration::from_secs(61);
/// Heartbeats that are sent because Discord asked for one.
const ANSWERS: usize = 10;
/// Kept free for heartbeats at most: one in each second. Who wants them oftener has another bound.
const HEARTBEATS: usize = 62;

/// What may be sent now, in three shares that never have to give way to each other. The share of
/// the heartbeats is kept free for them: they keep their own distance.
#[derive(Debug)]
pub(super) struct SendBudget {
    /// Heartbeats out of their schedule.
    pub(super) answers: SendShare,
    /// All else.
    pub(super) requests: SendShare,
}

impl SendBudget {
    /// For a connection with a heartbeat this often.
    pub(super) fn new(interval: Duration) -> Self {
        let heartbeats = WINDOW.as_millis() / interval.as_millis().max(1) + 1;
        let heartbeats =
            usize::try_from(heartbeats).map_or(HEARTBEATS, |many| many.min(HEARTBEATS));
        Self {
            answers: SendShare::of(ANSWERS),
            requests: SendShare::of(SENDS - ANSWERS - heartbeats),
        }
    }
}

/// So many in any [`WINDOW`].
#[derive(Debug)]
pub(super) struct SendShare {
    most: usize,
    /// When the last ones were sent, at most `most` of them.
    sent: VecDeque<Instant>,
}

impl SendShare {
    fn of(most: usize) -> Self {
        Self {
            most,
            sent: VecDeque::new(),
        }
    }

    /// From when on another one may be sent; `None`: now.
    pub(super) fn free_from(&self) -> Option<Instant> {
        let oldest = self.sent.front().filter(|_| self.sent.len() >= self.most);
        oldest.map(|oldest| *oldest + WINDOW)
    }

    /// Takes a place if there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        if self.free_from().is_some_and(|free| free > now) {
            return false;
        }
        if self.sent.len() >= self.most {
            self.sent.pop_front();
        }
        self.sent.push_back(now);
        true
    }
}
