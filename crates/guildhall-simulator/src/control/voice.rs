//! Joining, moving, leaving, muting.

use axum::{Router, routing::MethodFilter};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    change::{create, with_body},
    state::show_voice,
};
use crate::{
    snowflake::Snowflake,
    state::AppState,
    world::{Changed, Edit, VoiceEdit, World},
};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/guilds/{guild_id}/voice", create(set))
        .route(
            "/channels/{channel_id}/voice-status",
            with_body(MethodFilter::PUT, set_status),
        )
}

/// What somebody's voice state becomes; what is absent stays as it is, and a
/// `channelId` of null disconnects.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
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

/// Answers with the voice state that results, or null.
fn set(world: &mut World, [guild_id]: [Snowflake; 1], body: Body) -> Changed<Value> {
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
    let ((), events) = world.set_voice(guild_id, body.user_id, edit)?;
    let state = world
        .guilds
        .get(guild_id)
        .and_then(|guild| Some(show_voice(guild, guild.voice_states.get(body.user_id)?)));
    Ok((json!(state), events))
}

/// What stands above a voice channel; null takes it away.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StatusBody {
    status: Option<String>,
}

fn set_status(world: &mut World, [channel_id]: [Snowflake; 1], body: StatusBody) -> Changed<()> {
    world.set_voice_status(channel_id, body.status)
}
