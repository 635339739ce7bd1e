//! Guilds.

use axum::Router;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    change::{create, delete, edit},
    read::name,
};
use crate::{
    snowflake::Snowflake,
    state::AppState,
    world::{Changed, GuildEdit, NewGuild, World},
};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/guilds", create(make)).route(
        "/guilds/{guild_id}",
        // To the bot, a guild that is deleted is one that it was removed from.
        edit(change).merge(delete(|world, [guild_id]| world.delete_guild(guild_id))),
    )
}

/// A guild to be made; without an owner the first person owns it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewGuildBody {
    id: Option<Snowflake>,
    name: String,
    owner_id: Option<Snowflake>,
}

fn make(world: &mut World, []: [Snowflake; 0], body: NewGuildBody) -> Changed<Value> {
    let name = name(body.name)?;
    let first = world
        .users
        .iter()
        .find(|user| !user.bot)
        .map(|user| user.id);
    let owner_id = body.owner_id.or(first).unwrap_or(world.bot_id());
    let (id, events) = world.create_guild(&NewGuild {
        id: body.id,
        name,
        owner_id,
    })?;
    Ok((json!({"id": id}), events))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GuildEditBody {
    name: Option<String>,
    owner_id: Option<Snowflake>,
}

fn change(world: &mut World, [guild_id]: [Snowflake; 1], body: GuildEditBody) -> Changed<()> {
    let edit = GuildEdit {
        name: body.name.map(name).transpose()?,
        owner_id: body.owner_id,
        ..GuildEdit::default()
    };
    world.edit_guild(guild_id, edit)
}
