//! Requests on their way: who waits for which answer, and how long still.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::{Duration, Instant},
};

use crate::frame::Ack;

/// So long may an answer take. Whoever waits tells a browser to come back later.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// More than this on their way at once means that the gateway does not answer; the next one is
/// told at once instead of after [`ANSWER_LIMIT`]. Thousands may open their streams at one moment,
/// such as after a deploy, and that is no failure.
pub const REQUESTS_IN_FLIGHT: usize = 8192;

/// Waiting requests of one attachment. What one of us asks may go as several requests, and is
/// answered when all of them are. `R` is whatever the driver needs to pass the answer on.
#[derive(Debug)]
pub struct Pending<R> {
    next_id: u64,
    in_flight: usize,
    // By the first of its requests. All have the same limit, so the first one is due first.
    waiting: BTreeMap<u64, Waiting<R>>,
}

#[derive(Debug)]
struct Waiting<R> {
    due: Instant,
    /// Requests without an answer.
    open: BTreeSet<u64>,
    /// The answers there are, as one.
    so_far: Option<Ack>,
    reply: R,
}

impl<R> Pending<R> {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self {
            next_id: 1,
            in_flight: 0,
            waiting: BTreeMap::new(),
        }
    }

    /// Notes what goes as so many requests and gives them numbers, or gives it back: too many are
    /// waiting.
    pub fn ask(&mut self, reply: R, requests: usize, now: Instant) -> Result<Range<u64>, R> {
        let requests = requests.max(1);
        if self.in_flight.saturating_add(requests) > REQUESTS_IN_FLIGHT {
            return Err(reply);
        }
        let first = self.next_id;
        let ids = first..first + u64::try_from(requests).unwrap_or(u64::MAX);
        self.next_id = ids.end;
        self.in_flight += requests;
        let waiting = Waiting {
            due: now + ANSWER_LIMIT,
            open: ids.clone().collect(),
            so_far: None,
            reply,
        };
        self.waiting.insert(first, waiting);
        Ok(ids)
    }

    /// The answer to a request came. With the last one: who asked, and all of them as one. `None`:
    /// there are more to come, or nobody waits for it any more.
    pub fn answered(&mut self, ack: Ack) -> Option<(R, Ack)> {
        let (first, waiting) = self.waiting.range_mut(..=ack.request_id).next_back()?;
        let first = *first;
        if !waiting.open.remove(&ack.request_id) {
            return None;
        }
        self.in_flight -= 1;
        let all = match waiting.so_far.take() {
            None => Ack {
                request_id: first,
                ..ack
            },
            Some(mut all) => {
                // Of one attachment, so of one epoch of the log.
                all.at = all.at.at(all.at.seq.max(ack.at.seq));
                all.failed.extend(ack.failed);
                all
            }
        };
        if waiting.open.is_empty() {
            let waiting = self.waiting.remove(&first)?;
            return Some((waiting.reply, all));
        }
        waiting.so_far = Some(all);
        None
    }

    /// The next that has waited for too long, taken out.
    pub fn overdue(&mut self, now: Instant) -> Option<R> {
        let oldest = self.waiting.first_entry()?;
        if now < oldest.get().due {
            return None;
        }
        let oldest = oldest.remove();
        self.in_flight -= oldest.open.len();
        Some(oldest.reply)
    }

    /// When the next request is overdue.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|(_, oldest)| oldest.due)
    }

    /// No answer will come to any of these.
    pub fn abandon(&mut self) -> impl Iterator<Item = R> + use<R> {
        self.in_flight = 0;
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_values().map(|waiting| waiting.reply)
    }
}

impl<R> Default for Pending<R> {
    fn default() -> Self {
        Self::new()
    }
}
