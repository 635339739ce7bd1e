//! 429, of Discord and of whoever stands before it.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::limits::RateLimitScope;

/// On whatever Discord itself answers: discord.py takes a 429 without it for one
/// of the edge, that is for a ban.
pub(super) const VIA: (&str, &str) = ("via", "1.1 google");

/// On an answer of Discord's own 429: who refused, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused {
    pub(super) scope: RateLimitScope,
    pub(super) wait: Duration,
}

/// 429 of whoever stands before Discord: no JSON, no bucket.
pub(super) fn edge(wait: Duration) -> Response {
    let mut response = (StatusCode::TOO_MANY_REQUESTS, "error code: 1015").into_response();
    let wait = wait.as_secs_f64().ceil().to_string();
    put(response.headers_mut(), "retry-after", &wait);
    response
}

/// 429 as Discord itself says it.
pub(super) fn refuse(scope: RateLimitScope, wait: Duration) -> Response {
    let global = scope == RateLimitScope::Global;
    let message = match scope {
        RateLimitScope::User | RateLimitScope::Global => "You are being rate limited.",
        RateLimitScope::Shared => "The resource is being rate limited.",
    };
    let body = json!({
        "message": message,
        "retry_after": seconds(wait),
        "global": global,
    });
    let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response();
    response.extensions_mut().insert(Refused { scope, wait });
    let headers = response.headers_mut();
    put(
        headers,
        "retry-after",
        &wait.as_secs_f64().ceil().to_string(),
    );
    let scope = match scope {
        RateLimitScope::User => "user",
        RateLimitScope::Global => "global",
        RateLimitScope::Shared => "shared",
    };
    put(headers, "x-ratelimit-scope", scope);
    put(headers, VIA.0, VIA.1);
    if global {
        put(headers, "x-ratelimit-global", "true");
    }
    response
}

/// Whole milliseconds, rounded up: waiting exactly this long must be enough.
pub(super) fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).ceil() / 1000.0
}

pub(super) fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
