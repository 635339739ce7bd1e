//! What all logs of the process may retain together.

use std::sync::{Arc, Weak};

use guildhall_model::Position;
use guildhall_ports::Fence;
use parking_lot::Mutex;

use super::retained::RetainedLog;

/// Watches over the logs of the process. When they retain too many bytes together, the guild with
/// the most gives first, whichever log it is in. Clones are handles on the same one.
#[derive(Clone, Debug)]
pub(crate) struct ProcessRetention(Arc<WatchedLogs>);

#[derive(Debug)]
struct WatchedLogs {
    most: usize,
    /// Never locked while a log is.
    logs: Mutex<Vec<Weak<Mutex<RetainedLog>>>>,
}

impl ProcessRetention {
    /// No log yet.
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(WatchedLogs {
            most,
            logs: Mutex::default(),
        }))
    }

    /// One log more, for as long as somebody has it.
    pub(super) fn watch_over(&self, log: &Arc<Mutex<RetainedLog>>) {
        self.0.logs.lock().push(Arc::downgrade(log));
    }

    /// Answers with what is not retained any more, by log: the bus need not have it either.
    ///
    /// Logs are locked one by one, so what others append meanwhile is counted by whoever of us
    /// comes last, which makes room for it.
    pub(super) fn make_room(&self) -> Vec<(Fence, Position)> {
        let logs: Vec<Arc<Mutex<RetainedLog>>> = {
            let mut logs = self.0.logs.lock();
            logs.retain(|log| log.strong_count() > 0);
            logs.iter().filter_map(Weak::upgrade).collect()
        };
        // One log has a bound of its own, and mostly there is one.
        let mut gone = Vec::new();
        let mut bytes: usize = logs.iter().map(|log| log.lock().bytes()).sum();
        while bytes > self.0.most {
            let largest = logs
                .iter()
                .max_by_key(|log| log.lock().largest().map_or(0, |(bytes, _)| bytes));
            let Some(largest) = largest else { break };
            let mut log = largest.lock();
            let before = log.bytes();
            log.evict_of_largest();
            let evicted = before.saturating_sub(log.bytes());
            if evicted == 0 {
                break;
            }
            bytes = bytes.saturating_sub(evicted);
            let upto = log.contiguous_from();
            gone.retain(|(_, other): &(Fence, Position)| other.log != upto.log);
            gone.push((log.fence(), upto));
        }
        gone
    }
}
