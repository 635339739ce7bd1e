//! Members: read, searched, added, kicked.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    ApiError, ApiResult,
    call::Call,
    caller::{Bot, Person},
    form::Form,
    params::{Ids, Query},
    roles,
};
use crate::{
    clock,
    grants::Grants,
    snowflake::Snowflake,
    state::{Discord, Shared},
    world::{
        Departure, Edit, Guild, Member, MemberEdit, MemberObject, Permissions, VoiceEdit, World,
    },
};

/// `GET /guilds/{guild_id}/members/{user_id}`, 10007 for who is no member.
pub(super) async fn read(bot: Bot, Ids([guild_id, user_id]): Ids<2>) -> ApiResult {
    bot.act(|call| shape(call, guild_id, user_id))
}

/// `GET /guilds/{guild_id}/members`, by rising id; only for applications that
/// have the GUILD_MEMBERS intent.
pub(super) async fn list(bot: Bot, Ids([guild_id]): Ids<1>, query: Query) -> ApiResult {
    let limit = query.number("limit", 1..=1000, 1)?;
    let after = query.id("after")?;
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        if !call.world.application.privileged_intents.guild_members {
            return Err(ApiError::MISSING_ACCESS);
        }
        let mut members: Vec<_> = guild
            .members
            .iter()
            .filter(|member| after.is_none_or(|after| member.user_id > after))
            .collect();
        members.sort_by_key(|member| member.user_id);
        members.truncate(limit);
        Ok(Json(shapes(call.world, &members)))
    })
}

/// `GET /guilds/{guild_id}/members/search`: by the beginning of a name.
pub(super) async fn search(bot: Bot, Ids([guild_id]): Ids<1>, query: Query) -> ApiResult {
    let limit = query.number("limit", 1..=1000, 1)?;
    let required = || ApiError::field("query", "BASE_TYPE_REQUIRED", "This field is required");
    let wanted = query.text("query").ok_or_else(required)?.to_lowercase();
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        let begins =
            |name: Option<&str>| name.is_some_and(|name| name.to_lowercase().starts_with(&wanted));
        let members: Vec<_> = guild
            .members
            .iter()
            .filter(|member| {
                let user = call.world.users.get(member.user_id);
                begins(member.nick.as_deref())
                    || user.is_some_and(|user| {
                        begins(Some(&user.username)) || begins(user.global_name.as_deref())
                    })
            })
            .take(limit)
            .collect();
        Ok(Json(shapes(call.world, &members)))
    })
}

/// `PUT /guilds/{guild_id}/members/{user_id}` with the token of somebody who
/// granted guilds.join: 201, or 204 for a member.
pub(super) async fn add(
    State(grants): State<Shared<Grants>>,
    bot: Bot,
    Ids([guild_id, user_id]): Ids<2>,
    mut form: Form,
) -> Result<Response, ApiError> {
    form.must_have("access_token");
    let token = form.text("access_token", 1..=2048).unwrap_or_default();
    let nick = form.text("nick", 1..=32);
    let wanted = form.ids("roles");
    let (mute, deaf) = (form.flag("mute"), form.flag("deaf"));
    form.done()?;
    let access = grants.lock().access(&token, clock::now());
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::CREATE_INSTANT_INVITE)?;
        let access = access.ok_or(ApiError::BAD_OAUTH_TOKEN)?;
        if access.user_id != user_id {
            return Err(ApiError::BAD_OAUTH_TOKEN);
        }
        if !access.has_scope("guilds.join") {
            return Err(ApiError::MISSING_SCOPE);
        }
        for (asked, rights) in [
            (nick.is_some(), Permissions::MANAGE_NICKNAMES),
            (wanted.is_some(), Permissions::MANAGE_ROLES),
            (mute.is_some(), Permissions::MUTE_MEMBERS),
            (deaf.is_some(), Permissions::DEAFEN_MEMBERS),
        ] {
            if asked {
                call.needs(guild, rights)?;
            }
        }
        for role_id in wanted.iter().flatten() {
            roles::may_hand_out(call, guild, *role_id)?;
        }
        if guild.members.contains(user_id) {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        if guild.bans.contains(user_id) {
            return Err(ApiError::BANNED);
        }
        let edit = MemberEdit {
            nick: nick.into(),
            roles: wanted,
        };
        call.change(|world| world.add_member(guild_id, user_id, edit))?;
        let member = shape(call, guild_id, user_id)?;
        Ok((StatusCode::CREATED, member).into_response())
    })
}

/// `DELETE /guilds/{guild_id}/members/{user_id}`: a kick.
pub(super) async fn kick(
    bot: Bot,
    Ids([guild_id, user_id]): Ids<2>,
) -> Result<StatusCode, ApiError> {
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::KICK_MEMBERS)?;
        if !guild.members.contains(user_id) {
            return Err(ApiError::UNKNOWN_MEMBER);
        }
        call.outranks(guild, user_id)?;
        call.change(|world| world.remove_member(guild_id, user_id, Departure::Kicked))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `GET /users/@me/guilds/{guild_id}/member` with scope guilds.members.read.
pub(super) async fn own(
    State(discord): State<Arc<Discord>>,
    Person(access): Person,
    Ids([guild_id]): Ids<1>,
) -> ApiResult {
    if !access.has_scope("guilds.members.read") {
        return Err(ApiError::MISSING_SCOPE);
    }
    discord.with(|core| {
        let guild = core.world.guilds.get(guild_id);
        let guild = guild.ok_or(ApiError::UNKNOWN_GUILD)?;
        member_in(&core.world, guild, access.user_id).map(Json)
    })
}

/// The object of a member now.
pub(super) fn shape(call: &Call<'_>, guild_id: Snowflake, user_id: Snowflake) -> ApiResult {
    member_in(call.world, call.guild(guild_id)?, user_id).map(Json)
}

fn member_in(world: &World, guild: &Guild, user_id: Snowflake) -> Result<Value, ApiError> {
    let member = guild.members.get(user_id).ok_or(ApiError::UNKNOWN_MEMBER)?;
    let user = world.users.get(user_id).ok_or(ApiError::UNKNOWN_MEMBER)?;
    Ok(json!(MemberObject::new(member, user)))
}

fn shapes(world: &World, members: &[&Member]) -> Value {
    members
        .iter()
        .filter_map(|member| Some(MemberObject::new(member, world.users.get(member.user_id)?)))
        .map(|object| json!(object))
        .collect()
}

/// Whether anything of a voice state is asked for.
pub(super) fn asks_for_voice(edit: &VoiceEdit) -> bool {
    edit.channel_id != Edit::Keep || edit.mute.is_some() || edit.deaf.is_some()
}
