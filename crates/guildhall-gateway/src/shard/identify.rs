//! When an IDENTIFY may be sent: Discord lets `max_concurrency` shards begin together, one for
//! each key `shard % max_concurrency`, and one per key in five seconds (Discord's documentation,
//! "Gateway", Sharding: Max Concurrency). More than that is answered by op 9.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};

/// Rate limit for the IDENTIFYs of one bot in this process. Clones are handles on the same one.
#[derive(Clone, Debug)]
pub(crate) struct IdentifyLimiter(Arc<Mutex<IdentifySlots>>);

#[derive(Debug)]
struct IdentifySlots {
    spacing: Duration,
    max_concurrency: u32,
    /// By key: when the next slot is free.
    free_at: BTreeMap<u32, Instant>,
}

impl IdentifyLimiter {
    /// None sent yet. `spacing`: between two of one key.
    pub(crate) fn new(spacing: Duration) -> Self {
        Self(Arc::new(Mutex::new(IdentifySlots {
            spacing,
            max_concurrency: 1,
            free_at: BTreeMap::new(),
        })))
    }

    /// What `/gateway/bot` said.
    pub(super) fn allow(&self, max_concurrency: u32) {
        self.lock().max_concurrency = max_concurrency.max(1);
    }

    /// Takes the next slot for a shard: it may IDENTIFY then. In order of asking.
    pub(super) fn take(&self, shard: u32, now: Instant) -> Instant {
        let mut slots = self.lock();
        let key = shard % slots.max_concurrency;
        let at = slots.free_at.get(&key).copied();
        let at = at.map_or(now, |at| at.max(now));
        let next = at + slots.spacing;
        slots.free_at.insert(key, next);
        at
    }

    fn lock(&self) -> MutexGuard<'_, IdentifySlots> {
        self.0.lock()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "any instant will do as a start")]
mod tests {
    use super::*;
    use crate::Limits;

    const SPACING: Duration = Duration::from_secs(5);

    #[test]
    fn two_of_a_key_are_five_seconds_apart_at_discord_although_the_network_jitters() {
        let now = Instant::now();
        let limiter = IdentifyLimiter::new(Limits::default().identify_spacing);
        let [first, second] = [0, 0].map(|shard| limiter.take(shard, now));
        let jitter = Duration::from_millis(250);
        assert!(second >= first + Duration::from_secs(5) + jitter);
    }

    #[test]
    fn shards_of_one_key_go_one_by_one_and_keys_side_by_side() {
        let now = Instant::now();
        let limiter = IdentifyLimiter::new(SPACING);
        limiter.allow(2);
        let waits: Vec<Duration> = (0..6).map(|shard| limiter.take(shard, now) - now).collect();
        assert_eq!(
            waits,
            [0, 0, 5, 5, 10, 10].map(Duration::from_secs),
            "two together, every five seconds"
        );
        let later = now + Duration::from_mins(1);
        assert_eq!(limiter.take(0, later), later, "a slot is not saved up");
    }

    #[test]
    fn an_odd_answer_of_discords_is_the_strictest() {
        let now = Instant::now();
        let limiter = IdentifyLimiter::new(SPACING);
        limiter.allow(0);
        assert_eq!(limiter.take(0, now), now);
        assert_eq!(limiter.take(1, now), now + SPACING);
    }
}
