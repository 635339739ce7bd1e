//! Guilds that come, go, or missed changes while nothing could be heard of them.

use guildhall_model::{GuildId, UserId};

use super::{
    MemberKey, Rights, RightsContext, is_known, is_there,
    pending_watches::GuildAnswer,
    queue::Priority,
    watched_member::{LookUp, Validity, WatchedMember},
};

impl Rights {
    /// Changes of a guild may have been missed, in an outage or between two sessions: what was known
    /// of its members is of before, and so is what was asked and not answered yet. Said before what
    /// came with it; [`Rights::guild_changed`] follows.
    pub(crate) fn invalidate_guild(&mut self, guild_id: GuildId, context: RightsContext<'_>) {
        for key in self.of_guild(guild_id) {
            if let Some(known) = self.members.get_mut(&key) {
                known.as_of = None;
                known.failures = 0;
                known.retry_at = context.now;
                match &mut known.look_up {
                    LookUp::InFlight { validity, .. } => *validity = Validity::Invalidated,
                    // In an outage it was to go by REST.
                    LookUp::Queued => {
                        self.queue.remove(key);
                        known.look_up = LookUp::None;
                    }
                    LookUp::None => {}
                }
            }
        }
    }

    /// A guild came or went: watches may have waited for that, and who is watched and not known in
    /// it is looked up at once.
    pub(crate) fn guild_changed(&mut self, guild_id: GuildId, context: RightsContext<'_>) {
        self.look_at_guild(guild_id, context);
        self.send_out(context);
    }

    /// The same of many guilds, and of those that may still come.
    pub(crate) fn guilds_changed(&mut self, context: RightsContext<'_>) {
        let mut next = self
            .members
            .first_key_value()
            .map(|((guild_id, _), _)| *guild_id);
        while let Some(guild_id) = next {
            self.look_at_guild(guild_id, context);
            let beyond = (guild_id, UserId(u64::MAX));
            let later = self.members.range((
                std::ops::Bound::Excluded(beyond),
                std::ops::Bound::Unbounded,
            ));
            next = later.map(|((guild_id, _), _)| *guild_id).next();
        }
        self.send_out(context);
    }

    fn look_at_guild(&mut self, guild_id: GuildId, context: RightsContext<'_>) {
        for key in self.of_guild(guild_id) {
            let Some(known) = self.members.get_mut(&key) else {
                continue;
            };
            // With a guild its rights leave the log.
            if !is_known(key, context.world) {
                known.as_of = None;
            }
            let waited_for = !known.waiting.is_empty();
            let unknown = known.is_watched(context.now)
                && known.as_of.is_none()
                && known.retry_at <= context.now;
            if !is_there(key, context.world) {
                if waited_for && context.expected.includes(guild_id) {
                    self.awaiting_guild.insert(key);
                } else if waited_for {
                    self.resolve(key, GuildAnswer::Failed);
                    self.forget_if_absent(key, context);
                }
            } else if waited_for {
                self.awaiting_guild.remove(&key);
                self.enqueue(key, Priority::Awaited, context);
            } else if unknown {
                self.enqueue(key, Priority::Reset, context);
            }
            self.set_timer(key, context);
        }
    }

    /// What does not exist is not kept: a member that was only waited for, in a guild that is not
    /// there.
    pub(super) fn forget_if_absent(&mut self, key: MemberKey, context: RightsContext<'_>) {
        let idle = self.members.get(&key).is_some_and(WatchedMember::is_idle);
        if idle && !is_there(key, context.world) {
            self.forget(key, context);
        }
    }

    fn of_guild(&self, guild_id: GuildId) -> Vec<MemberKey> {
        let all = (guild_id, UserId(0))..=(guild_id, UserId(u64::MAX));
        self.members.range(all).map(|(key, _)| *key).collect()
    }
}
