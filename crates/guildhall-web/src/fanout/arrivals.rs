//! Guilds that came into the replica and were not yet looked at by whoever asks about viewers.

use std::collections::BTreeSet;

use guildhall_model::GuildId;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

/// Collects them. Holds no more than there are guilds.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    waiting: Mutex<Arrived>,
    bell: Notify,
}

/// What came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrived {
    /// These guilds came while the log went on.
    pub(crate) guilds: BTreeSet<GuildId>,
    /// The whole replica was replaced: any guild may be new.
    pub(crate) replaced: bool,
}

impl Arrivals {
    /// A guild came.
    pub(crate) fn add(&self, guild: GuildId) {
        self.lock().guilds.insert(guild);
        self.bell.notify_one();
    }

    /// All of them came.
    pub(crate) fn replaced(&self) {
        self.lock().replaced = true;
        self.bell.notify_one();
    }

    /// Waits until there is something, and takes it. One waits at a time.
    pub(crate) async fn next(&self) -> Arrived {
        loop {
            let arrived = std::mem::take(&mut *self.lock());
            if arrived != Arrived::default() {
                return arrived;
            }
            self.bell.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arrived> {
        self.waiting.lock()
    }
}
