//! Joining, moving, leaving, muting.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    error::ControlResult,
    read::{StrictJson, id},
    state::show_voice,
};
use crate::{
    clock,
    snowflake::Snowflake,
    state::Discord,
    world::{Edit, VoiceEdit},
};

/// What somebody's voice state becomes; what is absent stays as it is, and a
/// `channelId` of null disconnects.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Body {
    user_id: Snowflake,
    #[serde(default)]
    channel_id: Edit<Snowflake>,
    self_mute: Option<bool>,
    self_deaf: Option<bool>,
    self_stream: Option<bool>,
    self_video: Option<bool>,
    mute: Option<bool>,
    deaf: Option<bool>,
    suppress: Option<bool>,
}

/// `POST /sim/guilds/{guild_id}/voice`: answers with the state that results, or null.
pub(super) async fn set(
    State(discord): State<Arc<Discord>>,
    Path(guild_id): Path<String>,
    StrictJson(body): StrictJson<Body>,
) -> ControlResult {
    let guild_id = id(&guild_id)?;
    let edit = VoiceEdit {
        channel_id: body.channel_id,
        self_mute: body.self_mute,
        self_deaf: body.self_deaf,
        self_stream: body.self_stream,
        self_video: body.self_video,
        mute: body.mute,
        deaf: body.deaf,
        suppress: body.suppress,
    };
    let now = discord.change(clock::now(), |world| {
        let ((), events) = world.set_voice(guild_id, body.user_id, edit)?;
        let state = world
            .guilds
            .get(guild_id)
            .and_then(|guild| Some(show_voice(guild, guild.voice_states.get(body.user_id)?)));
        Ok((state, events))
    })?;
    Ok(Json(json!(now)))
}

/// What stands above a voice channel; null takes it away.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StatusBody {
    status: Option<String>,
}

/// `PUT /sim/channels/{channel_id}/voice-status`
pub(super) async fn set_status(
    State(discord): State<Arc<Discord>>,
    Path(channel_id): Path<String>,
    StrictJson(body): StrictJson<StatusBody>,
) -> ControlResult {
    let channel_id = id(&channel_id)?;
    discord.change(clock::now(), |world| {
        world.set_voice_status(channel_id, body.status)
    })?;
    Ok(Json(json!({})))
}
