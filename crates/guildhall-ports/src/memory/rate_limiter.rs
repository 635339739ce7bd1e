//! Buckets in memory.

use std::{
    collections::HashMap,
    future::ready,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::{
    future::PortFuture,
    rate_limiter::{Limited, RateBucket, RateLimiter},
};

/// Buckets remembered that are not empty. Beyond it the emptier half is forgotten.
const BUCKETS_MAX: usize = 100_000;

/// The limiter of one process.
#[derive(Debug, Default)]
pub struct MemoryRateLimiter(Mutex<Levels>);

type Levels = HashMap<String, Level>;

/// How full a bucket is.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    /// When what was charged is drained.
    empty_at: Option<Instant>,
    reserved: Duration,
}

impl Level {
    fn charged(self, now: Instant) -> Duration {
        let left = |at: Instant| at.saturating_duration_since(now);
        self.empty_at.map_or(Duration::ZERO, left)
    }

    fn is_empty(self, now: Instant) -> bool {
        self.reserved.is_zero() && self.charged(now).is_zero()
    }
}

impl RateLimiter for MemoryRateLimiter {
    fn reserve<'a>(
        &'a self,
        buckets: &'a [RateBucket],
        now: Instant,
    ) -> PortFuture<'a, Result<(), Limited>> {
        let mut levels = self.0.lock();
        let room = has_room(&levels, buckets, now);
        if room.is_ok() {
            for bucket in buckets {
                level_of(&mut levels, bucket, now).reserved += bucket.share;
            }
        }
        Box::pin(ready(room))
    }

    fn check<'a>(
        &'a self,
        buckets: &'a [RateBucket],
        now: Instant,
    ) -> PortFuture<'a, Result<(), Limited>> {
        Box::pin(ready(has_room(&self.0.lock(), buckets, now)))
    }

    fn charge(&self, buckets: &[RateBucket], now: Instant) {
        let mut levels = self.0.lock();
        for bucket in buckets {
            let level = level_of(&mut levels, bucket, now);
            level.empty_at = Some(now + level.charged(now) + bucket.share);
        }
    }

    fn release(&self, buckets: &[RateBucket]) {
        let mut levels = self.0.lock();
        for bucket in buckets {
            if let Some(level) = levels.get_mut(&bucket.key) {
                level.reserved = level.reserved.saturating_sub(bucket.share);
            }
        }
    }
}

fn has_room(levels: &Levels, buckets: &[RateBucket], now: Instant) -> Result<(), Limited> {
    for (index, bucket) in buckets.iter().enumerate() {
        let level = levels.get(&bucket.key).copied().unwrap_or_default();
        let full = level.charged(now) + level.reserved + bucket.share;
        let wait = full.saturating_sub(bucket.room);
        if !wait.is_zero() {
            return Err(Limited { index, wait });
        }
    }
    Ok(())
}

fn level_of<'a>(levels: &'a mut Levels, bucket: &RateBucket, now: Instant) -> &'a mut Level {
    if levels.len() >= BUCKETS_MAX && !levels.contains_key(&bucket.key) {
        make_room(levels, now);
    }
    levels.entry(bucket.key.clone()).or_default()
}

/// Forgets what is empty, and if that is not enough the emptier half of what nothing is reserved in.
fn make_room(levels: &mut Levels, now: Instant) {
    levels.retain(|_, level| !level.is_empty(now));
    // So that the next look at all of them is a good while away.
    if levels.len() > BUCKETS_MAX / 4 * 3 {
        let mut ends: Vec<_> = levels.values().map(|level| level.empty_at).collect();
        let middle = ends.len() / 2;
        let (_, half, _) = ends.select_nth_unstable(middle);
        let half = *half;
        levels.retain(|_, level| !level.reserved.is_zero() || level.empty_at > half);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn it_keeps_the_promises() {
        conformance::rate_limiter(async || Arc::new(MemoryRateLimiter::default())).await;
    }

    #[tokio::test]
    async fn memory_is_bounded_and_the_fullest_buckets_are_not_forgotten() {
        let limiter = MemoryRateLimiter::default();
        let now = conformance::some_time();
        let bucket = |key: &str, share: u64| {
            let share = Duration::from_millis(share);
            let (key, room) = (key.to_owned(), share);
            [RateBucket { key, share, room }]
        };
        let (full, held) = (bucket("full", 60_000), bucket("held", 1));
        limiter.charge(&full, now);
        assert_eq!(limiter.reserve(&held, now).await, Ok(()));
        for number in 0..2 * BUCKETS_MAX {
            let other = bucket(&number.to_string(), 1_000);
            limiter.charge(&other, now);
        }
        assert!(limiter.0.lock().len() <= BUCKETS_MAX);
        assert!(limiter.reserve(&full, now).await.is_err());
        assert!(limiter.reserve(&held, now).await.is_err());
    }
}
