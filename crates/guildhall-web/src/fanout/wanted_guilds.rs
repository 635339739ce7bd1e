//! The guilds that a stream is about.

use std::sync::Arc;

use guildhall_model::GuildId;

use crate::replica::GuildLogs;

/// The guilds that a stream is about.
#[derive(Clone, Debug)]
pub(crate) enum WantedGuilds {
    /// These, ascending, those that are not there included; shared by all streams of a viewer that want
    /// the same.
    Listed(Arc<[GuildId]>),
    /// All that there are at each moment.
    All,
}

impl WantedGuilds {
    /// Which they are at this moment. `logs`: the replica's.
    pub(crate) fn now(&self, logs: &GuildLogs) -> Arc<[GuildId]> {
        match self {
            Self::Listed(guilds) => Arc::clone(guilds),
            Self::All => {
                let mut ids: Vec<_> = logs.seen_ids().collect();
                ids.sort_unstable();
                ids.into()
            }
        }
    }
}
