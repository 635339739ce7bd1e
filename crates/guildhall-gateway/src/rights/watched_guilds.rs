//! In which guilds each user is watched.

use std::collections::{BTreeMap, BTreeSet};

use guildhall_model::{GuildId, UserId};

use super::MemberKey;

static NOWHERE: BTreeSet<GuildId> = BTreeSet::new();

#[derive(Debug, Default)]
pub(super) struct WatchedGuilds(BTreeMap<UserId, BTreeSet<GuildId>>);

impl WatchedGuilds {
    pub(super) fn insert(&mut self, (guild_id, user_id): MemberKey) {
        self.0.entry(user_id).or_default().insert(guild_id);
    }

    pub(super) fn remove(&mut self, (guild_id, user_id): MemberKey) {
        if let Some(guilds) = self.0.get_mut(&user_id) {
            guilds.remove(&guild_id);
            if guilds.is_empty() {
                self.0.remove(&user_id);
            }
        }
    }

    pub(super) fn of_user(&self, user_id: UserId) -> &BTreeSet<GuildId> {
        self.0.get(&user_id).unwrap_or(&NOWHERE)
    }
}
