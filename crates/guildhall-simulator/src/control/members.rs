//! Memberships.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, RawQuery, State},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    error::{ControlError, ControlResult},
    read::{StrictJson, id},
};
use crate::{
    clock,
    snowflake::Snowflake,
    state::Discord,
    world::{Changed, Departure, Edit, MemberEdit, Refusal, World},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewBody {
    guild_id: Option<Snowflake>,
    user_id: Snowflake,
    roles: Option<Vec<Snowflake>>,
    nick: Option<String>,
}

/// `POST /sim/members`
pub(super) async fn create(
    State(discord): State<Arc<Discord>>,
    StrictJson(body): StrictJson<NewBody>,
) -> ControlResult {
    let missing = || ControlError::Invalid("guildId is missing".to_owned());
    let guild_id = body.guild_id.ok_or_else(missing)?;
    make(&discord, guild_id, body)
}

/// `POST /sim/guilds/{guild_id}/members`
pub(super) async fn create_in(
    State(discord): State<Arc<Discord>>,
    Path(guild_id): Path<String>,
    StrictJson(body): StrictJson<NewBody>,
) -> ControlResult {
    make(&discord, id(&guild_id)?, body)
}

fn make(discord: &Discord, guild_id: Snowflake, body: NewBody) -> ControlResult {
    let edit = MemberEdit {
        nick: body.nick.into(),
        roles: body.roles,
    };
    discord.change(clock::now(), |world| {
        world.add_member(guild_id, body.user_id, edit)
    })?;
    Ok(Json(json!({"userId": body.user_id})))
}

/// Who comes in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GuestBody {
    user_id: Snowflake,
}

/// `POST /sim/invites/{code}`: somebody accepts an invite.
pub(super) async fn accept_invite(
    State(discord): State<Arc<Discord>>,
    Path(code): Path<String>,
    StrictJson(body): StrictJson<GuestBody>,
) -> ControlResult {
    let guild_id = discord.change(clock::now(), |world| {
        world.accept_invite(&code, body.user_id)
    })?;
    Ok(Json(json!({"guildId": guild_id, "userId": body.user_id})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EditBody {
    #[serde(default)]
    nick: Edit<String>,
    roles: Option<Vec<Snowflake>>,
}

/// `PATCH /sim/guilds/{guild_id}/members/{user_id}`
pub(super) async fn edit(
    State(discord): State<Arc<Discord>>,
    Path((guild_id, user_id)): Path<(String, String)>,
    StrictJson(body): StrictJson<EditBody>,
) -> ControlResult {
    let (guild_id, user_id) = (id(&guild_id)?, id(&user_id)?);
    let edit = MemberEdit {
        nick: body.nick,
        roles: body.roles,
    };
    discord.change(clock::now(), |world| {
        world.edit_member(guild_id, user_id, edit)
    })?;
    Ok(Json(json!({})))
}

/// `DELETE /sim/guilds/{guild_id}/members/{user_id}?how=leave|kick|ban`; they
/// leave by themselves unless it says otherwise.
pub(super) async fn remove(
    State(discord): State<Arc<Discord>>,
    Path((guild_id, user_id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> ControlResult {
    let (guild_id, user_id) = (id(&guild_id)?, id(&user_id)?);
    let departure = match query.as_deref() {
        None | Some("" | "how=leave") => Departure::Left,
        Some("how=kick") => Departure::Kicked,
        Some("how=ban") => Departure::Banned,
        Some(_) => {
            return Err(ControlError::Invalid(
                "how is leave, kick or ban".to_owned(),
            ));
        }
    };
    discord.change(clock::now(), |world| {
        world.remove_member(guild_id, user_id, departure)
    })?;
    Ok(Json(json!({})))
}

/// `PUT /sim/guilds/{guild_id}/members/{user_id}/roles/{role_id}`
pub(super) async fn give_role(
    State(discord): State<Arc<Discord>>,
    Path(path): Path<(String, String, String)>,
) -> ControlResult {
    change_roles(&discord, &path, |roles, role_id| {
        if !roles.contains(&role_id) {
            roles.push(role_id);
        }
    })
}

/// `DELETE /sim/guilds/{guild_id}/members/{user_id}/roles/{role_id}`
pub(super) async fn take_role(
    State(discord): State<Arc<Discord>>,
    Path(path): Path<(String, String, String)>,
) -> ControlResult {
    change_roles(&discord, &path, |roles, role_id| {
        roles.retain(|own| *own != role_id);
    })
}

fn change_roles(
    discord: &Discord,
    (guild_id, user_id, role_id): &(String, String, String),
    change: impl FnOnce(&mut Vec<Snowflake>, Snowflake),
) -> ControlResult {
    let (guild_id, user_id, role_id) = (id(guild_id)?, id(user_id)?, id(role_id)?);
    let edit = |world: &mut World| -> Changed<()> {
        let guild = world
            .guilds
            .get(guild_id)
            .ok_or(Refusal::Unknown("guild"))?;
        let member = guild
            .members
            .get(user_id)
            .ok_or(Refusal::Unknown("member"))?;
        let mut roles = member.roles.clone();
        change(&mut roles, role_id);
        if roles == member.roles {
            return Ok(((), Vec::new()));
        }
        world.edit_member(
            guild_id,
            user_id,
            MemberEdit {
                nick: Edit::Keep,
                roles: Some(roles),
            },
        )
    };
    discord.change(clock::now(), edit)?;
    Ok(Json(json!({})))
}
