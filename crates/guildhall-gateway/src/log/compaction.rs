//! What was evicted here is in the journal until it has the guild's base at a later floor. Which
//! bases it is given, and when.

use std::cmp::Reverse;

use guildhall_model::GuildId;
use guildhall_ports::journal::JournalBase;

use super::retained::{Amount, RetainedLog};

impl RetainedLog {
    /// See [`Log::compact`](super::Log::compact). `evicted`: how many evicted events the journal
    /// may have at least.
    pub(super) fn compact_beyond(&mut self, evicted: usize) -> Vec<JournalBase> {
        let most = Amount {
            events: evicted.max(self.events.len() / 2),
            bytes: self.retention.bytes / 2,
        };
        if self.evicted.is_within(most) {
            return Vec::new();
        }
        let half = Amount {
            events: most.events / 2,
            bytes: most.bytes / 2,
        };
        let mut bases = Vec::new();
        // Guilds with the most of what is too much first: as few bases as will do.
        let too_many = self.evicted.events > most.events;
        let much = |amount: Amount| {
            if too_many {
                amount.events
            } else {
                amount.bytes
            }
        };
        let evicted = self.guilds.iter().map(|(id, index)| (index.evicted, *id));
        let mut evicted: Vec<(Amount, GuildId)> =
            evicted.filter(|(amount, _)| amount.events > 0).collect();
        evicted.sort_unstable_by_key(|(amount, _)| Reverse(much(*amount)));
        for (amount, guild_id) in evicted {
            if self.evicted.is_within(half) {
                break;
            }
            self.evicted.take(amount);
            bases.extend(self.journal_base(guild_id));
        }
        bases
    }

    fn journal_base(&mut self, guild_id: GuildId) -> Option<JournalBase> {
        let index = self.guilds.get_mut(&guild_id)?;
        index.evicted = Amount::default();
        Some(JournalBase {
            guild_id,
            floor: index.floor,
            guild: self.bases.guilds.get(&guild_id).cloned(),
        })
    }
}
