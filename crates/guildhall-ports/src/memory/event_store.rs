//! Stores of events: none, and one in memory.

use std::{collections::BTreeMap, future::ready, sync::Arc};

use guildhall_model::{LogId, Position, SealedEvent, UnixMs};
use parking_lot::Mutex;

use crate::{
    event_store::{EventStore, StorePosition},
    future::{PortFuture, Unavailable},
};

/// Keeps nothing: there is no history.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOpEventStore;

impl EventStore for NoOpEventStore {
    fn position(&self, _log: LogId) -> PortFuture<'_, Result<StorePosition, Unavailable>> {
        Box::pin(ready(Ok(StorePosition::KeepsNothing)))
    }

    fn append(&self, _events: Vec<Arc<SealedEvent>>) -> PortFuture<'_, Result<(), Unavailable>> {
        Box::pin(ready(Ok(())))
    }
}

/// A store in memory: the reference of the port. Clones are handles on the same one. It is never
/// emptied, so it is for tests.
#[derive(Clone, Debug, Default)]
pub struct MemoryEventStore(Arc<Mutex<BTreeMap<LogId, Kept>>>);

type Kept = BTreeMap<(UnixMs, u64), Arc<SealedEvent>>;

impl MemoryEventStore {
    /// Everything it has of a log, in the log's order.
    #[must_use]
    pub fn events(&self, log: LogId) -> Vec<Arc<SealedEvent>> {
        let logs = self.0.lock();
        logs.get(&log)
            .into_iter()
            .flatten()
            .map(|(_, event)| Arc::clone(event))
            .collect()
    }
}

impl EventStore for MemoryEventStore {
    fn position(&self, log: LogId) -> PortFuture<'_, Result<StorePosition, Unavailable>> {
        let logs = self.0.lock();
        let last = logs.get(&log).and_then(BTreeMap::last_key_value);
        let position = last.map_or(StorePosition::Start, |(&(epoch, seq), _)| {
            StorePosition::After(Position { log, epoch, seq })
        });
        Box::pin(ready(Ok(position)))
    }

    fn append(&self, events: Vec<Arc<SealedEvent>>) -> PortFuture<'_, Result<(), Unavailable>> {
        let mut logs = self.0.lock();
        for event in events {
            let at = event.at;
            let log = logs.entry(at.log).or_default();
            log.entry((at.epoch, at.seq)).or_insert(event);
        }
        Box::pin(ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn the_reference_keeps_the_promises() {
        conformance::event_store(async || Arc::new(MemoryEventStore::default())).await;
    }

    #[tokio::test]
    async fn the_one_that_keeps_nothing_says_so() {
        let position = NoOpEventStore.position(LogId(0)).await;
        assert_eq!(position, Ok(StorePosition::KeepsNothing));
        assert_eq!(NoOpEventStore.append(Vec::new()).await, Ok(()));
    }
}
