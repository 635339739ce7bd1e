//! Roles.

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
    world::{NewRole, Permissions, RoleEdit},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewBody {
    guild_id: Option<Snowflake>,
    id: Option<Snowflake>,
    name: String,
    #[serde(default)]
    color: u32,
    #[serde(default)]
    permissions: Permissions,
}

/// `POST /sim/roles`
pub(super) async fn create(
    State(discord): State<Arc<Discord>>,
    StrictJson(body): StrictJson<NewBody>,
) -> ControlResult {
    let missing = || ControlError::Invalid("guildId is missing".to_owned());
    let guild_id = body.guild_id.ok_or_else(missing)?;
    make(&discord, guild_id, body)
}

/// `POST /sim/guilds/{guild_id}/roles`
pub(super) async fn create_in(
    State(discord): State<Arc<Discord>>,
    Path(guild_id): Path<String>,
    StrictJson(body): StrictJson<NewBody>,
) -> ControlResult {
    make(&discord, id(&guild_id)?, body)
}

fn make(discord: &Discord, guild_id: Snowflake, body: NewBody) -> ControlResult {
    let new = NewRole {
        id: body.id,
        name: name(body.name)?,
        color: body.color,
        permissions: body.permissions,
        hoist: body.color != 0,
        mentionable: false,
    };
    let created = discord.change(clock::now(), |world| world.create_role(guild_id, new))?;
    Ok(Json(json!({"id": created})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EditBody {
    name: Option<String>,
    color: Option<u32>,
    permissions: Option<Permissions>,
}

/// `PATCH /sim/roles/{role_id}`
pub(super) async fn edit(
    State(discord): State<Arc<Discord>>,
    Path(role_id): Path<String>,
    StrictJson(body): StrictJson<EditBody>,
) -> ControlResult {
    let role_id = id(&role_id)?;
    let edit = RoleEdit {
        name: body.name.map(name).transpose()?,
        color: body.color,
        permissions: body.permissions,
        ..RoleEdit::default()
    };
    discord.change(clock::now(), |world| world.edit_role(role_id, edit))?;
    Ok(Json(json!({})))
}

/// `DELETE /sim/roles/{role_id}`
pub(super) async fn remove(
    State(discord): State<Arc<Discord>>,
    Path(role_id): Path<String>,
) -> ControlResult {
    let role_id = id(&role_id)?;
    discord.change(clock::now(), |world| world.delete_role(role_id))?;
    Ok(Json(json!({})))
}
