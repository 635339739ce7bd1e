//! The journal of commands in memory, for as long as its handles live.

use std::{collections::BTreeMap, future::ready, sync::Arc};

use parking_lot::Mutex;

use crate::{
    command_journal::{CommandJournal, KeptCommand},
    journal::JournalFuture,
};

/// Commands in memory: the reference of the port. Clones are handles on the same ones, so what was
/// kept outlives the gateway that kept it.
#[derive(Clone, Debug, Default)]
pub struct MemoryCommandJournal(Arc<Mutex<BTreeMap<u64, KeptCommand>>>);

impl CommandJournal for MemoryCommandJournal {
    fn load(&self) -> JournalFuture<Vec<KeptCommand>> {
        let kept = self.0.lock().values().cloned().collect();
        Box::pin(ready(Ok(kept)))
    }

    fn keep(&self, command: KeptCommand) -> JournalFuture<()> {
        self.0.lock().insert(command.id, command);
        Box::pin(ready(Ok(())))
    }

    fn forget(&self, ids: Vec<u64>) -> JournalFuture<()> {
        let mut kept = self.0.lock();
        for id in ids {
            kept.remove(&id);
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
        conformance::command_journal(|| {
            let kept = MemoryCommandJournal::default();
            async move || Arc::new(kept.clone()) as Arc<dyn CommandJournal>
        })
        .await;
    }
}
