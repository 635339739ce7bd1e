//! What the login needs: which guilds the bot is in, where the log stands, and that the gateway
//! begins to watch a viewer.

use futures_util::{FutureExt, future::BoxFuture};
use guildhall_model::{GuildId, Position, UserId};

use crate::{auth, fanout::Fanout, stream::watch::WatchClient};

pub(super) struct ReplicaAccess {
    fanout: Fanout,
    watch_client: WatchClient,
}

impl ReplicaAccess {
    pub(super) fn new(fanout: Fanout, watch_client: WatchClient) -> Self {
        Self {
            fanout,
            watch_client,
        }
    }
}

impl auth::WorldAccess for ReplicaAccess {
    fn shared(&self, mut guilds: Vec<GuildId>) -> Vec<GuildId> {
        let logs = self.fanout.replica().read();
        guilds.retain(|id| logs.contains(*id));
        guilds
    }

    fn heads(&self) -> Vec<Position> {
        self.fanout.replica().position().into_iter().collect()
    }

    fn watch(&self, user: UserId, guilds: Vec<GuildId>) -> BoxFuture<'_, ()> {
        let viewer = self.fanout.viewer(user);
        async move {
            // No answer now: the first stream asks again, and says so if there is none then.
            let _asked = self
                .watch_client
                .ensure_looked_up(&viewer, &guilds)
                .await
                .is_ok();
        }
        .boxed()
    }
}
