//! Which browser sessions are over before their time. What a session says is in its cookie.

use std::fmt::{self, Debug};

use guildhall_model::UnixMs;
use serde::{Deserialize, Serialize};

use crate::future::{PortFuture, Unavailable};

/// Remembers sessions that were ended.
///
/// Promises:
///
/// - From the answer to [`SessionStore::revoke`] on, [`SessionStore::is_revoked`] says so here, until
///   the session's own end. A store that several processes share says how much later the others do.
/// - Revoking again changes nothing.
/// - Memory is bounded. What is forgotten for want of room is what would have ended first.
pub trait SessionStore: Debug + Send + Sync {
    /// Ends a session. Answered when it will not be forgotten; [`Unavailable`]: it was not ended.
    fn revoke(&self, revoked: Revocation, now: UnixMs) -> PortFuture<'_, Result<(), Unavailable>>;

    /// Whether a session was ended. Asked for each request, so answered from memory.
    fn is_revoked(&self, session: &SessionId) -> bool;
}

/// A session that is over before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Which.
    pub session: SessionId,
    /// When it would have ended whatever is done: nobody has to be told of it any more then.
    pub ends_at: UnixMs,
}

/// Names a session. Whoever knows it knows no session: that takes the cookie. All the same it is in
/// no log line.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(String);

impl SessionId {
    /// A name; its maker sees to it that no two sessions have the same.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId([REDACTED])")
    }
}
