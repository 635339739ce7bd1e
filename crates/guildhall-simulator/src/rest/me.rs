//! The caller's own user and guilds.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use super::{
    ApiError, ApiResult, application,
    caller::{Bot, Caller, Person},
    form::Form,
    guilds::online,
    params::{Ids, Query},
};
use crate::{
    clock,
    snowflake::{Snowflake, iso},
    state::Discord,
    webhook::Webhook,
    world::{Departure, Edit, UserEdit, UserObject, World, current_user},
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

/// `PATCH` of the same: the bot's name and picture. The picture is not kept.
pub(super) async fn edit(bot: Bot, mut form: Form) -> ApiResult {
    let username = form.text("username", 2..=32);
    let lower = username.as_deref().unwrap_or_default().to_lowercase();
    if lower.contains("discord") {
        let message = "Username cannot contain \"discord\"";
        form.wrong(&["username"], "USERNAME_INVALID_CONTAINS", message);
    }
    if matches!(lower.as_str(), "everyone" | "here") {
        let message = format!("Username cannot be \"{lower}\"");
        form.wrong(&["username"], "USERNAME_INVALID", message);
    }
    let avatar = form.picture("avatar");
    form.picture("banner");
    form.done()?;
    bot.act(|call| {
        let edit = UserEdit {
            username,
            global_name: Edit::Keep,
            avatar: match avatar {
                Edit::Keep => Edit::Keep,
                Edit::Clear => Edit::Clear,
                Edit::Set(()) => Edit::Set(call.world.rng().hex()),
            },
        };
        let bot = call.bot;
        call.change(|world| world.edit_user(bot, edit))?;
        let user = call.world.users.get(bot).ok_or(ApiError::UNKNOWN_USER)?;
        Ok(Json(current_user(call.world, user)))
    })
}

/// `GET /users/@me/guilds`, page by page; a user needs scope `guilds`.
pub(super) async fn guilds(
    State(discord): State<Arc<Discord>>,
    caller: Caller,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let limit = query.number("limit", 1..=200, 200)?;
    let (before, after) = (query.id("before")?, query.id("after")?);
    let with_counts = query.flag("with_counts");
    discord.with(|core| {
        let world = &core.world;
        let id = id(world, &caller, "guilds")?;
        let mut page: Vec<_> = world
            .guilds
            .iter()
            .filter(|guild| guild.members.contains(id))
            .filter(|guild| before.is_none_or(|before| guild.id < before))
            .filter(|guild| after.is_none_or(|after| guild.id > after))
            .collect();
        if before.is_some() || after.is_some() || page.len() > limit {
            page.sort_by_key(|guild| guild.id);
        }
        if before.is_some() {
            page.drain(..page.len().saturating_sub(limit));
        }
        page.truncate(limit);
        let guilds: Vec<_> = page
            .into_iter()
            .map(|guild| {
                let mut object = json!({
                    "id": guild.id,
                    "name": guild.name,
                    "icon": guild.icon,
                    "banner": null,
                    "owner": guild.owner_id == id,
                    "permissions": guild.base_permissions(id),
                    "features": [],
                });
                if with_counts {
                    object["approximate_member_count"] = json!(guild.members.len());
                    object["approximate_presence_count"] = json!(online(world, guild));
                }
                object
            })
            .collect();
        Ok(Json(json!(guilds)))
    })
}

/// `DELETE /users/@me/guilds/{guild_id}`: the bot leaves; its owner cannot.
pub(super) async fn leave(bot: Bot, Ids([guild_id]): Ids<1>) -> Result<StatusCode, ApiError> {
    bot.act(|call| {
        let guild = call.world.bot_guild(guild_id);
        let guild = guild.ok_or(ApiError::UNKNOWN_GUILD)?;
        if guild.owner_id == call.bot {
            return Err(ApiError::INVALID_GUILD);
        }
        let own = call.bot;
        call.change(|world| world.remove_member(guild_id, own, Departure::Left))?;
        Ok(StatusCode::NO_CONTENT)
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

/// `GET /oauth2/@me`: what a bearer token is good for.
pub(super) async fn authorization(
    State(discord): State<Arc<Discord>>,
    State(webhook): State<Arc<Webhook>>,
    Person(access): Person,
) -> Json<Value> {
    discord.with(|core| {
        let world = &core.world;
        let mut answer = json!({
            "application": application::object(world, &webhook),
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

fn id(world: &World, caller: &Caller, scope: &str) -> Result<Snowflake, ApiError> {
    match caller {
        Caller::Bot => Ok(world.bot_id()),
        Caller::User(access) if access.has_scope(scope) => Ok(access.user_id),
        Caller::User(_) => Err(ApiError::MISSING_SCOPE),
    }
}
