//! Roles.

use axum::Router;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    change::{create, delete, edit},
    read::{guild_named, name},
};
use crate::{
    snowflake::Snowflake,
    state::AppState,
    world::{Changed, NewRole, Permissions, RoleEdit, World},
};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/roles", create(make))
        .route("/guilds/{guild_id}/roles", create(make_in))
        .route(
            "/roles/{role_id}",
            edit(change).merge(delete(|world, [role_id]| world.delete_role(role_id))),
        )
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewBody {
    guild_id: Option<Snowflake>,
    id: Option<Snowflake>,
    name: String,
    #[serde(default)]
    color: u32,
    #[serde(default)]
    permissions: Permissions,
}

fn make(world: &mut World, []: [Snowflake; 0], body: NewBody) -> Changed<Value> {
    make_in(world, [guild_named(body.guild_id)?], body)
}

fn make_in(world: &mut World, [guild_id]: [Snowflake; 1], body: NewBody) -> Changed<Value> {
    let new = NewRole {
        id: body.id,
        name: name(body.name)?,
        color: body.color,
        permissions: body.permissions,
        hoist: body.color != 0,
        mentionable: false,
    };
    let (id, events) = world.create_role(guild_id, new)?;
    Ok((json!({"id": id}), events))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EditBody {
    name: Option<String>,
    color: Option<u32>,
    permissions: Option<Permissions>,
}

fn change(world: &mut World, [role_id]: [Snowflake; 1], body: EditBody) -> Changed<()> {
    let edit = RoleEdit {
        name: body.name.map(name).transpose()?,
        color: body.color,
        permissions: body.permissions,
        ..RoleEdit::default()
    };
    world.edit_role(role_id, edit)
}
