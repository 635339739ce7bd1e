//! One call of the bot: what it sees of the world, what it may do, and what it changes.

use time::OffsetDateTime;

use super::ApiError;
use crate::{
    snowflake::Snowflake,
    world::{Cause, Changed, Channel, Event, Guild, Permissions, Rank, Role, World},
};

/// One call, inside the critical section.
pub(super) struct Call<'a> {
    pub(super) world: &'a mut World,
    pub(super) bot: Snowflake,
    pub(super) now: OffsetDateTime,
    cause: Cause,
    events: Vec<Event>,
}

impl<'a> Call<'a> {
    pub(super) fn new(world: &'a mut World, cause: Cause, now: OffsetDateTime) -> Self {
        Self {
            bot: world.bot_id(),
            world,
            now,
            cause,
            events: Vec::new(),
        }
    }

    /// What the call has to say.
    pub(super) fn into_events(self) -> Vec<Event> {
        self.events
    }

    /// Changes the world in the bot's name, for its reason.
    pub(super) fn change<T>(
        &mut self,
        change: impl FnOnce(&mut World) -> Changed<T>,
    ) -> Result<T, ApiError> {
        let (answer, events) = self.world.on_behalf(self.cause.clone(), change)?;
        self.events.extend(events);
        Ok(answer)
    }

    /// A guild that the bot is in: 10004 for none, 50001 for one it is not in.
    pub(super) fn guild(&self, id: Snowflake) -> Result<&Guild, ApiError> {
        let guild = self.world.guilds.get(id).ok_or(ApiError::UNKNOWN_GUILD)?;
        if guild.members.contains(self.bot) {
            Ok(guild)
        } else {
            Err(ApiError::MISSING_ACCESS)
        }
    }

    /// A guild's channel that the bot sees: 50003 for direct messages, 50024 for a thread.
    pub(super) fn guild_channel(&self, id: Snowflake) -> Result<(&Guild, &Channel), ApiError> {
        let (guild, channel) = self.channel(id)?;
        if guild.direct_with.is_some() {
            return Err(ApiError::NOT_IN_DIRECT_MESSAGES);
        }
        if channel.kind.is_thread() {
            return Err(ApiError::WRONG_CHANNEL_TYPE);
        }
        Ok((guild, channel))
    }

    /// A channel, a thread or direct messages that the bot sees: 10003 for none, 50001 for a
    /// hidden one.
    pub(super) fn channel(&self, id: Snowflake) -> Result<(&Guild, &Channel), ApiError> {
        let guild = self.world.place_of(id)?;
        let channel = guild.channel_or_thread(id);
        let channel = channel.ok_or(ApiError::UNKNOWN_CHANNEL)?;
        if guild.members.contains(self.bot) && guild.shows(channel, self.bot) {
            Ok((guild, channel))
        } else {
            Err(ApiError::MISSING_ACCESS)
        }
    }

    /// 50013 unless the bot has these rights in the guild.
    pub(super) fn needs(&self, guild: &Guild, rights: Permissions) -> Result<(), ApiError> {
        if guild.rights(self.bot, self.now).has(rights) {
            Ok(())
        } else {
            Err(ApiError::MISSING_PERMISSIONS)
        }
    }

    /// 50013 unless the bot has these rights in the channel; 50001 where it can
    /// see a voice channel and not connect, because nothing else counts there.
    pub(super) fn needs_in(
        &self,
        guild: &Guild,
        channel: &Channel,
        rights: Permissions,
    ) -> Result<(), ApiError> {
        let own = guild.rights_in(self.bot, channel, self.now);
        if own.has(rights) {
            Ok(())
        } else if channel.kind.is_voice() && !own.has(Permissions::CONNECT) {
            Err(ApiError::MISSING_ACCESS)
        } else {
            Err(ApiError::MISSING_PERMISSIONS)
        }
    }

    /// 50013 unless the role stands below the bot.
    pub(super) fn above(&self, guild: &Guild, role: &Role) -> Result<(), ApiError> {
        if Rank::of(role) < guild.rank(self.bot) {
            Ok(())
        } else {
            Err(ApiError::MISSING_PERMISSIONS)
        }
    }

    /// 50013 unless the member stands below the bot.
    pub(super) fn outranks(&self, guild: &Guild, user_id: Snowflake) -> Result<(), ApiError> {
        if guild.rank(user_id) < guild.rank(self.bot) {
            Ok(())
        } else {
            Err(ApiError::MISSING_PERMISSIONS)
        }
    }
}
