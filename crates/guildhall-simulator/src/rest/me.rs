//! The caller's own user, guilds and application.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    ApiError, ApiResult,
    caller::{Bot, Caller, Person},
    params::Ids,
};
use crate::{
    clock,
    snowflake::{Snowflake, iso},
    state::Discord,
    world::{UserObject, World, current_user},
};

/// `GET /users/@me`; a user needs scope `identify`.
pub(super) async fn user(
    State(discord): State<Arc<Discord>>,
    caller: Caller,
) -> Result<Json<Value>, ApiError> {
    discord.with(|core| {
        let id = id(&core.world, &caller, "identify")?;
        let user = core.world.users.get(id).ok_or(ApiError::UNAUTHORIZED)?;
        Ok(Json(current_user(&core.world, user)))
    })
}

/// `GET /users/@me/guilds`; a user needs scope `guilds`.
pub(super) async fn guilds(
    State(discord): State<Arc<Discord>>,
    caller: Caller,
) -> Result<Json<Value>, ApiError> {
    discord.with(|core| {
        let id = id(&core.world, &caller, "guilds")?;
        let guilds: Vec<_> = core
            .world
            .guilds
            .iter()
            .filter(|guild| guild.members.contains(id))
            .map(|guild| {
                json!({
                    "id": guild.id,
                    "name": guild.name,
                    "icon": guild.icon,
                    "banner": null,
                    "owner": guild.owner_id == id,
                    "permissions": guild.base_permissions(id),
                    "features": [],
                })
            })
            .collect();
        Ok(Json(json!(guilds)))
    })
}

/// `GET /users/{user_id}`
pub(super) async fn other(bot: Bot, Ids([user_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let user = call.world.users.get(user_id);
        let user = user.ok_or(ApiError::UNKNOWN_USER)?;
        Ok(Json(json!(UserObject::new(user))))
    })
}

/// `GET /applications/@me`: with the owner, whom nobody else is shown.
pub(super) async fn application(bot: Bot) -> ApiResult {
    bot.act(|call| {
        let owner = call.world.users.iter().find(|user| !user.bot);
        let mut object = application_object(call.world);
        object["owner"] = json!(owner.map(UserObject::new));
        Ok(Json(object))
    })
}

/// `GET /oauth2/@me`: what a bearer token is good for.
pub(super) async fn authorization(
    State(discord): State<Arc<Discord>>,
    Person(access): Person,
) -> Json<Value> {
    discord.with(|core| {
        let world = &core.world;
        let mut answer = json!({
            "application": application_object(world),
            "scopes": access.scopes(),
            "expires": iso(clock::date() + access.ends_in(clock::now())),
        });
        if let (true, Some(user)) = (
            access.has_scope("identify"),
            world.users.get(access.user_id),
        ) {
            answer["user"] = json!(UserObject::new(user));
        }
        Json(answer)
    })
}

fn application_object(world: &World) -> Value {
    let bot = world.users.get(world.bot_id());
    json!({
        "id": world.application.id,
        "name": bot.map(|bot| bot.username.as_str()),
        "icon": null,
        "description": "The bot of a simulated Discord.",
        "bot_public": true,
        "bot_require_code_grant": false,
        "verify_key": "0".repeat(64),
        "team": null,
        "flags": world.application.privileged_intents.application_flags(),
        "bot": bot.map(|bot| current_user(world, bot)),
    })
}

fn id(world: &World, caller: &Caller, scope: &str) -> Result<Snowflake, ApiError> {
    match caller {
        Caller::Bot => Ok(world.bot_id()),
        Caller::User(access) if access.has_scope(scope) => Ok(access.user_id),
        Caller::User(_) => Err(ApiError::MISSING_SCOPE),
    }
}
