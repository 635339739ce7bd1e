//! `POST /admin/overlay-links` and `/admin/overlay-links/revoke`: links for stream software, made for somebody and ended.

use std::time::Duration;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use guildhall_model::{ChannelId, UserId};
use guildhall_web::{NoOverlayLink, NotRevoked, WebAdmin};
use serde::Deserialize;

use super::{AdminError, NOT_KEPT, answer, error, id_of_text, read};

/// Body of `POST /admin/overlay-links`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewOverlayLink {
    #[serde(deserialize_with = "id_of_text")]
    user_id: UserId,
    #[serde(deserialize_with = "id_of_text")]
    channel_id: ChannelId,
    expires_in_seconds: Option<u64>,
}

/// Body of `POST /admin/overlay-links/revoke`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OverlayLinkId {
    id: String,
}

/// `POST /admin/overlay-links {userId, channelId, expiresInSeconds?}` → `{id, url, expiresAt}`.
pub(super) async fn create(
    State(admin): State<WebAdmin>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, AdminError> {
    let NewOverlayLink {
        user_id,
        channel_id,
        expires_in_seconds,
    } = read(&headers, body, NO_PLACE).await?;
    if expires_in_seconds == Some(0) {
        return Err(NO_PLACE);
    }
    let good_for = expires_in_seconds.map(Duration::from_secs);
    let made = admin.make_overlay_link(user_id, channel_id, good_for).await;
    let made = made.map_err(|why| match why {
        NoOverlayLink::NotSeen => NOT_SEEN,
        NoOverlayLink::NotKnown => NOT_KNOWN,
    })?;
    Ok(answer(StatusCode::OK, &made))
}

/// `POST /admin/overlay-links/revoke {id}`: on this instance it is done whatever is answered.
pub(super) async fn revoke(
    State(admin): State<WebAdmin>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, AdminError> {
    let OverlayLinkId { id } = read(&headers, body, NO_ID).await?;
    let revoked = admin.revoke_overlay_link(&id).await;
    revoked.map_err(|why| match why {
        NotRevoked::NoSuchLink => NO_SUCH_LINK,
        NotRevoked::NotKept => NOT_KEPT,
    })?;
    Ok(StatusCode::NO_CONTENT)
}

const NO_PLACE: AdminError = error(
    StatusCode::BAD_REQUEST,
    "invalid",
    "The body must be {\"userId\": \"…\", \"channelId\": \"…\"}, with Discord's ids of who makes the link and of \
     a voice channel, perhaps \"expiresInSeconds\" above 0, and nothing else.",
);
const NO_ID: AdminError = error(
    StatusCode::BAD_REQUEST,
    "invalid",
    "The body must be {\"id\": \"…\"}, with the id of an overlay link, or what its address has as `overlay`, and \
     nothing else.",
);
const NOT_SEEN: AdminError = error(
    StatusCode::NOT_FOUND,
    "not_found",
    "There is no such voice channel, or this user does not see it: guildhall explain says why.",
);
const NO_SUCH_LINK: AdminError = error(
    StatusCode::NOT_FOUND,
    "not_found",
    "This is no overlay link of this house, nor the id of one.",
);
const NOT_KNOWN: AdminError = AdminError {
    retry_after: Some(1),
    ..error(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "What this user may see is not known at present. Try again.",
    )
};
