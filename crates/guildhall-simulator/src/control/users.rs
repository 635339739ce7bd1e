//! Users and their presences.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    error::{ControlError, ControlResult},
    read::{StrictJson, id, name},
};
use crate::{
    clock,
    snowflake::Snowflake,
    state::Discord,
    world::{Edit, NewUser, Presence, Status, UserEdit},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewBody {
    id: Option<Snowflake>,
    username: String,
    global_name: Option<String>,
    #[serde(default)]
    bot: bool,
}

/// `POST /sim/users`
pub(super) async fn create(
    State(discord): State<Arc<Discord>>,
    StrictJson(body): StrictJson<NewBody>,
) -> ControlResult {
    let new = NewUser {
        id: body.id,
        username: name(body.username)?,
        global_name: body.global_name,
        bot: body.bot,
    };
    let created = discord.change(clock::now(), |world| {
        Ok((world.create_user(new)?, Vec::new()))
    })?;
    Ok(Json(json!({"id": created})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EditBody {
    username: Option<String>,
    #[serde(default)]
    global_name: Edit<String>,
    #[serde(default)]
    avatar: Edit<String>,
}

/// `PATCH /sim/users/{user_id}`
pub(super) async fn edit(
    State(discord): State<Arc<Discord>>,
    Path(user_id): Path<String>,
    StrictJson(body): StrictJson<EditBody>,
) -> ControlResult {
    let user_id = id(&user_id)?;
    let edit = UserEdit {
        username: body.username.map(name).transpose()?,
        global_name: body.global_name,
        avatar: body.avatar,
    };
    discord.change(clock::now(), |world| world.edit_user(user_id, edit))?;
    Ok(Json(json!({})))
}

/// How somebody is shown from now on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PresenceBody {
    status: Status,
    /// Activity objects of Discord's shape, with `name` and `type`.
    #[serde(default)]
    activities: Vec<Value>,
}

/// `PUT /sim/users/{user_id}/presence`
pub(super) async fn set_presence(
    State(discord): State<Arc<Discord>>,
    Path(user_id): Path<String>,
    StrictJson(body): StrictJson<PresenceBody>,
) -> ControlResult {
    let user_id = id(&user_id)?;
    let named = |activity: &Value| activity["name"].is_string() && activity["type"].is_u64();
    if !body.activities.iter().all(named) {
        return Err(ControlError::Invalid(
            "an activity has a name and the number of its type".to_owned(),
        ));
    }
    let presence = Presence {
        status: body.status,
        activities: body.activities,
    };
    discord.change(clock::now(), |world| world.set_presence(user_id, presence))?;
    Ok(Json(json!({})))
}
