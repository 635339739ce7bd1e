//! Reactions.

use axum::{Json, http::StatusCode};
use serde_json::json;

use super::{
    ApiError, ApiResult,
    call::Call,
    caller::Bot,
    messages::{not_archived, readable},
    params::{Ids, Query, Texts, id_in},
};
use crate::{
    snowflake::Snowflake,
    world::{Channel, Emoji, Guild, Message, Permissions, UserObject},
};

/// Kinds of reactions to one message.
const MOST_KINDS: usize = 20;

/// Channel, message and emoji of a path.
type Three = [String; 3];

/// `PUT /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me`
pub(super) async fn add(bot: Bot, Texts(path): Texts<3>) -> Result<StatusCode, ApiError> {
    let (channel_id, id, emoji) = read(&path)?;
    bot.act(|call| {
        let (guild, channel, message) = found(call, channel_id, id)?;
        call.needs_in(guild, channel, Permissions::READ_MESSAGE_HISTORY)?;
        not_archived(guild, channel)?;
        if !message.reactions.iter().any(|one| one.emoji == emoji) {
            // No guild here has emojis of its own; those that `/sim` lets people bring are theirs.
            if emoji.id.is_some() {
                return Err(ApiError::UNKNOWN_EMOJI);
            }
            call.needs_in(guild, channel, Permissions::ADD_REACTIONS)?;
            if message.reactions.len() >= MOST_KINDS {
                return Err(ApiError::MOST_REACTIONS);
            }
        }
        let own = call.bot;
        call.change(|world| world.react(channel_id, id, own, &emoji, true))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `DELETE …/reactions/{emoji}/@me`
pub(super) async fn remove_own(bot: Bot, Texts(path): Texts<3>) -> Result<StatusCode, ApiError> {
    take_back(&bot, &path, None)
}

/// `DELETE …/reactions/{emoji}/{user_id}`
pub(super) async fn remove(
    bot: Bot,
    Texts([channel_id, message_id, emoji, user]): Texts<4>,
) -> Result<StatusCode, ApiError> {
    let user_id = id_in("user_id", &user)?;
    take_back(&bot, &[channel_id, message_id, emoji], Some(user_id))
}

fn take_back(bot: &Bot, path: &Three, chosen: Option<Snowflake>) -> Result<StatusCode, ApiError> {
    let (channel_id, id, emoji) = read(path)?;
    bot.act(|call| {
        let (guild, channel, _) = found(call, channel_id, id)?;
        let user_id = chosen.unwrap_or(call.bot);
        if user_id != call.bot {
            call.needs_in(guild, channel, Permissions::MANAGE_MESSAGES)?;
        }
        call.change(|world| world.react(channel_id, id, user_id, &emoji, false))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `DELETE …/reactions/{emoji}`
pub(super) async fn remove_kind(bot: Bot, Texts(path): Texts<3>) -> Result<StatusCode, ApiError> {
    let (channel_id, id, emoji) = read(&path)?;
    clear(&bot, channel_id, id, Some(&emoji))
}

/// `DELETE …/reactions`
pub(super) async fn remove_all(
    bot: Bot,
    Ids([channel_id, id]): Ids<2>,
) -> Result<StatusCode, ApiError> {
    clear(&bot, channel_id, id, None)
}

/// `GET …/reactions/{emoji}`: who reacted so.
pub(super) async fn list(bot: Bot, Texts(path): Texts<3>, query: Query) -> ApiResult {
    let (channel_id, id, emoji) = read(&path)?;
    let limit = query.number("limit", 1..=100, 25)?;
    let after = query.id("after")?;
    bot.act(|call| {
        let (guild, channel, message) = found(call, channel_id, id)?;
        call.needs_in(guild, channel, Permissions::READ_MESSAGE_HISTORY)?;
        let reaction = message.reactions.iter().find(|one| one.emoji == emoji);
        let mut ids: Vec<_> = reaction
            .into_iter()
            .flat_map(|reaction| reaction.user_ids.iter().copied())
            .filter(|id| after.is_none_or(|after| *id > after))
            .collect();
        ids.sort_unstable();
        let users = ids
            .into_iter()
            .take(limit)
            .filter_map(|id| call.world.users.get(id))
            .map(|user| json!(UserObject::new(user)));
        Ok(Json(users.collect()))
    })
}

fn clear(
    bot: &Bot,
    channel_id: Snowflake,
    id: Snowflake,
    emoji: Option<&Emoji>,
) -> Result<StatusCode, ApiError> {
    bot.act(|call| {
        let (guild, channel, _) = found(call, channel_id, id)?;
        call.needs_in(guild, channel, Permissions::MANAGE_MESSAGES)?;
        call.change(|world| world.clear_reactions(channel_id, id, emoji))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

fn found<'a>(
    call: &'a Call<'_>,
    channel_id: Snowflake,
    id: Snowflake,
) -> Result<(&'a Guild, &'a Channel, &'a Message), ApiError> {
    let (guild, channel) = readable(call, channel_id)?;
    let message = guild.messages.get(channel_id, id);
    Ok((guild, channel, message.ok_or(ApiError::UNKNOWN_MESSAGE)?))
}

fn read([channel_id, id, emoji]: &Three) -> Result<(Snowflake, Snowflake, Emoji), ApiError> {
    Ok((
        id_in("channel_id", channel_id)?,
        id_in("message_id", id)?,
        Emoji::parse(emoji).ok_or(ApiError::UNKNOWN_EMOJI)?,
    ))
}
