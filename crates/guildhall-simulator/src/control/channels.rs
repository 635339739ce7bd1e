//! Channels and overwrites.

use axum::{Router, routing::MethodFilter};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    change::{create, delete, edit, with_body},
    read::{guild_named, name},
};
use crate::{
    snowflake::Snowflake,
    state::AppState,
    world::{
        Changed, ChannelEdit, ChannelKind, ChannelSettings, Edit, NewChannel, Overwrite,
        OverwriteKind, Permissions, World,
    },
};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/channels", create(make))
        .route("/guilds/{guild_id}/channels", create(make_in))
        .route(
            "/channels/{channel_id}",
            edit(change).merge(delete(|world, [channel_id]| {
                world.delete_channel(channel_id)
            })),
        )
        .route(
            "/channels/{channel_id}/permissions/{target_id}",
            with_body(MethodFilter::PUT, put_overwrite).merge(delete(
                |world, [channel_id, target_id]| world.remove_overwrite(channel_id, target_id),
            )),
        )
}

/// A channel to be made; a voice channel unless `type` says otherwise.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewBody {
    guild_id: Option<Snowflake>,
    id: Option<Snowflake>,
    name: String,
    #[serde(rename = "type", default = "voice")]
    kind: ChannelKind,
    position: Option<u16>,
    parent_id: Option<Snowflake>,
    #[serde(default)]
    user_limit: u32,
    #[serde(default)]
    permission_overwrites: Vec<Overwrite>,
}

fn voice() -> ChannelKind {
    ChannelKind::Voice
}

fn make(world: &mut World, []: [Snowflake; 0], body: NewBody) -> Changed<Value> {
    make_in(world, [guild_named(body.guild_id)?], body)
}

fn make_in(world: &mut World, [guild_id]: [Snowflake; 1], body: NewBody) -> Changed<Value> {
    let new = NewChannel {
        id: body.id,
        kind: body.kind,
        name: name(body.name)?,
        position: body.position,
        parent_id: body.parent_id,
        user_limit: body.user_limit,
        overwrites: body.permission_overwrites,
        settings: ChannelSettings::default(),
    };
    let (id, events) = world.create_channel(guild_id, new)?;
    Ok((json!({"id": id}), events))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EditBody {
    name: Option<String>,
    position: Option<u16>,
    #[serde(default)]
    parent_id: Edit<Snowflake>,
    user_limit: Option<u32>,
    permission_overwrites: Option<Vec<Overwrite>>,
}

fn change(world: &mut World, [channel_id]: [Snowflake; 1], body: EditBody) -> Changed<()> {
    let edit = ChannelEdit {
        name: body.name.map(name).transpose()?,
        position: body.position,
        parent_id: body.parent_id,
        user_limit: body.user_limit,
        overwrites: body.permission_overwrites,
        settings: None,
    };
    world.edit_channel(channel_id, edit)
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OverwriteBody {
    #[serde(rename = "type")]
    kind: OverwriteKind,
    #[serde(default)]
    allow: Permissions,
    #[serde(default)]
    deny: Permissions,
}

fn put_overwrite(
    world: &mut World,
    [channel_id, id]: [Snowflake; 2],
    body: OverwriteBody,
) -> Changed<()> {
    let overwrite = Overwrite {
        id,
        kind: body.kind,
        allow: body.allow,
        deny: body.deny,
    };
    world.put_overwrite(channel_id, overwrite)
}
