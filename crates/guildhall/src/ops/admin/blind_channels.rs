//! `GET /admin/blind-channels`: the rooms that the bot may not view.

use axum::{extract::State, http::StatusCode, response::Response};
use guildhall_web::WebAdmin;

use super::{AdminError, answer, explain::NO_WORLD};

pub(super) async fn list(State(admin): State<WebAdmin>) -> Result<Response, AdminError> {
    let channels = admin.blind_channels().ok_or(NO_WORLD)?;
    Ok(answer(StatusCode::OK, &channels))
}
