//! History follows a log beside the road: a reader with a place of its own, which nobody waits for.

use std::{sync::Arc, time::Duration};

use guildhall_http::Occurrences;
use guildhall_model::{Position, SealedEvent};
use guildhall_ports::{
    EventBus, EventStore, Unavailable,
    event_bus::{EventTail, ReadError},
    event_store::StorePosition,
};
use metrics::counter;
use tokio::time::{Instant, sleep};
use tracing::warn;

/// Events of one batch at most.
const BATCH: usize = 512;

/// Before the next try, while the store or the bus does not answer.
const RETRY: Duration = Duration::from_secs(1);

/// Brings a store the events of one log.
pub(crate) struct HistoryFollower {
    store: Arc<dyn EventStore>,
    bus: Arc<dyn EventBus>,
    /// Where the log stood when this process began: a store that has none of it goes on from here.
    begun_at: Position,
    away: Occurrences,
}

impl HistoryFollower {
    /// Of the log that stands at `begun_at`.
    pub(crate) fn new(
        store: Arc<dyn EventStore>,
        bus: Arc<dyn EventBus>,
        begun_at: Position,
    ) -> Self {
        let away = counter!("guildhall_history_failures_total");
        Self {
            store,
            bus,
            begun_at,
            away: Occurrences::new(away),
        }
    }

    /// Brings each event once, from where the store has come to. Ends by itself only if the store
    /// keeps nothing: whatever becomes of the store, the log goes on.
    pub(crate) async fn run(self) {
        let Some(mut after) = self.begin().await else {
            return;
        };
        loop {
            after = self.follow(after).await;
        }
    }

    /// Where to go on after. `None`: the store keeps nothing.
    async fn begin(&self) -> Option<Position> {
        loop {
            match self.store.position(self.begun_at.log).await {
                Ok(StorePosition::KeepsNothing) => return None,
                Ok(StorePosition::Start) => return Some(self.begun_at),
                Ok(StorePosition::After(position)) => return Some(position),
                Err(Unavailable(why)) => self.wait(&why).await,
            }
        }
    }

    /// Follows the log until what comes next is no longer in it. Returns where to go on.
    async fn follow(&self, after: Position) -> Position {
        let mut tail = loop {
            match EventTail::new(Arc::clone(&self.bus), after) {
                Ok(tail) => break tail,
                Err(error) => self.wait(&error.to_string()).await,
            }
        };
        loop {
            match tail.next(BATCH).await {
                Ok(events) => self.bring(events).await,
                Err(ReadError::Expired(from)) => return self.behind_the_hole(from),
                Err(ReadError::Unavailable(why)) => self.wait(&why).await,
            }
        }
    }

    async fn bring(&self, events: Vec<Arc<SealedEvent>>) {
        while let Err(Unavailable(why)) = self.store.append(events.clone()).await {
            self.wait(&why).await;
        }
    }

    /// How far the log still goes back: what it has after that is brought, and what the store
    /// lacks before it has left the log. The store can tell by the numbers.
    fn behind_the_hole(&self, from: Position) -> Position {
        let oldest = self.bus.oldest(from.log).unwrap_or(self.begun_at);
        counter!("guildhall_history_holes_total").increment(1);
        if !oldest.comparable(from) {
            warn!(
                "[Gateway] History goes on after {oldest}, in a log that has begun anew: what came \
                 after {from} in the one before it, if anything did, is in no log any more"
            );
        } else if oldest.seq > from.seq {
            warn!(
                "[Gateway] History has a hole: events after {from} up to {oldest} are in no log \
                 any more"
            );
        } else {
            warn!(
                "[Gateway] History has come to {from}, where the log has not: it goes on after \
                 {oldest}"
            );
        }
        oldest
    }

    async fn wait(&self, why: &str) {
        if let Some(times) = self.away.happened(Instant::now()) {
            warn!(times, "[Gateway] History falls behind: {why}");
        }
        sleep(RETRY).await;
    }
}

#[cfg(test)]
mod tests;
