//! `/api/me`, `/auth/refresh` and `/auth/logout`: who is signed in, going on with it, ending it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use guildhall_model::{GuildId, UnixMs};
use guildhall_ports::Unavailable;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    Auth,
    csrf::check_write,
    response::private,
    session::{EndReason, Profile, Session},
};
use crate::http::{ApiError, BODY_BYTES, Json, read_body};

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
    let session = auth.sessions.identify(&headers)?;
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
    let session = auth.sessions.identify(&headers)?;
    let body = Refreshed {
        expires_at: auth.sessions.expiry(&session),
    };
    let cookie = [(header::SET_COOKIE, auth.sessions.slide(&session))];
    Ok((private(), cookie, Json(body)).into_response())
}

/// Body of `POST /auth/logout`, which may be left out.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct SignOut {
    /// Every session of the person ends, in all browsers.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(required = false))]
    everywhere: bool,
}

/// `POST /auth/logout`: ends the session, or all of its person's, with its streams, and takes the
/// cookie away. Without a session it is done already. In this instance it has ended whatever is
/// answered; while no gateway keeps it, so that it is over everywhere and for good, that is 503, and
/// the browser keeps its cookie to try again by.
pub(super) async fn logout(
    State(auth): State<Arc<Auth>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    check_write(&headers, &auth.config)?;
    let SignOut { everywhere } = read_sign_out(body).await?;
    let mut kept = Ok(());
    for session in auth.sessions.unexpired(&headers) {
        let done = if everywhere {
            sign_out_everywhere(&auth, &session).await
        } else {
            let sessions = &auth.sessions;
            sessions
                .revoke_session(&session, EndReason::SignedOut)
                .await
        };
        tracing::info!(viewer.id = %session.user.id, everywhere, "[Auth] Signed out");
        kept = kept.and(done);
    }
    kept.map_err(|reason| not_ended(&auth, &reason))?;
    let cookie = [(header::SET_COOKIE, auth.sessions.clear())];
    Ok((StatusCode::NO_CONTENT, private(), cookie).into_response())
}

/// By a session that may be over for all that is known here, that session alone ends.
async fn sign_out_everywhere(auth: &Auth, session: &Session) -> Result<(), Unavailable> {
    let sessions = &auth.sessions;
    if !sessions.are_revocations_known() {
        let ended = sessions.revoke_session(session, EndReason::SignedOut).await;
        return ended.and(Err(Unavailable("no gateway has told yet".to_owned())));
    }
    let all = sessions.everywhere(session);
    sessions.revoke(all, EndReason::SignedOutEverywhere).await
}

/// Nothing at all is an empty object.
async fn read_sign_out(body: Body) -> Result<SignOut, ApiError> {
    let body = read_body(body, BODY_BYTES).await?;
    let text = body.trim_ascii();
    if text.is_empty() {
        return Ok(SignOut::default());
    }
    // Of a list the first item would be taken for the first field.
    if !text.starts_with(b"{") {
        return Err(ApiError::invalid("The body must be a JSON object."));
    }
    let read = serde_json::from_slice(text);
    read.map_err(|error| ApiError::refused(format!("The body can't be read: {error}.")))
}

fn not_ended(auth: &Auth, reason: &Unavailable) -> ApiError {
    let mut failed = auth.failed.lock();
    let notice = failed.entry("not_kept").or_default();
    if let Some(times) = notice.happened(Instant::now()) {
        tracing::warn!(%reason, times, "[Auth] Somebody signed out, and no gateway keeps it yet");
    }
    ApiError::unavailable(
        "You are signed out here, but this could not be told to the other servers yet: try again.",
    )
}
