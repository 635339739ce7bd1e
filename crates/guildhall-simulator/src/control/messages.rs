//! Messages, reactions and typing, by anybody and whatever permissions say.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    error::{ControlError, ControlResult},
    read::{StrictJson, id},
};
use crate::{
    clock,
    snowflake::{Snowflake, iso},
    state::Discord,
    world::{AllowedMentions, Emoji, MessageEdit, NewMessage},
};

/// Longest text of a message, in characters.
const LONGEST: usize = 2000;

/// A message to be said; `id` may be chosen.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewBody {
    id: Option<Snowflake>,
    channel_id: Snowflake,
    author_id: Snowflake,
    #[serde(default)]
    content: String,
    #[serde(default)]
    embeds: Vec<Value>,
    /// The message that this one answers.
    reply_to: Option<Snowflake>,
    /// Whether that message's author is pinged; they are unless it says false.
    ping: Option<bool>,
}

/// `POST /sim/messages`
pub(super) async fn create(
    State(discord): State<Arc<Discord>>,
    StrictJson(body): StrictJson<NewBody>,
) -> ControlResult {
    let content = content(body.content)?;
    let allowed = AllowedMentions {
        replied_user: body.ping.unwrap_or(true),
        ..AllowedMentions::default()
    };
    let new = NewMessage {
        id: body.id,
        author_id: body.author_id,
        content,
        embeds: body.embeds,
        reply_to: body.reply_to,
        allowed,
        flags: 0,
        tts: false,
        nonce: None,
    };
    let created = discord.change(clock::now(), |world| {
        world.create_message(body.channel_id, new)
    })?;
    Ok(Json(json!({"id": created})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EditBody {
    content: Option<String>,
    embeds: Option<Vec<Value>>,
    pinned: Option<bool>,
}

/// `PATCH /sim/channels/{channel_id}/messages/{message_id}`
pub(super) async fn edit(
    State(discord): State<Arc<Discord>>,
    Path((channel_id, message_id)): Path<(String, String)>,
    StrictJson(body): StrictJson<EditBody>,
) -> ControlResult {
    let (channel_id, message_id) = (id(&channel_id)?, id(&message_id)?);
    let edit = MessageEdit {
        content: body.content.map(content).transpose()?,
        embeds: body.embeds,
        pinned: body.pinned,
        ..MessageEdit::default()
    };
    let edited_at = iso(clock::date());
    discord.change(clock::now(), |world| {
        world.edit_message(channel_id, message_id, edit, edited_at)
    })?;
    Ok(Json(json!({})))
}

/// `DELETE /sim/channels/{channel_id}/messages/{message_id}`
pub(super) async fn remove(
    State(discord): State<Arc<Discord>>,
    Path((channel_id, message_id)): Path<(String, String)>,
) -> ControlResult {
    let (channel_id, message_id) = (id(&channel_id)?, id(&message_id)?);
    discord.change(clock::now(), |world| {
        world.delete_message(channel_id, message_id)
    })?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BulkBody {
    message_ids: Vec<Snowflake>,
}

/// `POST /sim/channels/{channel_id}/messages/bulk-delete`
pub(super) async fn remove_many(
    State(discord): State<Arc<Discord>>,
    Path(channel_id): Path<String>,
    StrictJson(body): StrictJson<BulkBody>,
) -> ControlResult {
    let channel_id = id(&channel_id)?;
    discord.change(clock::now(), |world| {
        world.delete_messages(channel_id, &body.message_ids)
    })?;
    Ok(Json(json!({})))
}

/// A person's reaction; with `over` it is taken back.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ReactionBody {
    user_id: Snowflake,
    /// `🎲` or `name:id`
    emoji: String,
    #[serde(default)]
    over: bool,
}

/// `POST /sim/channels/{channel_id}/messages/{message_id}/reactions`
pub(super) async fn react(
    State(discord): State<Arc<Discord>>,
    Path((channel_id, message_id)): Path<(String, String)>,
    StrictJson(body): StrictJson<ReactionBody>,
) -> ControlResult {
    let (channel_id, message_id) = (id(&channel_id)?, id(&message_id)?);
    let emoji = emoji(&body.emoji)?;
    discord.change(clock::now(), |world| {
        world.react(channel_id, message_id, body.user_id, &emoji, !body.over)
    })?;
    Ok(Json(json!({})))
}

/// Which reactions go: all, or those with one emoji.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ClearBody {
    emoji: Option<String>,
}

/// `DELETE /sim/channels/{channel_id}/messages/{message_id}/reactions`
pub(super) async fn clear_reactions(
    State(discord): State<Arc<Discord>>,
    Path((channel_id, message_id)): Path<(String, String)>,
    StrictJson(body): StrictJson<ClearBody>,
) -> ControlResult {
    let (channel_id, message_id) = (id(&channel_id)?, id(&message_id)?);
    let emoji = body.emoji.as_deref().map(emoji).transpose()?;
    discord.change(clock::now(), |world| {
        world.clear_reactions(channel_id, message_id, emoji.as_ref())
    })?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TypingBody {
    user_id: Snowflake,
}

/// `POST /sim/channels/{channel_id}/typing`
pub(super) async fn type_in(
    State(discord): State<Arc<Discord>>,
    Path(channel_id): Path<String>,
    StrictJson(body): StrictJson<TypingBody>,
) -> ControlResult {
    let channel_id = id(&channel_id)?;
    let seconds = clock::unix_micros() / 1_000_000;
    discord.change(clock::now(), |world| {
        world.type_in(channel_id, body.user_id, seconds)
    })?;
    Ok(Json(json!({})))
}

fn content(text: String) -> Result<String, ControlError> {
    if text.chars().count() > LONGEST {
        let reason = format!("a message has at most {LONGEST} characters");
        return Err(ControlError::Invalid(reason));
    }
    Ok(text)
}

fn emoji(text: &str) -> Result<Emoji, ControlError> {
    Emoji::parse(text).ok_or_else(|| ControlError::Invalid(format!("{text:?} is no emoji")))
}
