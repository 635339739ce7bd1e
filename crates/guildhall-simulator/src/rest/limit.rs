//! Buckets, the global limit, and their headers.
//!
//! A bucket is a route together with its top-level resource and its caller;
//! Discord names it by an opaque hash without the resource. Windows are fixed: they begin with their
//! first request.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::caller::authorization;
use crate::{clock, config::RateLimits, discord::Discord, serve::Peer};

/// Windows kept at once. Beyond it those that are over are forgotten, and if none
/// is, all: a limiter that forgets is better than one that fills memory.
const MOST_WINDOWS: usize = 4096;

/// On whatever Discord itself answers: discord.py takes a 429 without it for one
/// of the edge, that is for a ban.
const VIA: (&str, &str) = ("via", "1.1 google");

/// Everything counted at present.
pub(crate) struct Limiter {
    limits: RateLimits,
    windows: HashMap<[u8; 16], Window>,
    invalid: u64,
}

#[derive(Clone, Copy)]
struct Window {
    ends: Instant,
    used: u32,
}

/// What the limiter says to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) refused: Option<Scope>,
    limit: u32,
    remaining: u32,
    pub(super) reset_after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    User,
    Global,
    /// Of the resource, whoever calls.
    Shared,
}

impl Limiter {
    pub(crate) fn new(limits: RateLimits) -> Self {
        Self {
            limits,
            windows: HashMap::new(),
            invalid: 0,
        }
    }

    /// Counts one request of `who` on `bucket`.
    pub(super) fn count(&mut self, who: &str, bucket: &str, now: Instant) -> Verdict {
        if self.windows.len() >= MOST_WINDOWS {
            self.windows.retain(|_, window| now < window.ends);
            if self.windows.len() >= MOST_WINDOWS {
                self.windows.clear();
            }
        }
        let RateLimits {
            global_requests,
            global_window,
            bucket_requests,
            bucket_window,
            ..
        } = self.limits;
        let (all, all_ends) = self.take(key(&[who]), global_window, now);
        if all > global_requests {
            return Verdict {
                refused: Some(Scope::Global),
                limit: bucket_requests,
                remaining: 0,
                reset_after: all_ends.duration_since(now),
            };
        }
        let (used, ends) = self.take(key(&[who, bucket]), bucket_window, now);
        Verdict {
            refused: (used > bucket_requests).then_some(Scope::User),
            limit: bucket_requests,
            remaining: bucket_requests.saturating_sub(used),
            reset_after: ends.duration_since(now),
        }
    }

    /// Counts one answer that Discord takes for a mistake of the caller.
    pub(super) fn count_invalid(&mut self, address: &str, now: Instant) {
        self.invalid += 1;
        let window = self.limits.invalid_window;
        self.take(key(&["invalid", address]), window, now);
    }

    /// How long an address with too many of those is shut out.
    pub(super) fn banned_for(&self, address: &str, now: Instant) -> Option<Duration> {
        let window = self.windows.get(&key(&["invalid", address]))?;
        let over = window.used >= self.limits.invalid_requests && now < window.ends;
        over.then(|| window.ends.duration_since(now))
    }

    /// Answers of 401, 403 and 429 so far, shared ones left out.
    pub(crate) fn invalid(&self) -> u64 {
        self.invalid
    }

    /// Windows counted at present.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.windows.len()
    }

    fn take(&mut self, key: [u8; 16], length: Duration, now: Instant) -> (u32, Instant) {
        let window = self.windows.entry(key).or_insert(Window {
            ends: now + length,
            used: 0,
        });
        if now >= window.ends {
            *window = Window {
                ends: now + length,
                used: 0,
            };
        }
        window.used = window.used.saturating_add(1);
        (window.used, window.ends)
    }
}

/// Middleware of every REST route.
pub(super) async fn enforce(
    State(discord): State<Arc<Discord>>,
    request: Request,
    next: Next,
) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str);
    let template = format!("{} {route}", request.method());
    let major = resource(request.uri().path()).unwrap_or_default();
    let peer = request.extensions().get::<Peer>();
    let address = peer.map_or_else(String::new, |peer| peer.0.ip().to_string());
    let who = match authorization(request.headers()) {
        Some((_, token)) => token.to_owned(),
        None => address.clone(),
    };
    let now = clock::now();
    let bucket = format!("{template} {major}");
    let (banned, verdict) = discord.with_limiter(|limiter| {
        let banned = limiter.banned_for(&address, now);
        (banned, limiter.count(&who, &bucket, now))
    });
    if let Some(wait) = banned {
        return edge(wait);
    }
    let mut response = match verdict.refused {
        None => next.run(request).await,
        Some(scope) => refuse(scope, verdict.reset_after),
    };
    let by_fault = verdict.refused.is_none() && response.status() == StatusCode::TOO_MANY_REQUESTS;
    if verdict.refused != Some(Scope::Global) && !by_fault {
        describe(response.headers_mut(), verdict, &template);
    }
    if is_invalid(&response) {
        discord.with_limiter(|limiter| limiter.count_invalid(&address, now));
    }
    response
}

/// What Discord counts against an address: 401, 403 and 429, but no shared 429.
fn is_invalid(response: &Response) -> bool {
    let shared = response
        .headers()
        .get("x-ratelimit-scope")
        .is_some_and(|scope| scope == "shared");
    match response.status() {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => true,
        StatusCode::TOO_MANY_REQUESTS => !shared,
        _ => false,
    }
}

/// 429 of whoever stands before Discord: no JSON, no bucket.
pub(super) fn edge(wait: Duration) -> Response {
    let mut response = (StatusCode::TOO_MANY_REQUESTS, "error code: 1015").into_response();
    let wait = wait.as_secs_f64().ceil().to_string();
    put(response.headers_mut(), "retry-after", &wait);
    response
}

/// 429 as Discord itself says it.
pub(super) fn refuse(scope: Scope, wait: Duration) -> Response {
    let global = scope == Scope::Global;
    let message = match scope {
        Scope::User | Scope::Global => "You are being rate limited.",
        Scope::Shared => "The resource is being rate limited.",
    };
    let body = json!({
        "message": message,
        "retry_after": seconds(wait),
        "global": global,
    });
    let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response();
    let headers = response.headers_mut();
    put(
        headers,
        "retry-after",
        &wait.as_secs_f64().ceil().to_string(),
    );
    let scope = match scope {
        Scope::User => "user",
        Scope::Global => "global",
        Scope::Shared => "shared",
    };
    put(headers, "x-ratelimit-scope", scope);
    put(headers, VIA.0, VIA.1);
    if global {
        put(headers, "x-ratelimit-global", "true");
    }
    response
}

fn describe(headers: &mut HeaderMap, verdict: Verdict, template: &str) {
    let now = Duration::from_micros(clock::unix_micros());
    put(headers, VIA.0, VIA.1);
    put(headers, "x-ratelimit-limit", &verdict.limit.to_string());
    put(
        headers,
        "x-ratelimit-remaining",
        &verdict.remaining.to_string(),
    );
    put(
        headers,
        "x-ratelimit-reset",
        &format!("{:.3}", (now + verdict.reset_after).as_secs_f64()),
    );
    put(
        headers,
        "x-ratelimit-reset-after",
        &format!("{:.3}", seconds(verdict.reset_after)),
    );
    let bucket = format!("{:032x}", u128::from_be_bytes(key(&[template])));
    put(headers, "x-ratelimit-bucket", &bucket);
}

/// Whole milliseconds, rounded up: waiting exactly this long must be enough.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).ceil() / 1000.0
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// The top-level resource of a path, as `channels/{id}`: the buckets of two of
/// them are two.
fn resource(path: &str) -> Option<&str> {
    let below = path.strip_prefix("/api/v10/").unwrap_or(path);
    let below = below.strip_prefix('/').unwrap_or(below);
    let kind = below.split('/').next()?;
    if !matches!(kind, "channels" | "guilds" | "webhooks") {
        return None;
    }
    let id = below[kind.len()..].strip_prefix('/')?.split('/').next()?;
    below.get(..kind.len() + 1 + id.len())
}

/// A short name of fixed length, so that a hostile header cannot fill the table.
fn key(parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}
