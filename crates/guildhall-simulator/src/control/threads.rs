//! Threads, as people begin and change them.

use axum::{Router, routing::MethodFilter};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    change::{create, delete, edit, without_body},
    read::name,
};
use crate::{
    snowflake::Snowflake,
    state::AppState,
    world::{Changed, ChannelKind, NewMessage, NewThread, Refusal, ThreadEdit, World},
};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/threads", create(make))
        .route(
            "/threads/{thread_id}",
            edit(change).merge(delete(|world, [id]| world.delete_thread(id))),
        )
        .route(
            "/threads/{thread_id}/members/{user_id}",
            without_body(MethodFilter::PUT, |world, [id, user_id]| {
                world.set_in_thread(id, user_id, true)
            })
            .merge(delete(|world, [id, user_id]| {
                world.set_in_thread(id, user_id, false)
            })),
        )
}

/// A thread that somebody begins below a channel.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewBody {
    channel_id: Snowflake,
    user_id: Snowflake,
    name: String,
    /// The message that it is about.
    message_id: Option<Snowflake>,
    #[serde(default)]
    private: bool,
    /// What a forum's thread begins with.
    content: Option<String>,
}

fn make(world: &mut World, []: [Snowflake; 0], body: NewBody) -> Changed<Value> {
    let guild = world.place_of(body.channel_id)?;
    let parent = guild.channels.get(body.channel_id).map(|one| one.kind);
    let is_forum = parent == Some(ChannelKind::Forum);
    if is_forum != body.content.is_some() {
        return Err(Refusal::invalid(
            "a forum's thread begins with content, and no other does",
        ));
    }
    let kind = match parent {
        Some(ChannelKind::Announcement) => ChannelKind::AnnouncementThread,
        _ if body.private => ChannelKind::PrivateThread,
        _ => ChannelKind::PublicThread,
    };
    let new = NewThread {
        kind,
        owner_id: body.user_id,
        name: name(body.name)?,
        from: body.message_id,
        auto_archive_duration: None,
        rate_limit_per_user: None,
        invitable: true,
    };
    let (id, mut events) = world.create_thread(body.channel_id, new)?;
    if let Some(content) = body.content {
        let post = NewMessage {
            id: Some(id),
            ..NewMessage::said(body.user_id, content)
        };
        events.extend(world.create_message(id, post)?.1);
    }
    Ok((json!({"id": id}), events))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EditBody {
    name: Option<String>,
    archived: Option<bool>,
    locked: Option<bool>,
}

fn change(world: &mut World, [id]: [Snowflake; 1], body: EditBody) -> Changed<()> {
    let edit = ThreadEdit {
        name: body.name.map(name).transpose()?,
        archived: body.archived,
        locked: body.locked,
        ..ThreadEdit::default()
    };
    world.edit_thread(id, edit)
}
