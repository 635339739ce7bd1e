//! What the login needs: which guilds the bot is in, where the logs stand, and that the gateway
//! begins to watch a viewer, or lets somebody in.

use std::collections::BTreeSet;

use futures_util::{FutureExt, future::BoxFuture};
use guildhall_link::frame::{AdmitRequestBody, Admitted};
use guildhall_link::receiver::Unanswered;
use guildhall_model::{GuildId, LogId, Position, Revocation, UserId};

use crate::{
    auth::{self, NotAdmitted},
    fanout::Fanout,
    link::Link,
    replica::LogPositions,
    stream::watch::WatchClient,
};

pub(super) struct ReplicaAccess {
    fanout: Fanout,
    watch_client: WatchClient,
    link: Link,
}

impl ReplicaAccess {
    pub(super) fn new(fanout: Fanout, watch_client: WatchClient, link: Link) -> Self {
        Self {
            fanout,
            watch_client,
            link,
        }
    }
}

impl auth::WorldAccess for ReplicaAccess {
    fn shared(&self, mut guilds: Vec<GuildId>) -> Vec<GuildId> {
        let logs = self.fanout.replica().read();
        guilds.retain(|id| logs.contains(*id));
        guilds
    }

    fn heads(&self, guilds: &[GuildId]) -> Vec<Position> {
        let logs = self.fanout.replica().read();
        let theirs = guilds.iter().filter_map(|id| logs.position_of(*id));
        let theirs: BTreeSet<LogId> = theirs.map(|position| position.log).collect();
        let positions = logs.positions();
        let all = positions.iter().flat_map(LogPositions::iter);
        let (mut first, others): (Vec<_>, Vec<_>) =
            all.partition(|position| theirs.contains(&position.log));
        first.extend(others);
        first
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

    fn keep_once(&self, revocation: Revocation) -> BoxFuture<'_, Result<bool, Unanswered>> {
        self.link.keep_once(revocation).boxed()
    }

    fn admit(&self, request: AdmitRequestBody) -> BoxFuture<'_, Result<Admitted, NotAdmitted>> {
        async move {
            let answer = self.link.admit(request).await;
            // The replica has come to where the log says so: the link brings that before the answer.
            Ok(answer.map_err(NotAdmitted::Unanswered)??.admitted)
        }
        .boxed()
    }
}
