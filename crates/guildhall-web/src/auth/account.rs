//! `/api/me`, `/auth/refresh` and `/auth/logout`: who is signed in, going on with it, ending it.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use guildhall_model::{GuildId, UnixMs};
use guildhall_ports::Unavailable;
use serde::Serialize;
use tokio::time::Instant;

use super::{Auth, csrf::check_write, response::private, session::Profile};
use crate::http::{ApiError, Json};

/// Body of `GET /api/me`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct Me {
    user: Profile,
    /// Those that the bot is in now.
    guilds: Vec<GuildId>,
    /// When the session ends unless it slides.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    expires_at: UnixMs,
}

/// `GET /api/me`.
pub(super) async fn me(
    State(auth): State<Arc<Auth>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let session = auth.sessions.read(&headers);
    let session = session.ok_or_else(ApiError::unauthorized)?;
    let me = Me {
        expires_at: session.expires_at.min(session.ends_at),
        user: session.user,
        guilds: auth.world.shared(session.guilds),
    };
    Ok((private(), Json(me)).into_response())
}

/// Body of `POST /auth/refresh`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct Refreshed {
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    expires_at: UnixMs,
}

/// `POST /auth/refresh`: the idle time counts from now.
pub(super) async fn refresh(
    State(auth): State<Arc<Auth>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    check_write(&headers, &auth.config)?;
    let session = auth.sessions.read(&headers);
    let session = session.ok_or_else(ApiError::unauthorized)?;
    let body = Refreshed {
        expires_at: auth.sessions.expiry(&session),
    };
    let cookie = [(header::SET_COOKIE, auth.sessions.slide(&session))];
    Ok((private(), cookie, Json(body)).into_response())
}

/// `POST /auth/logout`: takes the cookie away, ends the session's streams on this instance and
/// refuses its cookie until it would have expired. Without a session it is done already; while that
/// can't be remembered it is 503, and the browser keeps its cookie.
pub(super) async fn logout(
    State(auth): State<Arc<Auth>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    check_write(&headers, &auth.config)?;
    for session in auth.sessions.all(&headers) {
        let revoked = auth.sessions.revoke(&session).await;
        revoked.map_err(|error| not_ended(&auth, &error))?;
        tracing::info!(viewer.id = %session.user.id, "[Auth] Signed out");
    }
    let cookie = [(header::SET_COOKIE, auth.sessions.clear())];
    Ok((StatusCode::NO_CONTENT, private(), cookie).into_response())
}

fn not_ended(auth: &Auth, reason: &Unavailable) -> ApiError {
    let mut failed = auth.failed.lock();
    let notice = failed.entry("store_unavailable").or_default();
    if let Some(times) = notice.happened(Instant::now()) {
        tracing::warn!(%reason, times, "[Auth] Sign-out failed");
    }
    ApiError::unavailable("The session could not be ended: try again.")
}
