//! What is pinned in a channel.

use axum::{Json, http::StatusCode};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    ApiError, ApiResult,
    caller::Bot,
    messages::readable,
    params::{Ids, Query},
};
use crate::{
    snowflake::{Snowflake, iso},
    world::{Guild, Message, MessageEdit, Permissions},
};

/// `PUT /channels/{channel_id}/pins/{message_id}`, and under `messages/pins`
pub(super) async fn pin(bot: Bot, Ids(ids): Ids<2>) -> Result<StatusCode, ApiError> {
    set_pinned(&bot, ids, true)
}

/// `DELETE` of the same
pub(super) async fn unpin(bot: Bot, Ids(ids): Ids<2>) -> Result<StatusCode, ApiError> {
    set_pinned(&bot, ids, false)
}

fn set_pinned(
    bot: &Bot,
    [channel_id, id]: [Snowflake; 2],
    pinned: bool,
) -> Result<StatusCode, ApiError> {
    bot.act(|call| {
        let (guild, channel) = readable(call, channel_id)?;
        call.needs_in(guild, channel, Permissions::PIN_MESSAGES)?;
        let edit = MessageEdit {
            pinned: Some(pinned),
            ..MessageEdit::default()
        };
        let now = iso(call.now);
        call.change(|world| world.edit_message(channel_id, id, edit, now))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `GET /channels/{channel_id}/pins`: the messages themselves, as it was before there were pages.
pub(super) async fn list(bot: Bot, Ids([channel_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let (guild, channel) = readable(call, channel_id)?;
        if !guild.rights_in(call.bot, channel, call.now).has(HISTORY) {
            return Ok(Json(json!([])));
        }
        let pinned = newest_first(guild, channel_id);
        let objects = pinned.iter().map(|(_, one)| one.object(guild, call.world));
        Ok(Json(objects.collect()))
    })
}

/// `GET /channels/{channel_id}/messages/pins`: page by page, each with its time.
pub(super) async fn pages(bot: Bot, Ids([channel_id]): Ids<1>, query: Query) -> ApiResult {
    let limit = query.number("limit", 1..=50, 50)?;
    let before = query.text("before").map(|text| {
        OffsetDateTime::parse(text, &Rfc3339).map_err(|_| {
            let message = format!("Could not parse {text}. Should be ISO8601.");
            ApiError::field("before", "DATE_TIME_TYPE_PARSE", message)
        })
    });
    let before = before.transpose()?;
    bot.act(|call| {
        let (guild, channel) = readable(call, channel_id)?;
        let mut pinned = newest_first(guild, channel_id);
        if !guild.rights_in(call.bot, channel, call.now).has(HISTORY) {
            pinned.clear();
        }
        pinned.retain(|(at, _)| before.is_none_or(|before| *at < before));
        let more = pinned.len() > limit;
        pinned.truncate(limit);
        let items = pinned.iter().map(|(at, message)| {
            let message = message.object(guild, call.world);
            json!({"pinned_at": iso(*at), "message": message})
        });
        let items: Value = items.collect();
        Ok(Json(json!({"items": items, "has_more": more})))
    })
}

const HISTORY: Permissions = Permissions::READ_MESSAGE_HISTORY;

fn newest_first(guild: &Guild, channel_id: Snowflake) -> Vec<(OffsetDateTime, &Message)> {
    let messages = guild.messages.of(channel_id);
    let mut pinned: Vec<_> = messages
        .filter_map(|message| Some((message.pinned?, message)))
        .collect();
    pinned.sort_by_key(|(at, message)| std::cmp::Reverse((*at, message.id)));
    pinned
}
