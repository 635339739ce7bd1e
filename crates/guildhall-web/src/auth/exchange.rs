//! `POST /auth/exchange`: the operator's own login says by a signed token who somebody is, and this browser
//! has a session of theirs from then on.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use guildhall_http::ClientAddress;
use guildhall_model::Revocation;
use guildhall_ports::{
    RateLimiter, SessionId, Unavailable,
    rate_limiter::{Limited, RateBucket},
};
use metrics::counter;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::{
    Auth,
    account::Refreshed,
    csrf,
    response::private,
    session::{LoginHeads, Profile},
};
use crate::{
    http::{ApiError, BODY_BYTES, Json, read_body},
    jwt::{JwtIdentity, JwtKey},
};

/// Of one address, which may be the app's own server for everybody: a hundred at once, ten a second.
const ADDRESS_SHARE: Duration = Duration::from_millis(100);

/// See [`ADDRESS_SHARE`].
const ADDRESS_ROOM: Duration = Duration::from_secs(10);

/// Of one user: thirty at once, then one in twenty seconds. So many as are good at one time are fewer
/// than a gateway remembers of one user: it refuses what it has no room for.
const USER_SHARE: Duration = Duration::from_secs(20);

/// See [`USER_SHARE`].
const USER_ROOM: Duration = Duration::from_mins(10);

/// Body of `POST /auth/exchange`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct Exchange {
    /// A JWT: `sub` a Discord user's id, `aud` `guildhall`, `exp` at most ten minutes from now, `jti`.
    token: String,
}

/// `POST /auth/exchange`.
pub(super) async fn exchange(
    State(auth): State<Arc<Auth>>,
    Extension(client): Extension<ClientAddress>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = exchanged(&auth, client, &headers, body).await;
    let result = answer
        .as_ref()
        .map_or_else(|error| error.code, |_| "signed_in");
    counter!("guildhall_exchanges_total", "result" => result).increment(1);
    answer.into_response()
}

async fn exchanged(
    auth: &Auth,
    client: ClientAddress,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let key = auth.config.jwt_key.as_ref().ok_or(NOT_SET_UP)?;
    // A program has no origin, and no cookie is looked at before the token is known to be good.
    if headers.contains_key(header::ORIGIN) {
        csrf::check_origin(headers, &auth.config)?;
    }
    csrf::check_json(headers)?;
    if !client.0.is_loopback() {
        let ip = client.0;
        spend(
            auth,
            format!("exchange:address:{ip}"),
            ADDRESS_SHARE,
            ADDRESS_ROOM,
        )
        .await?;
    }
    let body = read_body(body, BODY_BYTES).await?;
    let identity = read(key, &body, auth)?;
    let user_id = identity.user_id;
    spend(
        auth,
        format!("exchange:user:{user_id}"),
        USER_SHARE,
        USER_ROOM,
    )
    .await?;
    // Before the token is used up.
    let known = auth.sessions.await_revocations().await;
    known.map_err(|_unavailable| STARTING)?;
    let is_first = auth.world.keep_once(used(&identity)).await;
    if !is_first.map_err(|_unanswered| NO_GATEWAY)? {
        return Err(USED);
    }
    sign_in(auth, headers, identity).await
}

fn read(key: &JwtKey, body: &[u8], auth: &Auth) -> Result<JwtIdentity, ApiError> {
    let is_object = body.trim_ascii_start().starts_with(b"{");
    let read = serde_json::from_slice::<Exchange>(body).ok();
    let Some(Exchange { token }) = read.filter(|_| is_object) else {
        return Err(ApiError::invalid(
            "The body must be {\"token\": \"…\"} and nothing else.",
        ));
    };
    let verified = key.verify(&token, auth.clock.now());
    verified.map_err(|why| ApiError {
        message: format!("The token {}.", why.says()).into(),
        ..INVALID_TOKEN
    })
}

/// That a token is used is kept as the end of a session that nobody can have, as long as the token is good.
fn used(identity: &JwtIdentity) -> Revocation {
    let digest = Sha256::digest(identity.token_id.as_bytes());
    Revocation::Session {
        id: SessionId::of_used_token(&BASE64_URL_SAFE_NO_PAD.encode(digest)),
        user_id: identity.user_id,
        ends_at: identity.good_until,
    }
}

async fn sign_in(
    auth: &Auth,
    headers: &HeaderMap,
    identity: JwtIdentity,
) -> Result<Response, ApiError> {
    // Theirs go on: each tab of an app exchanges a token of its own when it starts, and would sign out
    // those that were there.
    let others = auth.sessions.unexpired(headers);
    let others: Vec<_> = others
        .filter(|before| before.user.id != identity.user_id)
        .collect();
    let heads = auth.world.heads(&[]);
    let heads = if others.is_empty() {
        heads.into()
    } else {
        LoginHeads::behind_another(heads, auth.clock.now())
    };
    let replaced = others.iter().map(|session| auth.sessions.replace(session));
    let replaced: Result<Vec<()>, Unavailable> = join_all(replaced).await.into_iter().collect();
    // The browser still has their cookies: with the next token it ends them again.
    replaced.map_err(|_unavailable| NO_GATEWAY)?;
    let (session, cookie) = auth
        .sessions
        .begin(profile(auth, identity), Vec::new(), heads);
    tracing::info!(viewer.id = %session.user.id, "[Auth] Signed in by a token of the operator's login");
    let body = Refreshed {
        expires_at: session.expires_at,
    };
    let cookie = [(header::SET_COOKIE, cookie)];
    Ok((StatusCode::OK, private(), cookie, Json(body)).into_response())
}

/// As the token says, with the picture that Discord gives whoever has none.
fn profile(auth: &Auth, identity: JwtIdentity) -> Profile {
    let user_id = identity.user_id;
    let username = identity.username.unwrap_or_else(|| user_id.to_string());
    let cdn = auth.config.cdn_url.as_str().trim_end_matches('/');
    Profile {
        id: user_id,
        display_name: identity.display_name.unwrap_or_else(|| username.clone()),
        username,
        avatar_url: format!("{cdn}/embed/avatars/{}.png", (user_id.0 >> 22) % 6),
    }
}

async fn spend(auth: &Auth, key: String, share: Duration, room: Duration) -> Result<(), ApiError> {
    let bucket = [RateBucket { key, share, room }];
    let now = Instant::now().into_std();
    let limiter: &dyn RateLimiter = &*auth.limiter;
    let within = limiter.reserve(&bucket, now).await;
    within.map_err(|Limited { wait, .. }| TOO_OFTEN.retry_in(wait))?;
    limiter.charge(&bucket, now);
    limiter.release(&bucket);
    Ok(())
}

const NOT_SET_UP: ApiError = ApiError::new(
    StatusCode::NOT_FOUND,
    "not_set_up",
    "No other login is taken here: the operator has set no key that tells its tokens.",
);
const INVALID_TOKEN: ApiError = ApiError::new(StatusCode::UNAUTHORIZED, "invalid_token", "");
const USED: ApiError = ApiError::new(
    StatusCode::UNAUTHORIZED,
    "invalid_token",
    "The token was used before, or more than 200 of this user's are good still: make one for each sign-in, \
     with a `jti` of its own.",
);
const NO_GATEWAY: ApiError = ApiError::unavailable(
    "No gateway can remember at the moment that the token is used. Try again with a new one.",
);
const STARTING: ApiError = ApiError::unavailable(
    "Nobody can be signed in yet: this server has not found its gateway since it was started. Try again.",
);
const TOO_OFTEN: ApiError = ApiError::too_many("Signing in too often. Try again later.");
