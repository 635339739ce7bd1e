//! The application as its owner has it in the developer portal.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    routing::{patch, post},
};
use serde::Deserialize;
use serde_json::json;

use super::{error::ControlResult, read::StrictJson};
use crate::{
    sessions::CloseCode,
    state::{AppState, Discord},
};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/application", patch(edit))
        .route("/token", post(token))
}

/// What becomes of the application; what is absent stays as it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ApplicationEdit {
    privileged_intents: Option<Switches>,
    redirect_uris: Option<BTreeSet<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Switches {
    guild_members: Option<bool>,
    guild_presences: Option<bool>,
    message_content: Option<bool>,
}

/// `PATCH /sim/application`: the switches of privileged intents, and the redirect URIs.
/// Sessions that run keep what they were given.
async fn edit(
    State(discord): State<Arc<Discord>>,
    StrictJson(body): StrictJson<ApplicationEdit>,
) -> ControlResult {
    let now = discord.with(|core| {
        if let Some(uris) = body.redirect_uris {
            core.world.application.redirects.register(uris);
        }
        let switches = &mut core.world.application.privileged_intents;
        if let Some(edit) = body.privileged_intents {
            let set = |switch: &mut bool, to: Option<bool>| *switch = to.unwrap_or(*switch);
            set(&mut switches.guild_members, edit.guild_members);
            set(&mut switches.guild_presences, edit.guild_presences);
            set(&mut switches.message_content, edit.message_content);
        }
        let redirects = core.world.application.redirects.listed();
        json!({"privilegedIntents": *switches, "redirectUris": redirects})
    });
    discord.notify_changed();
    Ok(Json(now))
}

/// What becomes of the bot token.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum TokenEdit {
    /// A new one; every session ends, and the old token opens nothing.
    Reset,
    /// The one that the simulator began with, and a whole budget of session starts.
    Restore,
}

/// `POST /sim/token`: answers with the token that holds now.
async fn token(
    State(discord): State<Arc<Discord>>,
    StrictJson(body): StrictJson<TokenEdit>,
) -> ControlResult {
    let token = discord.with(|core| {
        match body {
            TokenEdit::Reset => {
                core.sessions.end_all(CloseCode::AUTHENTICATION_FAILED);
                core.world.reset_bot_token();
            }
            TokenEdit::Restore => {
                core.sessions.restore_starts();
                core.world.restore_bot_token();
            }
        }
        core.world.application.bot_token.clone()
    });
    discord.notify_changed();
    Ok(Json(json!({"botToken": token})))
}
