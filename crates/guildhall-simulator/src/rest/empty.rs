//! Lists of what is never there. Whoever may read them gets them empty.

use axum::{
    Json, Router,
    routing::{MethodRouter, get},
};
use serde_json::{Value, json};

use super::{ApiError, ApiResult, caller::Bot, params::Ids};
use crate::{snowflake::Snowflake, state::AppState, world::Permissions};

/// The routes, each with the right that it asks for.
pub(super) fn routes() -> Router<AppState> {
    let list = |right: Permissions| of_guild(right, json!([]));
    Router::new()
        .route("/guilds/{guild_id}/emojis", list(Permissions::NONE))
        .route("/guilds/{guild_id}/stickers", list(Permissions::NONE))
        .route(
            "/guilds/{guild_id}/scheduled-events",
            list(Permissions::NONE),
        )
        .route(
            "/guilds/{guild_id}/auto-moderation/rules",
            list(Permissions::MANAGE_GUILD),
        )
        .route(
            "/guilds/{guild_id}/integrations",
            list(Permissions::MANAGE_GUILD),
        )
        .route(
            "/guilds/{guild_id}/templates",
            list(Permissions::MANAGE_GUILD),
        )
        .route(
            "/guilds/{guild_id}/soundboard-sounds",
            of_guild(Permissions::NONE, json!({"items": []})),
        )
        .route(
            "/applications/{application_id}/emojis",
            of_application(json!({"items": []})),
        )
        .route(
            "/applications/{application_id}/entitlements",
            of_application(json!([])),
        )
        .route(
            "/applications/{application_id}/skus",
            of_application(json!([])),
        )
}

fn of_guild(right: Permissions, nothing: Value) -> MethodRouter<AppState> {
    get(
        async move |bot: Bot, Ids([guild_id]): Ids<1>| -> ApiResult {
            bot.act(|call| {
                call.needs(call.guild(guild_id)?, right)?;
                Ok(Json(nothing))
            })
        },
    )
}

fn of_application(nothing: Value) -> MethodRouter<AppState> {
    get(async move |bot: Bot, Ids([id]): Ids<1>| -> ApiResult {
        bot.act(|call| {
            own_application(id, call.bot)?;
            Ok(Json(nothing))
        })
    })
}

/// A bot sees no other application than its own.
pub(super) fn own_application(id: Snowflake, own: Snowflake) -> Result<(), ApiError> {
    if id == own {
        Ok(())
    } else {
        Err(ApiError::NOT_THE_APPLICATION)
    }
}
