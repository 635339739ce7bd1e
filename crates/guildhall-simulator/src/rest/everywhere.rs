//! What is the same in every guild: voice regions, and the sounds that come with Discord.

use axum::Json;
use serde_json::{Value, json};

use super::{ApiResult, caller::Bot, channels::REGIONS, params::Ids};

/// Name and emoji of the sounds that everybody has.
const SOUNDS: [(&str, &str); 3] = [("quack", "🦆"), ("airhorn", "📯"), ("golf clap", "👏")];

/// `GET /voice/regions`
pub(super) async fn regions(_: Bot) -> Json<Value> {
    Json(region_objects())
}

/// `GET /guilds/{guild_id}/regions`
pub(super) async fn regions_of_guild(bot: Bot, Ids([guild_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        call.guild(guild_id)?;
        Ok(Json(region_objects()))
    })
}

fn region_objects() -> Value {
    let region = |id: &str| {
        json!({
            "id": id,
            "name": id,
            "optimal": id == REGIONS[0],
            "deprecated": false,
            "custom": false,
        })
    };
    REGIONS.into_iter().map(region).collect()
}

/// `GET /soundboard-default-sounds`
pub(super) async fn default_sounds(_: Bot) -> Json<Value> {
    let sound = |(place, (name, emoji)): (usize, (&str, &str))| {
        json!({
            "name": name,
            "sound_id": (place + 1).to_string(),
            "volume": 1.0,
            "emoji_id": null,
            "emoji_name": emoji,
            "available": true,
        })
    };
    Json(SOUNDS.into_iter().enumerate().map(sound).collect())
}
