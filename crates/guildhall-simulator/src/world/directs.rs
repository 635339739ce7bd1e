//! Direct messages between the bot and a person.

use super::{Channel, ChannelKind, ChannelSettings, Guild, Permissions, World, change::Refusal};
use crate::snowflake::Snowflake;

impl World {
    /// The channel of the bot's direct messages with somebody, which is there from the
    /// first time it is asked for. Nobody is told.
    pub(crate) fn direct_channel(&mut self, user_id: Snowflake) -> Result<Snowflake, Refusal> {
        if !self.users.contains(user_id) {
            return Err(Refusal::Unknown("user"));
        }
        let known = self.directs.iter();
        let known = known.filter(|direct| direct.direct_with == Some(user_id));
        if let Some(id) = known.map(|direct| direct.id).next() {
            return Ok(id);
        }
        let id = self.free_id(None)?;
        let mut direct = self.bare_guild(id, "", user_id);
        direct.icon = None;
        direct.direct_with = Some(user_id);
        if let Some(everyone) = direct.roles.get_mut(id) {
            everyone.permissions = Permissions::ALL;
        }
        for user_id in [user_id, self.bot_id()] {
            let member = self.new_member(user_id, Vec::new());
            direct.members.insert(user_id, member);
        }
        direct.channels.insert(id, channel(id));
        self.directs.insert(id, direct);
        Ok(id)
    }

    /// A guild, or the direct messages with this id.
    pub(crate) fn guild_or_direct(&self, id: Snowflake) -> Option<&Guild> {
        self.guilds.get(id).or_else(|| self.directs.get(id))
    }

    /// Where a channel, a thread or direct messages are.
    pub(crate) fn place_of(&self, channel_id: Snowflake) -> Result<&Guild, Refusal> {
        let id = self.guild_of_channel(channel_id)?;
        self.guild_or_direct(id).ok_or(Refusal::Unknown("channel"))
    }

    /// Whether somebody is in a guild with the bot, without which nobody is written to.
    pub(crate) fn shares_a_guild(&self, user_id: Snowflake) -> bool {
        self.bot_guilds()
            .any(|guild| guild.members.contains(user_id))
    }
}

fn channel(id: Snowflake) -> Channel {
    Channel {
        id,
        kind: ChannelKind::Direct,
        name: String::new(),
        position: 0,
        parent_id: None,
        user_limit: 0,
        overwrites: Vec::new(),
        settings: ChannelSettings::default(),
        voice_status: None,
        voice_started: None,
        last_message_id: None,
        last_pin: None,
    }
}
