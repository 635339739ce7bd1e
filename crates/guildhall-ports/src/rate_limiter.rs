//! How often something may be done.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

use crate::future::PortFuture;

/// Leaky buckets, known by their keys to all who share the limiter.
///
/// Each call fills its buckets by [`RateBucket::share`], and time drains them: with a share of a second
/// a bucket takes one call a second, and as many at once as shares fit into [`RateBucket::room`].
///
/// Only the end shows whether a call counts. So its room is reserved first: nobody else has it, and no
/// time drains it, until it is released; by then the call was charged as often as it counts.
///
/// Promises:
///
/// - **All or nothing.** A call is let through by all of its buckets, or takes nothing of any.
/// - **Never more.** In any time `t` at most `(t + room) / share` calls are charged to a bucket if each
///   was reserved and counts once, whoever asks and however many at once.
/// - It always answers: a limiter whose server is away counts for this process alone meanwhile.
/// - Memory is bounded. What is forgotten for want of room are the emptiest buckets, of those that
///   nothing is reserved in.
pub trait RateLimiter: Debug + Send + Sync {
    /// Reserves room for a call; or says which of its buckets has none, and when to come back. To
    /// be released by the same process, within a minute at most. Dropped before it has answered, it
    /// has reserved nothing, or releases it by itself. `now`: the time of this process, for limiters
    /// that have none of their own.
    fn reserve<'a>(
        &'a self,
        buckets: &'a [RateBucket],
        now: Instant,
    ) -> PortFuture<'a, Result<(), Limited>>;

    /// What [`RateLimiter::reserve`] would answer. Reserves nothing.
    fn check<'a>(
        &'a self,
        buckets: &'a [RateBucket],
        now: Instant,
    ) -> PortFuture<'a, Result<(), Limited>>;

    /// A call counts, from now on, whether there is room for it or not: it was made. Its reservation
    /// stays until it is released. Returns at once; whoever shares the limiter may learn later.
    fn charge(&self, buckets: &[RateBucket], now: Instant);

    /// A call that was reserved is over. Returns at once.
    fn release(&self, buckets: &[RateBucket]);
}

/// A bucket as one call sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateBucket {
    /// What it counts, and for whom: `login:203.0.113.7`.
    pub key: String,
    /// What one call fills.
    pub share: Duration,
    /// How full it may be with this call in it. Callers may differ in it: who is let in last has
    /// the least.
    pub room: Duration,
}

/// A bucket has no room for one more call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bucket {index} has no room for {wait:?}")]
pub struct Limited {
    /// Which of the buckets, the first that has none.
    pub index: usize,
    /// When it has, if nothing else is charged by then. Never zero.
    pub wait: Duration,
}
