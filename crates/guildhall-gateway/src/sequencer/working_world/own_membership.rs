//! What the bot itself is in its guilds: it is in the world beside what watched users are, since its
//! roles decide what can be done. Nobody looks it up, and nobody forgets it: Discord sends the bot's own
//! member with each guild and tells of its changes whatever the intents are.

use guildhall_model::{Change, Event, GuildId, UnixMs, UserId, guild::Membership};

use super::WorkingWorld;

impl WorkingWorld {
    pub(super) fn is_bot(&self, user_id: UserId) -> bool {
        self.bot == Some(user_id)
    }

    /// What the bot is known to be.
    pub(super) fn own_membership(&self, guild_id: GuildId) -> Option<Membership> {
        let guild = self.world.guilds.get(&guild_id)?;
        guild.memberships.get(&self.bot?).cloned()
    }

    /// A dispatch said what the bot is.
    pub(super) fn bot_seen(&mut self, guild_id: GuildId, membership: Membership, wall: UnixMs) {
        let is_there = self.world.guilds.contains_key(&guild_id);
        let known = self.own_membership(guild_id);
        let news = Some(membership).filter(|is| is_there && Some(is) != known.as_ref());
        self.emit_own(guild_id, news, wall);
    }

    /// Everybody's rights were reset. The bot's are told with the guild, and until then are what
    /// they were.
    pub(super) fn keep_own(&mut self, guild_id: GuildId, before: Option<Membership>, wall: UnixMs) {
        self.emit_own(guild_id, before, wall);
    }

    fn emit_own(&mut self, guild_id: GuildId, membership: Option<Membership>, wall: UnixMs) {
        let Some((user_id, membership)) = self.bot.zip(membership) else {
            return;
        };
        self.emit([Event {
            guild_id,
            ts: wall,
            synthetic: false,
            change: Change::Rights {
                user_id,
                membership: Some(membership),
            },
        }]);
    }
}
