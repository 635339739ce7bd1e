//! Requests on their way: who waits for which answer, and how long still.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::{Duration, Instant},
};

use guildhall_model::{Cursor, Position};

use crate::frame::ReplyBody;

/// So long may a watch take. Whoever waits tells a browser to come back later.
pub const WATCH_LIMIT: Duration = Duration::from_secs(5);

/// More than this on their way at once means that the gateway does not answer; the next one is
/// told at once instead of at its deadline. Thousands may open their streams at one moment,
/// such as after a deploy, and that is no failure.
pub const REQUESTS_IN_FLIGHT: usize = 8192;

/// Waiting requests of one attachment, each with its own deadline. What one of us asks may go as
/// several requests, and is answered when all of them are. `R` is whatever the driver needs to pass
/// the answer on.
#[derive(Debug)]
pub struct Pending<R> {
    next_id: u64,
    in_flight: usize,
    // By the first of its requests.
    waiting: BTreeMap<u64, Waiting<R>>,
    // The same by when they are due.
    due: BTreeSet<(Instant, u64)>,
}

#[derive(Debug)]
struct Waiting<R> {
    due: Instant,
    /// Requests without an answer.
    open: BTreeSet<u64>,
    /// The answers there are, as one.
    so_far: Option<ReplyBody>,
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
            due: BTreeSet::new(),
        }
    }

    /// Notes what goes as so many requests and gives them numbers, or gives it back: too many are
    /// waiting.
    pub fn ask(&mut self, reply: R, requests: usize, due: Instant) -> Result<Range<u64>, R> {
        let requests = requests.max(1);
        if self.in_flight.saturating_add(requests) > REQUESTS_IN_FLIGHT {
            return Err(reply);
        }
        let first = self.next_id;
        let ids = first..first + u64::try_from(requests).unwrap_or(u64::MAX);
        self.next_id = ids.end;
        self.in_flight += requests;
        let waiting = Waiting {
            due,
            open: ids.clone().collect(),
            so_far: None,
            reply,
        };
        self.waiting.insert(first, waiting);
        self.due.insert((due, first));
        Ok(ids)
    }

    /// The answer to a request came. With the last one: who asked, and all of them as one. `None`:
    /// there are more to come, or nobody waits for it any more.
    pub fn answered(&mut self, request_id: u64, body: ReplyBody) -> Option<(R, ReplyBody)> {
        let (first, waiting) = self.of(request_id)?;
        waiting.open.remove(&request_id);
        let all = match (waiting.so_far.take(), body) {
            (Some(ReplyBody::Watched(mut all)), ReplyBody::Watched(watched)) => {
                all.at = latest(&all.at, &watched.at);
                all.failed.extend(watched.failed);
                ReplyBody::Watched(all)
            }
            // Nothing but a watch goes as several requests.
            (_, body) => body,
        };
        let whole = waiting.open.is_empty();
        if !whole {
            waiting.so_far = Some(all);
            self.in_flight -= 1;
            return None;
        }
        self.in_flight -= 1;
        let waiting = self.take(first)?;
        Some((waiting.reply, all))
    }

    /// A request was refused: so is all that it was a part of. `None`: nobody waits for it any
    /// more.
    pub fn refused(&mut self, request_id: u64) -> Option<R> {
        let (first, _) = self.of(request_id)?;
        let waiting = self.take(first)?;
        self.in_flight -= waiting.open.len();
        Some(waiting.reply)
    }

    /// The next that has waited for too long, taken out.
    pub fn overdue(&mut self, now: Instant) -> Option<R> {
        let (due, first) = *self.due.first()?;
        if now < due {
            return None;
        }
        let waiting = self.take(first)?;
        self.in_flight -= waiting.open.len();
        Some(waiting.reply)
    }

    /// When the next request is overdue.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// No answer will come to any of these.
    pub fn abandon(&mut self) -> impl Iterator<Item = R> + use<R> {
        self.in_flight = 0;
        self.due.clear();
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_values().map(|waiting| waiting.reply)
    }

    /// What a request without an answer is a part of, and the number of that.
    fn of(&mut self, request_id: u64) -> Option<(u64, &mut Waiting<R>)> {
        let (first, waiting) = self.waiting.range_mut(..=request_id).next_back()?;
        let is_open = waiting.open.contains(&request_id);
        is_open.then_some((*first, waiting))
    }

    fn take(&mut self, first: u64) -> Option<Waiting<R>> {
        let waiting = self.waiting.remove(&first)?;
        self.due.remove(&(waiting.due, first));
        Some(waiting)
    }
}

impl<R> Default for Pending<R> {
    fn default() -> Self {
        Self::new()
    }
}

/// In each log the greater of two positions. They are of one attachment, so of one epoch.
fn latest(one: &Cursor, other: &Cursor) -> Cursor {
    let both = one.positions().iter().chain(other.positions());
    let mut latest: BTreeMap<_, Position> = BTreeMap::new();
    for position in both {
        let known = latest.entry(position.log).or_insert(*position);
        *known = known.at(known.seq.max(position.seq));
    }
    // Both have the logs of one gateway, which are no more than fit.
    Cursor::new(latest.into_values()).unwrap_or_else(|_| one.clone())
}
