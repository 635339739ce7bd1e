//! All of Discord's buckets that are known: which routes are in which, and what each has room for.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Readiness, bucket::Bucket, headers::RateHeaders};
use crate::discord_rest::route::{MajorId, RouteKey, RouteTemplate};

/// Above this many, buckets and closed routes whose time is over are forgotten; if that is not
/// enough, the one whose time is over first.
const KEPT: usize = 4096;
/// The least wait after a 429, whatever it says.
const LEAST_WAIT: Duration = Duration::from_millis(50);
/// Of the second 429 in a row; doubled for each further one.
const SECOND_WAIT: Duration = Duration::from_millis(250);
/// The most that waits grow to by themselves.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

#[derive(Debug, Default)]
pub(super) struct Buckets {
    learnt: HashMap<RouteTemplate, Learnt>,
    known: HashMap<BucketKey, Bucket>,
    /// Routes that a 429 closed: more than their bucket, where Discord limits a part of it further.
    closed: HashMap<RouteKey, Closure>,
}

/// What answers have told of a route.
#[derive(Clone, Debug)]
enum Learnt {
    /// The name of its bucket, and how much that lets through in a period.
    Bucket(Arc<str>, Option<u64>),
    /// It has none: only what holds for all routes counts.
    Unlimited,
}

/// A bucket is told apart by its name, and by what the path is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum BucketKey {
    Unnamed(RouteKey),
    Named(Arc<str>, MajorId),
}

/// Closed by a 429, and by how many in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Closure {
    until: Option<Instant>,
    in_a_row: u32,
}

impl Closure {
    /// Closes for as long as was asked for, and longer the more often in a row: a wait of none
    /// would be tried again and again. Several that were under way together count as one.
    pub(super) fn close(&mut self, wait: Duration, now: Instant) -> Instant {
        if self.until(now).is_none() {
            self.in_a_row = self.in_a_row.saturating_add(1);
        }
        let least = match self.in_a_row {
            0 | 1 => LEAST_WAIT,
            n => SECOND_WAIT.saturating_mul(2_u32.saturating_pow(n - 2)),
        };
        let until = now + wait.max(least.min(LONGEST_WAIT));
        let until = self.until.map_or(until, |other| other.max(until));
        self.until = Some(until);
        until
    }

    /// Until when it is closed.
    pub(super) fn until(self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }
}

impl Buckets {
    /// Whether one more may be sent.
    pub(super) fn readiness(&self, key: RouteKey, now: Instant) -> Readiness {
        let closed = self.closed.get(&key).and_then(|closed| closed.until(now));
        if let Some(until) = closed {
            return Readiness::NotBefore(until);
        }
        let Some(bucket_key) = self.bucket_key(key) else {
            return Readiness::Now;
        };
        match self.known.get(&bucket_key) {
            Some(bucket) => bucket.readiness(now),
            None => Readiness::Now,
        }
    }

    /// When one may be sent at the earliest that so many others of its route go before, as far as
    /// that is known to be later than now.
    pub(super) fn served_at(&self, key: RouteKey, ahead: usize, now: Instant) -> Option<Instant> {
        let bucket = self.known.get(&self.bucket_key(key)?)?;
        bucket.served_at(u64::try_from(ahead).unwrap_or(u64::MAX), now)
    }

    /// One is sent. Answers which bucket it counts in, for when it has ended.
    pub(super) fn take(&mut self, key: RouteKey, now: Instant) -> Option<BucketKey> {
        let bucket_key = self.bucket_key(key)?;
        self.bucket(&bucket_key, key, now).take(now);
        Some(bucket_key)
    }

    /// A request that was counted there has ended.
    pub(super) fn ended(&mut self, counted_in: Option<BucketKey>, now: Instant) {
        if let Some(bucket) = counted_in.and_then(|counted_in| self.known.get_mut(&counted_in)) {
            bucket.ended(now);
        }
    }

    /// An answer that is no 429. `success`: its lack of a bucket means that there is none.
    pub(super) fn answered(
        &mut self,
        key: RouteKey,
        sent_at: Instant,
        said: &RateHeaders,
        success: bool,
        now: Instant,
    ) {
        self.closed.remove(&key);
        self.learn_name(key.template, said);
        if success && said.bucket.is_none() && said.remaining.is_none() {
            let template = self.learnt.entry(key.template);
            template.or_insert(Learnt::Unlimited);
        } else {
            self.learn(key, sent_at, said, now);
        }
    }

    /// A 429 of the user's or the resource's. What it closes: always this route, and the whole bucket
    /// unless it says itself that there is room in it.
    pub(super) fn throttled(
        &mut self,
        key: RouteKey,
        sent_at: Instant,
        said: &RateHeaders,
        wait: Duration,
        now: Instant,
    ) {
        self.learn_name(key.template, said);
        self.forget_some(now);
        let until = self.closed.entry(key).or_default().close(wait, now);
        if said.remaining.is_some_and(|remaining| remaining > 0) {
            self.learn(key, sent_at, said, now);
        } else if let Some(bucket_key) = self.bucket_key(key) {
            let until = said.resets_at(now).unwrap_or(until);
            self.bucket(&bucket_key, key, now).close(until);
        }
    }

    fn learn_name(&mut self, template: RouteTemplate, said: &RateHeaders) {
        let Some(name) = &said.bucket else {
            return;
        };
        let known = match self.learnt.get(&template) {
            Some(Learnt::Bucket(known, limit)) if known == name => *limit,
            _ => None,
        };
        let learnt = Learnt::Bucket(Arc::clone(name), said.limit.or(known));
        self.learnt.insert(template, learnt);
    }

    fn learn(&mut self, key: RouteKey, sent_at: Instant, said: &RateHeaders, now: Instant) {
        if said.remaining.is_none() && said.reset_after.is_none() {
            return;
        }
        if let Some(bucket_key) = self.bucket_key(key) {
            self.bucket(&bucket_key, key, now).learn(said, sent_at, now);
        }
    }

    /// `None`: the route has no bucket.
    fn bucket_key(&self, key: RouteKey) -> Option<BucketKey> {
        match self.learnt.get(&key.template) {
            Some(Learnt::Bucket(name, _)) => Some(BucketKey::Named(Arc::clone(name), key.major)),
            Some(Learnt::Unlimited) => None,
            None => Some(BucketKey::Unnamed(key)),
        }
    }

    fn bucket(&mut self, bucket_key: &BucketKey, key: RouteKey, now: Instant) -> &mut Bucket {
        if !self.known.contains_key(bucket_key) {
            self.forget_some(now);
            let limit = match self.learnt.get(&key.template) {
                Some(Learnt::Bucket(_, limit)) => *limit,
                Some(Learnt::Unlimited) | None => None,
            };
            let mut bucket = Bucket::new(limit);
            // Sent before the bucket had a name.
            if let Some(unnamed) = self.known.get(&BucketKey::Unnamed(key)) {
                bucket.inherits(unnamed.in_flight());
            }
            self.known.insert(bucket_key.clone(), bucket);
        }
        self.known
            .entry(bucket_key.clone())
            .or_insert_with(|| Bucket::new(None))
    }

    fn forget_some(&mut self, now: Instant) {
        if self.known.len() >= KEPT {
            self.known.retain(|_, bucket| !bucket.is_idle(now));
        }
        if self.known.len() >= KEPT
            && let Some(first) = first(self.known.iter(), Bucket::resets_at)
        {
            self.known.remove(&first);
        }
        if self.closed.len() >= KEPT {
            self.closed.retain(|_, closed| closed.until(now).is_some());
        }
        if self.closed.len() >= KEPT
            && let Some(first) = first(self.closed.iter(), |closed| closed.until)
        {
            self.closed.remove(&first);
        }
    }
}

/// The key of what is over first.
fn first<'a, K: Clone + 'a, V: 'a>(
    all: impl Iterator<Item = (&'a K, &'a V)>,
    until: impl Fn(&V) -> Option<Instant>,
) -> Option<K> {
    let over_first = all.min_by_key(|(_, value)| until(value));
    over_first.map(|(key, _)| key.clone())
}
