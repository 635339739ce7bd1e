//! Memberships.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    routing::{self, MethodFilter},
};
use serde::Deserialize;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    change::{create, delete, edit, without_body},
    error::{ControlError, ControlResult},
    read::{StrictJson, guild_named, id},
};
use crate::{
    clock,
    snowflake::Snowflake,
    state::{AppState, Discord},
    world::{Changed, Departure, Edit, MemberEdit, Refusal, World},
};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/members", create(make))
        .route("/guilds/{guild_id}/members", create(make_in))
        .route(
            "/guilds/{guild_id}/members/{user_id}",
            edit(change).delete(remove),
        )
        .route(
            "/guilds/{guild_id}/members/{user_id}/roles/{role_id}",
            without_body(MethodFilter::PUT, give_role).merge(delete(take_role)),
        )
        .route("/invites/{code}", routing::post(accept_invite))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewBody {
    guild_id: Option<Snowflake>,
    user_id: Snowflake,
    roles: Option<Vec<Snowflake>>,
    nick: Option<String>,
}

fn make(world: &mut World, []: [Snowflake; 0], body: NewBody) -> Changed<Value> {
    make_in(world, [guild_named(body.guild_id)?], body)
}

fn make_in(world: &mut World, [guild_id]: [Snowflake; 1], body: NewBody) -> Changed<Value> {
    let edit = MemberEdit {
        nick: body.nick.into(),
        roles: body.roles,
    };
    let ((), events) = world.add_member(guild_id, body.user_id, edit)?;
    Ok((json!({"userId": body.user_id}), events))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EditBody {
    #[serde(default)]
    nick: Edit<String>,
    roles: Option<Vec<Snowflake>>,
    /// Of RFC 3339; one that is over times nobody out.
    #[serde(default)]
    timeout_until: Edit<String>,
}

fn change(world: &mut World, [guild_id, user_id]: [Snowflake; 2], body: EditBody) -> Changed<()> {
    let timeout = match body.timeout_until {
        Edit::Keep => None,
        Edit::Clear => Some(None),
        Edit::Set(text) => Some(Some(moment(&text)?)),
    };
    let mut events = Vec::new();
    if body.nick != Edit::Keep || body.roles.is_some() || timeout.is_none() {
        let edit = MemberEdit {
            nick: body.nick,
            roles: body.roles,
        };
        events = world.edit_member(guild_id, user_id, edit)?.1;
    }
    if let Some(until) = timeout {
        events.extend(world.time_out(guild_id, user_id, until)?.1);
    }
    Ok(((), events))
}

fn moment(text: &str) -> Result<OffsetDateTime, Refusal> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| Refusal::invalid("timeoutUntil is a time such as 2026-01-31T12:00:00Z"))
}

/// `DELETE /sim/guilds/{guild_id}/members/{user_id}?how=leave|kick|ban`; they
/// leave by themselves unless it says otherwise.
async fn remove(
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

fn give_role(world: &mut World, ids: [Snowflake; 3]) -> Changed<()> {
    change_roles(world, ids, |roles, role_id| {
        if !roles.contains(&role_id) {
            roles.push(role_id);
        }
    })
}

fn take_role(world: &mut World, ids: [Snowflake; 3]) -> Changed<()> {
    change_roles(world, ids, |roles, role_id| {
        roles.retain(|own| *own != role_id);
    })
}

fn change_roles(
    world: &mut World,
    [guild_id, user_id, role_id]: [Snowflake; 3],
    change: impl FnOnce(&mut Vec<Snowflake>, Snowflake),
) -> Changed<()> {
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
}

/// Who comes in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GuestBody {
    user_id: Snowflake,
}

/// `POST /sim/invites/{code}`: somebody accepts an invite.
async fn accept_invite(
    State(discord): State<Arc<Discord>>,
    Path(code): Path<String>,
    StrictJson(body): StrictJson<GuestBody>,
) -> ControlResult {
    let guild_id = discord.change(clock::now(), |world| {
        world.accept_invite(&code, body.user_id)
    })?;
    Ok(Json(json!({"guildId": guild_id, "userId": body.user_id})))
}
