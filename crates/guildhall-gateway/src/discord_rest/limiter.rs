//! When a request may be sent. Nothing about limits is fixed here but our own share: Discord's
//! headers say the rest (Discord's documentation, "Rate Limits").

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use guildhall_model::GuildId;

/// A 429 that does not say how long: the edge did not even let us through to Discord.
const WAIT_UNSTATED: Duration = Duration::from_secs(10);
/// Whatever Discord asks for, an operator is not left waiting longer than this for the next try.
const LONGEST: Duration = Duration::from_hours(1);
const SECOND: Duration = Duration::from_secs(1);
/// Above this many, buckets whose time is over are forgotten.
const BUCKETS_KEPT: usize = 1024;

/// A route with the part of its path that has limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Route {
    GatewayBot,
    Member(GuildId),
}

/// What an answer says about limits.
#[derive(Clone, Debug, Default)]
pub(super) struct RateHeaders {
    pub bucket: Option<String>,
    pub remaining: Option<u64>,
    pub reset_after: Option<f64>,
    pub retry_after: Option<f64>,
    pub global: bool,
}

/// May it be sent?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Yes, and it is counted as sent.
    Now,
    /// Ask again then.
    NotBefore(Instant),
    /// The token was refused.
    Never,
}

#[derive(Debug)]
pub(super) struct Limiter {
    per_second: usize,
    /// When the requests of the last second were sent.
    sent: VecDeque<Instant>,
    closed_until: Option<Instant>,
    refused: bool,
    /// Names of buckets, as far as answers have told them.
    names: HashMap<RouteKind, String>,
    buckets: HashMap<Key, Bucket>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum RouteKind {
    GatewayBot,
    Member,
}

/// A bucket is told apart by its name, and by what the path is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Unnamed(Route),
    Named(String, Option<GuildId>),
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    remaining: u64,
    resets_at: Instant,
}

impl Limiter {
    pub(super) fn new(per_second: u32) -> Self {
        Self {
            per_second: usize::try_from(per_second).unwrap_or(usize::MAX).max(1),
            sent: VecDeque::new(),
            closed_until: None,
            refused: false,
            names: HashMap::new(),
            buckets: HashMap::new(),
        }
    }

    /// Asks to send one request.
    pub(super) fn admit(&mut self, route: Route, now: Instant) -> Admission {
        if self.refused {
            return Admission::Never;
        }
        if let Some(until) = self.closed_until.filter(|until| *until > now) {
            return Admission::NotBefore(until);
        }
        while self.sent.front().is_some_and(|sent| *sent + SECOND <= now) {
            self.sent.pop_front();
        }
        if self.sent.len() >= self.per_second {
            let first = self.sent.front().copied().unwrap_or(now);
            return Admission::NotBefore(first + SECOND);
        }
        let key = self.key(route);
        if let Some(bucket) = self.buckets.get_mut(&key)
            && bucket.resets_at > now
        {
            if bucket.remaining == 0 {
                return Admission::NotBefore(bucket.resets_at);
            }
            bucket.remaining -= 1;
        }
        self.sent.push_back(now);
        Admission::Now
    }

    /// An answer that is not a 429.
    pub(super) fn answered(&mut self, route: Route, said: &RateHeaders, now: Instant) {
        self.learn_name(route, said);
        let (Some(remaining), Some(reset_after)) = (said.remaining, said.reset_after) else {
            return;
        };
        let resets_at = now + duration(reset_after);
        let key = self.key(route);
        let known = self.buckets.get(&key).filter(|known| known.resets_at > now);
        // Answers overtake each other: within one period the lowest count is the true one.
        let remaining = known.map_or(remaining, |known| known.remaining.min(remaining));
        self.set(
            key,
            Bucket {
                remaining,
                resets_at,
            },
            now,
        );
    }

    /// A 429. `retry_after` and `global`: what its body says, if it has one.
    pub(super) fn limited(
        &mut self,
        route: Route,
        said: &RateHeaders,
        retry_after: Option<f64>,
        global: bool,
        now: Instant,
    ) {
        self.learn_name(route, said);
        let wait = said
            .retry_after
            .or(retry_after)
            .map_or(WAIT_UNSTATED, duration);
        let until = now + wait;
        let from_the_edge = said.bucket.is_none();
        if said.global || global || from_the_edge {
            self.closed_until = self.closed_until.max(Some(until));
        } else {
            let key = self.key(route);
            let closed = Bucket {
                remaining: 0,
                resets_at: until,
            };
            self.set(key, closed, now);
        }
    }

    /// A 401.
    pub(super) fn refused(&mut self) {
        self.refused = true;
    }

    fn learn_name(&mut self, route: Route, said: &RateHeaders) {
        if let Some(name) = &said.bucket {
            self.names.insert(kind(route), name.clone());
        }
    }

    fn key(&self, route: Route) -> Key {
        let about = match route {
            Route::GatewayBot => None,
            Route::Member(guild_id) => Some(guild_id),
        };
        match self.names.get(&kind(route)) {
            Some(name) => Key::Named(name.clone(), about),
            None => Key::Unnamed(route),
        }
    }

    fn set(&mut self, key: Key, bucket: Bucket, now: Instant) {
        if self.buckets.len() >= BUCKETS_KEPT {
            self.buckets.retain(|_, bucket| bucket.resets_at > now);
        }
        self.buckets.insert(key, bucket);
    }
}

fn kind(route: Route) -> RouteKind {
    match route {
        Route::GatewayBot => RouteKind::GatewayBot,
        Route::Member(_) => RouteKind::Member,
    }
}

/// Seconds as Discord writes them; whatever it writes, some sensible wait.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0))
        .unwrap_or(LONGEST)
        .min(LONGEST)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "any instant will do as a start")]
mod tests {
    use super::*;

    const ROUTE: Route = Route::Member(GuildId(1));
    const OTHER: Route = Route::Member(GuildId(2));

    #[test]
    fn our_share_of_a_second_is_never_exceeded() {
        let start = Instant::now();
        let mut limiter = Limiter::new(25);
        let mut now = start;
        let mut sent = Vec::new();
        while sent.len() < 200 {
            match limiter.admit(OTHER, now) {
                Admission::Now => sent.push(now),
                Admission::NotBefore(at) => {
                    assert!(at > now, "it must come forward");
                    now = at;
                }
                Admission::Never => panic!("nothing was refused"),
            }
        }
        for window in sent.windows(26) {
            assert!(window[25] - window[0] >= SECOND);
        }
        assert!(now - start < 9 * SECOND, "and the share is used");
    }

    #[test]
    fn an_empty_bucket_is_waited_for_and_another_guilds_is_not() {
        let now = Instant::now();
        let mut limiter = Limiter::new(25);
        assert_eq!(limiter.admit(ROUTE, now), Admission::Now);
        let said = RateHeaders {
            bucket: Some("abc".into()),
            remaining: Some(0),
            reset_after: Some(2.5),
            ..RateHeaders::default()
        };
        limiter.answered(ROUTE, &said, now);
        let reset = now + Duration::from_millis(2_500);
        assert_eq!(limiter.admit(ROUTE, now), Admission::NotBefore(reset));
        assert_eq!(limiter.admit(OTHER, now), Admission::Now);
        assert_eq!(limiter.admit(ROUTE, reset), Admission::Now);
    }

    #[test]
    fn a_late_answer_does_not_refill_a_bucket() {
        let now = Instant::now();
        let mut limiter = Limiter::new(25);
        let said = |remaining| RateHeaders {
            bucket: Some("abc".into()),
            remaining: Some(remaining),
            reset_after: Some(1.0),
            ..RateHeaders::default()
        };
        limiter.answered(ROUTE, &said(0), now);
        limiter.answered(ROUTE, &said(3), now);
        assert!(matches!(limiter.admit(ROUTE, now), Admission::NotBefore(_)));
    }

    #[test]
    fn a_429_closes_its_bucket_a_global_one_or_one_from_the_edge_closes_everything() {
        let now = Instant::now();
        let named = RateHeaders {
            bucket: Some("abc".into()),
            ..RateHeaders::default()
        };
        let wait = RateHeaders {
            retry_after: Some(3.0),
            ..named.clone()
        };
        let global = RateHeaders {
            global: true,
            ..wait.clone()
        };
        let edge = RateHeaders::default();

        let mut limiter = Limiter::new(25);
        limiter.limited(ROUTE, &wait, None, false, now);
        assert_eq!(
            limiter.admit(ROUTE, now),
            Admission::NotBefore(now + 3 * SECOND)
        );
        assert_eq!(limiter.admit(OTHER, now), Admission::Now);

        let mut limiter = Limiter::new(25);
        limiter.limited(ROUTE, &global, None, false, now);
        assert_eq!(
            limiter.admit(OTHER, now),
            Admission::NotBefore(now + 3 * SECOND)
        );

        let mut limiter = Limiter::new(25);
        limiter.limited(ROUTE, &named, Some(1.5), true, now);
        let until = now + Duration::from_millis(1_500);
        assert_eq!(limiter.admit(OTHER, now), Admission::NotBefore(until));

        let mut limiter = Limiter::new(25);
        limiter.limited(ROUTE, &edge, None, false, now);
        assert_eq!(
            limiter.admit(OTHER, now),
            Admission::NotBefore(now + WAIT_UNSTATED)
        );
    }

    #[test]
    fn nonsense_in_headers_is_some_sensible_wait() {
        for seconds in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300] {
            assert!(duration(seconds) <= LONGEST, "{seconds}");
        }
    }

    #[test]
    fn after_a_refused_token_nothing_is_sent() {
        let now = Instant::now();
        let mut limiter = Limiter::new(25);
        limiter.refused();
        assert_eq!(limiter.admit(ROUTE, now), Admission::Never);
    }
}
