//! The suite of [`RateLimiter`].

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use proptest::{
    collection::vec,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use crate::rate_limiter::{Limited, RateBucket, RateLimiter};

const SECOND: Duration = Duration::from_secs(1);

/// Every promise of [`RateLimiter`] that one process can see. `fresh` opens one whose buckets are
/// empty.
pub async fn rate_limiter<Limiter: RateLimiter>(fresh: impl AsyncFn() -> Arc<Limiter>) {
    a_bucket_takes_what_it_has_room_for_and_drains(&*fresh().await).await;
    a_call_that_one_bucket_refuses_takes_nothing_of_any(&*fresh().await).await;
    whoever_has_less_room_waits_longer(&*fresh().await).await;
    what_is_reserved_is_nobody_elses_until_it_is_released(&*fresh().await).await;
    for calls in random_calls() {
        never_more_than_time_and_room_allow(&*fresh().await, calls).await;
    }
}

/// A time to count from.
#[expect(
    clippy::disallowed_methods,
    reason = "any time will do, and only the clock has one"
)]
#[must_use]
pub fn some_time() -> Instant {
    Instant::now()
}

/// One call a second, and so many at once.
fn bucket(key: &str, at_once: u32) -> RateBucket {
    RateBucket {
        key: key.to_owned(),
        share: SECOND,
        room: SECOND * at_once,
    }
}

async fn take(
    limiter: &dyn RateLimiter,
    buckets: &[RateBucket],
    now: Instant,
) -> Result<(), Limited> {
    limiter.reserve(buckets, now).await?;
    limiter.charge(buckets, now);
    limiter.release(buckets);
    Ok(())
}

async fn a_bucket_takes_what_it_has_room_for_and_drains(limiter: &dyn RateLimiter) {
    let now = some_time();
    let three = [bucket("three", 3)];
    for _ in 0..3 {
        assert_eq!(limiter.check(&three, now).await, Ok(()));
        assert_eq!(take(limiter, &three, now).await, Ok(()));
    }
    let full = Err(Limited {
        index: 0,
        wait: SECOND,
    });
    assert_eq!(take(limiter, &three, now).await, full);
    assert_eq!(limiter.check(&three, now).await, full);
    assert_eq!(take(limiter, &[bucket("other", 1)], now).await, Ok(()));

    assert_eq!(take(limiter, &three, now + SECOND).await, Ok(()));
    assert_eq!(take(limiter, &three, now + SECOND).await, full);
    let long_after = now + 100 * SECOND;
    for _ in 0..3 {
        assert_eq!(take(limiter, &three, long_after).await, Ok(()));
    }
    let more = take(limiter, &three, long_after).await;
    assert_eq!(more, full, "no more is saved up");
}

async fn a_call_that_one_bucket_refuses_takes_nothing_of_any(limiter: &dyn RateLimiter) {
    let now = some_time();
    let all = [bucket("wide", 100), bucket("tight", 1)];
    assert_eq!(take(limiter, &all, now).await, Ok(()));
    for _ in 0..1_000 {
        let refused = take(limiter, &all, now).await;
        assert_eq!(refused.map_err(|limited| limited.index), Err(1));
    }
    for _ in 1..100 {
        assert_eq!(take(limiter, &all[..1], now).await, Ok(()));
    }
    assert!(take(limiter, &all[..1], now).await.is_err());
}

async fn whoever_has_less_room_waits_longer(limiter: &dyn RateLimiter) {
    let now = some_time();
    for _ in 0..5 {
        assert_eq!(take(limiter, &[bucket("shared", 10)], now).await, Ok(()));
    }
    let refused = take(limiter, &[bucket("shared", 4)], now).await;
    let wait = 2 * SECOND;
    assert_eq!(refused, Err(Limited { index: 0, wait }));
    assert_eq!(take(limiter, &[bucket("shared", 10)], now).await, Ok(()));
}

async fn what_is_reserved_is_nobody_elses_until_it_is_released(limiter: &dyn RateLimiter) {
    let now = some_time();
    let two = [bucket("two", 2)];
    for _ in 0..2 {
        assert_eq!(limiter.reserve(&two, now).await, Ok(()));
    }
    let later = now + 30 * SECOND;
    assert!(limiter.reserve(&two, later).await.is_err(), "not by time");
    limiter.release(&two);
    assert_eq!(limiter.reserve(&two, later).await, Ok(()));
    assert!(limiter.reserve(&two, later).await.is_err());

    // One of the two counts twice, since it was made twice.
    limiter.charge(&two, later);
    limiter.charge(&two, later);
    limiter.release(&two);
    limiter.release(&two);
    let wait = SECOND;
    let refused = Err(Limited { index: 0, wait });
    assert_eq!(limiter.reserve(&two, later).await, refused);
    assert_eq!(limiter.reserve(&two, later + SECOND).await, Ok(()));
    assert!(limiter.reserve(&two, later + SECOND).await.is_err());
}

/// Milliseconds until the next call, how long it is under way, and whether it counts.
type Call = (u64, u64, bool);

fn random_calls() -> Vec<Vec<Call>> {
    let mut runner = TestRunner::default();
    let calls = vec((0_u64..1_500, 0_u64..5_000, proptest::bool::ANY), 0..200);
    let draw = |_| calls.new_tree(&mut runner).map(|tree| tree.current());
    (0..50)
        .map(draw)
        .collect::<Result<_, _>>()
        .expect("random calls")
}

async fn never_more_than_time_and_room_allow(limiter: &dyn RateLimiter, calls: Vec<Call>) {
    let three = [bucket("three", 3)];
    let (mut now, mut under_way, mut charged) = (some_time(), Vec::new(), Vec::new());
    for (after, takes, counts) in calls {
        now += Duration::from_millis(after);
        under_way.retain(|(until, counts)| {
            let is_over = *until <= now;
            if is_over && *counts {
                limiter.charge(&three, now);
                charged.push(now);
            }
            if is_over {
                limiter.release(&three);
            }
            !is_over
        });
        if limiter.reserve(&three, now).await.is_ok() {
            under_way.push((now + Duration::from_millis(takes), counts));
        }
    }
    for (index, from) in charged.iter().enumerate() {
        for (count, until) in (1_u32..).zip(&charged[index..]) {
            let allowed = (*until - *from + 3 * SECOND).as_millis() / SECOND.as_millis();
            assert!(u128::from(count) <= allowed, "{count} in {charged:?}");
        }
    }
}
