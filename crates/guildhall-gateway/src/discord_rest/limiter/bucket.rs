//! One of Discord's buckets, as far as its answers have told.

use std::time::{Duration, Instant};

use super::{Readiness, headers::RateHeaders};

/// So many requests in a period that begins with the first of them. What is unknown is found out by
/// one request at a time.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    /// Requests in a period; `None`: not told yet.
    limit: Option<u64>,
    /// What may still be sent in this period, all that was sent taken off, answered or not.
    remaining: u64,
    /// The end of the period. `None`: no answer has told.
    reset: Option<Reset>,
    /// The end of the period before.
    last_reset: Option<Reset>,
    /// The longest that a period was said to last on: no more than it lasts.
    longest: Duration,
    in_flight: u64,
}

/// When a period ends: not before Discord's own clock says so, and later by how long the answer was
/// on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Reset {
    at: Instant,
    /// At most so much later.
    late_by: Duration,
}

impl Bucket {
    /// A bucket of which so much is known that others of its name have this limit.
    pub(super) fn new(limit: Option<u64>) -> Self {
        Self {
            limit,
            remaining: limit.unwrap_or(1),
            reset: None,
            last_reset: None,
            longest: Duration::ZERO,
            in_flight: 0,
        }
    }

    /// So many requests that another bucket has counted are this one's.
    pub(super) fn inherits(&mut self, in_flight: u64) {
        self.remaining = self.remaining.saturating_sub(in_flight);
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Whether nothing would be lost if it were forgotten.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.in_flight == 0 && self.reset.is_none_or(|reset| reset.at <= now)
    }

    pub(super) fn resets_at(&self) -> Option<Instant> {
        Some(self.reset?.at)
    }

    /// Whether one more may be sent.
    pub(super) fn readiness(&self, now: Instant) -> Readiness {
        if self.limit.is_none() && self.in_flight > 0 {
            return Readiness::AfterAnswer;
        }
        if self.remaining_at(now) > 0 {
            return Readiness::Now;
        }
        match self.reset {
            Some(reset) if reset.at > now => Readiness::NotBefore(reset.at),
            _ if self.in_flight > 0 => Readiness::AfterAnswer,
            // All that were sent ended without an answer: one more finds out.
            _ => Readiness::Now,
        }
    }

    /// When one may be sent at the earliest that so many others go before; `None`: in this period.
    pub(super) fn served_at(&self, ahead: u64, now: Instant) -> Option<Instant> {
        let beyond = ahead.checked_sub(self.remaining_at(now))?;
        let periods = u32::try_from(beyond / self.limit?).unwrap_or(u32::MAX);
        let reset = self.reset.map_or(now, |reset| reset.at.max(now));
        reset.checked_add(self.longest.checked_mul(periods)?)
    }

    /// One is sent.
    pub(super) fn take(&mut self, now: Instant) {
        self.end_period(now);
        self.remaining = self.remaining.saturating_sub(1);
        self.in_flight += 1;
    }

    /// One that was sent has ended. It stays counted, in a period that begins just now too: Discord
    /// may have counted it there.
    pub(super) fn ended(&mut self, now: Instant) {
        self.end_period(now);
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// What the answer to a request tells. Within a period the lowest count and the latest end are
    /// the true ones: answers overtake each other.
    pub(super) fn learn(&mut self, said: &RateHeaders, sent_at: Instant, now: Instant) {
        self.end_period(now);
        let counted = self.limit.is_some();
        self.limit = said.limit.or(self.limit);
        let under_way = now.saturating_duration_since(sent_at);
        let overdue = self.last_reset.filter(|last| sent_at < last.at);
        if let (Some(last), Some(rest)) = (overdue, said.reset_after)
            && self.is_of_the_last_period(last, rest, sent_at, under_way)
        {
            return;
        }
        if let Some(remaining) = said.remaining {
            let told = remaining.min(self.limit.unwrap_or(u64::MAX));
            self.remaining = if counted {
                told.min(self.remaining)
            } else {
                told
            };
        }
        if let Some(rest) = said.reset_after {
            // Whichever period an overdue answer is of, the present one lasts no longer than that.
            let rest_at_most = overdue.map_or(rest, |_| rest.max(self.longest));
            let told = Reset {
                at: now + rest_at_most,
                late_by: under_way,
            };
            self.reset = self.reset.max(Some(told));
            self.longest = self.longest.max(rest);
        }
    }

    /// Nothing more until then.
    pub(super) fn close(&mut self, until: Instant) {
        self.remaining = 0;
        let closed = Reset {
            at: until,
            late_by: Duration::ZERO,
        };
        self.reset = self.reset.max(Some(closed));
    }

    /// Whether an answer that came after the last reset to a request that was sent before it was
    /// given before it, and so tells of what is over: the rest that it names would be too short for
    /// the new period, however long request and answer were on their way.
    fn is_of_the_last_period(
        &self,
        last: Reset,
        rest: Duration,
        sent_at: Instant,
        under_way: Duration,
    ) -> bool {
        rest <= last.at - sent_at && under_way + last.late_by < self.longest
    }

    fn remaining_at(&self, now: Instant) -> u64 {
        if self.reset.is_some_and(|reset| reset.at <= now) {
            // What is in flight may arrive in the new period.
            self.limit.unwrap_or(1).saturating_sub(self.in_flight)
        } else {
            self.remaining
        }
    }

    fn end_period(&mut self, now: Instant) {
        self.remaining = self.remaining_at(now);
        if let Some(reset) = self.reset.filter(|reset| reset.at <= now) {
            self.last_reset = Some(reset);
            self.reset = None;
        }
    }
}
