//! Guilds.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    error::ControlResult,
    read::{StrictJson, id, name},
};
use crate::{
    clock,
    snowflake::Snowflake,
    state::Discord,
    world::{GuildEdit, NewGuild},
};

/// A guild to be made; without an owner the first person owns it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewGuildBody {
    id: Option<Snowflake>,
    name: String,
    owner_id: Option<Snowflake>,
}

/// `POST /sim/guilds`
pub(super) async fn create(
    State(discord): State<Arc<Discord>>,
    StrictJson(body): StrictJson<NewGuildBody>,
) -> ControlResult {
    let name = name(body.name)?;
    let created = discord.change(clock::now(), |world| {
        let first = world
            .users
            .iter()
            .find(|user| !user.bot)
            .map(|user| user.id);
        let owner_id = body.owner_id.or(first).unwrap_or(world.bot_id());
        world.create_guild(&NewGuild {
            id: body.id,
            name,
            owner_id,
        })
    })?;
    Ok(Json(json!({"id": created})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GuildEditBody {
    name: Option<String>,
    owner_id: Option<Snowflake>,
}

/// `PATCH /sim/guilds/{guild_id}`
pub(super) async fn edit(
    State(discord): State<Arc<Discord>>,
    Path(guild_id): Path<String>,
    StrictJson(body): StrictJson<GuildEditBody>,
) -> ControlResult {
    let guild_id = id(&guild_id)?;
    let edit = GuildEdit {
        name: body.name.map(name).transpose()?,
        owner_id: body.owner_id,
    };
    discord.change(clock::now(), |world| world.edit_guild(guild_id, edit))?;
    Ok(Json(json!({})))
}

/// `DELETE /sim/guilds/{guild_id}`: to the bot, being removed from it.
pub(super) async fn remove(
    State(discord): State<Arc<Discord>>,
    Path(guild_id): Path<String>,
) -> ControlResult {
    let guild_id = id(&guild_id)?;
    discord.change(clock::now(), |world| world.delete_guild(guild_id))?;
    Ok(Json(json!({})))
}
