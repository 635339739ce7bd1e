//! Channels and their overwrites.

use serde_json::{Value, json};

use super::{
    Channel, ChannelKind, ChannelSettings, Edit, Guild, Overwrite, World,
    audit::{Action, added, changed, removed},
    change::{Changed, Refusal, channel_event},
    payload::channel_facts,
    voice,
};
use crate::snowflake::Snowflake;

/// A channel to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewChannel {
    /// A chosen id, or a fresh one.
    pub(crate) id: Option<Snowflake>,
    pub(crate) kind: ChannelKind,
    pub(crate) name: String,
    pub(crate) position: Option<u16>,
    pub(crate) parent_id: Option<Snowflake>,
    pub(crate) user_limit: u32,
    pub(crate) overwrites: Vec<Overwrite>,
    pub(crate) settings: ChannelSettings,
}

/// What becomes of a channel; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChannelEdit {
    pub(crate) name: Option<String>,
    pub(crate) position: Option<u16>,
    /// `Clear` takes it out of its category.
    pub(crate) parent_id: Edit<Snowflake>,
    pub(crate) user_limit: Option<u32>,
    pub(crate) overwrites: Option<Vec<Overwrite>>,
    pub(crate) settings: Option<ChannelSettings>,
}

/// An overwrite as it was and as it is.
type OverwriteChange = (Option<Overwrite>, Option<Overwrite>);

impl World {
    /// The guild that has this channel or thread, or the direct messages that it is.
    pub(crate) fn guild_of_channel(&self, channel_id: Snowflake) -> Result<Snowflake, Refusal> {
        if self.directs.contains(channel_id) {
            return Ok(channel_id);
        }
        self.guilds
            .iter()
            .find(|guild| guild.channels.contains(channel_id) || guild.threads.contains(channel_id))
            .map(|guild| guild.id)
            .ok_or(Refusal::Unknown("channel"))
    }

    pub(crate) fn create_channel(
        &mut self,
        guild_id: Snowflake,
        new: NewChannel,
    ) -> Changed<Snowflake> {
        let id = self.free_id(new.id)?;
        let bot = self.bot_id();
        self.in_guild(guild_id, |guild, _, effects| {
            check_parent(guild, new.kind, new.parent_id)?;
            let position = new.position.unwrap_or_else(|| next_position(guild));
            let channel = Channel {
                id,
                kind: new.kind,
                name: new.name,
                position,
                parent_id: new.parent_id,
                user_limit: new.user_limit,
                overwrites: new.overwrites,
                settings: new.settings,
                voice_status: None,
                voice_started: None,
                last_message_id: None,
                last_pin: None,
            };
            let facts = channel_facts(&channel);
            guild.channels.insert(id, channel);
            if let Some(channel) = guild.channels.get(id) {
                effects
                    .events
                    .push(channel_event("CHANNEL_CREATE", guild, channel, bot));
            }
            effects.record_changes(Action::ChannelCreate, id, added(&facts));
            Ok(id)
        })
    }

    pub(crate) fn edit_channel(&mut self, channel_id: Snowflake, edit: ChannelEdit) -> Changed<()> {
        let guild_id = self.guild_of_channel(channel_id)?;
        self.in_guild(guild_id, |guild, _, effects| {
            let kind = guild.channels.get(channel_id).map(|channel| channel.kind);
            if let (Some(kind), Edit::Set(parent_id)) = (kind, edit.parent_id) {
                check_parent(guild, kind, Some(parent_id))?;
            }
            let channel = guild
                .channels
                .get_mut(channel_id)
                .ok_or(Refusal::Unknown("channel"))?;
            let before = channel_facts(channel);
            if let Some(name) = edit.name {
                channel.name = name;
            }
            if let Some(overwrites) = edit.overwrites {
                channel.overwrites = overwrites;
            }
            channel.position = edit.position.unwrap_or(channel.position);
            edit.parent_id.apply(&mut channel.parent_id);
            channel.user_limit = edit.user_limit.unwrap_or(channel.user_limit);
            if let Some(settings) = edit.settings {
                channel.settings = settings;
            }
            let changes = changed(&before, &channel_facts(channel));
            effects.channels.insert(channel_id);
            effects.record_changes(Action::ChannelUpdate, channel_id, changes);
            Ok(())
        })
    }

    /// Puts one overwrite in place of that for the same role or member.
    pub(crate) fn put_overwrite(
        &mut self,
        channel_id: Snowflake,
        overwrite: Overwrite,
    ) -> Changed<()> {
        self.edit_overwrites(channel_id, |all| {
            let before = all.iter().find(|one| one.id == overwrite.id).copied();
            all.retain(|one| one.id != overwrite.id);
            all.push(overwrite);
            Ok((before, Some(overwrite)))
        })
    }

    pub(crate) fn remove_overwrite(
        &mut self,
        channel_id: Snowflake,
        target: Snowflake,
    ) -> Changed<()> {
        self.edit_overwrites(channel_id, |all| {
            let place = all.iter().position(|one| one.id == target);
            let gone = all.remove(place.ok_or(Refusal::Unknown("overwrite"))?);
            Ok((Some(gone), None))
        })
    }

    /// `edit` answers with the overwrite as it was and as it is.
    fn edit_overwrites(
        &mut self,
        channel_id: Snowflake,
        edit: impl FnOnce(&mut Vec<Overwrite>) -> Result<OverwriteChange, Refusal>,
    ) -> Changed<()> {
        let guild_id = self.guild_of_channel(channel_id)?;
        self.in_guild(guild_id, |guild, _, effects| {
            let channel = guild
                .channels
                .get_mut(channel_id)
                .ok_or(Refusal::Unknown("channel"))?;
            let (before, after) = edit(&mut channel.overwrites)?;
            effects.channels.insert(channel_id);
            let action = match (before, after) {
                (None, _) => Action::OverwriteCreate,
                (_, None) => Action::OverwriteDelete,
                _ => Action::OverwriteUpdate,
            };
            let facts = |one: Option<Overwrite>| {
                // The type and whose it is stand under `options` as well.
                one.map_or(Value::Null, |one| json!(one))
            };
            let changes = changed(&facts(before), &facts(after));
            if let (Some(one), false) = (after.or(before), changes.is_empty()) {
                let mut options = json!({"id": one.id, "type": u8::from(one.kind).to_string()});
                if let Some(role) = guild.roles.get(one.id) {
                    options["role_name"] = json!(role.name);
                }
                effects.record_with(action, Some(channel_id), Some(options), changes);
            }
            Ok(())
        })
    }

    /// Removes a channel. Its people are disconnected first, each with an event;
    /// a category's children stay and lose their parent.
    pub(crate) fn delete_channel(&mut self, channel_id: Snowflake) -> Changed<()> {
        let guild_id = self.guild_of_channel(channel_id)?;
        let bot = self.bot_id();
        self.in_guild(guild_id, |guild, users, effects| {
            let inside: Vec<_> = guild
                .voice_states
                .iter()
                .filter(|state| state.channel_id == channel_id)
                .cloned()
                .collect();
            for state in inside {
                guild.voice_states.remove(state.user_id);
                effects.events.extend(voice::voice_state_update(
                    guild,
                    users,
                    state.user_id,
                    Some(&state),
                ));
            }
            if let Some(channel) = guild.channels.get(channel_id) {
                effects
                    .events
                    .push(channel_event("CHANNEL_DELETE", guild, channel, bot));
                let changes = removed(&channel_facts(channel));
                effects.record_changes(Action::ChannelDelete, channel_id, changes);
            }
            guild.channels.remove(channel_id);
            guild.messages.forget_channel(channel_id);
            let below: Vec<_> = guild
                .threads_of(channel_id)
                .map(|one| one.channel.id)
                .collect();
            for id in below {
                guild.threads.remove(id);
                guild.messages.forget_channel(id);
            }
            let webhooks = guild.webhooks.iter();
            let of_it: Vec<_> = webhooks
                .filter(|one| one.channel_id == channel_id)
                .map(|one| one.id)
                .collect();
            for id in of_it {
                guild.webhooks.remove(id);
            }
            guild
                .invites
                .retain(|invite| invite.channel_id != channel_id);
            for child in guild.channels.iter_mut() {
                if child.parent_id == Some(channel_id) {
                    child.parent_id = None;
                    effects.channels.insert(child.id);
                }
            }
            Ok(())
        })
    }

    /// The chosen id if nothing has it, or a fresh one.
    pub(super) fn free_id(&mut self, chosen: Option<Snowflake>) -> Result<Snowflake, Refusal> {
        match chosen {
            Some(id) if self.is_used(id) => Err(Refusal::Taken(id)),
            Some(id) => Ok(id),
            None => loop {
                let id = self.new_id();
                if !self.is_used(id) {
                    return Ok(id);
                }
            },
        }
    }

    fn is_used(&self, id: Snowflake) -> bool {
        self.users.contains(id)
            || self.guilds.contains(id)
            || self.directs.contains(id)
            || self.guilds.iter().any(|guild| {
                guild.channels.contains(id)
                    || guild.roles.contains(id)
                    || guild.threads.contains(id)
                    || guild.webhooks.contains(id)
            })
    }
}

fn check_parent(
    guild: &Guild,
    kind: ChannelKind,
    parent_id: Option<Snowflake>,
) -> Result<(), Refusal> {
    let Some(parent_id) = parent_id else {
        return Ok(());
    };
    let parent = guild
        .channels
        .get(parent_id)
        .ok_or(Refusal::Unknown("parent channel"))?;
    if parent.kind != ChannelKind::Category || kind == ChannelKind::Category {
        return Err(Refusal::invalid(
            "only a category has children, and it is no child",
        ));
    }
    Ok(())
}

fn next_position(guild: &Guild) -> u16 {
    guild
        .channels
        .iter()
        .map(|channel| channel.position)
        .max()
        .map_or(0, |last| last.saturating_add(1))
}
