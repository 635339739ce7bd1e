//! The demo's lobby: a voice channel on the Discord side; whoever joins it is in a room of their own a
//! moment later.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::Client;
use serde_json::{Value, json};

use super::below;

/// What it is called; the greeting says so.
pub(super) const NAME: &str = "Make a table";
/// The category in which it is, and the rooms that are made in it.
const CATEGORY: &str = "The Hall";

/// Makes it; answers with the setting `LOBBIES`.
pub(super) async fn open(discord: &str, guild_id: &str) -> anyhow::Result<String> {
    let client = Client::builder().timeout(Duration::from_secs(10)).build()?;
    let state = client.get(below(discord, "/sim/state")?).send().await?;
    let state: Value = serde_json::from_slice(&state.bytes().await?)?;
    let parent = category(&state, guild_id).with_context(|| format!("there is no {CATEGORY}"))?;
    let channel = json!({"guildId": guild_id, "name": NAME, "parentId": parent});
    let made = client.post(below(discord, "/sim/channels")?);
    let made = made
        .header("content-type", "application/json")
        .body(channel.to_string())
        .send()
        .await?;
    ensure!(
        made.status().is_success(),
        "it was answered {}",
        made.status()
    );
    let made: Value = serde_json::from_slice(&made.bytes().await?)?;
    let id = made["id"].as_str().context("it has no id")?;
    Ok(json!([{"channel": id, "parent": parent}]).to_string())
}

fn category(state: &Value, guild_id: &str) -> Option<String> {
    let mut guilds = state["guilds"].as_array()?.iter();
    let guild = guilds.find(|one| one["id"] == guild_id)?;
    let mut channels = guild["channels"].as_array()?.iter();
    let category = channels.find(|one| one["name"] == CATEGORY)?;
    Some(category["id"].as_str()?.to_owned())
}
