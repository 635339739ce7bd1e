//! Guilds as the bot sees them.

use axum::Json;
use serde_json::json;

use super::{
    ApiResult,
    caller::Bot,
    params::{Ids, Query},
};
use crate::world::{guild_object, visible_channels};

/// `GET /guilds/{guild_id}`
pub(super) async fn guild(bot: Bot, Ids([guild_id]): Ids<1>, query: Query) -> ApiResult {
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        let mut object = guild_object(guild);
        if query.flag("with_counts") {
            object["approximate_member_count"] = json!(guild.members.len());
            object["approximate_presence_count"] = json!(guild.voice_states.len());
        }
        Ok(Json(object))
    })
}

/// `GET /guilds/{guild_id}/channels`: those the bot may see.
pub(super) async fn channels(bot: Bot, Ids([guild_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        Ok(Json(json!(visible_channels(guild, call.bot))))
    })
}
