//! When each member is to be looked at next, whatever for: each has one timer.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use guildhall_model::{GuildId, UserId};

use super::MemberKey;

#[derive(Debug, Default)]
pub(super) struct Timers {
    by_time: BTreeSet<(Instant, MemberKey)>,
    /// Those among them that wait for no tick.
    urgent: BTreeSet<(Instant, MemberKey)>,
    by_guild: BTreeMap<GuildId, BTreeSet<(Instant, UserId)>>,
}

/// Whether a timer waits for the next tick, with whatever else is due by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    WithOthers,
    /// Somebody is shown nothing until then.
    Exact,
}

impl Timers {
    /// Replaces the timer at `old`, if there is one, by one at `new`.
    pub(super) fn set(
        &mut self,
        key: MemberKey,
        old: Option<Instant>,
        new: Instant,
        urgency: Urgency,
    ) {
        if let Some(old) = old {
            self.urgent.remove(&(old, key));
        }
        if urgency == Urgency::Exact {
            self.urgent.insert((new, key));
        }
        if old == Some(new) {
            return;
        }
        if let Some(old) = old {
            self.remove(key, old);
        }
        let (guild_id, user_id) = key;
        self.by_time.insert((new, key));
        let guild = self.by_guild.entry(guild_id).or_default();
        guild.insert((new, user_id));
    }

    pub(super) fn remove(&mut self, key: MemberKey, at: Instant) {
        let (guild_id, user_id) = key;
        self.by_time.remove(&(at, key));
        self.urgent.remove(&(at, key));
        if let Some(guild) = self.by_guild.get_mut(&guild_id) {
            guild.remove(&(at, user_id));
            if guild.is_empty() {
                self.by_guild.remove(&guild_id);
            }
        }
    }

    pub(super) fn first(&self) -> Option<(Instant, MemberKey)> {
        self.by_time.first().copied()
    }

    /// The first that waits for no tick.
    pub(super) fn first_urgent(&self) -> Option<Instant> {
        self.urgent.first().map(|(at, _)| *at)
    }

    /// Users of a guild with a timer up to `until`, the first timer first.
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
