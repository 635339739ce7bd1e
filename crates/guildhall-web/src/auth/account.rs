//! `/api/me`, `/auth/refresh` and `/auth/logout`: who is signed in, going on with it, ending it.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::future::join_all;
use guildhall_model::{GuildId, UnixMs, UserId};
use guildhall_ports::{
    Unavailable,
    rate_limiter::{Limited, RateBucket},
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    Auth,
    csrf::check_write,
    response::private,
    session::{EndReason, Profile, Session},
};
use crate::http::{ApiError, BODY_BYTES, Json, read_body};

/// What is over may be ended again by its person so often: once a second, thirty times at once. One
/// that is not over is ended whatever there was before.
const TOLD_AGAIN_SHARE: Duration = Duration::from_secs(1);

/// See [`TOLD_AGAIN_SHARE`].
const TOLD_AGAIN_ROOM: Duration = Duration::from_secs(30);

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
    /// Where Discord's own client has its rooms, below `/channels/GUILD/CHANNEL`.
    discord_url: String,
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
        discord_url: auth
            .config
            .discord_public_url
            .origin()
            .ascii_serialization(),
    };
    Ok((private(), Json(me)).into_response())
}

/// Body of `POST /auth/refresh`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct Refreshed {
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub(super) expires_at: UnixMs,
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
    let sessions: Vec<_> = auth.sessions.unexpired(&headers).collect();
    let ending = sessions
        .iter()
        .map(|session| sign_out(&auth, session, everywhere));
    let kept: Result<Vec<()>, _> = join_all(ending).await.into_iter().collect();
    kept?;
    let cookie = [(header::SET_COOKIE, auth.sessions.clear())];
    Ok((StatusCode::NO_CONTENT, private(), cookie).into_response())
}

async fn sign_out(auth: &Auth, session: &Session, everywhere: bool) -> Result<(), ApiError> {
    if auth.sessions.is_over(session) {
        // It is told again, in case that no gateway was there; somebody else's old cookie is no use
        // for more than that.
        let bucket = [told_again(session.user.id)];
        let now = Instant::now().into_std();
        let within = auth.limiter.reserve(&bucket, now).await;
        within.map_err(|Limited { wait, .. }| TOO_OFTEN.retry_in(wait))?;
        auth.limiter.charge(&bucket, now);
        auth.limiter.release(&bucket);
    } else {
        tracing::info!(viewer.id = %session.user.id, everywhere, "[Auth] Signed out");
    }
    let ended = if everywhere {
        sign_out_everywhere(auth, session).await
    } else {
        let sessions = &auth.sessions;
        sessions.revoke_session(session, EndReason::SignedOut).await
    };
    ended.map_err(|reason| not_ended(auth, &reason))
}

/// By a session that may be over for all that is known here, that session alone ends.
async fn sign_out_everywhere(auth: &Auth, session: &Session) -> Result<(), Unavailable> {
    let sessions = &auth.sessions;
    if !sessions.are_revocations_known() {
        let ended = sessions.revoke_session(session, EndReason::SignedOut).await;
        return ended.and(Err(Unavailable("no gateway has told yet".to_owned())));
    }
    sessions.revoke_everywhere(session).await
}

fn told_again(user_id: UserId) -> RateBucket {
    RateBucket {
        key: format!("signed_out:{user_id}"),
        share: TOLD_AGAIN_SHARE,
        room: TOLD_AGAIN_ROOM,
    }
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

const TOO_OFTEN: ApiError = ApiError::too_many("You are signed out, and said so too often.");
