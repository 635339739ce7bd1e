//! Requests on their way: who waits for which answer, and how long still.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// So long may an answer take. Whoever waits tells a browser to come back later.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// More than this on their way at once means that the gateway does not answer; the next one is
/// told at once instead of after [`ANSWER_LIMIT`]. Thousands may open their streams at one moment,
/// such as after a deploy, and that is no failure.
pub const REQUESTS_IN_FLIGHT: usize = 8192;

/// Waiting requests of one attachment. `R` is whatever the driver needs to pass the answer on.
#[derive(Debug)]
pub struct Pending<R> {
    next_id: u64,
    // Every request has the same limit, so the one with the smallest number is due first.
    waiting: BTreeMap<u64, Waiting<R>>,
}

#[derive(Debug)]
struct Waiting<R> {
    due: Instant,
    reply: R,
}

impl<R> Pending<R> {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self {
            next_id: 1,
            waiting: BTreeMap::new(),
        }
    }

    /// Notes a request and gives it a number, or gives it back: too many are waiting.
    pub fn ask(&mut self, reply: R, now: Instant) -> Result<u64, R> {
        if self.waiting.len() >= REQUESTS_IN_FLIGHT {
            return Err(reply);
        }
        let id = self.next_id;
        self.next_id += 1;
        let due = now + ANSWER_LIMIT;
        self.waiting.insert(id, Waiting { due, reply });
        Ok(id)
    }

    /// The answer to a request came. `None`: nobody waits for it any more.
    pub fn answered(&mut self, id: u64) -> Option<R> {
        self.waiting.remove(&id).map(|waiting| waiting.reply)
    }

    /// The next request that has waited for too long, taken out.
    pub fn overdue(&mut self, now: Instant) -> Option<R> {
        let oldest = self.waiting.first_entry()?;
        (now >= oldest.get().due).then(|| oldest.remove().reply)
    }

    /// When the next request is overdue.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|(_, oldest)| oldest.due)
    }

    /// No answer will come to any of these.
    pub fn abandon(&mut self) -> impl Iterator<Item = R> + use<R> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_values().map(|waiting| waiting.reply)
    }
}

impl<R> Default for Pending<R> {
    fn default() -> Self {
        Self::new()
    }
}
