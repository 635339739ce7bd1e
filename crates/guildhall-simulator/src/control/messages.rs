//! Messages, reactions and typing, by anybody and whatever permissions say.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::MethodFilter,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::change::{create, delete, edit, with_body};
use crate::{
    clock,
    snowflake::{Snowflake, iso},
    state::{AppState, Discord},
    world::{
        AllowedMentions, Changed, Emoji, Message, MessageEdit, MessageParts, MessageSource,
        NewMessage, Refusal, World,
    },
};

/// Longest text of a message, in characters.
const LONGEST: usize = 2000;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/messages", create(make).get(list))
        .route(
            "/channels/{channel_id}/messages/{message_id}",
            edit(change).merge(delete(|world, [channel_id, message_id]| {
                world.delete_message(channel_id, message_id)
            })),
        )
        .route(
            "/channels/{channel_id}/messages/bulk-delete",
            with_body(MethodFilter::POST, delete_many),
        )
        .route(
            "/channels/{channel_id}/messages/{message_id}/reactions",
            with_body(MethodFilter::POST, react)
                .merge(with_body(MethodFilter::DELETE, clear_reactions)),
        )
        .route(
            "/channels/{channel_id}/messages/{message_id}/votes",
            with_body(MethodFilter::POST, vote),
        )
        .route(
            "/channels/{channel_id}/typing",
            with_body(MethodFilter::POST, type_in),
        )
}

/// A message to be said; `id` may be chosen.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewBody {
    id: Option<Snowflake>,
    channel_id: Snowflake,
    author_id: Snowflake,
    #[serde(default)]
    content: String,
    #[serde(default)]
    embeds: Vec<Value>,
    #[serde(default)]
    attachments: Vec<File>,
    /// The message that this one answers.
    reply_to: Option<Snowflake>,
    /// Whether that message's author is pinged; they are unless it says false.
    ping: Option<bool>,
}

/// A file of a message; what is in it nobody keeps.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    filename: String,
    #[serde(default)]
    size: u64,
    content_type: Option<String>,
    description: Option<String>,
}

impl File {
    /// Attachment object without what a place in a channel gives it.
    fn object(self) -> Value {
        let kind = self.content_type;
        let mut object = json!({
            "filename": self.filename,
            "size": self.size,
            "content_type": kind.as_deref().unwrap_or("application/octet-stream"),
        });
        if let Some(description) = self.description {
            object["description"] = json!(description);
        }
        object
    }
}

fn make(world: &mut World, []: [Snowflake; 0], body: NewBody) -> Changed<Value> {
    let content = content(body.content)?;
    let parts = MessageParts {
        attachments: body.attachments.into_iter().map(File::object).collect(),
        ..MessageParts::default()
    };
    let allowed = AllowedMentions {
        replied_user: body.ping.unwrap_or(true),
        ..AllowedMentions::default()
    };
    let new = NewMessage {
        id: body.id,
        embeds: body.embeds,
        parts,
        reply_to: body.reply_to,
        allowed,
        ..NewMessage::said(body.author_id, content)
    };
    let (id, events) = world.create_message(body.channel_id, new)?;
    Ok((json!({"id": id}), events))
}

/// Which messages are wanted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    channel_id: Option<Snowflake>,
    author_id: Option<Snowflake>,
    /// Those that are newer than this one.
    after: Option<Snowflake>,
}

/// `GET /sim/messages`: everything that was said, the newest last.
async fn list(State(discord): State<Arc<Discord>>, Query(wanted): Query<Wanted>) -> Json<Value> {
    discord.with(|core| {
        let places = core.world.guilds.iter().chain(core.world.directs.iter());
        let mut messages: Vec<_> = places
            .flat_map(|guild| guild.messages.iter())
            .filter(|one| wanted.channel_id.is_none_or(|id| one.channel_id == id))
            .filter(|one| wanted.author_id.is_none_or(|id| one.author_id == id))
            .filter(|one| wanted.after.is_none_or(|id| one.id > id))
            .collect();
        messages.sort_by_key(|message| message.id);
        Json(messages.into_iter().map(show_message).collect())
    })
}

/// A message with everything in it, as a test looks at it.
pub(super) fn show_message(message: &Message) -> Value {
    let reactions = message.reactions.iter();
    let reactions: Vec<_> = reactions
        .map(|one| json!({"emoji": one.emoji.object(), "userIds": one.user_ids}))
        .collect();
    let webhook = match &message.source {
        MessageSource::Webhook {
            webhook_id, author, ..
        } => json!({"id": webhook_id, "username": author.username, "avatar": author.avatar}),
        _ => Value::Null,
    };
    json!({
        "id": message.id,
        "channelId": message.channel_id,
        "authorId": message.author_id,
        "content": message.content,
        "embeds": message.embeds,
        "components": message.parts.components,
        "attachments": message.parts.attachments,
        "stickers": message.parts.stickers,
        "poll": message.parts.poll,
        "votes": message.votes.iter()
            .map(|(answer, user)| json!({"answerId": answer, "userId": user})).collect::<Vec<_>>(),
        "webhook": webhook,
        "replyTo": message.reply_to,
        "pinned": message.pinned.is_some(),
        "editedAt": message.edited_at,
        "ephemeral": message.is_ephemeral(),
        "loading": message.is_loading(),
        "reactions": reactions,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EditBody {
    content: Option<String>,
    embeds: Option<Vec<Value>>,
    pinned: Option<bool>,
}

fn change(
    world: &mut World,
    [channel_id, message_id]: [Snowflake; 2],
    body: EditBody,
) -> Changed<()> {
    let edit = MessageEdit {
        content: body.content.map(content).transpose()?,
        embeds: body.embeds,
        pinned: body.pinned,
        ..MessageEdit::default()
    };
    world.edit_message(channel_id, message_id, edit, iso(clock::date()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BulkBody {
    message_ids: Vec<Snowflake>,
}

fn delete_many(
    world: &mut World,
    [channel_id]: [Snowflake; 1],
    BulkBody { message_ids }: BulkBody,
) -> Changed<()> {
    world.delete_messages(channel_id, &message_ids)
}

/// A person's reaction; with `over` it is taken back.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReactionBody {
    user_id: Snowflake,
    /// `🎲` or `name:id`
    emoji: String,
    #[serde(default)]
    over: bool,
}

fn react(
    world: &mut World,
    [channel_id, message_id]: [Snowflake; 2],
    ReactionBody {
        user_id,
        emoji: text,
        over,
    }: ReactionBody,
) -> Changed<()> {
    let emoji = emoji(&text)?;
    world.react(channel_id, message_id, user_id, &emoji, !over)
}

/// Which reactions go: all, or those with one emoji.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClearBody {
    emoji: Option<String>,
}

fn clear_reactions(
    world: &mut World,
    [channel_id, message_id]: [Snowflake; 2],
    ClearBody { emoji: text }: ClearBody,
) -> Changed<()> {
    let emoji = text.as_deref().map(emoji).transpose()?;
    world.clear_reactions(channel_id, message_id, emoji.as_ref())
}

/// A person's vote in a poll; with `over` it is taken back.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VoteBody {
    user_id: Snowflake,
    answer_id: u64,
    #[serde(default)]
    over: bool,
}

fn vote(
    world: &mut World,
    [channel_id, message_id]: [Snowflake; 2],
    body: VoteBody,
) -> Changed<()> {
    let VoteBody {
        user_id,
        answer_id,
        over,
    } = body;
    world.vote(channel_id, message_id, user_id, answer_id, over)
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TypingBody {
    user_id: Snowflake,
}

fn type_in(world: &mut World, [channel_id]: [Snowflake; 1], body: TypingBody) -> Changed<()> {
    let seconds = clock::unix_micros() / 1_000_000;
    world.type_in(channel_id, body.user_id, seconds)
}

fn content(text: String) -> Result<String, Refusal> {
    if text.chars().count() > LONGEST {
        return Err(Refusal::Invalid(format!(
            "a message has at most {LONGEST} characters"
        )));
    }
    Ok(text)
}

fn emoji(text: &str) -> Result<Emoji, Refusal> {
    Emoji::parse(text).ok_or_else(|| Refusal::Invalid(format!("{text:?} is no emoji")))
}
