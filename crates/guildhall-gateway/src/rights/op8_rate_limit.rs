//! How many op-8 requests may be sent: so many in any minute (a sliding window).

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Discord counts what a connection sends by the minute.
pub(super) const WINDOW: Duration = Duration::from_mins(1);

#[derive(Debug, Default)]
pub(super) struct Op8RateLimit {
    /// When the requests of the last window were sent.
    sent: VecDeque<Instant>,
    /// Discord asked for a pause.
    paused_until: Option<Instant>,
}

impl Op8RateLimit {
    /// Forgets requests that are longer ago than the window.
    pub(super) fn time_passed(&mut self, now: Instant) {
        while self.sent.front().is_some_and(|sent| *sent + WINDOW <= now) {
            self.sent.pop_front();
        }
    }

    /// Requests sent in the window.
    pub(super) fn spent(&self) -> usize {
        self.sent.len()
    }

    pub(super) fn spend(&mut self, now: Instant) {
        self.sent.push_back(now);
    }

    /// Nothing may be sent before that.
    pub(super) fn pause_until(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// Each connection has a limit of its own.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// From when on one more may be sent, if at most `most` are in any window; `None`: never.
    pub(super) fn free_at(&self, most: usize, now: Instant) -> Option<Instant> {
        if most == 0 {
            return None;
        }
        let beyond = self.sent.len().checked_sub(most);
        let free = beyond.and_then(|first| Some(*self.sent.get(first)? + WINDOW));
        Some(
            now.max(free.unwrap_or(now))
                .max(self.paused_until.unwrap_or(now)),
        )
    }
}
