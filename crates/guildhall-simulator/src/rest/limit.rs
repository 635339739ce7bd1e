//! Buckets and the global limit, enforced and told in headers. Some routes share a
//! bucket; Discord names it by an opaque hash without the resource.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    extract::{ConnectInfo, FromRef, FromRequestParts, MatchedPath, RawPathParams, Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::Response,
};

use super::{
    caller::{Caller, authorization, identify},
    too_many::{Refused, VIA, edge, put, refuse, seconds},
};
use crate::{
    clock,
    grants::Grants,
    limits::{Bucket, Limiter, RateLimitScope, Verdict, key},
    snowflake::Snowflake,
    state::{AppState, Discord, Shared},
};

/// Paths whose methods share a bucket: what gives takes, for Discord, from the same.
const SHARED: [&str; 2] = [
    "/guilds/{guild_id}/members/{user_id}/roles/{role_id}",
    "/channels/{channel_id}/permissions/{overwrite_id}",
];

/// The route of which a guild takes few requests in days.
const MAKING_ROLES: &str = "POST /api/v10/guilds/{guild_id}/roles";

/// The route of first answers to interactions, which has no bucket: hikari complains of one.
const ANSWERING: &str = "/api/v10/interactions/{interaction_id}/{token}/callback";

/// Who calls and how often: what the limit takes of the state.
#[derive(Clone)]
pub(crate) struct LimitState {
    discord: Arc<Discord>,
    grants: Shared<Grants>,
    limiter: Shared<Limiter>,
}

impl FromRef<AppState> for LimitState {
    fn from_ref(state: &AppState) -> Self {
        Self {
            discord: state.discord.clone(),
            grants: state.grants.clone(),
            limiter: state.limiter.clone(),
        }
    }
}

/// Whether a route has a bucket, or only the global limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    Bucket,
    GlobalAlone,
}

/// Middleware of every REST route.
pub(super) async fn enforce(
    State(state): State<LimitState>,
    request: Request,
    next: Next,
) -> Response {
    limited(&state, request, next, Counts::Bucket).await
}

/// Middleware of the token routes, of which Discord documents no bucket.
pub(crate) async fn enforce_global(
    State(state): State<LimitState>,
    request: Request,
    next: Next,
) -> Response {
    limited(&state, request, next, Counts::GlobalAlone).await
}

async fn limited(state: &LimitState, request: Request, next: Next, counts: Counts) -> Response {
    let now = clock::now();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = peer.map_or_else(String::new, |peer| peer.0.ip().to_string());
    let banned = state.limiter.lock().banned_for(&address, now);
    if let Some(wait) = banned {
        return edge(wait);
    }
    let (mut parts, body) = request.into_parts();
    let params = RawPathParams::from_request_parts(&mut parts, &()).await;
    let route = parts
        .extensions
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str);
    let name = bucket_name(parts.method.as_str(), route);
    let by_token = is_by_token(route);
    let counts = if route == ANSWERING {
        Counts::GlobalAlone
    } else {
        counts
    };
    let major = params.ok().and_then(|params| resource(route, &params));
    let who = match identify(&parts.headers, &state.discord, &state.grants) {
        Some(Caller::Bot) => "the bot".to_owned(),
        Some(Caller::User(_)) => {
            let token = authorization(&parts.headers);
            token.map_or_else(String::new, |(_, token)| token.to_owned())
        }
        // A token in the path proves what one in the header does, and has its own limits.
        None => major
            .clone()
            .filter(|_| by_token)
            .unwrap_or_else(|| address.clone()),
    };
    let bucket = format!("{name} {}", major.unwrap_or_default());
    let bucket = (counts == Counts::Bucket).then(|| match name.as_str() {
        MAKING_ROLES => Bucket::Roles(&bucket),
        _ => Bucket::Usual(&bucket),
    });
    let verdict = state.limiter.lock().count(&who, bucket, now);
    let mut response = match verdict.refused {
        None => next.run(Request::from_parts(parts, body)).await,
        Some(scope) => refuse(scope, verdict.reset_after),
    };
    let by_fault = response.extensions().get::<Refused>().copied();
    let told = match by_fault {
        Some(Refused { scope, wait }) => match scope {
            RateLimitScope::Global => None,
            RateLimitScope::User => Some(Verdict {
                remaining: 0,
                reset_after: wait,
                ..verdict
            }),
            // It is not this bucket that is empty, and only `Retry-After` says until when.
            RateLimitScope::Shared => Some(verdict),
        },
        // Neither the edge nor an answer that was lost says anything of buckets.
        None => (response.status() != StatusCode::TOO_MANY_REQUESTS).then_some(verdict),
    };
    if let Some(verdict) = told.filter(|_| counts == Counts::Bucket) {
        describe(response.headers_mut(), verdict, &name);
    }
    if is_invalid(&response) {
        state.limiter.lock().count_invalid(&address, now);
    }
    response
}

/// Whether a path carries a token, which the limits of the bot do not count.
fn is_by_token(route: &str) -> bool {
    let below = route.strip_prefix("/api/v10/").unwrap_or(route);
    ["webhooks/", "interactions/"]
        .iter()
        .any(|kind| below.starts_with(kind))
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

/// The top-level resource of a request, as the id it means however that is written:
/// the buckets of two of them are two. What is no id has one bucket together.
fn resource(route: &str, params: &RawPathParams) -> Option<String> {
    let below = route.strip_prefix("/api/v10/").unwrap_or(route);
    let kind = below.split('/').next()?;
    let mut given = params.iter();
    let (_, id) = given.next()?;
    if matches!(kind, "webhooks" | "interactions") {
        let token = given.next().map_or("", |(_, token)| token);
        return Some(format!("{kind}/{id}/{token}"));
    }
    if !matches!(kind, "channels" | "guilds") {
        return None;
    }
    let id = id.parse::<Snowflake>().ok()?;
    Some(format!("{kind}/{id}"))
}
