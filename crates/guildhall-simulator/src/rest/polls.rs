//! Polls: who voted, and their end.

use axum::Json;
use serde_json::json;

use super::{
    ApiError, ApiResult,
    caller::Bot,
    messages::{readable, shape},
    params::{Ids, Query, Texts, id_in},
};
use crate::world::{Permissions, UserObject};

/// `GET /channels/{channel_id}/polls/{message_id}/answers/{answer_id}`
pub(super) async fn voters(
    bot: Bot,
    Texts([channel, message, answer]): Texts<3>,
    query: Query,
) -> ApiResult {
    let (channel_id, id) = (
        id_in("channel_id", &channel)?,
        id_in("message_id", &message)?,
    );
    let answer_id = answer.parse().map_err(|_| {
        let message = format!("Value \"{answer}\" is not int.");
        ApiError::field("answer_id", "NUMBER_TYPE_COERCE", message)
    })?;
    let limit = query.number("limit", 1..=100, 25)?;
    let after = query.id("after")?;
    bot.act(|call| {
        let (guild, channel) = readable(call, channel_id)?;
        call.needs_in(guild, channel, Permissions::READ_MESSAGE_HISTORY)?;
        let message = guild.messages.get(channel_id, id);
        let message = message.ok_or(ApiError::UNKNOWN_MESSAGE)?;
        if !message.has_answer(answer_id) {
            return Err(ApiError::UNKNOWN_POLL_ANSWER);
        }
        let mut ids: Vec<_> = message.voters(answer_id).collect();
        ids.sort_unstable();
        ids.retain(|id| after.is_none_or(|after| *id > after));
        let users = ids.into_iter().take(limit);
        let users = users.filter_map(|id| call.world.users.get(id));
        let users: Vec<_> = users.map(UserObject::new).collect();
        Ok(Json(json!({"users": users})))
    })
}

/// `POST /channels/{channel_id}/polls/{message_id}/expire`: the bot's own polls only.
pub(super) async fn expire(bot: Bot, Ids([channel_id, id]): Ids<2>) -> ApiResult {
    bot.act(|call| {
        let (guild, _) = readable(call, channel_id)?;
        let message = guild.messages.get(channel_id, id);
        let message = message.ok_or(ApiError::UNKNOWN_MESSAGE)?;
        if message.parts.poll.is_none() {
            return Err(ApiError::NO_POLL);
        }
        if message.author_id != call.bot {
            return Err(ApiError::NOT_THE_AUTHOR);
        }
        if message.poll_is_over() {
            return Err(ApiError::POLL_OVER);
        }
        call.change(|world| world.end_poll(channel_id, id))?;
        shape(call, channel_id, id).map(Json)
    })
}
