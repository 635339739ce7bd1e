//! One of Discord's buckets, as far as its answers have told.

use std::time::Instant;

use super::{Readiness, headers::RateHeaders};

/// So many requests in a period that begins with the first of them. What is unknown is found out by
/// one request at a time.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    /// Requests in a period; `None`: not told yet.
    limit: Option<u64>,
    /// What may still be sent in this period, all that was sent taken off, answered or not.
    remaining: u64,
    /// When the period ends. `None`: no answer has told.
    resets_at: Option<Instant>,
    in_flight: u64,
}

impl Bucket {
    /// A bucket of which so much is known that others of its name have this limit.
    pub(super) fn new(limit: Option<u64>) -> Self {
        Self {
            limit,
            remaining: limit.unwrap_or(1),
            resets_at: None,
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
        self.in_flight == 0 && self.resets_at.is_none_or(|at| at <= now)
    }

    pub(super) fn resets_at(&self) -> Option<Instant> {
        self.resets_at
    }

    /// Whether one more may be sent.
    pub(super) fn readiness(&self, now: Instant) -> Readiness {
        if self.limit.is_none() && self.in_flight > 0 {
            return Readiness::AfterAnswer;
        }
        if self.remaining_at(now) > 0 {
            return Readiness::Now;
        }
        match self.resets_at {
            Some(at) if at > now => Readiness::NotBefore(at),
            _ if self.in_flight > 0 => Readiness::AfterAnswer,
            // All that were sent ended without an answer: one more finds out.
            _ => Readiness::Now,
        }
    }

    /// One is sent.
    pub(super) fn take(&mut self, now: Instant) {
        self.end_period(now);
        self.remaining = self.remaining.saturating_sub(1);
        self.in_flight += 1;
    }

    /// One that was sent has ended. It stays counted: Discord may have counted it.
    pub(super) fn ended(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// What an answer tells. Within a period the lowest count is the true one: answers overtake
    /// each other, and one from before the last reset speaks of what is over.
    pub(super) fn learn(&mut self, said: &RateHeaders, now: Instant) {
        self.end_period(now);
        let counted = self.limit.is_some();
        self.limit = said.limit.or(self.limit);
        if let Some(remaining) = said.remaining {
            let most = self.limit.unwrap_or(u64::MAX);
            let told = remaining.min(most);
            self.remaining = if counted {
                told.min(self.remaining)
            } else {
                told
            };
        }
        self.resets_at = said.resets_at(now).or(self.resets_at);
    }

    /// Nothing more until then.
    pub(super) fn close(&mut self, until: Instant) {
        self.remaining = 0;
        self.resets_at = Some(until);
    }

    fn remaining_at(&self, now: Instant) -> u64 {
        if self.resets_at.is_some_and(|at| at <= now) {
            // What is in flight may arrive in the new period.
            self.limit.unwrap_or(1).saturating_sub(self.in_flight)
        } else {
            self.remaining
        }
    }

    fn end_period(&mut self, now: Instant) {
        self.remaining = self.remaining_at(now);
        self.resets_at = self.resets_at.filter(|at| *at > now);
    }
}
