//! Buckets, the global limit, and their headers.
//!
//! A bucket is a route together with its top-level resource and its caller, and some
//! routes share one; Discord names it by an opaque hash without the resource. Windows
//! are fixed: they begin with their first request. Whoever proves to be nobody is
//! counted by address, whatever tokens they make up.

use std::{collections::HashMap, hash::Hash, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::caller::{Caller, authorization, identify};
use crate::{clock, config::RateLimits, discord::Discord, serve::Peer, snowflake::Snowflake};

/// Windows kept at once. Beyond it those that are over are forgotten, and if none
/// is, all: a limiter that forgets is better than one that fills memory.
const MOST_WINDOWS: usize = 4096;
/// Addresses whose mistakes are counted at once. Beyond it those are forgotten whose
/// time is over, and then whoever made fewest.
const MOST_ADDRESSES: usize = 4096;

/// Paths whose methods share a bucket: what gives takes, for Discord, from the same.
const SHARED: [&str; 2] = [
    "/guilds/{guild_id}/members/{user_id}/roles/{role_id}",
    "/channels/{channel_id}/permissions/{overwrite_id}",
];

/// On whatever Discord itself answers: discord.py takes a 429 without it for one
/// of the edge, that is for a ban.
const VIA: (&str, &str) = ("via", "1.1 google");

/// Everything counted at present.
pub(crate) struct Limiter {
    limits: RateLimits,
    windows: HashMap<[u8; 16], Window>,
    /// Mistakes by address, apart from what a flood of requests can push out.
    mistakes: HashMap<String, Window>,
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
            mistakes: HashMap::new(),
            invalid: 0,
        }
    }

    /// Counts one request of `who`, and on a bucket if the route has one.
    pub(super) fn count(&mut self, who: &str, bucket: Option<&str>, now: Instant) -> Verdict {
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
        let windows = &mut self.windows;
        let all = take(windows, key(&[who]), global_window, now);
        if all.used > global_requests {
            return Verdict {
                refused: Some(Scope::Global),
                limit: bucket_requests,
                remaining: 0,
                reset_after: all.ends.duration_since(now),
            };
        }
        let Window { used, ends } = match bucket {
            Some(bucket) => take(windows, key(&[who, bucket]), bucket_window, now),
            None => Window { used: 0, ends: now },
        };
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
        if self.mistakes.len() >= MOST_ADDRESSES && !self.mistakes.contains_key(address) {
            self.mistakes.retain(|_, window| now < window.ends);
            let fewest = self.mistakes.iter().min_by_key(|(_, window)| window.used);
            if self.mistakes.len() >= MOST_ADDRESSES
                && let Some(fewest) = fewest.map(|(address, _)| address.clone())
            {
                self.mistakes.remove(&fewest);
            }
        }
        let window = self.limits.invalid_window;
        take(&mut self.mistakes, address.to_owned(), window, now);
    }

    /// How long an address with too many of those is shut out.
    pub(super) fn banned_for(&self, address: &str, now: Instant) -> Option<Duration> {
        let window = self.mistakes.get(address)?;
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
        self.windows.len() + self.mistakes.len()
    }
}

/// Takes one from a window, which begins if it is over.
fn take<K: Eq + Hash>(
    windows: &mut HashMap<K, Window>,
    key: K,
    length: Duration,
    now: Instant,
) -> Window {
    let begun = Window {
        ends: now + length,
        used: 0,
    };
    let window = windows.entry(key).or_insert(begun);
    if now >= window.ends {
        *window = begun;
    }
    window.used = window.used.saturating_add(1);
    *window
}

/// Whether a route has a bucket, or only the global limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    Bucket,
    GlobalAlone,
}

/// Middleware of every REST route.
pub(super) async fn enforce(
    State(discord): State<Arc<Discord>>,
    request: Request,
    next: Next,
) -> Response {
    limited(&discord, request, next, Counts::Bucket).await
}

/// Middleware of the token routes, of which Discord documents no bucket.
pub(crate) async fn enforce_global(
    State(discord): State<Arc<Discord>>,
    request: Request,
    next: Next,
) -> Response {
    limited(&discord, request, next, Counts::GlobalAlone).await
}

async fn limited(discord: &Discord, request: Request, next: Next, counts: Counts) -> Response {
    let now = clock::now();
    let peer = request.extensions().get::<Peer>();
    let address = peer.map_or_else(String::new, |peer| peer.0.ip().to_string());
    if let Some(wait) = discord.with_limiter(|limiter| limiter.banned_for(&address, now)) {
        return edge(wait);
    }
    let (mut parts, body) = request.into_parts();
    let params = RawPathParams::from_request_parts(&mut parts, &()).await;
    let route = parts
        .extensions
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str);
    let name = bucket_name(parts.method.as_str(), route);
    let major = params.ok().and_then(|params| resource(route, &params));
    let who = match identify(&parts.headers, discord) {
        Some(Caller::Bot) => "the bot".to_owned(),
        Some(Caller::User(_)) => {
            let token = authorization(&parts.headers);
            token.map_or_else(String::new, |(_, token)| token.to_owned())
        }
        None => address.clone(),
    };
    let bucket = format!("{name} {}", major.unwrap_or_default());
    let bucket = (counts == Counts::Bucket).then_some(bucket.as_str());
    let verdict = discord.with_limiter(|limiter| limiter.count(&who, bucket, now));
    let mut response = match verdict.refused {
        None => next.run(Request::from_parts(parts, body)).await,
        Some(scope) => refuse(scope, verdict.reset_after),
    };
    let by_fault = response.extensions().get::<Refused>().copied();
    let told = match by_fault {
        Some(Refused { scope, wait }) => (scope != Scope::Global).then_some(Verdict {
            remaining: 0,
            reset_after: wait,
            ..verdict
        }),
        // Neither the edge nor an answer that was lost says anything of buckets.
        None => (response.status() != StatusCode::TOO_MANY_REQUESTS).then_some(verdict),
    };
    if let Some(verdict) = told.filter(|_| counts == Counts::Bucket) {
        describe(response.headers_mut(), verdict, &name);
    }
    if is_invalid(&response) {
        discord.with_limiter(|limiter| limiter.count_invalid(&address, now));
    }
    response
}

/// What a bucket is called: its route, or what several share.
fn bucket_name(method: &str, route: &str) -> String {
    let path = route.strip_prefix("/api/v10").unwrap_or(route);
    if SHARED.contains(&path) {
        path.to_owned()
    } else {
        format!("{method} {route}")
    }
}

/// On an answer of Discord's own 429: who refused, and for how long.
#[derive(Clone, Copy, Debug)]
struct Refused {
    scope: Scope,
    wait: Duration,
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
    response.extensions_mut().insert(Refused { scope, wait });
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

fn describe(headers: &mut HeaderMap, verdict: Verdict, name: &str) {
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
    let bucket = format!("{:032x}", u128::from_be_bytes(key(&[name])));
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

/// The top-level resource of a request, as the id it means however that is written:
/// the buckets of two of them are two. What is no id has one bucket together.
fn resource(route: &str, params: &RawPathParams) -> Option<String> {
    let below = route.strip_prefix("/api/v10/").unwrap_or(route);
    let kind = below.split('/').next()?;
    if !matches!(kind, "channels" | "guilds" | "webhooks") {
        return None;
    }
    let (_, id) = params.iter().next()?;
    let id = id.parse::<Snowflake>().ok()?;
    Some(format!("{kind}/{id}"))
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
