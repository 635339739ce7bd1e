//! What webhooks say: `/webhooks/{webhook_id}/{token}` of those that are no interaction's.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    ApiError, ApiResult,
    call::Call,
    caller::Bot,
    form::Form,
    interactions::{edit, shape},
    messages::{MessageBody, MessageChange, found},
    params::{Query, id_in},
    webhooks::opened,
};
use crate::{
    snowflake::Snowflake,
    world::{
        ChannelKind, IncomingWebhook, Message, MessageSource, NewMessage, NewThread, Presence, User,
    },
};

/// A path and what it opens: whose webhook, and its token.
type Path = [String; 2];

/// What a body says beside the message.
struct Guise {
    username: Option<String>,
    has_picture: bool,
    /// Of a thread to be begun, in a forum.
    thread_name: Option<String>,
}

/// `POST /webhooks/{webhook_id}/{token}`: answers with the message only to who waits for it.
pub(super) fn execute(
    bot: &Bot,
    path: &Path,
    query: &Query,
    mut form: Form,
) -> Result<Response, ApiError> {
    let thread_id = query.id("thread_id")?;
    let guise = Guise {
        username: form.text("username", 1..=80),
        has_picture: form.text("avatar_url", 0..=2048).is_some(),
        thread_name: form.text("thread_name", 1..=100),
    };
    let mut body = MessageBody::read(&mut form, 0);
    form.done()?;
    bot.act(|call| {
        let webhook = opened(call, path)?.clone();
        if webhook.application_id.is_none() && !query.flag("with_components") {
            body.parts.components.clear();
        }
        if body.is_empty() {
            return Err(ApiError::EMPTY_MESSAGE);
        }
        let (channel_id, id) = place(call, &webhook, thread_id, guise.thread_name.as_deref())?;
        let new = NewMessage {
            id,
            source: MessageSource::Webhook {
                webhook_id: webhook.id,
                application_id: webhook.application_id,
                author: Box::new(author(call, &webhook, &guise)),
            },
            ..body.by(webhook.id)
        };
        let id = call.change(|world| world.create_message(channel_id, new))?;
        if query.flag("wait") {
            return Ok(Json(shape(call, channel_id, id)?).into_response());
        }
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}

/// `GET …/messages/{message_id}`
pub(super) fn read(bot: &Bot, path: &Path, message: &str, query: &Query) -> ApiResult {
    let thread_id = query.id("thread_id")?;
    bot.act(|call| {
        let (channel_id, id) = own(call, path, message, thread_id)?;
        shape(call, channel_id, id).map(Json)
    })
}

/// `PATCH` of the same
pub(super) fn change(
    bot: &Bot,
    path: &Path,
    message: &str,
    query: &Query,
    mut form: Form,
) -> ApiResult {
    let thread_id = query.id("thread_id")?;
    bot.act(|call| {
        let known = own(call, path, message, thread_id).ok();
        let known = known.and_then(|(channel_id, id)| found(call, channel_id, id));
        let change = MessageChange::read(&mut form, known);
        form.done()?;
        let (channel_id, id) = own(call, path, message, thread_id)?;
        edit(call, channel_id, id, change)?;
        shape(call, channel_id, id).map(Json)
    })
}

/// `DELETE` of the same
pub(super) fn remove(
    bot: &Bot,
    path: &Path,
    message: &str,
    query: &Query,
) -> Result<StatusCode, ApiError> {
    let thread_id = query.id("thread_id")?;
    bot.act(|call| {
        let (channel_id, id) = own(call, path, message, thread_id)?;
        call.change(|world| world.delete_message(channel_id, id))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// Where a webhook speaks, and which id the message has if it begins a forum's thread.
fn place(
    call: &mut Call<'_>,
    webhook: &IncomingWebhook,
    thread_id: Option<Snowflake>,
    thread_name: Option<&str>,
) -> Result<(Snowflake, Option<Snowflake>), ApiError> {
    let guild = call.world.place_of(webhook.channel_id)?;
    let channel = guild.channels.get(webhook.channel_id);
    let channel = channel.ok_or(ApiError::UNKNOWN_CHANNEL)?;
    if let Some(thread_id) = thread_id {
        let thread = guild.threads.get(thread_id);
        let below = thread.filter(|one| one.parent_id() == Some(webhook.channel_id));
        return match below {
            Some(_) => Ok((thread_id, None)),
            None => Err(ApiError::UNKNOWN_CHANNEL),
        };
    }
    match (channel.kind == ChannelKind::Forum, thread_name) {
        (false, None) => Ok((webhook.channel_id, None)),
        (false, Some(_)) => Err(ApiError::THREAD_NAME_HERE),
        (true, None) => Err(ApiError::THREAD_NEEDED),
        (true, Some(name)) => {
            let new = NewThread {
                kind: ChannelKind::PublicThread,
                owner_id: webhook.user_id,
                name: name.to_owned(),
                from: None,
                auto_archive_duration: None,
                rate_limit_per_user: None,
                invitable: true,
            };
            let id = call.change(|world| world.create_thread(webhook.channel_id, new))?;
            Ok((id, Some(id)))
        }
    }
}

fn author(call: &mut Call<'_>, webhook: &IncomingWebhook, guise: &Guise) -> User {
    // The picture is not kept: another has another hash.
    let picture = guise.has_picture.then(|| call.world.rng().hex());
    User {
        id: webhook.id,
        username: guise.username.clone().unwrap_or(webhook.name.clone()),
        global_name: None,
        avatar: picture.or(webhook.avatar.clone()),
        bot: true,
        presence: Presence::default(),
    }
}

/// A message that this webhook said, and no other.
fn own(
    call: &Call<'_>,
    path: &Path,
    message: &str,
    thread_id: Option<Snowflake>,
) -> Result<(Snowflake, Snowflake), ApiError> {
    let webhook = opened(call, path)?;
    let channel_id = thread_id.unwrap_or(webhook.channel_id);
    let id = id_in("message_id", message)?;
    let guild = call.world.place_of(webhook.channel_id)?;
    let said = |message: &&Message| matches!(message.source, MessageSource::Webhook { webhook_id, .. } if webhook_id == webhook.id);
    let message = guild.messages.get(channel_id, id).filter(said);
    message.ok_or(ApiError::UNKNOWN_MESSAGE)?;
    Ok((channel_id, id))
}
