//! Threads: begun, changed, joined, left, deleted.

use serde_json::json;
use time::OffsetDateTime;

use super::{
    Channel, ChannelKind, ChannelSettings, Event, Guild, Intents, MessageSource, NewMessage, Table,
    Thread, ThreadMember, World,
    audit::{Action, added, changed, removed},
    change::{Changed, Refusal},
    payload::thread_facts,
    thread_members::{joins, leaves, tell, tell_own, told_of_members},
};
use crate::snowflake::Snowflake;

/// Minutes after which a thread is archived of which nobody said anything.
const THREE_DAYS: u32 = 4320;

/// A thread to be begun.
#[derive(Clone, Debug)]
pub(crate) struct NewThread {
    pub(crate) kind: ChannelKind,
    pub(crate) owner_id: Snowflake,
    pub(crate) name: String,
    /// The message that it is about, whose id it gets.
    pub(crate) from: Option<Snowflake>,
    /// Minutes. Like what follows, as its channel says where nothing else is said.
    pub(crate) auto_archive_duration: Option<u32>,
    pub(crate) rate_limit_per_user: Option<u32>,
    pub(crate) invitable: bool,
}

/// What becomes of a thread; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct ThreadEdit {
    pub(crate) name: Option<String>,
    pub(crate) archived: Option<bool>,
    pub(crate) locked: Option<bool>,
    pub(crate) auto_archive_duration: Option<u32>,
    pub(crate) rate_limit_per_user: Option<u32>,
    pub(crate) invitable: Option<bool>,
    pub(crate) flags: Option<u64>,
    pub(crate) applied_tags: Option<Vec<Snowflake>>,
}

impl World {
    /// Begins a thread; THREAD_CREATE. Its owner is in it. What it is about, or in the
    /// channel that it was begun, is told by a message of the kind that Discord has for it.
    pub(crate) fn create_thread(
        &mut self,
        parent_id: Snowflake,
        new: NewThread,
    ) -> Changed<Snowflake> {
        let guild_id = self.guild_of_channel(parent_id)?;
        let id = match new.from {
            Some(message_id) => message_id,
            None => self.free_id(None)?,
        };
        let (bot, now) = (self.bot_id(), self.now);
        let owner_id = new.owner_id;
        let is_from = new.from.is_some();
        let (kind, name) = (new.kind, new.name.clone());
        let ((), mut events) = self.beside_rights(guild_id, |guild, users, effects| {
            check(guild, parent_id, &new)?;
            let parent = guild.channels.get(parent_id);
            let like = parent
                .map(|parent| parent.settings.clone())
                .unwrap_or_default();
            let mut thread = begun(parent_id, &like, id, new, now);
            let owner = ThreadMember {
                user_id: owner_id,
                joined_at: now,
            };
            thread.members.insert(owner_id, owner);
            let facts = thread_facts(&thread);
            guild.threads.insert(id, thread);
            tell(guild, id, bot, effects, "THREAD_CREATE", |object| {
                object["newly_created"] = json!(true);
            });
            told_of_members(guild, users, id, bot, Some(owner), None, effects);
            effects.record_changes(Action::ThreadCreate, id, added(&facts));
            Ok(())
        })?;
        let in_forum = self.guilds.get(guild_id).is_some_and(|guild| {
            let parent = guild.channels.get(parent_id);
            parent.is_some_and(|parent| parent.kind == ChannelKind::Forum)
        });
        if is_from {
            events.extend(self.message_changed(parent_id, id)?.1);
        }
        if is_from || kind == ChannelKind::PublicThread && !in_forum {
            let (place, message_id, number) = if is_from {
                (parent_id, Some(id), STARTER)
            } else {
                (id, None, CREATED)
            };
            let reference = json!({
                "type": 0, "guild_id": guild_id, "channel_id": place, "message_id": message_id,
            });
            let source = MessageSource::Thread {
                kind: number,
                reference,
            };
            let said = NewMessage {
                source,
                ..NewMessage::said(owner_id, if is_from { String::new() } else { name })
            };
            let channel_id = if is_from { id } else { parent_id };
            events.extend(self.create_message(channel_id, said)?.1);
        }
        Ok((id, events))
    }

    /// Changes a thread; THREAD_UPDATE, and where it comes back THREAD_MEMBER_UPDATE of who
    /// is in it. Says nothing if nothing changed.
    pub(crate) fn edit_thread(&mut self, id: Snowflake, edit: ThreadEdit) -> Changed<()> {
        let guild_id = self.guild_of_channel(id)?;
        let (bot, now) = (self.bot_id(), self.now);
        self.beside_rights(guild_id, |guild, _, effects| {
            let thread = guild.threads.get_mut(id);
            let thread = thread.ok_or(Refusal::Unknown("channel"))?;
            let (before, was_archived) = (thread_facts(thread), thread.archived);
            edit.apply(thread, now);
            let (after, returned) = (thread_facts(thread), was_archived && !thread.archived);
            if before == after {
                return Ok(());
            }
            tell(guild, id, bot, effects, "THREAD_UPDATE", |_| {});
            if returned {
                tell_own(guild, id, bot, effects);
            }
            effects.record_changes(Action::ThreadUpdate, id, changed(&before, &after));
            Ok(())
        })
    }

    /// Deletes a thread with everything in it; THREAD_DELETE.
    pub(crate) fn delete_thread(&mut self, id: Snowflake) -> Changed<()> {
        let guild_id = self.guild_of_channel(id)?;
        let bot = self.bot_id();
        self.beside_rights(guild_id, |guild, _, effects| {
            let thread = guild.threads.get(id);
            let thread = thread.ok_or(Refusal::Unknown("channel"))?;
            let channel = &thread.channel;
            let gone = json!({
                "id": id, "guild_id": guild_id, "parent_id": channel.parent_id, "type": channel.kind,
            });
            if guild.shows(channel, bot) {
                let event = Event::new("THREAD_DELETE", Intents::GUILDS, guild_id, &gone);
                effects.events.push(event);
            }
            let changes = removed(&thread_facts(thread));
            effects.record_changes(Action::ThreadDelete, id, changes);
            guild.threads.remove(id);
            guild.messages.forget_channel(id);
            Ok(())
        })
    }

    /// Brings somebody into a thread, or out; THREAD_MEMBERS_UPDATE. Says nothing if
    /// nothing changed.
    pub(crate) fn set_in_thread(
        &mut self,
        id: Snowflake,
        user_id: Snowflake,
        is_in: bool,
    ) -> Changed<()> {
        let guild_id = self.guild_of_channel(id)?;
        let (bot, now) = (self.bot_id(), self.now);
        self.beside_rights(guild_id, |guild, users, effects| {
            if is_in && !guild.members.contains(user_id) {
                return Err(Refusal::Unknown("member"));
            }
            if is_in {
                joins(guild, users, id, user_id, bot, now, effects)
            } else {
                leaves(guild, users, id, user_id, bot, effects)
            }
        })
    }
}

/// Message types: what a thread is about, and that one was begun.
const STARTER: u8 = 21;
const CREATED: u8 = 18;

impl ThreadEdit {
    fn apply(self, thread: &mut Thread, now: OffsetDateTime) {
        if let Some(name) = self.name {
            thread.channel.name = name;
        }
        let archived = self.archived.unwrap_or(thread.archived);
        let duration = self.auto_archive_duration;
        let duration = duration.unwrap_or(thread.auto_archive_duration);
        if archived != thread.archived || duration != thread.auto_archive_duration {
            thread.archive_timestamp = now;
        }
        thread.archived = archived;
        thread.auto_archive_duration = duration;
        thread.locked = self.locked.unwrap_or(thread.locked);
        thread.invitable = self.invitable.unwrap_or(thread.invitable);
        thread.flags = self.flags.unwrap_or(thread.flags);
        if let Some(tags) = self.applied_tags {
            thread.applied_tags = tags;
        }
        let settings = &mut thread.channel.settings;
        let pause = self.rate_limit_per_user;
        settings.rate_limit_per_user = pause.unwrap_or(settings.rate_limit_per_user);
    }
}

fn check(guild: &Guild, parent_id: Snowflake, new: &NewThread) -> Result<(), Refusal> {
    let parent = guild.channels.get(parent_id);
    let parent = parent.ok_or(Refusal::Unknown("channel"))?;
    let fits = match parent.kind {
        ChannelKind::Text => {
            let private = new.kind == ChannelKind::PrivateThread && new.from.is_none();
            private || new.kind == ChannelKind::PublicThread
        }
        ChannelKind::Announcement => new.kind == ChannelKind::AnnouncementThread,
        ChannelKind::Forum => new.kind == ChannelKind::PublicThread && new.from.is_none(),
        _ => false,
    };
    if !fits {
        return Err(Refusal::invalid("no such thread is below such a channel"));
    }
    if !guild.members.contains(new.owner_id) {
        return Err(Refusal::Unknown("member"));
    }
    let Some(message_id) = new.from else {
        return Ok(());
    };
    if guild.messages.get(parent_id, message_id).is_none() {
        return Err(Refusal::Unknown("message"));
    }
    if guild.threads.contains(message_id) {
        return Err(Refusal::Taken(message_id));
    }
    Ok(())
}

fn begun(
    parent_id: Snowflake,
    like: &ChannelSettings,
    id: Snowflake,
    new: NewThread,
    now: OffsetDateTime,
) -> Thread {
    Thread {
        channel: Channel {
            id,
            kind: new.kind,
            name: new.name,
            position: 0,
            parent_id: Some(parent_id),
            user_limit: 0,
            overwrites: Vec::new(),
            settings: ChannelSettings {
                rate_limit_per_user: new
                    .rate_limit_per_user
                    .or(like.default_thread_rate_limit_per_user)
                    .unwrap_or(0),
                ..ChannelSettings::default()
            },
            voice_status: None,
            voice_started: None,
            last_message_id: None,
            last_pin: None,
        },
        owner_id: new.owner_id,
        created_at: now,
        archived: false,
        archive_timestamp: now,
        auto_archive_duration: new
            .auto_archive_duration
            .or(like.default_auto_archive_duration)
            .unwrap_or(THREE_DAYS),
        locked: false,
        invitable: new.invitable,
        message_count: 0,
        total_message_sent: 0,
        flags: 0,
        applied_tags: Vec::new(),
        members: Table::default(),
    }
}
