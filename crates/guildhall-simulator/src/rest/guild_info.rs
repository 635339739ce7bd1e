//! What is told of a guild besides itself: preview and widget.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{ApiError, ApiResult, caller::Bot, form::Form, guilds::online, params::Ids};
use crate::{
    state::Discord,
    world::{Edit, Guild, GuildEdit, Permissions, World},
};

/// `GET /guilds/{guild_id}/preview`
pub(super) async fn preview(bot: Bot, Ids([guild_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        Ok(Json(json!({
            "id": guild.id,
            "name": guild.name,
            "icon": guild.icon,
            "splash": null,
            "discovery_splash": null,
            "emojis": [],
            "features": [],
            "approximate_member_count": guild.members.len(),
            "approximate_presence_count": online(call.world, guild),
            "description": guild.settings.get("description"),
            "stickers": [],
        })))
    })
}

/// `GET /guilds/{guild_id}/widget`: its settings.
pub(super) async fn widget_settings(bot: Bot, Ids([guild_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::MANAGE_GUILD)?;
        Ok(Json(settings_object(guild)))
    })
}

/// `PATCH` of the same
pub(super) async fn edit_widget(bot: Bot, Ids([guild_id]): Ids<1>, mut form: Form) -> ApiResult {
    let enabled = form.flag("enabled");
    let channel_id = form.id("channel_id");
    form.done()?;
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::MANAGE_GUILD)?;
        let mut edit = GuildEdit::default();
        if let Some(enabled) = enabled {
            edit.settings.insert("widget_enabled", json!(enabled));
        }
        match channel_id {
            Edit::Keep => {}
            Edit::Clear => {
                edit.settings.insert("widget_channel_id", Value::Null);
            }
            Edit::Set(id) if guild.channels.contains(id) => {
                edit.settings.insert("widget_channel_id", json!(id));
            }
            Edit::Set(_) => return Err(ApiError::UNKNOWN_CHANNEL),
        }
        call.change(|world| world.edit_guild(guild_id, edit))?;
        Ok(Json(settings_object(call.guild(guild_id)?)))
    })
}

/// `GET /guilds/{guild_id}/widget.json`: for everybody, once it is enabled.
pub(super) async fn widget(
    State(discord): State<Arc<Discord>>,
    Ids([guild_id]): Ids<1>,
) -> ApiResult {
    discord.with(|core| {
        let guild = core.world.guilds.get(guild_id);
        let guild = guild.ok_or(ApiError::UNKNOWN_GUILD)?;
        if settings_object(guild)["enabled"] == true {
            Ok(Json(widget_object(&core.world, guild)))
        } else {
            Err(ApiError::WIDGET_DISABLED)
        }
    })
}

fn settings_object(guild: &Guild) -> Value {
    json!({
        "enabled": guild.settings.get("widget_enabled").is_some_and(|on| *on == true),
        "channel_id": guild.settings.get("widget_channel_id"),
    })
}

fn widget_object(world: &World, guild: &Guild) -> Value {
    let everybody = |channel: &&crate::world::Channel| {
        let hidden = channel
            .overwrites
            .iter()
            .any(|one| one.id == guild.id && one.deny.has(Permissions::VIEW_CHANNEL));
        channel.kind.is_voice() && !hidden
    };
    let channels = guild.channels.iter().filter(everybody).map(
        |channel| json!({"id": channel.id, "name": channel.name, "position": channel.position}),
    );
    let members = guild
        .members
        .iter()
        .filter_map(|member| world.users.get(member.user_id))
        .filter(|user| !user.presence.is_offline())
        .take(100)
        .enumerate()
        .map(|(place, user)| {
            json!({
                "id": place.to_string(),
                "username": user.global_name.as_ref().unwrap_or(&user.username),
                "discriminator": "0000",
                "avatar": null,
                "status": user.presence.status,
                "avatar_url": "https://cdn.discord.invalid/embed/avatars/0.png",
            })
        });
    json!({
        "id": guild.id,
        "name": guild.name,
        "instant_invite": null,
        "channels": channels.collect::<Vec<_>>(),
        "members": members.collect::<Vec<_>>(),
        "presence_count": online(world, guild),
    })
}
