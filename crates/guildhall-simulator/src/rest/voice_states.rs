//! Voice states, one at a time: no REST call lists who is in a channel.

use axum::{Json, http::StatusCode};
use serde_json::json;

use super::{
    ApiError, ApiResult,
    caller::Bot,
    form::Form,
    params::{Texts, id_in},
};
use crate::{
    snowflake::Snowflake,
    world::{ChannelKind, Edit, Permissions, VoiceStateObject},
};

/// `GET /guilds/{guild_id}/voice-states/{user_id}` (`@me` too), 10065 for who is
/// in no voice channel, 50001 where the bot could not connect.
pub(super) async fn read(bot: Bot, Texts(path): Texts<2>) -> ApiResult {
    let (guild_id, chosen) = ids(&path)?;
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        let user_id = chosen.unwrap_or(call.bot);
        let unknown = ApiError::UNKNOWN_VOICE_STATE;
        let state = guild.voice_states.get(user_id).ok_or(unknown.clone())?;
        let member = guild.members.get(user_id).ok_or(unknown.clone())?;
        let user = call.world.users.get(user_id).ok_or(unknown.clone())?;
        let channel = guild.channels.get(state.channel_id).ok_or(unknown)?;
        let wanted = Permissions::VIEW_CHANNEL.union(Permissions::CONNECT);
        if !guild.rights_in(call.bot, channel, call.now).has(wanted) {
            return Err(ApiError::MISSING_ACCESS);
        }
        Ok(Json(json!(VoiceStateObject::of_event(
            guild.id, state, member, user
        ))))
    })
}

/// `PATCH` of the same: who speaks on a stage.
pub(super) async fn edit(
    bot: Bot,
    Texts(path): Texts<2>,
    mut form: Form,
) -> Result<StatusCode, ApiError> {
    let (guild_id, chosen) = ids(&path)?;
    let channel_id = form.id("channel_id");
    let suppress = form.flag("suppress");
    let request = form.text_or_null("request_to_speak_timestamp", 0..=64);
    form.done()?;
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        let user_id = chosen.unwrap_or(call.bot);
        let state = guild.voice_states.get(user_id);
        let state = state.ok_or(ApiError::UNKNOWN_VOICE_STATE)?;
        let named = match channel_id {
            Edit::Set(named) => named,
            Edit::Keep | Edit::Clear => state.channel_id,
        };
        let channel = guild.channels.get(named);
        let channel = channel.ok_or(ApiError::UNKNOWN_CHANNEL)?;
        if channel.kind != ChannelKind::Stage || named != state.channel_id {
            return Err(ApiError::WRONG_CHANNEL_TYPE);
        }
        // Everybody may leave the stage; who speaks is the moderators' choice.
        if chosen.is_some() || suppress == Some(false) {
            call.needs_in(guild, channel, Permissions::MUTE_MEMBERS)?;
        }
        if matches!(request, Edit::Set(_)) {
            call.needs_in(guild, channel, Permissions::REQUEST_TO_SPEAK)?;
        }
        call.change(|world| world.set_stage(guild_id, user_id, suppress, request))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// The guild, and the user unless it is the bot itself.
fn ids([guild_id, user_id]: &[String; 2]) -> Result<(Snowflake, Option<Snowflake>), ApiError> {
    let guild_id = id_in("guild_id", guild_id)?;
    match user_id.as_str() {
        "@me" => Ok((guild_id, None)),
        other => Ok((guild_id, Some(id_in("user_id", other)?))),
    }
}
