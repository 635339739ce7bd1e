//! Guilds that have come into the replica and in which the viewers were not looked up yet.

use std::collections::BTreeSet;

use guildhall_model::GuildId;
use parking_lot::{Mutex, MutexGuard};
use tokio::{sync::Notify, time::Instant};

/// Collects them for whoever looks viewers up. Holds no more than there are guilds.
#[derive(Debug, Default)]
pub(crate) struct GuildArrivals {
    waiting: Mutex<ArrivedGuilds>,
    notify: Notify,
}

/// The guilds that have come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ArrivedGuilds {
    /// These guilds came while the log went on.
    pub(crate) guilds: BTreeSet<GuildId>,
    /// The whole replica was replaced: any guild may be new.
    pub(crate) replaced: bool,
    /// When the last of this happened: what was answered since then need not be asked.
    pub(crate) at: Option<Instant>,
}

impl GuildArrivals {
    /// A guild came.
    pub(crate) fn add(&self, guild: GuildId) {
        let mut waiting = self.lock();
        waiting.guilds.insert(guild);
        waiting.at = Some(Instant::now());
        drop(waiting);
        self.notify.notify_one();
    }

    /// All of them came.
    pub(crate) fn replaced(&self) {
        let mut waiting = self.lock();
        waiting.replaced = true;
        waiting.at = Some(Instant::now());
        drop(waiting);
        self.notify.notify_one();
    }

    /// Waits until there is something, and takes it. One waits at a time.
    pub(crate) async fn next(&self) -> ArrivedGuilds {
        loop {
            let arrived = std::mem::take(&mut *self.lock());
            if arrived != ArrivedGuilds::default() {
                return arrived;
            }
            self.notify.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, ArrivedGuilds> {
        self.waiting.lock()
    }
}
