//! `GET /admin/explain?user=&channel=`: why somebody is shown a room, or is not.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use guildhall_model::{ChannelId, UserId};
use guildhall_web::{NotExplained, WebAdmin};
use serde::Deserialize;

use super::{AdminError, answer, error};

/// ExplainQuery whom and what.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainQuery {
    user: UserId,
    channel: ChannelId,
}

pub(super) async fn explain(
    State(admin): State<WebAdmin>,
    about: Result<Query<ExplainQuery>, QueryRejection>,
) -> Result<Response, AdminError> {
    let Ok(Query(ExplainQuery { user, channel })) = about else {
        return Err(NO_QUERY);
    };
    let explained = admin.explain(user, channel).await;
    let explained = explained.map_err(|why| match why {
        NotExplained::NoWorld => NO_WORLD,
        NotExplained::NoSuchRoom => NO_ROOM,
    })?;
    Ok(answer(StatusCode::OK, &explained).into_response())
}

const NO_QUERY: AdminError = error(
    StatusCode::BAD_REQUEST,
    "invalid",
    "Say ?user=ID&channel=ID, with Discord's ids of a user and of a voice channel, and nothing else.",
);
const NO_ROOM: AdminError = error(
    StatusCode::NOT_FOUND,
    "not_found",
    "No bridged guild has such a voice channel.",
);
pub(super) const NO_WORLD: AdminError = AdminError {
    retry_after: Some(1),
    ..error(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "This instance has not heard from its gateway yet. Try again.",
    )
};
