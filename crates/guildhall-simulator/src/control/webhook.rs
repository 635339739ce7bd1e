//! The application's webhook URL, and people who remove the application.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::Uri,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    error::{ControlError, ControlResult},
    read::{StrictJson, id},
};
use crate::{
    grants::Grants,
    state::{AppState, Discord, Shared, Tasks},
    webhook::Webhook,
    world::UserObject,
};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/application/webhook", get(show).put(set))
        .route("/users/{user_id}/deauthorize", post(deauthorize))
}

/// `GET /sim/application/webhook`: where events go, and what came of the newest hundred.
async fn show(State(webhook): State<Arc<Webhook>>) -> ControlResult {
    Ok(Json(
        json!({"url": webhook.url(), "events": webhook.told()}),
    ))
}

/// Where events go from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UrlBody {
    /// Null: nowhere.
    url: Option<String>,
}

/// `PUT /sim/application/webhook`: the URL is taken if what listens there stands Discord's test.
async fn set(
    State(discord): State<Arc<Discord>>,
    State(webhook): State<Arc<Webhook>>,
    StrictJson(UrlBody { url }): StrictJson<UrlBody>,
) -> ControlResult {
    match url {
        None => webhook.unregister(),
        Some(text) => {
            let url = plain_http(&text)?;
            let application_id = discord.with(|core| core.world.application.id);
            let registered = webhook.register(url, application_id).await;
            registered.map_err(ControlError::Invalid)?;
        }
    }
    discord.notify_changed();
    Ok(Json(json!({"url": webhook.url()})))
}

fn plain_http(text: &str) -> Result<Uri, ControlError> {
    let url = text.parse::<Uri>().ok();
    let url = url.filter(|url| url.scheme_str() == Some("http") && url.host().is_some());
    url.ok_or_else(|| {
        ControlError::Invalid(format!(
            "{text:?} is no address that starts with http://, which is all that is spoken here"
        ))
    })
}

/// `POST /sim/users/{user_id}/deauthorize`: a person removes the application in their settings.
/// Their codes and tokens end, and the application is told.
async fn deauthorize(
    State(discord): State<Arc<Discord>>,
    State(grants): State<Shared<Grants>>,
    State(webhook): State<Arc<Webhook>>,
    State(tasks): State<Arc<Tasks>>,
    Path(user_id): Path<String>,
) -> ControlResult {
    let user_id = id(&user_id)?;
    let (user, application_id) = discord.with(|core| {
        let user = core.world.users.get(user_id);
        let user = user.map(|user| json!(UserObject::new(user)));
        (user, core.world.application.id)
    });
    let user = user.ok_or_else(|| ControlError::Unknown(format!("user {user_id} is unknown")))?;
    if !grants.lock().take_back(user_id) {
        return Err(ControlError::Conflict(format!(
            "user {user_id} has not authorized the application"
        )));
    }
    let data = json!({"user": user});
    let event = webhook.tell("APPLICATION_DEAUTHORIZED", &data, application_id, &tasks);
    discord.notify_changed();
    Ok(Json(json!({"event": event})))
}
