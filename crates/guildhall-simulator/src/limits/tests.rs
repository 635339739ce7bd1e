use std::time::Duration;

use time::OffsetDateTime;

use crate::{
    clock,
    config::RateLimits,
    limits::{Bucket, Limiter, RareEdit, RateLimitScope},
    snowflake::{IdSource, SeededRng},
};

const LIMITS: RateLimits = RateLimits {
    global_requests: 4,
    global_window: Duration::from_secs(1),
    bucket_requests: 2,
    bucket_window: Duration::from_secs(5),
    invalid_requests: 3,
    invalid_window: Duration::from_mins(10),
    rename_requests: 2,
    rename_window: Duration::from_mins(10),
    role_requests: 3,
    role_window: Duration::from_hours(48),
};

#[test]
fn a_bucket_is_empty_until_its_window_ends() {
    let (mut limiter, now) = (Limiter::new(LIMITS), clock::now());
    assert_eq!(
        limiter.count("bot", Some(Bucket::Usual("a")), now).refused,
        None
    );
    assert_eq!(
        limiter.count("bot", Some(Bucket::Usual("a")), now).refused,
        None
    );
    let later = now + Duration::from_secs(2);
    let refused = limiter.count("bot", Some(Bucket::Usual("a")), later);
    assert_eq!(refused.refused, Some(RateLimitScope::User));
    assert_eq!(refused.reset_after, Duration::from_secs(3));
    assert_eq!(
        limiter
            .count("bot", Some(Bucket::Usual("b")), later)
            .refused,
        None
    );
    assert_eq!(
        limiter
            .count(
                "bot",
                Some(Bucket::Usual("a")),
                now + Duration::from_secs(5)
            )
            .refused,
        None
    );
}

#[test]
fn the_global_limit_counts_every_bucket_of_one_caller() {
    let (mut limiter, now) = (Limiter::new(LIMITS), clock::now());
    for bucket in ["a", "b", "c", "d"] {
        assert_eq!(
            limiter
                .count("bot", Some(Bucket::Usual(bucket)), now)
                .refused,
            None
        );
    }
    assert_eq!(
        limiter.count("bot", Some(Bucket::Usual("e")), now).refused,
        Some(RateLimitScope::Global)
    );
    assert_eq!(
        limiter
            .count("other", Some(Bucket::Usual("e")), now)
            .refused,
        None
    );
    assert_eq!(
        limiter
            .count(
                "bot",
                Some(Bucket::Usual("e")),
                now + Duration::from_secs(1)
            )
            .refused,
        None
    );
}

#[test]
fn a_flood_of_callers_does_not_fill_the_memory() {
    let (mut limiter, now) = (Limiter::new(LIMITS), clock::now());
    for caller in 0..20_000 {
        assert_eq!(
            limiter
                .count(&format!("caller {caller}"), Some(Bucket::Usual("a")), now)
                .refused,
            None
        );
    }
    assert!(limiter.len() <= 4096 + 2);
}

#[test]
fn a_shut_out_address_stays_out_whatever_else_comes() {
    let (mut limiter, now) = (Limiter::new(LIMITS), clock::now());
    for _ in 0..3 {
        limiter.count_invalid("10.0.0.1", now);
    }
    for caller in 0..5000 {
        limiter.count(&format!("caller {caller}"), Some(Bucket::Usual("a")), now);
        limiter.count_invalid(&format!("10.1.{}.{}", caller / 250, caller % 250), now);
    }
    assert!(limiter.banned_for("10.0.0.1", now).is_some());
    assert!(limiter.len() <= 2 * 4096 + 2);
    let over = now + Duration::from_mins(10);
    assert_eq!(limiter.banned_for("10.0.0.1", over), None);
}

#[test]
fn a_channel_is_renamed_twice_in_a_window_and_its_topic_counts_apart() {
    let (mut limiter, now) = (Limiter::new(LIMITS), clock::now());
    let mut ids = IdSource::new(SeededRng::from_seed(1));
    let mut draw = || ids.draw(OffsetDateTime::UNIX_EPOCH);
    let (channel, other) = (draw(), draw());
    let later = now + Duration::from_mins(4);
    assert_eq!(limiter.count_edit(channel, &[RareEdit::Name], now), Ok(()));
    assert_eq!(
        limiter.count_edit(channel, &[RareEdit::Name], later),
        Ok(())
    );
    let wait = Err(Duration::from_mins(6));
    assert_eq!(limiter.count_edit(channel, &[RareEdit::Name], later), wait);
    assert_eq!(limiter.count_edit(other, &[RareEdit::Name], later), Ok(()));

    let both = [RareEdit::Name, RareEdit::Topic];
    assert_eq!(limiter.count_edit(channel, &both, later), wait);
    for _ in 0..2 {
        let topic = limiter.count_edit(channel, &[RareEdit::Topic], later);
        assert_eq!(topic, Ok(()), "what was refused did not count");
    }
    assert_eq!(limiter.count_edit(channel, &[], later), Ok(()));
    let over = now + Duration::from_mins(10);
    assert_eq!(limiter.count_edit(channel, &[RareEdit::Name], over), Ok(()));
}

#[test]
fn the_making_of_roles_has_a_bucket_that_lasts_for_days() {
    let (mut limiter, now) = (Limiter::new(LIMITS), clock::now());
    let roles = |guild| Some(Bucket::Roles(guild));
    let minutes = |minutes| now + Duration::from_mins(minutes);
    for made in 0..3 {
        let verdict = limiter.count("bot", roles("one"), minutes(u64::from(made)));
        assert_eq!((verdict.refused, verdict.limit), (None, 3));
        assert_eq!(verdict.remaining, 2 - made);
    }
    let refused = limiter.count("bot", roles("one"), minutes(60));
    assert_eq!(refused.refused, Some(RateLimitScope::User));
    assert_eq!(refused.reset_after, Duration::from_hours(47));
    assert_eq!(
        limiter.count("bot", roles("two"), minutes(60)).refused,
        None
    );
    let over = now + Duration::from_hours(48);
    assert_eq!(limiter.count("bot", roles("one"), over).refused, None);
}
