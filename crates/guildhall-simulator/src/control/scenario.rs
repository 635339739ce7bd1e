//! What happens by itself.

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::get};
use serde::Deserialize;
use serde_json::json;

use super::{
    error::{ControlError, ControlResult},
    read::StrictJson,
};
use crate::{
    clock,
    config::{Scenario, UnknownScenario},
    scenario::Player,
    state::{AppState, Discord, RunningScenario, Shared},
};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/scenario", get(show).post(start))
}

/// Which scenario is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    name: String,
}

/// `GET /sim/scenario`
async fn show(State(running): State<Shared<RunningScenario>>) -> ControlResult {
    let (name, turns) = {
        let running = running.lock();
        (running.scenario.name(), running.turns)
    };
    let all = Scenario::ALL.map(Scenario::name);
    Ok(Json(json!({"name": name, "turns": turns, "all": all})))
}

/// `POST /sim/scenario`: ends the present one and begins this; `standing` begins
/// nothing.
async fn start(
    State(discord): State<Arc<Discord>>,
    State(player): State<Player>,
    running: State<Shared<RunningScenario>>,
    StrictJson(body): StrictJson<Body>,
) -> ControlResult {
    let wanted: Scenario = body
        .name
        .parse()
        .map_err(|error: UnknownScenario| ControlError::Invalid(error.to_string()))?;
    if wanted == Scenario::Big {
        discord.change(clock::now(), |world| {
            let events = world.add_big_guild().into_iter().collect();
            Ok(((), events))
        })?;
    }
    player.start(wanted);
    discord.notify_changed();
    show(running).await
}
