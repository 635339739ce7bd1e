//! What happens by itself.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::json;

use super::{
    error::{Answer, ControlError},
    read::Sent,
};
use crate::{Scenario, UnknownScenario, clock, discord::Discord, scenario};

/// Which scenario is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    name: String,
}

/// `GET /sim/scenario`
pub(super) async fn show(State(discord): State<Arc<Discord>>) -> Answer {
    let (name, turns) = discord.with_scenario(|running| (running.scenario.name(), running.turns));
    let all = Scenario::ALL.map(Scenario::name);
    Ok(Json(json!({"name": name, "turns": turns, "all": all})))
}

/// `POST /sim/scenario`: ends the present one and begins this; `standing` begins
/// nothing.
pub(super) async fn start(State(discord): State<Arc<Discord>>, Sent(body): Sent<Body>) -> Answer {
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
    scenario::start(&discord, wanted);
    discord.tell_changed();
    show(State(discord)).await
}
