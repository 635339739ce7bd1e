//! When the next heartbeat is due, and whether the last one was answered.

use std::time::{Duration, Instant};

/// The heartbeats of one connection. The first comes after a random part of the interval, so that
/// bots that were cut at once do not beat as one; each later one a whole interval after the one
/// before it, never earlier.
#[derive(Debug)]
pub(super) struct HeartbeatSchedule {
    every: Duration,
    due: Instant,
    /// Since when a heartbeat has had no answer.
    unanswered_since: Option<Instant>,
}

impl HeartbeatSchedule {
    /// HELLO came. `jitter`: in 0..1; any other number is the nearest of these.
    pub(super) fn new(every: Duration, jitter: f64, now: Instant) -> Self {
        // Not `clamp`, which leaves a NaN as it is.
        let jitter = if jitter > 0.0 { jitter.min(1.0) } else { 0.0 };
        Self {
            every,
            due: now + every.mul_f64(jitter),
            unanswered_since: None,
        }
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// The one that was due is sent.
    pub(super) fn sent(&mut self, now: Instant) {
        self.due = now + self.every;
        self.sent_unscheduled(now);
    }

    /// One was sent because Discord asked for it. The schedule stays.
    pub(super) fn sent_unscheduled(&mut self, now: Instant) {
        self.unanswered_since.get_or_insert(now);
    }

    /// Op 11.
    pub(super) fn acknowledged(&mut self) {
        self.unanswered_since = None;
    }

    /// Whether Discord has not answered for a whole interval.
    pub(super) fn is_unanswered(&self, now: Instant) -> bool {
        let since = self.unanswered_since;
        since.is_some_and(|since| now.saturating_duration_since(since) >= self.every)
    }
}
