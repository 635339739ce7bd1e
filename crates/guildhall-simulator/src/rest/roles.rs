//! Roles, and who has them.

use axum::{Json, http::StatusCode};
use serde_json::{Map, Value, json};

use super::{
    ApiError, ApiResult,
    call::Call,
    caller::Bot,
    form::{Form, Forms, MaybeForm},
    params::Ids,
};
use crate::{
    snowflake::Snowflake,
    world::{Edit, Guild, MemberEdit, NewRole, Permissions, Rank, Role, RoleEdit, role_object},
};

/// Roles of one guild.
const MOST_ROLES: usize = 250;

/// What a body says of a role.
struct ChangeRequest {
    name: Option<String>,
    permissions: Option<Permissions>,
    color: Option<u32>,
    hoist: Option<bool>,
    mentionable: Option<bool>,
}

impl ChangeRequest {
    fn read(form: &mut Form) -> Self {
        let name = form.text("name", 1..=100);
        let permissions = form.permissions("permissions");
        let mut color = form.small("color", 0..=0x00ff_ffff);
        if let Some(mut below) = form.form("colors") {
            color = below.small("primary_color", 0..=0x00ff_ffff).or(color);
            form.absorb(&["colors"], below);
        }
        for name in ["icon", "unicode_emoji"] {
            if form.has(name) {
                let message = "No guild has the feature ROLE_ICONS here.";
                form.wrong(&[name], "SIMULATOR_ABSENT", message);
            }
        }
        Self {
            name,
            permissions,
            color,
            hoist: form.flag("hoist"),
            mentionable: form.flag("mentionable"),
        }
    }

    /// A bot gives only what it has.
    fn allowed(&self, call: &Call<'_>, guild: &Guild, before: Permissions) -> Result<(), ApiError> {
        let given = self.permissions.unwrap_or(before).difference(before);
        call.needs(guild, given)
    }
}

/// `GET /guilds/{guild_id}/roles`
pub(super) async fn list(bot: Bot, Ids([guild_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let roles: Vec<_> = call
            .guild(guild_id)?
            .roles
            .iter()
            .map(role_object)
            .collect();
        Ok(Json(json!(roles)))
    })
}

/// `GET /guilds/{guild_id}/roles/{role_id}`
pub(super) async fn read(bot: Bot, Ids([guild_id, role_id]): Ids<2>) -> ApiResult {
    bot.act(|call| Ok(Json(role_object(role(call.guild(guild_id)?, role_id)?))))
}

/// `GET /guilds/{guild_id}/roles/member-counts`: all but @everyone.
pub(super) async fn member_counts(bot: Bot, Ids([guild_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        let count = |role: &Role| {
            let has = guild
                .members
                .iter()
                .filter(|member| member.roles.contains(&role.id));
            (role.id.to_string(), json!(has.count()))
        };
        let counts: Map<String, Value> = guild
            .roles
            .iter()
            .filter(|role| role.id != guild.id)
            .map(count)
            .collect();
        Ok(Json(Value::Object(counts)))
    })
}

/// `POST /guilds/{guild_id}/roles`: without `permissions`, those of @everyone.
pub(super) async fn create(
    bot: Bot,
    Ids([guild_id]): Ids<1>,
    MaybeForm(mut form): MaybeForm,
) -> ApiResult {
    let request = ChangeRequest::read(&mut form);
    form.done()?;
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::MANAGE_ROLES)?;
        request.allowed(call, guild, Permissions::NONE)?;
        if guild.roles.len() >= MOST_ROLES {
            return Err(ApiError::MOST_ROLES);
        }
        let everyone = role(guild, guild_id)?.permissions;
        let new = NewRole {
            id: None,
            name: request.name.unwrap_or_else(|| "new role".to_owned()),
            color: request.color.unwrap_or(0),
            permissions: request.permissions.unwrap_or(everyone),
            hoist: request.hoist.unwrap_or(false),
            mentionable: request.mentionable.unwrap_or(false),
        };
        let id = call.change(|world| world.create_role(guild_id, new))?;
        Ok(Json(role_object(role(call.guild(guild_id)?, id)?)))
    })
}

/// `PATCH /guilds/{guild_id}/roles/{role_id}`
pub(super) async fn edit(bot: Bot, Ids([guild_id, role_id]): Ids<2>, mut form: Form) -> ApiResult {
    let request = ChangeRequest::read(&mut form);
    form.done()?;
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::MANAGE_ROLES)?;
        let role_now = role(guild, role_id)?;
        if role_id == guild_id && request.name.is_some() {
            return Err(ApiError::INVALID_ROLE);
        }
        call.above(guild, role_now)?;
        request.allowed(call, guild, role_now.permissions)?;
        let edit = RoleEdit {
            name: request.name,
            color: request.color,
            permissions: request.permissions,
            hoist: request.hoist,
            mentionable: request.mentionable,
        };
        call.change(|world| world.edit_role(role_id, edit))?;
        Ok(Json(role_object(role(call.guild(guild_id)?, role_id)?)))
    })
}

/// `PATCH /guilds/{guild_id}/roles`: new places for some, below the bot. The
/// others make room; who keeps its place may be named without any right to it.
pub(super) async fn place(bot: Bot, Ids([guild_id]): Ids<1>, Forms(forms): Forms) -> ApiResult {
    let mut places = Vec::new();
    for mut form in forms {
        form.must_have("id");
        let id = form.id("id");
        let position = form.small("position", 0..=u32::from(u16::MAX));
        form.done()?;
        let position = position.and_then(|position| u16::try_from(position).ok());
        if let (Edit::Set(id), Some(position)) = (id, position) {
            places.push((id, position));
        }
    }
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::MANAGE_ROLES)?;
        let mut moved = Vec::new();
        for (id, position) in places {
            let role = role(guild, id)?;
            if role.position == position {
                continue;
            }
            if id == guild_id {
                return Err(ApiError::INVALID_ROLE);
            }
            call.above(guild, role)?;
            moved.push((id, position));
        }
        let sorted = guild.with_roles_at(&moved);
        for (id, _) in &moved {
            let mut role = role(guild, *id)?.clone();
            let place = sorted.iter().find(|(sorted, _)| sorted == id);
            role.position = place.map_or(role.position, |(_, position)| *position);
            if Rank::of(&role) >= guild.rank_among(call.bot, &sorted) {
                return Err(ApiError::MISSING_PERMISSIONS);
            }
        }
        call.change(|world| world.place_roles(guild_id, &moved))?;
        let roles: Vec<_> = call
            .guild(guild_id)?
            .roles
            .iter()
            .map(role_object)
            .collect();
        Ok(Json(json!(roles)))
    })
}

/// `DELETE /guilds/{guild_id}/roles/{role_id}`
pub(super) async fn remove(
    bot: Bot,
    Ids([guild_id, role_id]): Ids<2>,
) -> Result<StatusCode, ApiError> {
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::MANAGE_ROLES)?;
        let gone = role(guild, role_id)?;
        if gone.id == guild_id || gone.bot_id.is_some() {
            return Err(ApiError::INVALID_ROLE);
        }
        call.above(guild, gone)?;
        call.change(|world| world.delete_role(role_id))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `PUT /guilds/{guild_id}/members/{user_id}/roles/{role_id}`
pub(super) async fn give(bot: Bot, Ids(ids): Ids<3>) -> Result<StatusCode, ApiError> {
    change_roles(&bot, ids, true)
}

/// `DELETE /guilds/{guild_id}/members/{user_id}/roles/{role_id}`
pub(super) async fn take(bot: Bot, Ids(ids): Ids<3>) -> Result<StatusCode, ApiError> {
    change_roles(&bot, ids, false)
}

fn change_roles(
    bot: &Bot,
    [guild_id, user_id, role_id]: [Snowflake; 3],
    has: bool,
) -> Result<StatusCode, ApiError> {
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::MANAGE_ROLES)?;
        let member = guild.members.get(user_id).ok_or(ApiError::UNKNOWN_MEMBER)?;
        may_hand_out(call, guild, role_id)?;
        let mut roles = member.roles.clone();
        roles.retain(|id| *id != role_id);
        if has {
            roles.push(role_id);
        }
        if roles.len() != member.roles.len() {
            let edit = MemberEdit {
                nick: Edit::Keep,
                roles: Some(roles),
            };
            call.change(|world| world.edit_member(guild_id, user_id, edit))?;
        }
        Ok(StatusCode::NO_CONTENT)
    })
}

/// A role that people may be given: not @everyone, not a bot's own, below the bot.
pub(super) fn may_hand_out(
    call: &Call<'_>,
    guild: &Guild,
    role_id: Snowflake,
) -> Result<(), ApiError> {
    let role = role(guild, role_id)?;
    if role.id == guild.id || role.bot_id.is_some() {
        return Err(ApiError::INVALID_ROLE);
    }
    call.above(guild, role)
}

fn role(guild: &Guild, id: Snowflake) -> Result<&Role, ApiError> {
    guild.roles.get(id).ok_or(ApiError::UNKNOWN_ROLE)
}
