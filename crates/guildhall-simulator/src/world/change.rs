//! The frame every change runs in: rights before, rights after.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Channel, Event, Guild, Intents, Table, User, World, payload};
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

/// What a change has to say so far.
#[derive(Default)]
pub(super) struct Telling {
    pub(super) events: Vec<Event>,
    /// Channels to tell about afterwards, in the shape the bot then may see.
    pub(super) channels: BTreeSet<Snowflake>,
}

impl World {
    /// Runs a change of one guild. Channels that the bot may see now and could
    /// not before, or the reverse, follow as CHANNEL_UPDATE. A guild that is out
    /// of service, or that the bot is not in, changes silently.
    pub(super) fn in_guild<T>(
        &mut self,
        guild_id: Snowflake,
        change: impl FnOnce(&mut Guild, &Table<User>, &mut Telling) -> Result<T, Refusal>,
    ) -> Changed<T> {
        let bot = self.application.id;
        let guild = self
            .guilds
            .get_mut(guild_id)
            .ok_or(Refusal::Unknown("guild"))?;
        let before = shown(guild, bot);
        let was_in = guild.members.contains(bot);
        let mut telling = Telling::default();
        let answer = change(guild, &self.users, &mut telling)?;
        if !guild.available {
            return Ok((answer, Vec::new()));
        }
        match (was_in, guild.members.contains(bot)) {
            (true, true) => {}
            (false, true) => return Ok((answer, vec![Event::guild_create(guild_id)])),
            (true, false) => {
                let gone = json!({"id": guild_id});
                let event = Event::new("GUILD_DELETE", Intents::GUILDS, guild_id, &gone);
                return Ok((answer, vec![event]));
            }
            (false, false) => return Ok((answer, Vec::new())),
        }
        let after = shown(guild, bot);
        let existed = |channel: &&Channel| before.iter().any(|(id, _)| *id == channel.id);
        let turned = |channel: &&Channel| {
            before.contains(&(channel.id, true)) != after.contains(&(channel.id, true))
        };
        for channel in guild.channels.iter().filter(existed) {
            if telling.channels.contains(&channel.id) || turned(&channel) {
                telling
                    .events
                    .push(channel_event("CHANNEL_UPDATE", guild, channel, bot));
            }
        }
        Ok((answer, telling.events))
    }
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

/// Every channel, and whether the bot may see it.
fn shown(guild: &Guild, bot: Snowflake) -> BTreeSet<(Snowflake, bool)> {
    guild
        .channels
        .iter()
        .map(|channel| (channel.id, guild.shows(channel, bot)))
        .collect()
}
