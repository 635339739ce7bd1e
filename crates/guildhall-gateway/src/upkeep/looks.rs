//! Which guilds are to be looked at. Pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use guildhall_model::GuildId;

/// So many looks are under way at one time.
const LOOKS: usize = 16;

/// Each guild is looked at by one at a time, and once more if something happened meanwhile.
#[derive(Debug, Default)]
pub(super) struct Looks {
    due: VecDeque<GuildId>,
    /// Those of them, and whether something has happened since they began.
    under_way: BTreeMap<GuildId, bool>,
    queued: BTreeSet<GuildId>,
}

impl Looks {
    /// Something has happened there.
    pub(super) fn ask(&mut self, guild_id: GuildId) {
        if let Some(again) = self.under_way.get_mut(&guild_id) {
            *again = true;
        } else if self.queued.insert(guild_id) {
            self.due.push_back(guild_id);
        }
    }

    /// The next one to begin.
    pub(super) fn begin(&mut self) -> Option<GuildId> {
        if self.under_way.len() >= LOOKS {
            return None;
        }
        let guild_id = self.due.pop_front()?;
        self.queued.remove(&guild_id);
        self.under_way.insert(guild_id, false);
        Some(guild_id)
    }

    /// One has been answered. `false`: the answer is of before something that has happened since.
    pub(super) fn ended(&mut self, guild_id: GuildId) -> bool {
        let again = self.under_way.remove(&guild_id).unwrap_or(false);
        if again {
            self.ask(guild_id);
        }
        !again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guild_is_looked_at_by_one_and_once_more_if_something_happens() {
        let (mut looks, one, two) = (Looks::default(), GuildId(1), GuildId(2));
        for guild in [one, two, one, one] {
            looks.ask(guild);
        }
        assert_eq!((looks.begin(), looks.begin()), (Some(one), Some(two)));
        assert_eq!(looks.begin(), None);
        looks.ask(one);
        looks.ask(one);
        assert_eq!(looks.begin(), None, "it is under way");
        assert!(!looks.ended(one), "it may be of before");
        assert!(looks.ended(two));
        assert_eq!((looks.begin(), looks.begin()), (Some(one), None));
        assert!(looks.ended(one));
    }

    #[test]
    fn many_guilds_take_turns() {
        let mut looks = Looks::default();
        for guild in 0..3 * LOOKS as u64 {
            looks.ask(GuildId(guild));
        }
        let begun: Vec<GuildId> = std::iter::from_fn(|| looks.begin()).collect();
        assert_eq!(begun.len(), LOOKS);
        looks.ended(begun[3]);
        assert_eq!(looks.begin(), Some(GuildId(LOOKS as u64)));
    }
}
