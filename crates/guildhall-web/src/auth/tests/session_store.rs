use std::{
    future::ready,
    sync::atomic::{AtomicBool, Ordering},
};

use guildhall_model::{UnixMs, UserId};
use guildhall_ports::{
    PortFuture, Revocation, SessionFacts, SessionStore, Unavailable, memory::CookieSessionStore,
};
use tokio::sync::watch;

use super::{visit::Visit, *};

/// A store that may be away.
#[derive(Debug, Default)]
struct MayBeAway {
    kept: CookieSessionStore,
    is_away: AtomicBool,
}

impl SessionStore for MayBeAway {
    fn revoke(&self, revoked: Revocation, now: UnixMs) -> PortFuture<'_, Result<(), Unavailable>> {
        if self.is_away.load(Ordering::Relaxed) {
            return Box::pin(ready(Err(Unavailable("it is away".to_owned()))));
        }
        self.kept.revoke(revoked, now)
    }

    fn is_revoked(&self, session: SessionFacts<'_>) -> bool {
        self.kept.is_revoked(session)
    }

    fn not_before(&self, user_id: UserId) -> UnixMs {
        self.kept.not_before(user_id)
    }

    fn all(&self) -> Vec<Revocation> {
        self.kept.all()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.kept.changes()
    }
}

#[tokio::test]
async fn while_the_store_is_away_nobody_is_told_that_they_are_signed_out() {
    let store = Arc::new(MayBeAway::default());
    let port = Arc::clone(&store);
    let mut visit = Visit::built(BASE, |_| (), |ports| ports.sessions = port).await;
    let callback = visit.consent("/auth/login").await;
    visit.get(&callback).await;
    let cookies = visit.cookies.clone();

    store.is_away.store(true, Ordering::Relaxed);
    let answer = visit.post("/auth/logout").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    );
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    assert_eq!(visit.cookies, cookies);
    assert_eq!(visit.get("/api/me").await.status, StatusCode::OK);

    store.is_away.store(false, Ordering::Relaxed);
    let answer = visit.post("/auth/logout").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    visit.cookies = cookies;
    assert_eq!(visit.get("/api/me").await.status, StatusCode::UNAUTHORIZED);
}
