//! What the gateway has to know of revocations after its process is gone.

use std::fmt::Debug;

use guildhall_model::{Revocation, SessionId, UnixMs, UserId};

use crate::journal::JournalFuture;

/// Keeps what was revoked until nothing can live any more that it ends.
///
/// Promises:
///
/// - **Durable.** What is answered is there after `kill -9` and after a power cut.
/// - **All or nothing.** The changes of one [`RevocationStore::record`] are there together or not at all.
/// - **Nothing is taken back** but by being forgotten.
/// - **In order.** Calls take effect in the order in which they were called, awaited or not.
/// - **Its beginning is known.** A store that begins empty says from its first load on that sessions
///   of before are over: what was revoked then it does not know. One that an earlier Guildhall kept
///   for something else, where revocations were not kept at all, has lost none, and says nothing.
/// - **Never guessed.** A store that is damaged is refused, and left as it is.
pub trait RevocationStore: Debug + Send + Sync {
    /// Everything that is kept, in ascending order. Where the store begins with this,
    /// [`Revocation::Everybody`] with `not_before` is kept first: it is durable when this is answered.
    fn load(&self, not_before: UnixMs) -> JournalFuture<Vec<Revocation>>;

    /// Changes, in their order.
    fn record(&self, changes: Vec<RevocationChange>) -> JournalFuture<()>;
}

/// What happens to what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevocationChange {
    /// This is revoked. Of one session, of one user and of everybody what ends most is kept, whichever
    /// came last.
    Kept(Revocation),
    /// A session need not be known any more.
    SessionGone(SessionId),
    /// A user need not be known any more.
    UserGone(UserId),
}
