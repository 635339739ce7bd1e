//! How every change of a guild runs: what the bot sees before and after it, and what follows.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Appears, Channel, Event, Guild, Intents, Permissions, Table, User, World,
    audit::{Action, Entry},
    payload, voice_start,
};
use crate::snowflake::Snowflake;

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Something named does not exist.
    #[error("unknown {0}")]
    Unknown(&'static str),
    /// The request contradicts itself or the world.
    #[error("{0}")]
    Invalid(String),
    /// A chosen id is in use.
    #[error("the id {0} is taken")]
    Taken(Snowflake),
}

impl Refusal {
    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid(reason.into())
    }
}

/// What a change answers, and what it makes Discord say.
pub(crate) type Changed<T> = Result<(T, Vec<Event>), Refusal>;

/// What a change causes besides: events, updates of channels, lines of the audit log.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) events: Vec<Event>,
    /// Channels to tell about afterwards, in the shape the bot then may see.
    pub(super) channels: BTreeSet<Snowflake>,
    /// Voice channels that somebody entered or left.
    pub(super) voice_channels: BTreeSet<Snowflake>,
    records: Vec<Record>,
}

/// What the audit log is to say.
struct Record {
    action: Action,
    target: Option<Snowflake>,
    options: Option<Value>,
    changes: Vec<Value>,
}

impl Effects {
    /// Writes a line into the audit log once the change is made.
    pub(super) fn record(&mut self, action: Action, target: Snowflake) {
        self.record_with(action, Some(target), None, Vec::new());
    }

    /// The same with what changed; no line if nothing did.
    pub(super) fn record_changes(
        &mut self,
        action: Action,
        target: Snowflake,
        changes: Vec<Value>,
    ) {
        if !changes.is_empty() {
            self.record_with(action, Some(target), None, changes);
        }
    }

    pub(super) fn record_with(
        &mut self,
        action: Action,
        target: Option<Snowflake>,
        options: Option<Value>,
        changes: Vec<Value>,
    ) {
        self.records.push(Record {
            action,
            target,
            options,
            changes,
        });
    }
}

impl World {
    /// Runs a change of one guild. Channels that the bot may see now and could
    /// not before, or the reverse, follow as CHANNEL_UPDATE. A guild that is out
    /// of service, or that the bot is not in, changes silently.
    pub(super) fn in_guild<T>(
        &mut self,
        guild_id: Snowflake,
        change: impl FnOnce(&mut Guild, &Table<User>, &mut Effects) -> Result<T, Refusal>,
    ) -> Changed<T> {
        self.run(guild_id, true, change)
    }

    /// The same for a change that cannot touch what the bot may see; it costs the
    /// same in a guild of 500 channels as in one of five.
    pub(super) fn beside_rights<T>(
        &mut self,
        guild_id: Snowflake,
        change: impl FnOnce(&mut Guild, &Table<User>, &mut Effects) -> Result<T, Refusal>,
    ) -> Changed<T> {
        self.run(guild_id, false, change)
    }

    /// A change that may or may not touch what the bot may see.
    pub(super) fn run<T>(
        &mut self,
        guild_id: Snowflake,
        touches_rights: bool,
        change: impl FnOnce(&mut Guild, &Table<User>, &mut Effects) -> Result<T, Refusal>,
    ) -> Changed<T> {
        let bot = self.application.id;
        let guild = if self.directs.contains(guild_id) {
            self.directs.get_mut(guild_id)
        } else {
            self.guilds.get_mut(guild_id)
        };
        let guild = guild.ok_or(Refusal::Unknown("guild"))?;
        let shown = |guild: &Guild| {
            if touches_rights {
                shown(guild, bot)
            } else {
                BTreeSet::new()
            }
        };
        let before = shown(guild);
        let was_in = guild.members.contains(bot);
        let mut effects = Effects::default();
        let answer = change(guild, &self.users, &mut effects)?;
        let settled = voice_start::settle(guild, &effects.voice_channels, bot, self.now);
        let mut entries = Vec::new();
        let is_guild = guild.direct_with.is_none();
        for record in effects.records.into_iter().filter(|_| is_guild) {
            let entry = Entry {
                id: self.ids.draw(self.now),
                user_id: self
                    .cause
                    .as_ref()
                    .map_or(guild.owner_id, |cause| cause.actor),
                target_id: record.target,
                action_type: record.action,
                reason: self.cause.as_ref().and_then(|cause| cause.reason.clone()),
                options: record.options,
                changes: record.changes,
            };
            entries.extend(logged(guild, bot, &entry));
            guild.audit_log.add(entry);
        }
        if !guild.available {
            return Ok((answer, Vec::new()));
        }
        match (was_in, guild.members.contains(bot)) {
            (true, true) => {}
            (false, true) => {
                return Ok((answer, vec![Event::guild_create(guild_id, Appears::Joined)]));
            }
            (true, false) => {
                let gone = json!({"id": guild_id});
                let event = Event::new("GUILD_DELETE", Intents::GUILDS, guild_id, &gone);
                return Ok((answer, vec![event]));
            }
            (false, false) => return Ok((answer, Vec::new())),
        }
        let after = shown(guild);
        let existed = |channel: &&Channel| before.iter().any(|(id, _)| *id == channel.id);
        let turned = |channel: &&Channel| {
            before.contains(&(channel.id, true)) != after.contains(&(channel.id, true))
        };
        for channel in guild.channels.iter().filter(existed) {
            if effects.channels.contains(&channel.id) || turned(&channel) {
                effects
                    .events
                    .push(channel_event("CHANNEL_UPDATE", guild, channel, bot));
                effects
                    .events
                    .extend(threads_of_shown(guild, channel, bot).filter(|_| turned(&channel)));
            }
        }
        // A room that the bot did not see before is shown before its time is told.
        effects.events.extend(settled);
        effects.events.extend(entries);
        Ok((answer, effects.events))
    }
}

/// GUILD_AUDIT_LOG_ENTRY_CREATE, if the bot may read the log.
fn logged(guild: &Guild, bot: Snowflake, entry: &Entry) -> Option<Event> {
    guild
        .base_permissions(bot)
        .has(Permissions::VIEW_AUDIT_LOG)
        .then(|| {
            let mut data = json!(entry);
            data["guild_id"] = json!(guild.id);
            Event::new(
                "GUILD_AUDIT_LOG_ENTRY_CREATE",
                Intents::GUILD_MODERATION,
                guild.id,
                &data,
            )
        })
}

/// CHANNEL_CREATE, _UPDATE or _DELETE in the shape the bot may see.
pub(super) fn channel_event(
    name: &'static str,
    guild: &Guild,
    channel: &Channel,
    bot: Snowflake,
) -> Event {
    let shape = payload::channel_dispatch(guild, channel, bot);
    Event::new(name, Intents::GUILDS, guild.id, &shape)
}

/// THREAD_LIST_SYNC of a channel that can be seen now, if it has threads.
fn threads_of_shown(
    guild: &Guild,
    channel: &Channel,
    bot: Snowflake,
) -> impl Iterator<Item = Event> {
    let active = guild
        .threads_of(channel.id)
        .filter(|thread| !thread.archived);
    let (threads, members) = payload::thread_list(guild, active, bot);
    let data = json!({
        "guild_id": guild.id,
        "channel_ids": [channel.id],
        "threads": threads,
        "members": members,
    });
    let event = || Event::new("THREAD_LIST_SYNC", Intents::GUILDS, guild.id, &data);
    (!threads.is_empty()).then(event).into_iter()
}

/// Every channel, and whether the bot may see it.
fn shown(guild: &Guild, bot: Snowflake) -> BTreeSet<(Snowflake, bool)> {
    guild
        .channels
        .iter()
        .map(|channel| (channel.id, guild.shows(channel, bot)))
        .collect()
}
