//! History: events kept for later questions, beside the road and never on it.

use std::{fmt::Debug, sync::Arc};

use guildhall_model::{LogId, Position, SealedEvent};

use crate::future::{PortFuture, Unavailable};

/// Keeps events of logs, each log by a follower that reads it from where the store has come to.
///
/// Promises:
///
/// - **All or nothing.** A batch is there whole or not at all, and [`EventStore::position`] moves
///   with it: whatever ends the process, the follower goes on after the last batch that was taken.
/// - **Once.** An event whose position was taken before changes nothing, whoever brings it again.
/// - **In order.** After an answer everything up to the batch's last position is there. A batch may
///   begin after positions that are no longer in the log: whoever asks is told of the hole.
///
/// Nobody waits for a store: while it does not answer its follower falls behind, and the log does
/// not wait for it either.
pub trait EventStore: Debug + Send + Sync {
    /// How far it has come in a log.
    fn position(&self, log: LogId) -> PortFuture<'_, Result<StorePosition, Unavailable>>;

    /// Takes the next events of one log, ascending. Answered when they are kept.
    fn append(&self, events: Vec<Arc<SealedEvent>>) -> PortFuture<'_, Result<(), Unavailable>>;
}

/// How far an [`EventStore`] has come in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorePosition {
    /// It keeps no events at all: nobody need bring it any.
    KeepsNothing,
    /// It has none of this log yet.
    Start,
    /// Everything that it was brought up to here.
    After(Position),
}
