//! What the login asks of the rest: which guilds the bot is in, where the log stands, and that
//! the gateway begins to watch.

use futures_util::{FutureExt, future::BoxFuture};
use guildhall_model::{GuildId, Position, UserId};

use crate::{auth, fanout::Fanout, stream::watch::Watches};

pub(super) struct Bridge {
    fanout: Fanout,
    watches: Watches,
}

impl Bridge {
    pub(super) fn new(fanout: Fanout, watches: Watches) -> Self {
        Self { fanout, watches }
    }
}

impl auth::Bridge for Bridge {
    fn shared(&self, mut guilds: Vec<GuildId>) -> Vec<GuildId> {
        let held = self.fanout.replica().read();
        guilds.retain(|id| held.has(*id));
        guilds
    }

    fn heads(&self) -> Vec<Position> {
        self.fanout.replica().position().into_iter().collect()
    }

    fn watch(&self, user: UserId, guilds: Vec<GuildId>) -> BoxFuture<'_, ()> {
        let viewer = self.fanout.viewer(user);
        async move {
            // No answer now: the first stream asks again, and says so if there is none then.
            let _asked = self.watches.prove(&viewer, &guilds).await.is_ok();
        }
        .boxed()
    }
}
