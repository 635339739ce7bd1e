//! How a log gets from its one writer to whoever reads it.

use std::{fmt::Debug, pin::Pin, sync::Arc};

use guildhall_model::{LogId, Position, SealedEvent};
use tokio::sync::watch;

use crate::fence::{Fence, Fenced};

/// Carries the newest events of several logs, each from its one writer to any number of readers,
/// who follow at their own pace.
///
/// Promises, for each log:
///
/// - **In order, without a hole.** What is read after a position are the events that follow it, in
///   order; a batch is there whole or not at all.
/// - **One writer.** An append with a fence below the highest that was written with, or not at the
///   head, is refused ([`Fenced`]) and changes nothing. A higher fence takes over with its first
///   write.
/// - **Never guessed.** Where the events after a position are not all there any more, reading says
///   so ([`ReadError::Expired`]); it never skips. How far back reading goes can be asked
///   ([`EventBus::oldest`]).
/// - **A transport, no truth.** It may lose everything with its process. What has to survive is in
///   the [`Journal`](crate::Journal), from which the log is begun here again.
pub trait EventBus: Debug + Send + Sync {
    /// Begins a log at a position, or begins it anew: what was there of it is gone, and events go
    /// on after `at`.
    fn begin(&self, fence: Fence, at: Position) -> BusFuture<'_, (), AppendError>;

    /// Appends events, which follow `after` without a hole, if that is the head. Answers with the
    /// new head.
    fn append<'a>(
        &'a self,
        fence: Fence,
        after: Position,
        batch: &'a [Arc<SealedEvent>],
    ) -> BusFuture<'a, Position, AppendError>;

    /// The events up to here need not be kept any more. Whoever would go on before it has to begin
    /// anew. Refused like an append; a position that is not in the log is passed over.
    fn trim(&self, fence: Fence, upto: Position) -> BusFuture<'_, (), AppendError>;

    /// At most `most` events after a position, from the next one on. Empty: `after` is the head.
    fn read(&self, after: Position, most: usize)
    -> BusFuture<'_, Vec<Arc<SealedEvent>>, ReadError>;

    /// Where the log's head is: marks a change after each append. Marks of several appends may be
    /// one. `None`: the log was never begun.
    fn follow(&self, log: LogId) -> Option<watch::Receiver<Position>>;

    /// Reading goes back to here: everything after it is kept, and what follows an earlier position
    /// is not all there. It moves on with each trim, so it may have expired by the time one reads
    /// after it. `None`: the log was never begun.
    fn oldest(&self, log: LogId) -> Option<Position>;
}

/// What a bus answers. Dropped before it is done, a write may be there whole or not at all.
pub type BusFuture<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// Why an append is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Another writer has the log: stop.
    #[error(transparent)]
    Fenced(#[from] Fenced),
    /// What is behind the bus does not answer.
    #[error("{0}")]
    Unavailable(String),
}

/// Why nothing is read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The position is of another epoch, or not all that follows it is kept: begin anew.
    #[error("the log no longer goes back to {0}")]
    Expired(Position),
    /// What is behind the bus does not answer: read again later.
    #[error("{0}")]
    Unavailable(String),
}

/// A reader's place in a log: everything after it, in batches.
#[derive(Debug)]
pub struct EventTail {
    bus: Arc<dyn EventBus>,
    at: Position,
    head: watch::Receiver<Position>,
}

impl EventTail {
    /// Goes on after a position, which has to be in a log that was begun
    /// ([`ReadError::Expired`]).
    pub fn new(bus: Arc<dyn EventBus>, after: Position) -> Result<Self, ReadError> {
        let head = bus.follow(after.log).ok_or(ReadError::Expired(after))?;
        Ok(Self {
            bus,
            at: after,
            head,
        })
    }

    /// The last event that was answered, or where it began.
    #[must_use]
    pub fn position(&self) -> Position {
        self.at
    }

    /// Waits for the next events, and answers with 1 to `most` of them. May be dropped at any time
    /// and called again: nothing is skipped and nothing comes twice.
    pub async fn next(&mut self, most: usize) -> Result<Vec<Arc<SealedEvent>>, ReadError> {
        loop {
            // Before the look, so that what comes after it wakes us.
            self.head.mark_unchanged();
            let events = self.bus.read(self.at, most.max(1)).await?;
            if let Some(last) = events.last() {
                // Nothing is awaited from here on.
                self.at = last.at;
                return Ok(events);
            }
            if self.head.changed().await.is_err() {
                return Err(ReadError::Unavailable("the bus has ended".to_owned()));
            }
        }
    }
}
