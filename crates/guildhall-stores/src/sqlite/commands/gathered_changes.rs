//! Changes that wait for the disk together.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::CommandChange;
use crate::sqlite::file::{Database, FileError, Owner};

/// So many changes may wait for the disk: each of the commands that a gateway takes at one time, a
/// few times over. A caller that does not wait for answers is told that its call failed rather than
/// kept in memory.
const CHANGES_WAITING: usize = 4_096;

/// Those that come while the disk is busy become durable in one transaction, so what commands cost
/// does not rise with their number, and a log's commit waits for one such transaction at most.
#[derive(Default)]
pub(in crate::sqlite) struct GatheredChanges {
    /// What was asked for last, while nothing else was asked behind it.
    newest: Mutex<Option<Arc<Group>>>,
}

/// Changes in the order in which they were called. `None`: they are being written, or were.
type Group = Mutex<Option<Vec<Waiting>>>;

struct Waiting {
    change: CommandChange,
    reply: oneshot::Sender<Result<(), FileError>>,
}

/// Where the answer to a change comes, unless there was no room for it.
type Gathered = Result<oneshot::Receiver<Result<(), FileError>>, FileError>;

impl GatheredChanges {
    /// Takes a change into the group that waits; if none does the owner is asked to write one.
    pub(in crate::sqlite) fn add<S: Send + 'static>(
        &self,
        change: CommandChange,
        owner: &Owner<S>,
    ) -> Gathered {
        let (reply, replied) = oneshot::channel();
        let waiting = Waiting { change, reply };
        // INVARIANT(in-order): held until the owner is asked, so that nobody has joined a group
        // that stands behind what is asked next.
        let mut newest = self.newest.lock();
        if let Some(group) = &*newest
            && let Some(changes) = &mut *group.lock()
        {
            if changes.len() >= CHANGES_WAITING {
                return Err(owner.too_slow());
            }
            changes.push(waiting);
            return Ok(replied);
        }
        let group: Arc<Group> = Arc::new(Mutex::new(Some(vec![waiting])));
        *newest = None;
        let given = Arc::clone(&group);
        owner.give(move |database, _| write(&given, database))?;
        *newest = Some(group);
        Ok(replied)
    }

    /// What is asked next must not see changes that are called after it.
    pub(in crate::sqlite) fn end(&self) {
        *self.newest.lock() = None;
    }
}

fn write(group: &Group, database: &mut Database) {
    let waiting = group.lock().take().unwrap_or_default();
    let written = database.write(|writing| {
        let mut changes = waiting.iter().map(|waiting| &waiting.change);
        changes.try_for_each(|change| change.write(writing))
    });
    for Waiting { reply, .. } in waiting {
        // Whoever called may have gone.
        drop(reply.send(written.clone()));
    }
}
