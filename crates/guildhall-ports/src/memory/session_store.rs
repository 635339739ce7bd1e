//! Revocations in memory.

use std::future::ready;

use guildhall_model::UnixMs;
use parking_lot::Mutex;

use crate::{
    ExpiringSet,
    future::{PortFuture, Unavailable},
    session_store::{Revocation, SessionId, SessionStore},
};

/// Ended sessions remembered. Beyond it the one nearest its end is forgotten: its cookie was about
/// to expire anyway.
const REVOKED_MAX: usize = 100_000;

/// Where cookies are all there is of a session: what was ended is known to this process, for as long
/// as it runs.
#[derive(Debug)]
pub struct CookieSessionStore(Mutex<ExpiringSet<SessionId>>);

impl Default for CookieSessionStore {
    fn default() -> Self {
        Self(Mutex::new(ExpiringSet::new(REVOKED_MAX)))
    }
}

impl SessionStore for CookieSessionStore {
    fn revoke(&self, revoked: Revocation, now: UnixMs) -> PortFuture<'_, Result<(), Unavailable>> {
        let Revocation { session, ends_at } = revoked;
        self.0.lock().insert(session, ends_at, now);
        Box::pin(ready(Ok(())))
    }

    fn is_revoked(&self, session: &SessionId) -> bool {
        self.0.lock().contains(session)
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

    #[tokio::test]
    async fn when_full_the_next_to_end_makes_room() {
        let store = CookieSessionStore::default();
        let session = |number: usize| SessionId::new(format!("session {number}"));
        for number in 0..=REVOKED_MAX {
            let ends_at = UnixMs::try_from(REVOKED_MAX + 10 - number).expect("small");
            let session = session(number);
            let revoked = Revocation { session, ends_at };
            assert_eq!(store.revoke(revoked, 0).await, Ok(()));
        }
        assert!(!store.is_revoked(&session(REVOKED_MAX - 1)));
        assert!(store.is_revoked(&session(0)) && store.is_revoked(&session(REVOKED_MAX)));
    }
}
