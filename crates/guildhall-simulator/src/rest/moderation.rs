//! `PATCH` of a member, and bans.

use axum::{Json, http::StatusCode};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{
    ApiError, ApiResult,
    call::Call,
    caller::Bot,
    form::{Form, MaybeForm, as_time},
    members::{asks_for_voice, shape},
    params::{Ids, Query},
    roles,
};
use crate::{
    snowflake::Snowflake,
    world::{Ban, Edit, Guild, MemberEdit, Permissions, UserObject, VoiceEdit, World},
};

/// Users that are banned at once.
const MOST_BANNED: usize = 200;
/// The longest timeout.
const LONGEST_TIMEOUT: Duration = Duration::days(28);

/// What a body wants of a member.
struct ChangeRequest {
    nick: Edit<String>,
    roles: Option<Vec<Snowflake>>,
    voice: VoiceEdit,
    timeout: Edit<OffsetDateTime>,
}

impl ChangeRequest {
    fn read(form: &mut Form, now: OffsetDateTime) -> Self {
        let nick = match form.text_or_null("nick", 0..=32) {
            Edit::Set(nick) if nick.is_empty() => Edit::Clear,
            other => other,
        };
        let until = form.text_or_null("communication_disabled_until", 0..=64);
        Self {
            nick,
            roles: form.ids("roles"),
            voice: VoiceEdit {
                channel_id: form.id("channel_id"),
                mute: form.flag("mute"),
                deaf: form.flag("deaf"),
                ..VoiceEdit::default()
            },
            timeout: timeout(form, until, now),
        }
    }
}

fn timeout(form: &mut Form, until: Edit<String>, now: OffsetDateTime) -> Edit<OffsetDateTime> {
    const FIELD: &str = "communication_disabled_until";
    let text = match until {
        Edit::Keep => return Edit::Keep,
        Edit::Clear => return Edit::Clear,
        Edit::Set(text) => text,
    };
    match as_time(form, FIELD, &text) {
        None => Edit::Keep,
        Some(until) if until - now > LONGEST_TIMEOUT => {
            let message = "The timeout is longer than 28 days.";
            form.wrong(&[FIELD], "MEMBER_COMMUNICATION_DISABLED_TOO_LONG", message);
            Edit::Keep
        }
        Some(until) if until <= now => Edit::Clear,
        Some(until) => Edit::Set(until),
    }
}

/// `PATCH /guilds/{guild_id}/members/{user_id}`: nickname, roles, voice, timeout.
pub(super) async fn edit(bot: Bot, Ids([guild_id, user_id]): Ids<2>, form: Form) -> ApiResult {
    change(&bot, guild_id, Some(user_id), form)
}

/// `PATCH /guilds/{guild_id}/members/@me`
pub(super) async fn edit_own(bot: Bot, Ids([guild_id]): Ids<1>, form: Form) -> ApiResult {
    change(&bot, guild_id, None, form)
}

fn change(bot: &Bot, guild_id: Snowflake, chosen: Option<Snowflake>, mut form: Form) -> ApiResult {
    bot.act(|call| {
        let user_id = chosen.unwrap_or(call.bot);
        let request = ChangeRequest::read(&mut form, call.now);
        form.done()?;
        check(call, guild_id, user_id, &request)?;
        if request.nick != Edit::Keep || request.roles.is_some() {
            let edit = MemberEdit {
                nick: request.nick,
                roles: request.roles,
            };
            call.change(|world| world.edit_member(guild_id, user_id, edit))?;
        }
        match request.timeout {
            Edit::Keep => {}
            Edit::Clear => call.change(|world| world.time_out(guild_id, user_id, None))?,
            Edit::Set(until) => {
                call.change(|world| world.time_out(guild_id, user_id, Some(until)))?;
            }
        }
        if asks_for_voice(&request.voice) {
            call.change(|world| world.set_voice(guild_id, user_id, request.voice))?;
        }
        shape(call, guild_id, user_id)
    })
}

/// `PATCH /guilds/{guild_id}/members/@me/nick`: answers with the name alone.
pub(super) async fn edit_own_nick(bot: Bot, Ids([guild_id]): Ids<1>, form: Form) -> ApiResult {
    let Json(member) = change(&bot, guild_id, None, form)?;
    Ok(Json(json!({"nick": member["nick"]})))
}

/// Every right that the wishes ask for; nothing is changed unless all are there.
fn check(
    call: &Call<'_>,
    guild_id: Snowflake,
    user_id: Snowflake,
    request: &ChangeRequest,
) -> Result<(), ApiError> {
    let guild = call.guild(guild_id)?;
    let member = guild.members.get(user_id).ok_or(ApiError::UNKNOWN_MEMBER)?;
    if request.nick != Edit::Keep {
        if user_id == call.bot {
            call.needs(guild, Permissions::CHANGE_NICKNAME)?;
        } else {
            call.needs(guild, Permissions::MANAGE_NICKNAMES)?;
            call.outranks(guild, user_id)?;
        }
    }
    if let Some(wanted) = &request.roles {
        call.needs(guild, Permissions::MANAGE_ROLES)?;
        let given = wanted.iter().filter(|id| !member.roles.contains(id));
        let taken = member.roles.iter().filter(|id| !wanted.contains(id));
        for role_id in given.chain(taken) {
            roles::may_hand_out(call, guild, *role_id)?;
        }
    }
    if request.timeout != Edit::Keep {
        call.needs(guild, Permissions::MODERATE_MEMBERS)?;
        if guild.base_permissions(user_id) == Permissions::ALL {
            return Err(ApiError::MISSING_PERMISSIONS);
        }
        call.outranks(guild, user_id)?;
    }
    check_voice(call, guild, user_id, request.voice)
}

fn check_voice(
    call: &Call<'_>,
    guild: &Guild,
    user_id: Snowflake,
    wanted: VoiceEdit,
) -> Result<(), ApiError> {
    if !asks_for_voice(&wanted) {
        return Ok(());
    }
    let inside = guild.voice_states.get(user_id);
    let source = inside.and_then(|state| guild.channels.get(state.channel_id));
    if wanted.channel_id != Edit::Keep {
        match source {
            Some(source) => call.needs_in(guild, source, Permissions::MOVE_MEMBERS)?,
            None => call.needs(guild, Permissions::MOVE_MEMBERS)?,
        }
    }
    if wanted.mute.is_some() {
        call.needs(guild, Permissions::MUTE_MEMBERS)?;
    }
    if wanted.deaf.is_some() {
        call.needs(guild, Permissions::DEAFEN_MEMBERS)?;
    }
    if let Edit::Set(target) = wanted.channel_id {
        let target = guild.channels.get(target);
        let target = target.ok_or(ApiError::UNKNOWN_CHANNEL)?;
        if !target.kind.is_voice() {
            return Err(ApiError::WRONG_CHANNEL_TYPE);
        }
        // Whoever may move people there fills a channel beyond its limit, too.
        let rights = Permissions::CONNECT.union(Permissions::MOVE_MEMBERS);
        call.needs_in(guild, target, rights)?;
    }
    match source {
        Some(_) => Ok(()),
        None => Err(ApiError::NOT_IN_VOICE),
    }
}

/// `PUT /guilds/{guild_id}/bans/{user_id}`
pub(super) async fn ban(
    bot: Bot,
    Ids([guild_id, user_id]): Ids<2>,
    MaybeForm(mut form): MaybeForm,
) -> Result<StatusCode, ApiError> {
    let seconds = form.small("delete_message_seconds", 0..=604_800);
    let days = form.small("delete_message_days", 0..=7);
    form.done()?;
    let window = match (seconds, days) {
        (Some(seconds), _) => Duration::seconds(seconds.into()),
        (None, days) => Duration::days(days.unwrap_or(0).into()),
    };
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::BAN_MEMBERS)?;
        if !call.world.users.contains(user_id) {
            return Err(ApiError::UNKNOWN_USER);
        }
        call.outranks(guild, user_id)?;
        let since = (!window.is_zero()).then(|| call.now - window);
        call.change(|world| world.ban(guild_id, user_id, since))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `POST /guilds/{guild_id}/bulk-ban`: as many of them as can be.
pub(super) async fn ban_many(bot: Bot, Ids([guild_id]): Ids<1>, mut form: Form) -> ApiResult {
    form.must_have("user_ids");
    let ids = form.ids("user_ids").unwrap_or_default();
    if !(1..=MOST_BANNED).contains(&ids.len()) {
        let message = format!("Must be between 1 and {MOST_BANNED} in length.");
        form.wrong(&["user_ids"], "BASE_TYPE_BAD_LENGTH", message);
    }
    let seconds = form
        .small("delete_message_seconds", 0..=604_800)
        .unwrap_or(0);
    form.done()?;
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        let rights = Permissions::BAN_MEMBERS.union(Permissions::MANAGE_GUILD);
        call.needs(guild, rights)?;
        let since = (seconds > 0).then(|| call.now - Duration::seconds(seconds.into()));
        let (mut banned, mut failed) = (Vec::new(), Vec::new());
        for user_id in ids {
            let guild = call.guild(guild_id)?;
            let can = call.world.users.contains(user_id)
                && user_id != call.bot
                && !guild.bans.contains(user_id)
                && call.outranks(guild, user_id).is_ok();
            if can
                && call
                    .change(|world| world.ban(guild_id, user_id, since))
                    .is_ok()
            {
                banned.push(user_id);
            } else {
                failed.push(user_id);
            }
        }
        if banned.is_empty() {
            return Err(ApiError::NOBODY_BANNED);
        }
        Ok(Json(
            json!({"banned_users": banned, "failed_users": failed}),
        ))
    })
}

/// `DELETE /guilds/{guild_id}/bans/{user_id}`
pub(super) async fn unban(
    bot: Bot,
    Ids([guild_id, user_id]): Ids<2>,
) -> Result<StatusCode, ApiError> {
    bot.act(|call| {
        call.needs(call.guild(guild_id)?, Permissions::BAN_MEMBERS)?;
        call.change(|world| world.unban(guild_id, user_id))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `GET /guilds/{guild_id}/bans`, by rising id of who is banned.
pub(super) async fn bans(bot: Bot, Ids([guild_id]): Ids<1>, query: Query) -> ApiResult {
    let limit = query.number("limit", 1..=1000, 1000)?;
    let (before, after) = (query.id("before")?, query.id("after")?);
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::BAN_MEMBERS)?;
        let mut bans: Vec<_> = guild
            .bans
            .iter()
            .filter(|ban| before.is_none_or(|id| ban.user_id < id))
            .filter(|ban| before.is_some() || after.is_none_or(|id| ban.user_id > id))
            .collect();
        bans.sort_by_key(|ban| ban.user_id);
        if before.is_some() {
            bans.drain(..bans.len().saturating_sub(limit));
        }
        bans.truncate(limit);
        let bans = bans.into_iter();
        Ok(Json(bans.map(|ban| ban_object(call.world, ban)).collect()))
    })
}

/// `GET /guilds/{guild_id}/bans/{user_id}`
pub(super) async fn read_ban(bot: Bot, Ids([guild_id, user_id]): Ids<2>) -> ApiResult {
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::BAN_MEMBERS)?;
        let ban = guild.bans.get(user_id).ok_or(ApiError::UNKNOWN_BAN)?;
        Ok(Json(ban_object(call.world, ban)))
    })
}

fn ban_object(world: &World, ban: &Ban) -> Value {
    let user = world.users.get(ban.user_id).map(UserObject::new);
    json!({"reason": ban.reason, "user": user})
}
