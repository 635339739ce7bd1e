//! Which adapter stands behind each port.

use std::sync::Arc;

use guildhall_ports::{Journal, memory::MemoryJournal};

/// The gateway's journal.
pub(crate) fn journal() -> Arc<dyn Journal> {
    Arc::new(MemoryJournal::default())
}
