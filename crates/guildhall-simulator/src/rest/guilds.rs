//! Guilds as the bot sees them.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};

use super::{ApiError, caller::Bot, error::Thing};
use crate::{
    discord::Discord,
    snowflake::Snowflake,
    world::{
        Guild, MemberObject, Permissions, VoiceStateObject, World, guild_object, role_object,
        visible_channels,
    },
};

type Answer = Result<Json<Value>, ApiError>;

/// `GET /guilds/{guild_id}`
pub(super) async fn guild(
    State(discord): State<Arc<Discord>>,
    _: Bot,
    Path(guild_id): Path<String>,
) -> Answer {
    in_guild(&discord, &guild_id, |_, guild| Ok(guild_object(guild)))
}

/// `GET /guilds/{guild_id}/channels`: those the bot may see.
pub(super) async fn channels(
    State(discord): State<Arc<Discord>>,
    _: Bot,
    Path(guild_id): Path<String>,
) -> Answer {
    in_guild(&discord, &guild_id, |world, guild| {
        Ok(json!(visible_channels(guild, world.bot_id())))
    })
}

/// `GET /guilds/{guild_id}/roles`
pub(super) async fn roles(
    State(discord): State<Arc<Discord>>,
    _: Bot,
    Path(guild_id): Path<String>,
) -> Answer {
    in_guild(&discord, &guild_id, |_, guild| {
        Ok(json!(
            guild.roles.iter().map(role_object).collect::<Vec<_>>()
        ))
    })
}

/// `GET /guilds/{guild_id}/members/{user_id}`, 10007 for who is no member.
pub(super) async fn member(
    State(discord): State<Arc<Discord>>,
    _: Bot,
    Path((guild_id, user_id)): Path<(String, String)>,
) -> Answer {
    let user_id = read_id("user_id", &user_id)?;
    in_guild(&discord, &guild_id, |world, guild| {
        let unknown = ApiError::Unknown(Thing::Member);
        let member = guild.members.get(user_id).ok_or(unknown.clone())?;
        let user = world.users.get(user_id).ok_or(unknown)?;
        Ok(json!(MemberObject::new(member, user)))
    })
}

/// `GET /guilds/{guild_id}/voice-states/{user_id}` (`@me` too), 10065 for who is
/// in no voice channel, 50001 where the bot could not connect.
pub(super) async fn voice_state(
    State(discord): State<Arc<Discord>>,
    _: Bot,
    Path((guild_id, user_id)): Path<(String, String)>,
) -> Answer {
    let chosen = if user_id == "@me" {
        None
    } else {
        Some(read_id("user_id", &user_id)?)
    };
    in_guild(&discord, &guild_id, |world, guild| {
        let bot = world.bot_id();
        let user_id = chosen.unwrap_or(bot);
        let unknown = ApiError::Unknown(Thing::VoiceState);
        let state = guild.voice_states.get(user_id).ok_or(unknown.clone())?;
        let member = guild.members.get(user_id).ok_or(unknown.clone())?;
        let user = world.users.get(user_id).ok_or(unknown.clone())?;
        let channel = guild.channels.get(state.channel_id).ok_or(unknown)?;
        let wanted = Permissions::VIEW_CHANNEL.and(Permissions::CONNECT);
        if !guild.permissions_in(bot, channel).has(wanted) {
            return Err(ApiError::MissingAccess);
        }
        Ok(json!(VoiceStateObject::told(guild.id, state, member, user)))
    })
}

fn in_guild(
    discord: &Discord,
    guild_id: &str,
    answer: impl FnOnce(&World, &Guild) -> Result<Value, ApiError>,
) -> Answer {
    let guild_id = read_id("guild_id", guild_id)?;
    discord.with(|core| {
        let guild = core
            .world
            .bot_guild(guild_id)
            .ok_or(ApiError::Unknown(Thing::Guild))?;
        answer(&core.world, guild).map(Json)
    })
}

fn read_id(field: &str, text: &str) -> Result<Snowflake, ApiError> {
    text.parse().map_err(|_| ApiError::Form {
        field: field.to_owned(),
        message: format!("Value \"{text}\" is not snowflake."),
    })
}
