//! Who and what there is in the simulator, as far as it takes to operate the product on it.

use anyhow::Context;
use serde::Deserialize;

use super::http::Client;

/// The part of `GET /sim/state` that is needed to operate the product on it.
#[derive(Deserialize)]
pub(crate) struct World {
    pub(crate) application: Application,
    pub(crate) guilds: Vec<Guild>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) bot_token: String,
    pub(crate) client_secret: String,
}

#[derive(Deserialize)]
pub(crate) struct Guild {
    pub(crate) id: String,
    /// The first is a person, neither a bot nor the load user.
    pub(crate) members: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Member {
    pub(crate) user_id: String,
}

impl World {
    pub(crate) fn read(simulator: &mut Client) -> anyhow::Result<Self> {
        let response = simulator.get("/sim/state", &[])?;
        serde_json::from_str(&response.body).context("GET /sim/state has another shape")
    }
}
