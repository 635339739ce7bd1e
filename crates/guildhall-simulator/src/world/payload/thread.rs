//! Threads: Channel objects of another shape, and who is in them.

use serde_json::{Value, json};

use super::{MemberObject, presence, without};
use crate::{
    snowflake::{Snowflake, iso},
    world::{Guild, Table, Thread, ThreadMember, User},
};

/// Members that Discord counts.
const MOST_COUNTED: usize = 50;

/// Channel object of a thread, with the bot's own membership if it is in it.
pub(crate) fn thread_object(guild: &Guild, thread: &Thread, bot: Snowflake) -> Value {
    let mut object = bare(guild, thread);
    if let Some(member) = thread.members.get(bot) {
        object["member"] = thread_member(thread, *member);
    }
    object
}

/// What the audit log tells of a thread.
pub(in crate::world) fn thread_facts(thread: &Thread) -> Value {
    json!({
        "name": thread.channel.name,
        "type": thread.channel.kind,
        "archived": thread.archived,
        "locked": thread.locked,
        "auto_archive_duration": thread.auto_archive_duration,
        "rate_limit_per_user": thread.channel.settings.rate_limit_per_user,
        "invitable": thread.is_private().then_some(thread.invitable),
        "flags": thread.flags,
        "applied_tags": thread.applied_tags,
    })
}

/// Thread Member object.
pub(crate) fn thread_member(thread: &Thread, member: ThreadMember) -> Value {
    json!({
        "id": thread.channel.id,
        "user_id": member.user_id,
        "join_timestamp": iso(member.joined_at),
        "flags": 0,
    })
}

/// The same with the Guild Member object.
pub(crate) fn whole_thread_member(
    guild: &Guild,
    users: &Table<User>,
    thread: &Thread,
    member: ThreadMember,
) -> Value {
    let mut object = thread_member(thread, member);
    let known = guild.members.get(member.user_id);
    if let Some((member, user)) = known.zip(users.get(member.user_id)) {
        object["member"] = json!(MemberObject::new(member, user));
    }
    object
}

/// The same as THREAD_MEMBERS_UPDATE has it, with the presence.
pub(in crate::world) fn added_member(
    guild: &Guild,
    users: &Table<User>,
    thread: &Thread,
    member: ThreadMember,
) -> Value {
    let mut object = whole_thread_member(guild, users, thread, member);
    let shown = users
        .get(member.user_id)
        .filter(|user| !user.presence.is_offline());
    object["presence"] = shown.map_or(Value::Null, |user| {
        let mut shown = presence(user);
        shown["guild_id"] = json!(guild.id);
        shown
    });
    object
}

/// What somebody who can see these threads is told of them: the threads, and the bot's own
/// memberships.
pub(crate) fn thread_list<'a>(
    guild: &Guild,
    threads: impl IntoIterator<Item = &'a Thread>,
    bot: Snowflake,
) -> (Vec<Value>, Vec<Value>) {
    let shown = threads
        .into_iter()
        .filter(|thread| guild.shows(&thread.channel, bot));
    let mut told = (Vec::new(), Vec::new());
    for thread in shown {
        told.0.push(thread_object(guild, thread, bot));
        let own = thread.members.get(bot);
        told.1
            .extend(own.map(|member| thread_member(thread, *member)));
    }
    told
}

/// The same of all threads that are not archived.
pub(crate) fn active_threads(guild: &Guild, bot: Snowflake) -> (Vec<Value>, Vec<Value>) {
    let active = guild.threads.iter().filter(|thread| !thread.archived);
    thread_list(guild, active, bot)
}

/// Partial Channel object of an interaction.
pub(super) fn partial_thread(guild: &Guild, thread: &Thread) -> Value {
    without(
        bare(guild, thread),
        &["message_count", "member_count", "total_message_sent"],
    )
}

fn bare(guild: &Guild, thread: &Thread) -> Value {
    let channel = &thread.channel;
    let mut metadata = json!({
        "archived": thread.archived,
        "auto_archive_duration": thread.auto_archive_duration,
        "archive_timestamp": iso(thread.archive_timestamp),
        "locked": thread.locked,
        "create_timestamp": iso(thread.created_at),
    });
    if thread.is_private() {
        metadata["invitable"] = json!(thread.invitable);
    }
    json!({
        "id": channel.id,
        "type": channel.kind,
        "guild_id": guild.id,
        "parent_id": channel.parent_id,
        "owner_id": thread.owner_id,
        "name": channel.name,
        "last_message_id": channel.last_message_id,
        "last_pin_timestamp": channel.last_pin.map(iso),
        "rate_limit_per_user": channel.settings.rate_limit_per_user,
        "message_count": thread.message_count,
        "member_count": thread.members.len().min(MOST_COUNTED),
        "total_message_sent": thread.total_message_sent,
        "flags": thread.flags,
        "applied_tags": thread.applied_tags,
        "thread_metadata": metadata,
    })
}
