//! Back to the beginning, so that one simulator serves a whole suite of tests.

use axum::{Json, Router, extract::State, routing::post};
use serde_json::json;

use super::error::ControlResult;
use crate::{
    config::Scenario,
    faults::RestFaults,
    grants::Grants,
    limits::Limiter,
    nonces::Nonces,
    scenario::Player,
    state::{AppState, RequestCounts},
};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/reset", post(reset))
}

/// `POST /sim/reset`: the world of the seed, nobody signed in, nothing counted and nothing
/// waiting to go wrong. Every session ends with 4000 and cannot be resumed; a scenario ends.
async fn reset(State(state): State<AppState>, State(player): State<Player>) -> ControlResult {
    let config = &state.config;
    player.start(Scenario::Static);
    *state.rest_faults.lock() = RestFaults::default();
    *state.request_counts.lock() = RequestCounts::default();
    *state.grants.lock() = Grants::new(config.seed, config.grants);
    *state.limiter.lock() = Limiter::new(config.rate_limits);
    *state.nonces.lock() = Nonces::new(config.nonce_memory);
    let token = state.discord.reset(config);
    state.discord.notify_changed();
    Ok(Json(json!({"botToken": token})))
}
