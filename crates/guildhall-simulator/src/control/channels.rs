//! Channels and overwrites.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    error::{ControlError, ControlResult},
    read::{StrictJson, id, name},
};
use crate::{
    clock,
    snowflake::Snowflake,
    state::Discord,
    world::{
        ChannelEdit, ChannelKind, ChannelSettings, Edit, NewChannel, Overwrite, OverwriteKind,
        Permissions,
    },
};

/// A channel to be made; a voice channel unless `type` says otherwise.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewBody {
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

/// `POST /sim/channels`
pub(super) async fn create(
    State(discord): State<Arc<Discord>>,
    StrictJson(body): StrictJson<NewBody>,
) -> ControlResult {
    let missing = || ControlError::Invalid("guildId is missing".to_owned());
    let guild_id = body.guild_id.ok_or_else(missing)?;
    make(&discord, guild_id, body)
}

/// `POST /sim/guilds/{guild_id}/channels`
pub(super) async fn create_in(
    State(discord): State<Arc<Discord>>,
    Path(guild_id): Path<String>,
    StrictJson(body): StrictJson<NewBody>,
) -> ControlResult {
    make(&discord, id(&guild_id)?, body)
}

fn make(discord: &Discord, guild_id: Snowflake, body: NewBody) -> ControlResult {
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
    let created = discord.change(clock::now(), |world| world.create_channel(guild_id, new))?;
    Ok(Json(json!({"id": created})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EditBody {
    name: Option<String>,
    position: Option<u16>,
    #[serde(default)]
    parent_id: Edit<Snowflake>,
    user_limit: Option<u32>,
    permission_overwrites: Option<Vec<Overwrite>>,
}

/// `PATCH /sim/channels/{channel_id}`
pub(super) async fn edit(
    State(discord): State<Arc<Discord>>,
    Path(channel_id): Path<String>,
    StrictJson(body): StrictJson<EditBody>,
) -> ControlResult {
    let channel_id = id(&channel_id)?;
    let edit = ChannelEdit {
        name: body.name.map(name).transpose()?,
        position: body.position,
        parent_id: body.parent_id,
        user_limit: body.user_limit,
        overwrites: body.permission_overwrites,
        settings: None,
    };
    discord.change(clock::now(), |world| world.edit_channel(channel_id, edit))?;
    Ok(Json(json!({})))
}

/// `DELETE /sim/channels/{channel_id}`
pub(super) async fn remove(
    State(discord): State<Arc<Discord>>,
    Path(channel_id): Path<String>,
) -> ControlResult {
    let channel_id = id(&channel_id)?;
    discord.change(clock::now(), |world| world.delete_channel(channel_id))?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OverwriteBody {
    #[serde(rename = "type")]
    kind: OverwriteKind,
    #[serde(default)]
    allow: Permissions,
    #[serde(default)]
    deny: Permissions,
}

/// `PUT /sim/channels/{channel_id}/permissions/{target_id}`
pub(super) async fn put_overwrite(
    State(discord): State<Arc<Discord>>,
    Path((channel_id, target_id)): Path<(String, String)>,
    StrictJson(body): StrictJson<OverwriteBody>,
) -> ControlResult {
    let channel_id = id(&channel_id)?;
    let overwrite = Overwrite {
        id: id(&target_id)?,
        kind: body.kind,
        allow: body.allow,
        deny: body.deny,
    };
    discord.change(clock::now(), |world| {
        world.put_overwrite(channel_id, overwrite)
    })?;
    Ok(Json(json!({})))
}

/// `DELETE /sim/channels/{channel_id}/permissions/{target_id}`
pub(super) async fn remove_overwrite(
    State(discord): State<Arc<Discord>>,
    Path((channel_id, target_id)): Path<(String, String)>,
) -> ControlResult {
    let (channel_id, target) = (id(&channel_id)?, id(&target_id)?);
    discord.change(clock::now(), |world| {
        world.remove_overwrite(channel_id, target)
    })?;
    Ok(Json(json!({})))
}
