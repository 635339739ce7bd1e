//! What every request handler holds.

use std::sync::Arc;

use guildhall_ports::Clock;

use crate::{
    Config,
    auth::Sessions,
    replica::Replica,
    stream::{limit::Limits, watch::Watches},
};

/// Cheap to clone: handles and shared settings.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) replica: Replica,
    pub(crate) watches: Watches,
    pub(crate) sessions: Sessions,
    pub(crate) streams: Limits,
    pub(crate) state_requests: Limits,
}
