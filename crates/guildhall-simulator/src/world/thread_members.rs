//! Who is in a thread, and what is told of it.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    Event, Guild, Intents, Table, ThreadMember, User,
    change::{Effects, Refusal},
    payload::{added_member, thread_member, thread_object},
};
use crate::snowflake::Snowflake;

/// An event of a thread, for a bot that sees it.
pub(super) fn tell(
    guild: &Guild,
    id: Snowflake,
    bot: Snowflake,
    effects: &mut Effects,
    name: &'static str,
    more: impl FnOnce(&mut Value),
) {
    let thread = guild.threads.get(id);
    if let Some(thread) = thread.filter(|thread| guild.shows(&thread.channel, bot)) {
        let mut object = thread_object(guild, thread, bot);
        more(&mut object);
        let event = Event::new(name, Intents::GUILDS, guild.id, &object);
        effects.events.push(event);
    }
}

/// THREAD_MEMBER_UPDATE, of the bot alone.
pub(super) fn tell_own(guild: &Guild, id: Snowflake, bot: Snowflake, effects: &mut Effects) {
    let thread = guild.threads.get(id);
    let own = thread.and_then(|thread| Some((thread, thread.members.get(bot)?)));
    if let Some((thread, member)) = own {
        let mut data = thread_member(thread, *member);
        data["guild_id"] = json!(guild.id);
        let event = Event::new("THREAD_MEMBER_UPDATE", Intents::GUILDS, guild.id, &data);
        effects.events.push(event);
    }
}

/// THREAD_MEMBERS_UPDATE. Of the bot itself every session hears, of others those that
/// hear of members.
pub(super) fn told_of_members(
    guild: &Guild,
    users: &Table<User>,
    id: Snowflake,
    bot: Snowflake,
    came: Option<ThreadMember>,
    went: Option<Snowflake>,
    effects: &mut Effects,
) {
    let Some(thread) = guild.threads.get(id) else {
        return;
    };
    let concerns_bot = came.map(|member| member.user_id).or(went) == Some(bot);
    if !concerns_bot && !guild.shows(&thread.channel, bot) {
        return;
    }
    let mut data = json!({
        "id": id,
        "guild_id": guild.id,
        "member_count": thread.members.len().min(50),
    });
    if let Some(member) = came {
        data["added_members"] = json!([added_member(guild, users, thread, member)]);
    }
    if let Some(user_id) = went {
        data["removed_member_ids"] = json!([user_id]);
    }
    let needs = if concerns_bot {
        Intents::GUILDS
    } else {
        Intents::GUILD_MEMBERS
    };
    let event = Event::new("THREAD_MEMBERS_UPDATE", needs, guild.id, &data);
    effects.events.push(event);
}

/// Somebody comes into a thread. The bot is shown it, because it may not have seen it.
pub(super) fn joins(
    guild: &mut Guild,
    users: &Table<User>,
    id: Snowflake,
    user_id: Snowflake,
    bot: Snowflake,
    now: OffsetDateTime,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    let thread = guild.threads.get_mut(id);
    let thread = thread.ok_or(Refusal::Unknown("channel"))?;
    if thread.members.contains(user_id) {
        return Ok(());
    }
    let member = ThreadMember {
        user_id,
        joined_at: now,
    };
    thread.members.insert(user_id, member);
    if user_id == bot {
        tell(guild, id, bot, effects, "THREAD_CREATE", |_| {});
    }
    told_of_members(guild, users, id, bot, Some(member), None, effects);
    Ok(())
}

pub(super) fn leaves(
    guild: &mut Guild,
    users: &Table<User>,
    id: Snowflake,
    user_id: Snowflake,
    bot: Snowflake,
    effects: &mut Effects,
) -> Result<(), Refusal> {
    let thread = guild.threads.get_mut(id);
    let thread = thread.ok_or(Refusal::Unknown("channel"))?;
    if thread.members.remove(user_id).is_some() {
        told_of_members(guild, users, id, bot, None, Some(user_id), effects);
    }
    Ok(())
}

/// Whoever leaves the guild is in none of its threads any more.
pub(super) fn leaves_all(
    guild: &mut Guild,
    users: &Table<User>,
    user_id: Snowflake,
    bot: Snowflake,
    effects: &mut Effects,
) {
    let inside = guild.threads.iter();
    let inside = inside.filter(|thread| thread.members.contains(user_id));
    let ids: Vec<_> = inside.map(|thread| thread.channel.id).collect();
    for id in ids {
        // The thread was there a moment ago.
        let _ = leaves(guild, users, id, user_id, bot, effects);
    }
}

/// Something is said in a thread: it comes back if it was archived, and whoever said it is
/// in it from then on.
pub(super) fn said(
    guild: &mut Guild,
    users: &Table<User>,
    id: Snowflake,
    author_id: Snowflake,
    bot: Snowflake,
    now: OffsetDateTime,
    effects: &mut Effects,
) {
    let is_member = guild.members.contains(author_id);
    let Some(thread) = guild.threads.get_mut(id) else {
        return;
    };
    thread.message_count += 1;
    thread.total_message_sent += 1;
    if std::mem::take(&mut thread.archived) {
        thread.archive_timestamp = now;
        tell(guild, id, bot, effects, "THREAD_UPDATE", |_| {});
        tell_own(guild, id, bot, effects);
    }
    if is_member {
        // The thread is there: it was looked up above.
        let _ = joins(guild, users, id, author_id, bot, now, effects);
    }
}
