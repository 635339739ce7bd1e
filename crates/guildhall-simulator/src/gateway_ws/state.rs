//! What gateway connections take of the state.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::{
    config::Config,
    state::{Addresses, AppState, Discord, Tasks},
};

/// The parts that a connection needs from its upgrade to its end.
#[derive(Clone)]
pub(crate) struct GatewayState {
    pub(super) config: Arc<Config>,
    pub(super) discord: Arc<Discord>,
    pub(super) tasks: Arc<Tasks>,
    pub(super) addresses: Arc<Addresses>,
}

impl FromRef<AppState> for GatewayState {
    fn from_ref(state: &AppState) -> Self {
        Self {
            config: state.config.clone(),
            discord: state.discord.clone(),
            tasks: state.tasks.clone(),
            addresses: state.addresses.clone(),
        }
    }
}
