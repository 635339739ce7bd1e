//! Which browser sessions are over before their time. What a session says is in its cookie.

use std::fmt::Debug;

use guildhall_model::{UnixMs, UserId};
use tokio::sync::watch;

use crate::future::{PortFuture, Unavailable};

pub use guildhall_model::session::{
    CLOCK_SKEW_MAX, Revocation, SESSION_LIFE_MAX, SessionFacts, SessionId, begin_session_at,
};

/// Remembers what was revoked.
///
/// Promises:
///
/// - From the answer to [`SessionStore::revoke`] on, [`SessionStore::is_revoked`] says so here, for as
///   long as the sessions could live. A store that several processes share says how much later the
///   others do.
/// - Nothing that was revoked is taken back: of two times of a user's the later one counts.
/// - Revoking again changes nothing.
/// - Memory is bounded. What is forgotten for want of room is what would have ended first; sessions
///   by themselves never take the room of users.
pub trait SessionStore: Debug + Send + Sync {
    /// Ends what it says. Answered when it will not be forgotten; [`Unavailable`]: nothing was ended.
    fn revoke(
        &self,
        revocation: Revocation,
        now: UnixMs,
    ) -> PortFuture<'_, Result<(), Unavailable>>;

    /// Whether a session was ended. Asked for each request, so answered from memory.
    fn is_revoked(&self, session: SessionFacts<'_>) -> bool;

    /// Every session of this user that began before this time is over; 0: none is. One that begins
    /// says that it began then or later ([`begin_session_at`]). From memory.
    fn not_before(&self, user_id: UserId) -> UnixMs;

    /// A number that has risen whenever something was revoked, here or elsewhere: whoever holds open
    /// what a session was let into looks again. It rises after [`SessionStore::is_revoked`] says so.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Everything that was revoked and is known here: for a gateway that does not.
    fn all(&self) -> Vec<Revocation>;

    /// Whether this store by itself knows what other processes revoked. If not, a gateway has to tell,
    /// and before it did nobody can be let in.
    fn is_shared(&self) -> bool {
        false
    }
}
