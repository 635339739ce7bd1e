//! Messages: said, read, changed, deleted, pinned; and typing.

/// What a body says: content, files, mentions, what is answered.
mod body;
/// Components within their limits.
mod components;
/// Embeds within their limits.
mod embeds;
/// Polls.
mod poll;

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};
use time::Duration;

use super::{
    ApiError, ApiResult,
    call::Call,
    caller::Bot,
    form::Form,
    params::{Ids, Query},
};
use crate::{
    clock,
    nonces::Nonces,
    snowflake::{Snowflake, iso},
    state::Shared,
    world::{Channel, Guild, Message, NewMessage, Permissions},
};

pub(super) use body::{MessageBody, MessageChange};
pub(super) use components::{Shown, read as read_components};

/// Discord deletes no more than this at once, and nothing older.
const BULK_AGE: Duration = Duration::weeks(2);

/// `POST /channels/{channel_id}/messages`
pub(super) async fn create(
    State(nonces): State<Shared<Nonces>>,
    bot: Bot,
    Ids([channel_id]): Ids<1>,
    mut form: Form,
) -> ApiResult {
    let said = MessageBody::read(&mut form, 0);
    let nonce = body::nonce(&mut form);
    let enforce = form.flag("enforce_nonce").unwrap_or(false);
    let reply = body::reference(&mut form);
    form.done()?;
    bot.act(|call| {
        let (guild, channel) = writable(call, channel_id)?;
        call.needs_in(guild, channel, said_rights(&said))?;
        let mut reply_to = None;
        if let Some(reference) = reply {
            call.needs_in(guild, channel, Permissions::READ_MESSAGE_HISTORY)
                .map_err(|_| ApiError::NO_HISTORY)?;
            let known = guild.messages.get(channel_id, reference.message_id);
            if known.is_none() && reference.must_exist {
                return Err(ApiError::field(
                    "message_reference",
                    "REPLIES_UNKNOWN_MESSAGE",
                    "Unknown message",
                ));
            }
            reply_to = known.map(|message| message.id);
        }
        if said.is_empty() {
            return Err(ApiError::EMPTY_MESSAGE);
        }
        let key = nonce.as_ref().filter(|_| enforce).map(Value::to_string);
        if let Some(key) = &key {
            let said = nonces.lock().message_with(channel_id, key, clock::now());
            if let Some(said) = said.and_then(|id| guild.messages.get(channel_id, id)) {
                return Ok(Json(said.object(guild, call.world)));
            }
        }
        let new = NewMessage {
            reply_to,
            nonce: nonce.clone(),
            ..said.by(call.bot)
        };
        let id = call.change(|world| world.create_message(channel_id, new))?;
        if let Some(key) = key {
            nonces.lock().remember(channel_id, key, id, clock::now());
        }
        let mut object = shape(call, channel_id, id)?;
        if let Some(nonce) = nonce {
            object["nonce"] = nonce;
        }
        Ok(Json(object))
    })
}

/// What it takes to say something like this.
pub(super) fn said_rights(said: &MessageBody) -> Permissions {
    let asked = [
        (!said.embeds.is_empty(), Permissions::EMBED_LINKS),
        (
            !said.parts.attachments.is_empty(),
            Permissions::ATTACH_FILES,
        ),
        (said.parts.poll.is_some(), Permissions::SEND_POLLS),
        (said.tts, Permissions::SEND_TTS_MESSAGES),
    ];
    asked
        .into_iter()
        .filter(|(asked, _)| *asked)
        .fold(Permissions::SEND_MESSAGES, |sum, (_, right)| {
            sum.union(right)
        })
}

/// `GET /channels/{channel_id}/messages`: newest first; none without
/// READ_MESSAGE_HISTORY.
pub(super) async fn list(bot: Bot, Ids([channel_id]): Ids<1>, query: Query) -> ApiResult {
    let limit = query.number("limit", 1..=100, 50)?;
    let (around, before, after) = (query.id("around")?, query.id("before")?, query.id("after")?);
    bot.act(|call| {
        let (guild, channel) = readable(call, channel_id)?;
        let rights = guild.rights_in(call.bot, channel, call.now);
        if !rights.has(Permissions::READ_MESSAGE_HISTORY) {
            return Ok(Json(json!([])));
        }
        let all: Vec<_> = guild.messages.of(channel_id).collect();
        let chosen: Vec<_> = if let Some(middle) = around {
            let newer = all.iter().filter(|message| message.id > middle).count();
            all.into_iter()
                .skip(newer.saturating_sub(limit / 2))
                .take(limit)
                .collect()
        } else if let Some(after) = after {
            let newer = all.iter().filter(|message| message.id > after).count();
            all.into_iter()
                .take(newer)
                .skip(newer.saturating_sub(limit))
                .collect()
        } else {
            all.into_iter()
                .filter(|message| before.is_none_or(|before| message.id < before))
                .take(limit)
                .collect()
        };
        let objects = chosen
            .into_iter()
            .map(|message| message.object(guild, call.world));
        Ok(Json(objects.collect()))
    })
}

/// `GET /channels/{channel_id}/messages/{message_id}`
pub(super) async fn read(bot: Bot, Ids([channel_id, id]): Ids<2>) -> ApiResult {
    bot.act(|call| {
        let (guild, channel) = readable(call, channel_id)?;
        call.needs_in(guild, channel, Permissions::READ_MESSAGE_HISTORY)?;
        shape(call, channel_id, id).map(Json)
    })
}

/// `PATCH` of the same: the bot's own words, and with MANAGE_MESSAGES whether anybody's
/// embeds are shown.
pub(super) async fn edit(bot: Bot, Ids([channel_id, id]): Ids<2>, mut form: Form) -> ApiResult {
    bot.act(|call| {
        let only_flags = form.has("flags") && form.has_only(&["flags"]);
        let change = MessageChange::read(&mut form, found(call, channel_id, id));
        form.done()?;
        let (guild, channel) = readable(call, channel_id)?;
        not_archived(guild, channel)?;
        let message = guild.messages.get(channel_id, id);
        let message = message.ok_or(ApiError::UNKNOWN_MESSAGE)?;
        if message.author_id != call.bot {
            if !only_flags {
                return Err(ApiError::NOT_THE_AUTHOR);
            }
            call.needs_in(guild, channel, Permissions::MANAGE_MESSAGES)?;
        } else if message.parts.poll.is_some() && !only_flags {
            return Err(ApiError::EDITED_POLL);
        }
        let edit = change.of(message).ok_or(ApiError::EMPTY_MESSAGE)?;
        let now = iso(call.now);
        call.change(|world| world.edit_message(channel_id, id, edit, now))?;
        shape(call, channel_id, id).map(Json)
    })
}

/// A message, whoever sees it.
pub(super) fn found<'a>(
    call: &'a Call<'_>,
    channel_id: Snowflake,
    id: Snowflake,
) -> Option<&'a Message> {
    let guild = call.world.place_of(channel_id).ok()?;
    guild.messages.find(channel_id, id)
}

/// `DELETE` of the same: the bot's own, or with MANAGE_MESSAGES anybody's.
pub(super) async fn remove(
    bot: Bot,
    Ids([channel_id, id]): Ids<2>,
) -> Result<StatusCode, ApiError> {
    bot.act(|call| {
        let (guild, channel) = readable(call, channel_id)?;
        let message = guild.messages.get(channel_id, id);
        let message = message.ok_or(ApiError::UNKNOWN_MESSAGE)?;
        if message.author_id != call.bot {
            call.needs_in(guild, channel, Permissions::MANAGE_MESSAGES)?;
        }
        call.change(|world| world.delete_message(channel_id, id))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `POST /channels/{channel_id}/messages/bulk-delete`: 2 to 100 at once, none of them
/// older than two weeks.
pub(super) async fn remove_many(
    bot: Bot,
    Ids([channel_id]): Ids<1>,
    mut form: Form,
) -> Result<StatusCode, ApiError> {
    form.must_have("messages");
    let ids = form.ids("messages").unwrap_or_default();
    if !(2..=100).contains(&ids.len()) {
        let message = "Must be between 2 and 100 in length.";
        form.wrong(&["messages"], "BASE_TYPE_BAD_LENGTH", message);
    }
    form.done()?;
    bot.act(|call| {
        let (guild, channel) = readable(call, channel_id)?;
        call.needs_in(guild, channel, Permissions::MANAGE_MESSAGES)?;
        let oldest = call.now - BULK_AGE;
        if ids.iter().any(|id| call.world.is_older(*id, oldest)) {
            return Err(ApiError::TOO_OLD);
        }
        call.change(|world| world.delete_messages(channel_id, &ids))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `POST /channels/{channel_id}/typing`
pub(super) async fn begin_typing(
    bot: Bot,
    Ids([channel_id]): Ids<1>,
) -> Result<StatusCode, ApiError> {
    bot.act(|call| {
        let (guild, channel) = writable(call, channel_id)?;
        call.needs_in(guild, channel, Permissions::SEND_MESSAGES)?;
        let (own, now) = (call.bot, clock::unix_micros() / 1_000_000);
        call.change(|world| world.type_in(channel_id, own, now))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// A channel whose messages the bot may know of.
pub(super) fn readable<'a>(
    call: &'a Call<'_>,
    channel_id: Snowflake,
) -> Result<(&'a Guild, &'a Channel), ApiError> {
    let (guild, channel) = call.channel(channel_id)?;
    if channel.kind.is_voice() {
        call.needs_in(guild, channel, Permissions::CONNECT)?;
    }
    Ok((guild, channel))
}

fn writable<'a>(
    call: &'a Call<'_>,
    channel_id: Snowflake,
) -> Result<(&'a Guild, &'a Channel), ApiError> {
    let (guild, channel) = readable(call, channel_id)?;
    if !channel.kind.has_messages() {
        return Err(ApiError::NO_MESSAGES_HERE);
    }
    if let Some(user_id) = guild.direct_with
        && !call.world.shares_a_guild(user_id)
    {
        return Err(ApiError::NO_MUTUAL_GUILD);
    }
    let locked = guild.threads.get(channel_id).is_some_and(|one| one.locked);
    if locked {
        call.needs_in(guild, channel, Permissions::MANAGE_THREADS)
            .map_err(|_| ApiError::LOCKED)?;
    }
    Ok((guild, channel))
}

/// 50083 in a thread that is archived: there messages are read and deleted, and who says
/// something brings it back.
pub(super) fn not_archived(guild: &Guild, channel: &Channel) -> Result<(), ApiError> {
    let thread = guild.threads.get(channel.id);
    if thread.is_some_and(|thread| thread.archived) {
        Err(ApiError::ARCHIVED)
    } else {
        Ok(())
    }
}

pub(super) fn shape(
    call: &Call<'_>,
    channel_id: Snowflake,
    id: Snowflake,
) -> Result<Value, ApiError> {
    let (guild, _) = call.channel(channel_id)?;
    let message = guild.messages.get(channel_id, id);
    let message = message.ok_or(ApiError::UNKNOWN_MESSAGE)?;
    Ok(message.object(guild, call.world))
}
