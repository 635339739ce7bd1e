//! Users and their presences.

use axum::{Router, routing::MethodFilter};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    change::{create, edit, with_body},
    read::name,
};
use crate::{
    snowflake::Snowflake,
    state::AppState,
    world::{Changed, Edit, NewUser, Presence, Refusal, Status, UserEdit, World},
};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/users", create(make))
        .route("/users/{user_id}", edit(change))
        .route("/users/{user_id}/direct-messages", create(open_direct))
        .route(
            "/users/{user_id}/presence",
            with_body(MethodFilter::PUT, set_presence),
        )
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewBody {
    id: Option<Snowflake>,
    username: String,
    global_name: Option<String>,
    #[serde(default)]
    bot: bool,
}

fn make(world: &mut World, []: [Snowflake; 0], body: NewBody) -> Changed<Value> {
    let new = NewUser {
        id: body.id,
        username: name(body.username)?,
        global_name: body.global_name,
        bot: body.bot,
    };
    let id = world.create_user(new)?;
    Ok((json!({"id": id}), Vec::new()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EditBody {
    username: Option<String>,
    #[serde(default)]
    global_name: Edit<String>,
    #[serde(default)]
    avatar: Edit<String>,
}

fn change(world: &mut World, [user_id]: [Snowflake; 1], body: EditBody) -> Changed<()> {
    let edit = UserEdit {
        username: body.username.map(name).transpose()?,
        global_name: body.global_name,
        avatar: body.avatar,
    };
    world.edit_user(user_id, edit)
}

/// Nothing is said of the channel that is opened.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct NothingBody {}

/// The channel of somebody's direct messages with the bot.
fn open_direct(
    world: &mut World,
    [user_id]: [Snowflake; 1],
    NothingBody {}: NothingBody,
) -> Changed<Value> {
    let id = world.direct_channel(user_id)?;
    Ok((json!({"id": id}), Vec::new()))
}

/// How somebody is shown from now on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PresenceBody {
    status: Status,
    /// Activity objects of Discord's shape, with `name` and `type`.
    #[serde(default)]
    activities: Vec<Value>,
}

fn set_presence(world: &mut World, [user_id]: [Snowflake; 1], body: PresenceBody) -> Changed<()> {
    let named = |activity: &Value| activity["name"].is_string() && activity["type"].is_u64();
    if !body.activities.iter().all(named) {
        return Err(Refusal::invalid(
            "an activity has a name and the number of its type",
        ));
    }
    let presence = Presence {
        status: body.status,
        activities: body.activities,
    };
    world.set_presence(user_id, presence)
}
