//! How often somebody may ask for something, and have something done.
//!
//! Each request that can be read counts, whatever comes of it, so that trying costs as much as
//! doing. Discord lets a bot do little per second, and everybody has a part of it.

use std::{net::IpAddr, sync::Arc, time::Duration};

use guildhall_http::ClientAddress;
use guildhall_ports::{
    RateLimiter,
    rate_limiter::{Limited, RateBucket},
};
use tokio::time::Instant;

use super::table::RpcKind;
use crate::auth::Account;

/// Commands of one user: five in five seconds, ten at once.
const COMMANDS_PER_USER: Rate = Rate {
    share: Duration::from_secs(1),
    room: Duration::from_secs(10),
};

/// Commands of one address, which a school or a café has for many: as twenty users.
const COMMANDS_PER_ADDRESS: Rate = Rate {
    share: Duration::from_millis(50),
    room: Duration::from_secs(10),
};

/// Questions of one user, which cost a moment of ours alone: a page with a hundred rooms asks once
/// about each.
const QUESTIONS_PER_USER: Rate = Rate {
    share: Duration::from_millis(50),
    room: Duration::from_secs(10),
};

/// Questions of one address, as ten users.
const QUESTIONS_PER_ADDRESS: Rate = Rate {
    share: Duration::from_millis(5),
    room: Duration::from_secs(10),
};

/// One per `share`, and as many at once as shares fit into `room`.
#[derive(Clone, Copy, Debug)]
struct Rate {
    share: Duration,
    room: Duration,
}

/// The budget, shared by all instances that share the limiter.
#[derive(Clone, Debug)]
pub(super) struct RpcBudget(Arc<dyn RateLimiter>);

impl RpcBudget {
    /// Counted by this limiter.
    pub(super) fn new(limiter: Arc<dyn RateLimiter>) -> Self {
        Self(limiter)
    }

    /// Counts a request, if there is room for it. Command and questions have buckets of their own.
    pub(super) async fn spend(
        &self,
        kind: &RpcKind,
        account: &Account,
        client: ClientAddress,
        now: Instant,
    ) -> Result<(), Limited> {
        let buckets = buckets(kind, account, client);
        let now = now.into_std();
        self.0.reserve(&buckets, now).await?;
        self.0.charge(&buckets, now);
        self.0.release(&buckets);
        Ok(())
    }
}

fn buckets(kind: &RpcKind, account: &Account, client: ClientAddress) -> Vec<RateBucket> {
    let (word, per_user, per_address) = match kind {
        RpcKind::Command(_) | RpcKind::Overlay(_) => {
            ("command", COMMANDS_PER_USER, COMMANDS_PER_ADDRESS)
        }
        RpcKind::Question(_) => ("question", QUESTIONS_PER_USER, QUESTIONS_PER_ADDRESS),
    };
    let of_user = per_user.bucket(format!("{word}:{account}"));
    let of_address = counted_address(client).filter(|_| account.counts_address());
    let of_address = of_address.map(|ip| per_address.bucket(format!("{word}:address:{ip}")));
    [of_user].into_iter().chain(of_address).collect()
}

/// This machine's own address is not counted: whatever comes from it is a proxy that is not
/// listed, with everybody behind it, or somebody who has the machine.
fn counted_address(client: ClientAddress) -> Option<IpAddr> {
    (!client.0.is_loopback()).then_some(client.0)
}

impl Rate {
    fn bucket(self, key: String) -> RateBucket {
        RateBucket {
            key,
            share: self.share,
            room: self.room,
        }
    }
}
