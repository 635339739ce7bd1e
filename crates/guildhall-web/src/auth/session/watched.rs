//! Sessions that somebody waits on.

use std::{collections::HashMap, ops::Deref, sync::Arc};

use guildhall_model::{SessionFacts, UnixMs, UserId};
use guildhall_ports::SessionId;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// As many as have a stream open or a command under way.
#[derive(Clone, Default)]
pub(super) struct WatchedSessions(Arc<Mutex<HashMap<SessionId, WatchedSession>>>);

struct WatchedSession {
    user_id: UserId,
    issued_at: UnixMs,
    token: CancellationToken,
    /// [`SessionEnd`]s of it.
    holders: usize,
}

impl WatchedSessions {
    /// Watches one more time.
    pub(super) fn watch(&self, session: SessionFacts<'_>) -> SessionEnd {
        let mut watched = self.0.lock();
        let entry = watched.entry(session.id.clone());
        let entry = entry.or_insert_with(|| WatchedSession {
            user_id: session.user_id,
            issued_at: session.issued_at,
            token: CancellationToken::new(),
            holders: 0,
        });
        entry.holders += 1;
        SessionEnd {
            token: entry.token.clone(),
            id: session.id.clone(),
            watched: self.clone(),
        }
    }

    /// Ends those that are over.
    pub(super) fn end(&self, is_over: impl Fn(SessionFacts<'_>) -> bool) {
        // INVARIANT(one-token): cancelled under the lock, so that whoever lets go of one knows
        // whether the entry of that name is theirs.
        self.0.lock().retain(|id, watched| {
            let over = is_over(SessionFacts {
                id,
                user_id: watched.user_id,
                issued_at: watched.issued_at,
            });
            if over {
                watched.token.cancel();
            }
            !over
        });
    }
}

/// Cancelled when its session is ended before its time. Shared by all streams of the session,
/// forgotten with the last.
pub(crate) struct SessionEnd {
    token: CancellationToken,
    id: SessionId,
    watched: WatchedSessions,
}

impl SessionEnd {
    /// Of what is not ended before its time.
    pub(crate) fn never() -> Self {
        Self {
            token: CancellationToken::new(),
            id: SessionId::new(String::new()),
            watched: WatchedSessions::default(),
        }
    }
}

#[cfg(test)]
impl WatchedSessions {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

impl Deref for SessionEnd {
    type Target = CancellationToken;

    fn deref(&self) -> &CancellationToken {
        &self.token
    }
}

impl Drop for SessionEnd {
    fn drop(&mut self) {
        let mut watched = self.watched.0.lock();
        // It has no entry any more; one of the same name is of those who came later.
        if self.token.is_cancelled() {
            return;
        }
        let Some(entry) = watched.get_mut(&self.id) else {
            return;
        };
        entry.holders -= 1;
        if entry.holders == 0 {
            watched.remove(&self.id);
        }
    }
}
