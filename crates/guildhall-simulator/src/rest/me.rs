//! The caller's own user, guilds and application.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    ApiError, ApiResult,
    caller::{Bot, Caller, Person},
    form::Form,
    guilds::online,
    params::{Ids, Query},
};
use crate::{
    clock,
    snowflake::{Snowflake, iso},
    state::Discord,
    world::{Edit, UserEdit, UserObject, World, current_user},
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
    let avatar = form.text_or_null("avatar", 0..=10_000_000);
    form.text_or_null("banner", 0..=10_000_000);
    form.done()?;
    bot.act(|call| {
        let edit = UserEdit {
            username,
            global_name: Edit::Keep,
            avatar: match avatar {
                Edit::Keep => Edit::Keep,
                Edit::Clear => Edit::Clear,
                Edit::Set(_) => Edit::Set(call.world.rng().hex()),
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
        "approximate_guild_count": world.bot_guilds().count(),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "redirect_uris": [],
        "interactions_endpoint_url": null,
        "role_connections_verification_url": null,
        "event_webhooks_status": 1,
        "integration_types_config": {"0": {}},
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
