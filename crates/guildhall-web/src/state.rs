//! What every request handler holds.

use std::sync::Arc;

use guildhall_ports::Clock;

use crate::{
    Config,
    auth::Sessions,
    fanout::Fanout,
    stream::{limit::Limits, watch::Watches},
};

/// Cheap to clone: handles and shared settings.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) config: Arc<Config>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) fanout: Fanout,
    pub(crate) watches: Watches,
    pub(crate) sessions: Sessions,
    pub(crate) streams: Limits,
    pub(crate) state_requests: Limits,
}
