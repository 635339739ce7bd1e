//! The bus in memory, for readers in the same process.

use std::{collections::BTreeMap, collections::VecDeque, future::ready, sync::Arc};

use guildhall_model::{LogId, Position, SealedEvent};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::{
    event_bus::{AppendError, BusFuture, EventBus, ReadError},
    fence::{Fence, Fenced, follow},
};

/// A bus in memory: the reference of the port, and what one process needs. Clones are handles on
/// the same one. How much it keeps is up to its writers ([`EventBus::trim`]).
///
/// Nothing is ever waited for: each call is done when it is called.
#[derive(Clone, Debug, Default)]
pub struct InMemoryEventBus(Arc<RwLock<BTreeMap<LogId, Arc<Mutex<KeptLog>>>>>);

#[derive(Debug)]
struct KeptLog {
    /// The highest that was written with.
    fence: Fence,
    head: watch::Sender<Position>,
    /// Everything after this place, up to the head.
    trimmed: u64,
    events: VecDeque<Arc<SealedEvent>>,
}

impl EventBus for InMemoryEventBus {
    fn begin(&self, fence: Fence, at: Position) -> BusFuture<'_, (), AppendError> {
        Box::pin(ready(self.begin_now(fence, at).map_err(Into::into)))
    }

    fn append<'a>(
        &'a self,
        fence: Fence,
        after: Position,
        batch: &'a [Arc<SealedEvent>],
    ) -> BusFuture<'a, Position, AppendError> {
        let appended = self.written(after.log, fence, |log| log.append(after, batch));
        Box::pin(ready(appended.map_err(Into::into)))
    }

    fn trim(&self, fence: Fence, upto: Position) -> BusFuture<'_, (), AppendError> {
        let trimmed = self.written(upto.log, fence, |log| {
            log.trim(upto);
            Ok(())
        });
        Box::pin(ready(trimmed.map_err(Into::into)))
    }

    fn read(
        &self,
        after: Position,
        most: usize,
    ) -> BusFuture<'_, Vec<Arc<SealedEvent>>, ReadError> {
        let read = self.log(after.log);
        let read = read.and_then(|log| log.lock().read(after, most));
        Box::pin(ready(read.ok_or(ReadError::Expired(after))))
    }

    fn follow(&self, log: LogId) -> Option<watch::Receiver<Position>> {
        self.log(log).map(|log| log.lock().head.subscribe())
    }

    fn oldest(&self, log: LogId) -> Option<Position> {
        self.log(log).map(|log| log.lock().oldest())
    }
}

impl InMemoryEventBus {
    fn log(&self, log: LogId) -> Option<Arc<Mutex<KeptLog>>> {
        self.0.read().get(&log).map(Arc::clone)
    }

    fn begin_now(&self, fence: Fence, at: Position) -> Result<(), Fenced> {
        let mut logs = self.0.write();
        let log = logs.entry(at.log).or_insert_with(|| {
            Arc::new(Mutex::new(KeptLog {
                fence,
                head: watch::Sender::new(at),
                trimmed: at.seq,
                events: VecDeque::new(),
            }))
        });
        let mut log = log.lock();
        fence.admit(at.log, log.fence)?;
        log.fence = fence;
        log.trimmed = at.seq;
        log.events.clear();
        log.head.send_replace(at);
        Ok(())
    }

    /// A writer's step: refused if its fence is stale, and then nothing has changed.
    fn written<T>(
        &self,
        log: LogId,
        fence: Fence,
        write: impl FnOnce(&mut KeptLog) -> Result<T, Fenced>,
    ) -> Result<T, Fenced> {
        let kept = self.log(log).ok_or(Fenced::NotBegun(log))?;
        let mut kept = kept.lock();
        fence.admit(log, kept.fence)?;
        let written = write(&mut kept)?;
        kept.fence = fence;
        Ok(written)
    }
}

impl KeptLog {
    fn head(&self) -> Position {
        *self.head.borrow()
    }

    fn oldest(&self) -> Position {
        self.head().at(self.trimmed)
    }

    fn append(&mut self, after: Position, batch: &[Arc<SealedEvent>]) -> Result<Position, Fenced> {
        let head = self.head();
        let end = follow(head, after, batch.iter().map(|event| event.at))?;
        if end != head {
            self.events.extend(batch.iter().map(Arc::clone));
            self.head.send_replace(end);
        }
        Ok(end)
    }

    fn trim(&mut self, upto: Position) {
        let head = self.head();
        if upto.comparable(head) && (self.trimmed..=head.seq).contains(&upto.seq) {
            let gone = usize::try_from(upto.seq - self.trimmed).unwrap_or(usize::MAX);
            self.events.drain(..gone.min(self.events.len()));
            self.trimmed = upto.seq;
        }
    }

    fn read(&self, after: Position, most: usize) -> Option<Vec<Arc<SealedEvent>>> {
        let head = self.head();
        if !after.comparable(head) || after.seq > head.seq {
            return None;
        }
        let from = usize::try_from(after.seq.checked_sub(self.trimmed)?).ok()?;
        let later = self.events.range(from.min(self.events.len())..);
        Some(later.take(most).map(Arc::clone).collect())
    }
}
