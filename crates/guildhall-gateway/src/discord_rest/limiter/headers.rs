//! What an answer says about limits, whatever nonsense it says.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use guildhall_model::text::readable_json;
use reqwest::header::{HeaderMap, HeaderName};
use serde::Deserialize;

/// A 429 that does not say how long: the edge did not even let us through to Discord.
pub(super) const WAIT_UNSTATED: Duration = Duration::from_secs(10);
/// Whatever Discord asks for, an operator is not made to wait longer than this for the next try.
pub(super) const LONGEST: Duration = Duration::from_hours(1);
/// Names of buckets have 32 characters; what is far longer is none.
const NAME_LENGTH: usize = 128;

/// The `X-RateLimit-` headers of an answer, and `Retry-After`.
#[derive(Clone, Debug, Default)]
pub(in crate::discord_rest) struct RateHeaders {
    pub bucket: Option<Arc<str>>,
    pub limit: Option<u64>,
    pub remaining: Option<u64>,
    pub reset_after: Option<Duration>,
    pub retry_after: Option<Duration>,
    pub global: bool,
    pub scope: Option<ThrottleScope>,
}

/// Whom a 429 is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::discord_rest) enum ThrottleScope {
    /// Our use of one bucket.
    User,
    /// Everybody's use of one resource: not counted against us.
    Shared,
    /// All that this bot does.
    Global,
    /// All that this address does: whoever stands before Discord did not let us through.
    Edge,
}

/// A 429: whom it is meant for, and when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::discord_rest) struct Throttle {
    pub scope: ThrottleScope,
    pub wait: Duration,
}

impl RateHeaders {
    pub(in crate::discord_rest) fn read(headers: &HeaderMap) -> Self {
        let text = |name: &'static str| headers.get(HeaderName::from_static(name))?.to_str().ok();
        let wait = |name| Some(duration(text(name)?.trim().parse().ok()?));
        let count = |name| text(name)?.trim().parse::<u64>().ok();
        let bucket = text("x-ratelimit-bucket");
        let is_name = |name: &&str| !name.is_empty() && name.len() <= NAME_LENGTH;
        Self {
            bucket: bucket.filter(is_name).map(Arc::from),
            // A limit of none would never be reset.
            limit: count("x-ratelimit-limit").map(|limit| limit.max(1)),
            remaining: count("x-ratelimit-remaining"),
            reset_after: wait("x-ratelimit-reset-after"),
            retry_after: wait("retry-after"),
            global: text("x-ratelimit-global").is_some_and(|is| is.eq_ignore_ascii_case("true")),
            scope: match text("x-ratelimit-scope") {
                Some("user") => Some(ThrottleScope::User),
                Some("shared") => Some(ThrottleScope::Shared),
                Some("global") => Some(ThrottleScope::Global),
                _ => None,
            },
        }
    }

    /// What a 429 with this body means.
    pub(in crate::discord_rest) fn throttle(&self, body: &[u8]) -> Throttle {
        let said = serde_json::from_str::<TooManyRequests>(&readable_json(body)).ok();
        let global = self.global || said.as_ref().is_some_and(|said| said.global);
        let scope = match self.scope {
            _ if global => ThrottleScope::Global,
            Some(scope) => scope,
            None if self.bucket.is_some() || said.is_some() => ThrottleScope::User,
            None => ThrottleScope::Edge,
        };
        let said = said.map(|said| duration(said.retry_after));
        let wait = match (said, self.retry_after) {
            // The header is the body's number in whole seconds.
            (Some(said), Some(rounded)) if rounded <= said + Duration::from_secs(1) => said,
            (said, told) => said.max(told).unwrap_or(WAIT_UNSTATED),
        };
        Throttle { scope, wait }
    }

    /// When the bucket is full again.
    pub(super) fn resets_at(&self, now: Instant) -> Option<Instant> {
        Some(now + self.reset_after?)
    }
}

/// Discord's own body of a 429.
#[derive(Deserialize)]
struct TooManyRequests {
    retry_after: f64,
    #[serde(default)]
    global: bool,
}

/// Seconds as Discord writes them; whatever it writes, some sensible wait.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0))
        .unwrap_or(LONGEST)
        .min(LONGEST)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn headers(of: &[(&'static str, &str)]) -> RateHeaders {
        let pair = |(name, value): &(&'static str, &str)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
            (HeaderName::from_static(name), value)
        };
        RateHeaders::read(&of.iter().map(pair).collect())
    }

    #[test]
    fn a_429_is_discords_own_or_the_edges() {
        let body = br#"{"message":"limited","retry_after":1.25,"global":false}"#;
        let global = br#"{"message":"limited","retry_after":1.25,"global":true}"#;
        let (exact, ceil) = (Duration::from_millis(1_250), ("retry-after", "2"));
        let bucket = ("x-ratelimit-bucket", "abc");
        for (of, body, scope, wait) in [
            (
                &[bucket, ceil, ("x-ratelimit-scope", "user")][..],
                &body[..],
                ThrottleScope::User,
                exact,
            ),
            (
                &[bucket, ceil, ("x-ratelimit-scope", "shared")],
                body,
                ThrottleScope::Shared,
                exact,
            ),
            (
                &[ceil, ("x-ratelimit-scope", "global")],
                body,
                ThrottleScope::Global,
                exact,
            ),
            (
                &[ceil, ("x-ratelimit-global", "true")],
                body,
                ThrottleScope::Global,
                exact,
            ),
            (&[bucket], global, ThrottleScope::Global, exact),
            (&[bucket], body, ThrottleScope::User, exact),
            (&[], body, ThrottleScope::User, exact),
            (
                &[ceil],
                b"error code: 1015",
                ThrottleScope::Edge,
                Duration::from_secs(2),
            ),
            (&[], b"", ThrottleScope::Edge, WAIT_UNSTATED),
            // Two numbers that are not the same one: the longer.
            (
                &[bucket, ("retry-after", "600")],
                body,
                ThrottleScope::User,
                Duration::from_mins(10),
            ),
        ] {
            let throttle = headers(of).throttle(body);
            assert_eq!(throttle, Throttle { scope, wait }, "{of:?}");
        }
    }

    #[test]
    fn nonsense_in_headers_is_some_sensible_wait() {
        for seconds in ["NaN", "inf", "-inf", "-1", "1e300", "99999999999999999999"] {
            let said = headers(&[
                ("retry-after", seconds),
                ("x-ratelimit-reset-after", seconds),
                ("x-ratelimit-remaining", seconds),
                ("x-ratelimit-limit", seconds),
                ("x-ratelimit-bucket", ""),
                ("x-ratelimit-scope", seconds),
                ("x-ratelimit-global", seconds),
            ]);
            assert!(said.retry_after.is_some_and(|wait| wait <= LONGEST));
            assert!(said.reset_after.is_some_and(|wait| wait <= LONGEST));
            assert_eq!(
                (said.remaining, said.limit, said.bucket),
                (None, None, None)
            );
            assert_eq!((said.scope, said.global), (None, false));
        }
        let said = headers(&[("x-ratelimit-limit", "0"), ("retry-after", "soon")]);
        assert_eq!((said.limit, said.retry_after), (Some(1), None));
        let endless = "b".repeat(NAME_LENGTH + 1);
        assert_eq!(headers(&[("x-ratelimit-bucket", &endless)]).bucket, None);
    }
}
