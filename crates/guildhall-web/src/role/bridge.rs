//! What the login asks of the rest: which guilds the bot is in, where the log stands, and that
//! the gateway begins to watch.

use futures_util::{FutureExt, future::BoxFuture};
use guildhall_model::{GuildId, Position, UserId};

use crate::{auth, replica::Replica, stream::watch::Watches};

pub(super) struct Bridge {
    replica: Replica,
    watches: Watches,
}

impl Bridge {
    pub(super) fn new(replica: Replica, watches: Watches) -> Self {
        Self { replica, watches }
    }
}

impl auth::Bridge for Bridge {
    fn shared(&self, mut guilds: Vec<GuildId>) -> Vec<GuildId> {
        let held = self.replica.hold();
        guilds.retain(|id| held.has(*id));
        guilds
    }

    fn heads(&self) -> Vec<Position> {
        self.replica.position().into_iter().collect()
    }

    fn watch(&self, user: UserId, guilds: Vec<GuildId>) -> BoxFuture<'_, ()> {
        let viewer = self.replica.viewer(user);
        async move {
            // No answer now: the first stream asks again, and says so if there is none then.
            let _asked = self.watches.prove(&viewer, &guilds).await.is_ok();
        }
        .boxed()
    }
}
