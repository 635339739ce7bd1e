//! When each pair is to be looked at next, whatever for: each has one alarm.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use guildhall_model::{GuildId, UserId};

use super::Pair;

#[derive(Debug, Default)]
pub(super) struct Alarms {
    by_time: BTreeSet<(Instant, Pair)>,
    by_guild: BTreeMap<GuildId, BTreeSet<(Instant, UserId)>>,
}

impl Alarms {
    /// Replaces the alarm at `old`, if there is one, by one at `new`.
    pub(super) fn set(&mut self, pair: Pair, old: Option<Instant>, new: Instant) {
        if old == Some(new) {
            return;
        }
        if let Some(old) = old {
            self.remove(pair, old);
        }
        let (guild_id, user_id) = pair;
        self.by_time.insert((new, pair));
        let guild = self.by_guild.entry(guild_id).or_default();
        guild.insert((new, user_id));
    }

    pub(super) fn remove(&mut self, pair: Pair, at: Instant) {
        let (guild_id, user_id) = pair;
        self.by_time.remove(&(at, pair));
        if let Some(guild) = self.by_guild.get_mut(&guild_id) {
            guild.remove(&(at, user_id));
            if guild.is_empty() {
                self.by_guild.remove(&guild_id);
            }
        }
    }

    pub(super) fn first(&self) -> Option<(Instant, Pair)> {
        self.by_time.first().copied()
    }

    /// Users of a guild with an alarm up to `until`, the first alarm first.
    pub(super) fn of_guild(
        &self,
        guild_id: GuildId,
        until: Instant,
    ) -> impl Iterator<Item = UserId> {
        let guild = self.by_guild.get(&guild_id).into_iter().flatten();
        guild
            .take_while(move |(at, _)| *at <= until)
            .map(|(_, user_id)| *user_id)
    }
}
