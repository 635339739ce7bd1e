//! Discord's ways of saying "not so fast": a 429 of its API, and the pages with which its edge
//! shuts an address out (429 with error 1015, or 403).

use std::time::Duration;

use http::{Response, StatusCode, header};
use serde::Deserialize;

use super::budget::PAUSE_MAX;

/// Shortest wait: some limits ask for none, and no loop may be tight.
const WAIT_MIN: Duration = Duration::from_millis(100);

/// What an answer of the API that names no time is taken to mean.
const UNTOLD: Duration = Duration::from_secs(1);

/// What a page of the edge that names no time is taken to mean: its bans are no matter of seconds.
const SHUT_OUT: Duration = Duration::from_mins(1);

/// A refusal that is over after a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limited {
    /// Between 100 ms and 15 min, whatever was sent.
    pub(super) wait: Duration,
    /// Our address is meant, not one person's token or one route.
    pub(super) for_all: bool,
}

/// Body of an API's 429.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    retry_after: Option<f64>,
    #[serde(default)]
    global: bool,
}

impl Limited {
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
        let told = body.as_ref().and_then(|body| body.retry_after);
        let told = told.or_else(|| value(header::RETRY_AFTER.as_str())?.trim().parse().ok());
        let global = body.is_some_and(|body| body.global)
            || value("x-ratelimit-global").is_some()
            || value("x-ratelimit-scope") == Some("global");
        Some(Self {
            wait: bounded(told, if by_api { UNTOLD } else { SHUT_OUT }),
            for_all: global || !by_api,
        })
    }
}

/// Seconds that somebody else sent, as a time to wait.
fn bounded(seconds: Option<f64>, untold: Duration) -> Duration {
    match seconds {
        Some(seconds) if !seconds.is_nan() => {
            let seconds = seconds.clamp(WAIT_MIN.as_secs_f64(), PAUSE_MAX.as_secs_f64());
            Duration::from_secs_f64(seconds)
        }
        _ => untold,
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
            Some(Limited { wait, for_all })
        };
        let limited = |status, headers: &[_], body| Limited::of(&answer(status, headers, body));
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
    fn any_number_is_a_bounded_wait() {
        for (told, seconds) in [
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
            let limited = Limited::of(&answer(429, &[JSON, ("retry-after", told)], "{}"));
            let wait = limited.map(|it| it.wait.as_secs_f64());
            assert_eq!(wait, Some(seconds), "{told:?}");
        }
        for told in ["1e300", "1e999", "-1", "null", "\"x\"", "[]"] {
            let body = format!("{{\"retry_after\":{told}}}");
            let limited = Limited::of(&answer(429, &[JSON], &body)).expect("a limit");
            assert!((WAIT_MIN..=PAUSE_MAX).contains(&limited.wait), "{told}");
        }
    }

    proptest! {
        #[test]
        fn no_number_is_too_odd(seconds in any::<f64>()) {
            let wait = bounded(Some(seconds), UNTOLD);
            prop_assert!((WAIT_MIN..=PAUSE_MAX).contains(&wait));
        }
    }
}
