//! Where whatever runs beside a request is started.

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Starts it, and tells it of the end.
pub(crate) struct Tasks {
    pub(crate) tracker: TaskTracker,
    pub(crate) stop: CancellationToken,
}
