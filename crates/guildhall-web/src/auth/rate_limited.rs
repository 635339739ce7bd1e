//! Rate limits that Discord answers with: a 429 of its API, and the pages with which its edge bans
//! an address (429 with error 1015, or 403).

use std::time::Duration;

use http::{HeaderMap, HeaderName, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::budget::PAUSE_MAX;

/// Shortest wait: some limits ask for none, and no loop may be tight.
const WAIT_MIN: Duration = Duration::from_millis(100);

/// What an answer of the API that names no time is taken to mean.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);

/// What a page of the edge that names no time is taken to mean: its bans are no matter of seconds.
const EDGE_BAN_WAIT: Duration = Duration::from_mins(1);

/// An answer that asks to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RateLimitAnswer {
    /// Between 100 ms and 15 min, whatever was sent.
    pub(super) wait: Duration,
    /// Our address is meant, not one person's token or one route.
    pub(super) for_all: bool,
}

/// Body of an API's 429. Fields are read one by one, so that an odd one spoils not the other.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    retry_after: Option<&'a RawValue>,
    #[serde(borrow, default)]
    global: Option<&'a RawValue>,
}

impl Body<'_> {
    /// Seconds; some proxies write numbers as text.
    fn seconds(&self) -> Option<f64> {
        self.retry_after?.get().trim_matches('"').parse().ok()
    }
}

impl RateLimitAnswer {
    /// `None`: the answer is no such refusal.
    pub(super) fn of(response: &Response<Vec<u8>>) -> Option<Self> {
        let value = |name: &str| response.headers().get(name)?.to_str().ok();
        let by_api = value(header::CONTENT_TYPE.as_str())
            .is_some_and(|it| it.starts_with("application/json"));
        match response.status() {
            StatusCode::TOO_MANY_REQUESTS => {}
            StatusCode::FORBIDDEN if !by_api => {}
            _ => return None,
        }
        let body: Option<Body> = serde_json::from_slice(response.body()).ok();
        let stated = body.as_ref().and_then(Body::seconds);
        let stated = stated.or_else(|| retry_after(response.headers()));
        let global = body.and_then(|body| body.global);
        let global = global.is_some_and(|global| global.get() == "true")
            || value("x-ratelimit-global").is_some()
            || value("x-ratelimit-scope") == Some("global");
        Some(Self {
            wait: bounded(stated, if by_api { DEFAULT_WAIT } else { EDGE_BAN_WAIT }),
            for_all: global || !by_api,
        })
    }
}

/// The header's seconds: the first number, where a proxy has joined several, or the time until a
/// date. That is counted from the `Date` of the same answer, whose clock wrote both.
fn retry_after(headers: &HeaderMap) -> Option<f64> {
    let text = |name: HeaderName| Some(headers.get(name)?.to_str().ok()?.trim());
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    let stated = text(header::RETRY_AFTER)?;
    if let Some(until) = date(stated) {
        let now = text(header::DATE).and_then(date)?;
        return Some(until.duration_since(now).unwrap_or_default().as_secs_f64());
    }
    stated.split(',').find_map(|one| one.trim().parse().ok())
}

/// Seconds that somebody else sent, as a time to wait.
fn bounded(seconds: Option<f64>, default: Duration) -> Duration {
    match seconds {
        Some(seconds) if !seconds.is_nan() => {
            let seconds = seconds.clamp(WAIT_MIN.as_secs_f64(), PAUSE_MAX.as_secs_f64());
            Duration::from_secs_f64(seconds)
        }
        _ => default,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Vec<u8>> {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(body.into()).expect("an answer")
    }

    const JSON: (&str, &str) = ("content-type", "application/json");

    #[test]
    fn the_apis_limits_and_the_edges_bans_are_told_apart() {
        let millis = |wait, for_all| {
            let wait = Duration::from_millis(wait);
            Some(RateLimitAnswer { wait, for_all })
        };
        let limited =
            |status, headers: &[_], body| RateLimitAnswer::of(&answer(status, headers, body));
        let body = r#"{"message":"x","retry_after":1.337,"global":false}"#;
        assert_eq!(
            limited(429, &[JSON, ("retry-after", "2")], body),
            millis(1_337, false)
        );
        let global = r#"{"retry_after":3.0,"global":true}"#;
        assert_eq!(limited(429, &[JSON], global), millis(3_000, true));
        assert_eq!(
            limited(429, &[JSON, ("x-ratelimit-scope", "global")], "{}"),
            millis(1_000, true)
        );
        assert_eq!(
            limited(429, &[("retry-after", "120")], "error code: 1015"),
            millis(120_000, true)
        );
        assert_eq!(limited(429, &[], "<!doctype html>"), millis(60_000, true));
        assert_eq!(
            limited(403, &[("content-type", "text/html")], ""),
            millis(60_000, true)
        );
        assert_eq!(limited(403, &[JSON], "{}"), None);
        assert_eq!(limited(400, &[JSON], "{}"), None);
        assert_eq!(limited(200, &[], ""), None);
    }

    #[test]
    fn a_date_and_a_list_of_numbers_are_waited_for() {
        let millis = |headers: &[_], body| {
            let limited = RateLimitAnswer::of(&answer(429, headers, body)).expect("a limit");
            limited.wait.as_millis()
        };
        let now = ("date", "Sat, 28 Nov 2026 17:00:00 GMT");
        for (stated, wait) in [
            ("Sat, 28 Nov 2026 17:00:30 GMT", 30_000),
            ("Saturday, 28-Nov-26 17:01:00 GMT", 60_000),
            ("Sat Nov 28 17:00:05 2026", 5_000),
            ("Sat, 28 Nov 2026 16:00:00 GMT", 100),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 900_000),
            ("Sat, 99 Nov 2026 17:00:30 GMT", 1_000),
            ("2, 3", 2_000),
            ("7,", 7_000),
            ("soon, 3", 3_000),
        ] {
            assert_eq!(
                millis(&[JSON, now, ("retry-after", stated)], "{}"),
                wait,
                "{stated}"
            );
        }
        let undated = [JSON, ("retry-after", "Sat, 28 Nov 2026 17:00:30 GMT")];
        assert_eq!(millis(&undated, "{}"), 1_000);
        let page = [now, ("retry-after", "Sat, 28 Nov 2026 17:02:00 GMT")];
        assert_eq!(millis(&page, "error code: 1015"), 120_000);
    }

    #[test]
    fn an_odd_field_of_the_body_spoils_no_other() {
        for (body, wait, for_all) in [
            (r#"{"retry_after":"2.5","global":true}"#, 2_500, true),
            (r#"{"retry_after":3,"global":"x"}"#, 3_000, false),
            (r#"{"retry_after":[],"global":true}"#, 7_000, true),
            (r#"{"retry_after":null,"global":null}"#, 7_000, false),
        ] {
            let limited = RateLimitAnswer::of(&answer(429, &[JSON, ("retry-after", "7")], body));
            let wait = Duration::from_millis(wait);
            assert_eq!(limited, Some(RateLimitAnswer { wait, for_all }), "{body}");
        }
    }

    #[test]
    fn any_number_is_a_bounded_wait() {
        for (stated, seconds) in [
            ("NaN", 1.0),
            ("soon", 1.0),
            ("", 1.0),
            ("-1e9", 0.1),
            ("-inf", 0.1),
            ("0", 0.1),
            ("1e300", 900.0),
            ("inf", 900.0),
            ("2.5", 2.5),
        ] {
            let limited = RateLimitAnswer::of(&answer(429, &[JSON, ("retry-after", stated)], "{}"));
            let wait = limited.map(|it| it.wait.as_secs_f64());
            assert_eq!(wait, Some(seconds), "{stated:?}");
        }
        for stated in ["1e300", "1e999", "-1", "null", "\"x\"", "[]"] {
            let body = format!("{{\"retry_after\":{stated}}}");
            let limited = RateLimitAnswer::of(&answer(429, &[JSON], &body)).expect("a limit");
            assert!((WAIT_MIN..=PAUSE_MAX).contains(&limited.wait), "{stated}");
        }
    }

    proptest! {
        #[test]
        fn no_number_is_too_odd(seconds in any::<f64>()) {
            let wait = bounded(Some(seconds), DEFAULT_WAIT);
            prop_assert!((WAIT_MIN..=PAUSE_MAX).contains(&wait));
        }
    }
}
