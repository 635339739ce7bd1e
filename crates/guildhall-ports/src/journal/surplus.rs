//! What a journal keeps that its log does not need any more, and which bases would rid it of that.
//! Shared by the adapters, so that they ask alike; no IO.

use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    ops::AddAssign,
};

use guildhall_model::GuildId;

use super::Commit;

/// Events, by their number and the bytes of their payloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub events: usize,
    /// Of their payloads.
    pub bytes: usize,
}

/// What is kept of a log's events, in memory: which of them are still needed, and which are not
/// and stay until their guild's base is written anew.
///
/// That costs as much as the guild is large, so it is asked for when the surplus is more than half
/// of what is needed, and more than a least. So a journal stays below twice what its log retains,
/// and a quiet one writes no base at all.
#[derive(Clone, Debug)]
pub struct Surplus {
    least: Amount,
    guilds: HashMap<GuildId, KeptGuild>,
    needed: Amount,
    in_vain: Amount,
}

#[derive(Clone, Debug, Default)]
struct KeptGuild {
    /// Above its floor: number and bytes.
    needed: VecDeque<(u64, usize)>,
    /// Up to its floor, and not in its base.
    surplus: Amount,
    /// Its base was asked for, and has not come.
    asked: bool,
}

impl Surplus {
    /// What an adapter begins to ask beyond, unless somebody says otherwise.
    pub const LEAST: Amount = Amount {
        events: 4_096,
        bytes: 8 << 20,
    };

    /// Nothing is kept. So much surplus is never worth a base.
    #[must_use]
    pub fn beyond(least: Amount) -> Self {
        Self {
            least,
            guilds: HashMap::new(),
            needed: Amount::default(),
            in_vain: Amount::default(),
        }
    }

    /// An event is kept.
    pub fn added(&mut self, guild_id: GuildId, seq: u64, bytes: usize) {
        let guild = self.guilds.entry(guild_id).or_default();
        guild.needed.push_back((seq, bytes));
        self.needed += Amount { events: 1, bytes };
    }

    /// A commit has been taken: answers with the guilds whose bases the next one is to bring, those
    /// with the most of what is too much first, and each once.
    pub fn committed(&mut self, commit: &Commit) -> Vec<GuildId> {
        // A base may be of a floor that was not told before.
        for base in &commit.bases {
            self.floor_raised(base.guild_id, base.floor);
            self.based(base.guild_id);
        }
        for floor in &commit.floors {
            self.floor_raised(floor.guild_id, floor.floor);
        }
        for event in &commit.events {
            let bytes = event.payload().len();
            self.added(event.event.guild_id, event.at.seq, bytes);
        }
        self.wanted()
    }

    fn floor_raised(&mut self, guild_id: GuildId, floor: u64) {
        let Some(guild) = self.guilds.get_mut(&guild_id) else {
            return;
        };
        while let Some((seq, bytes)) = guild.needed.front().copied()
            && seq <= floor
        {
            guild.needed.pop_front();
            let one = Amount { events: 1, bytes };
            self.needed.take(one);
            self.in_vain += one;
            guild.surplus += one;
        }
    }

    fn based(&mut self, guild_id: GuildId) {
        if let Some(guild) = self.guilds.get_mut(&guild_id) {
            self.in_vain.take(std::mem::take(&mut guild.surplus));
            guild.asked = false;
            if guild.needed.is_empty() {
                self.guilds.remove(&guild_id);
            }
        }
    }

    fn wanted(&mut self) -> Vec<GuildId> {
        let most = Amount {
            events: self.least.events.max(self.needed.events / 2),
            bytes: self.least.bytes.max(self.needed.bytes / 2),
        };
        if self.in_vain.is_within(most) {
            return Vec::new();
        }
        let half = Amount {
            events: most.events / 2,
            bytes: most.bytes / 2,
        };
        let mut left = self.in_vain;
        let mut guilds = Vec::new();
        for (guild_id, guild) in &mut self.guilds {
            if guild.asked {
                left.take(guild.surplus);
            } else if guild.surplus.events > 0 {
                guilds.push((guild.surplus, *guild_id));
            }
        }
        // As few bases as will do.
        let too_many = left.events > most.events;
        let much = |amount: &Amount| {
            if too_many {
                amount.events
            } else {
                amount.bytes
            }
        };
        guilds.sort_unstable_by_key(|(surplus, guild_id)| (Reverse(much(surplus)), *guild_id));
        let mut wanted = Vec::new();
        if left.is_within(most) {
            return wanted;
        }
        for (surplus, guild_id) in guilds {
            if left.is_within(half) {
                break;
            }
            left.take(surplus);
            if let Some(guild) = self.guilds.get_mut(&guild_id) {
                guild.asked = true;
            }
            wanted.push(guild_id);
        }
        wanted
    }
}

impl Amount {
    fn is_within(self, most: Self) -> bool {
        self.events <= most.events && self.bytes <= most.bytes
    }

    fn take(&mut self, other: Self) {
        self.events -= other.events;
        self.bytes -= other.bytes;
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.bytes += other.bytes;
    }
}

#[cfg(test)]
mod tests;
