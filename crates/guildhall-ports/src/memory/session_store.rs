//! Revocations in memory.

use std::future::ready;

use guildhall_model::{UnixMs, UserId};
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::{
    future::{PortFuture, Unavailable},
    revocation_table::{Added, RevocationTable},
    session_store::{Revocation, SessionFacts, SessionStore},
};

/// Where cookies are all there is of a session: what this process was told is over, for as long as it
/// runs.
#[derive(Debug, Default)]
pub struct CookieSessionStore {
    table: RwLock<RevocationTable>,
    changes: watch::Sender<u64>,
}

impl SessionStore for CookieSessionStore {
    fn revoke(
        &self,
        revocation: Revocation,
        now: UnixMs,
    ) -> PortFuture<'_, Result<(), Unavailable>> {
        let added = {
            let mut table = self.table.write();
            table.expire(now);
            table.add(revocation)
        };
        if added != Added::Known {
            self.changes.send_modify(|changes| *changes += 1);
        }
        Box::pin(ready(Ok(())))
    }

    fn is_revoked(&self, session: SessionFacts<'_>) -> bool {
        self.table.read().is_revoked(session)
    }

    fn not_before(&self, user_id: UserId) -> UnixMs {
        self.table.read().not_before(user_id)
    }

    fn all(&self) -> Vec<Revocation> {
        self.table.read().iter().collect()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn it_keeps_the_promises() {
        conformance::session_store(async || Arc::new(CookieSessionStore::default())).await;
    }
}
