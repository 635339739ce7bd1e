//! Threads: begun, changed, joined, left.

use axum::{Json, http::StatusCode};
use serde_json::Value;

use super::{
    ApiError, ApiResult,
    call::Call,
    caller::Bot,
    form::Form,
    messages::{MessageBody, said_rights},
    params::{Ids, Query},
};
use crate::{
    snowflake::Snowflake,
    world::{
        Channel, ChannelKind, Guild, NewMessage, NewThread, Permissions, Thread, ThreadEdit,
        channel_dispatch, thread_member, whole_thread_member,
    },
};

/// Minutes after which a thread may be archived.
const DURATIONS: [u32; 4] = [60, 1440, 4320, 10_080];
/// Flag of a forum's thread that is pinned.
const PINNED: u64 = 1 << 1;

/// What a body says of a new thread.
struct Begun {
    name: String,
    auto_archive_duration: Option<u32>,
    rate_limit_per_user: Option<u32>,
}

impl Begun {
    fn read(form: &mut Form) -> Self {
        form.must_have("name");
        Self {
            name: form.text("name", 1..=100).unwrap_or_default(),
            auto_archive_duration: archive_duration(form, "auto_archive_duration"),
            rate_limit_per_user: form.small("rate_limit_per_user", 0..=21_600),
        }
    }

    fn thread(self, kind: ChannelKind, owner_id: Snowflake) -> NewThread {
        NewThread {
            kind,
            owner_id,
            name: self.name,
            from: None,
            auto_archive_duration: self.auto_archive_duration,
            rate_limit_per_user: self.rate_limit_per_user,
            invitable: true,
        }
    }
}

/// `POST /channels/{channel_id}/messages/{message_id}/threads`
pub(super) async fn begin_from(
    bot: Bot,
    Ids([channel_id, message_id]): Ids<2>,
    mut form: Form,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let begun = Begun::read(&mut form);
    form.done()?;
    bot.act(|call| {
        let (guild, channel) = call.guild_channel(channel_id)?;
        let kind = match channel.kind {
            ChannelKind::Text => ChannelKind::PublicThread,
            ChannelKind::Announcement => ChannelKind::AnnouncementThread,
            _ => return Err(ApiError::WRONG_CHANNEL_TYPE),
        };
        let rights = Permissions::CREATE_PUBLIC_THREADS.union(Permissions::READ_MESSAGE_HISTORY);
        call.needs_in(guild, channel, rights)?;
        let message = guild.messages.get(channel_id, message_id);
        message.ok_or(ApiError::UNKNOWN_MESSAGE)?;
        if guild.threads.contains(message_id) {
            return Err(ApiError::HAS_A_THREAD);
        }
        let new = NewThread {
            from: Some(message_id),
            ..begun.thread(kind, call.bot)
        };
        let id = call.change(|world| world.create_thread(channel_id, new))?;
        Ok((StatusCode::CREATED, Json(shape(call, id)?)))
    })
}

/// `POST /channels/{channel_id}/threads`: in a forum with its first message.
pub(super) async fn begin(
    bot: Bot,
    Ids([channel_id]): Ids<1>,
    mut form: Form,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let begun = Begun::read(&mut form);
    let number = form.small("type", 10..=12);
    let invitable = form.flag("invitable").unwrap_or(true);
    bot.act(|call| {
        let (guild, channel) = call.guild_channel(channel_id)?;
        if channel.kind == ChannelKind::Forum {
            call.needs_in(guild, channel, Permissions::SEND_MESSAGES)?;
            return post(call, channel_id, begun, form);
        }
        form.done()?;
        let (kind, right) = match (number.unwrap_or(12), channel.kind) {
            (10, ChannelKind::Announcement) => (
                ChannelKind::AnnouncementThread,
                Permissions::CREATE_PUBLIC_THREADS,
            ),
            (11, ChannelKind::Text) => (
                ChannelKind::PublicThread,
                Permissions::CREATE_PUBLIC_THREADS,
            ),
            (12, ChannelKind::Text) => (
                ChannelKind::PrivateThread,
                Permissions::CREATE_PRIVATE_THREADS,
            ),
            _ => return Err(ApiError::WRONG_CHANNEL_TYPE),
        };
        call.needs_in(guild, channel, right)?;
        let new = NewThread {
            invitable,
            ..begun.thread(kind, call.bot)
        };
        let id = call.change(|world| world.create_thread(channel_id, new))?;
        Ok((StatusCode::CREATED, Json(shape(call, id)?)))
    })
}

/// A forum's thread, whose first message has its id.
fn post(
    call: &mut Call<'_>,
    channel_id: Snowflake,
    begun: Begun,
    mut form: Form,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    form.must_have("message");
    let mut below = form
        .form("message")
        .unwrap_or_else(|| Form::of(serde_json::Map::new()));
    below.files.append(&mut form.files);
    let said = MessageBody::read(&mut below, 0);
    form.absorb(&["message"], below);
    form.done()?;
    if said.is_empty() {
        return Err(ApiError::EMPTY_MESSAGE);
    }
    let (guild, channel) = call.guild_channel(channel_id)?;
    call.needs_in(guild, channel, said_rights(&said))?;
    let new = begun.thread(ChannelKind::PublicThread, call.bot);
    let id = call.change(|world| world.create_thread(channel_id, new))?;
    let first = NewMessage {
        id: Some(id),
        ..said.by(call.bot)
    };
    call.change(|world| world.create_message(id, first))?;
    let mut object = shape(call, id)?;
    let guild = call.world.place_of(id)?;
    let message = guild.messages.get(id, id);
    object["message"] = message.map_or(Value::Null, |message| message.object(guild, call.world));
    Ok((StatusCode::CREATED, Json(object)))
}

/// `PATCH /channels/{channel_id}` of a thread. Who began it may rename and archive it; who may
/// write in it brings it back; for the rest it takes MANAGE_THREADS.
pub(super) fn edit(call: &mut Call<'_>, id: Snowflake, mut form: Form) -> ApiResult {
    let edit = ThreadEdit {
        name: form.text("name", 1..=100),
        archived: form.flag("archived"),
        locked: form.flag("locked"),
        auto_archive_duration: archive_duration(&mut form, "auto_archive_duration"),
        rate_limit_per_user: form.small("rate_limit_per_user", 0..=21_600),
        invitable: form.flag("invitable"),
        flags: form
            .number("flags", 0..=u64::from(u32::MAX))
            .map(|flags| flags & PINNED),
        applied_tags: form.ids("applied_tags"),
    };
    if edit
        .applied_tags
        .as_ref()
        .is_some_and(|tags| !tags.is_empty())
    {
        let message = "No tags are available in this channel.";
        form.wrong(&["applied_tags"], "FORUM_TAG_INVALID", message);
    }
    form.done()?;
    let (guild, channel, thread) = of(call, id)?;
    let moderates = guild
        .rights_in(call.bot, channel, call.now)
        .has(Permissions::MANAGE_THREADS);
    let is_return = edit.archived == Some(false);
    if thread.archived && !is_return && edit.changes(thread) {
        return Err(ApiError::ARCHIVED);
    }
    let comes_back_alone = is_return && !thread.locked && edit.only_returns();
    let of_its_owner = thread.owner_id == call.bot && !thread.locked && edit.is_for_owners();
    if comes_back_alone {
        call.needs_in(guild, channel, Permissions::SEND_MESSAGES)?;
    } else if !moderates && !of_its_owner {
        return Err(ApiError::MISSING_PERMISSIONS);
    }
    call.change(|world| world.edit_thread(id, edit))?;
    shape(call, id).map(Json)
}

/// `DELETE /channels/{channel_id}` of a thread: answers with what it was.
pub(super) fn remove(call: &mut Call<'_>, id: Snowflake) -> ApiResult {
    let (guild, channel, _) = of(call, id)?;
    call.needs_in(guild, channel, Permissions::MANAGE_THREADS)?;
    let was = channel_dispatch(guild, channel, call.bot);
    call.change(|world| world.delete_thread(id))?;
    Ok(Json(was))
}

impl ThreadEdit {
    fn only_returns(&self) -> bool {
        self.name.is_none()
            && self.locked.is_none()
            && self.is_for_owners()
            && self.auto_archive_duration.is_none()
            && self.invitable.is_none()
    }

    /// Without what takes MANAGE_THREADS whoever began the thread.
    fn is_for_owners(&self) -> bool {
        self.locked.is_none() && self.rate_limit_per_user.is_none() && self.flags.is_none()
    }

    fn changes(&self, thread: &Thread) -> bool {
        let others = [
            self.name.is_some(),
            self.auto_archive_duration.is_some(),
            self.rate_limit_per_user.is_some(),
            self.invitable.is_some(),
            self.flags.is_some(),
        ];
        others.contains(&true) || self.archived == Some(true) && !thread.archived
    }
}

/// `PUT /channels/{channel_id}/thread-members/@me`
pub(super) async fn join(bot: Bot, Ids([id]): Ids<1>) -> Result<StatusCode, ApiError> {
    set_in(&bot, id, None, true)
}

/// `DELETE` of the same
pub(super) async fn leave(bot: Bot, Ids([id]): Ids<1>) -> Result<StatusCode, ApiError> {
    set_in(&bot, id, None, false)
}

/// `PUT /channels/{channel_id}/thread-members/{user_id}`
pub(super) async fn add(bot: Bot, Ids([id, user_id]): Ids<2>) -> Result<StatusCode, ApiError> {
    set_in(&bot, id, Some(user_id), true)
}

/// `DELETE` of the same
pub(super) async fn take_out(bot: Bot, Ids([id, user_id]): Ids<2>) -> Result<StatusCode, ApiError> {
    set_in(&bot, id, Some(user_id), false)
}

fn set_in(
    bot: &Bot,
    id: Snowflake,
    other: Option<Snowflake>,
    is_in: bool,
) -> Result<StatusCode, ApiError> {
    bot.act(|call| {
        let (guild, channel, thread) = of(call, id)?;
        if thread.archived {
            return Err(ApiError::ARCHIVED);
        }
        if let Some(user_id) = other {
            if !guild.members.contains(user_id) {
                return Err(ApiError::UNKNOWN_MEMBER);
            }
            let rights = guild.rights_in(call.bot, channel, call.now);
            let moderates = rights.has(Permissions::MANAGE_THREADS);
            let owns = thread.owner_id == call.bot && thread.is_private();
            let may = if is_in {
                let invites = thread.invitable || moderates || !thread.is_private();
                rights.has(Permissions::SEND_MESSAGES) && invites
            } else {
                moderates || owns || user_id == call.bot
            };
            if !may {
                return Err(ApiError::MISSING_PERMISSIONS);
            }
        }
        let user_id = other.unwrap_or(call.bot);
        call.change(|world| world.set_in_thread(id, user_id, is_in))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `GET /channels/{channel_id}/thread-members/{user_id}`, also `@me`
pub(super) async fn member(bot: Bot, Ids([id, user_id]): Ids<2>, query: Query) -> ApiResult {
    bot.act(|call| {
        let (guild, _, thread) = of(call, id)?;
        let member = thread.members.get(user_id);
        let member = *member.ok_or(ApiError::UNKNOWN_MEMBER)?;
        Ok(Json(if query.flag("with_member") {
            whole_thread_member(guild, &call.world.users, thread, member)
        } else {
            thread_member(thread, member)
        }))
    })
}

/// `GET /channels/{channel_id}/thread-members/@me`
pub(super) async fn own_member(bot: Bot, Ids([id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let (_, _, thread) = of(call, id)?;
        let member = thread.members.get(call.bot);
        let member = member.ok_or(ApiError::UNKNOWN_MEMBER)?;
        Ok(Json(thread_member(thread, *member)))
    })
}

/// `GET /channels/{channel_id}/thread-members`: page by page where members are asked for,
/// and only for who hears of members.
pub(super) async fn members(bot: Bot, Ids([id]): Ids<1>, query: Query) -> ApiResult {
    let limit = query.number("limit", 1..=100, 100)?;
    let after = query.id("after")?;
    bot.act(|call| {
        if !call.world.application.privileged_intents.guild_members {
            return Err(ApiError::MISSING_ACCESS);
        }
        let (guild, _, thread) = of(call, id)?;
        let with_member = query.flag("with_member");
        let mut all: Vec<_> = thread.members.iter().copied().collect();
        if with_member {
            all.sort_by_key(|member| member.user_id);
            all.retain(|member| after.is_none_or(|after| member.user_id > after));
            all.truncate(limit);
        }
        let objects = all.into_iter().map(|member| {
            if with_member {
                whole_thread_member(guild, &call.world.users, thread, member)
            } else {
                thread_member(thread, member)
            }
        });
        Ok(Json(objects.collect()))
    })
}

/// A thread that the bot sees: 50024 for what is none.
fn of<'a>(
    call: &'a Call<'_>,
    id: Snowflake,
) -> Result<(&'a Guild, &'a Channel, &'a Thread), ApiError> {
    let (guild, channel) = call.channel(id)?;
    let thread = guild.threads.get(id);
    Ok((guild, channel, thread.ok_or(ApiError::WRONG_CHANNEL_TYPE)?))
}

/// The thread as the bot sees it now.
fn shape(call: &Call<'_>, id: Snowflake) -> Result<Value, ApiError> {
    let (guild, channel, _) = of(call, id)?;
    Ok(channel_dispatch(guild, channel, call.bot))
}

/// Minutes after which a thread is archived.
pub(super) fn archive_duration(form: &mut Form, field: &str) -> Option<u32> {
    let minutes = form.small(field, 0..=u32::MAX)?;
    if DURATIONS.contains(&minutes) {
        return Some(minutes);
    }
    let message = "Value must be one of (60, 1440, 4320, 10080).";
    form.wrong(&[field], "BASE_TYPE_CHOICES", message);
    None
}
