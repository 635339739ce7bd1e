//! The HTTP side: the URL, its query and the upgrade.

use std::sync::Arc;

use axum::{
    extract::{
        FromRequestParts, RawQuery, Request, State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{driver, state::GatewayState};
use crate::{faults::ResumeFault, sessions::read_query, wire::Wire};

/// A frame longer than Discord reads is answered with 4002; one that would fill
/// memory is not read to its end.
const LONGEST_FRAME: usize = 64 * 1024;

/// Path that READY sends resuming clients to.
const RESUME_PATH: &str = "/resume";

/// `/gateway`, `/gateway/`
pub(crate) async fn base(State(state): State<GatewayState>, request: Request) -> Response {
    upgrade(state, request).await
}

/// `/resume`, `/resume/`
pub(crate) async fn resume(State(state): State<GatewayState>, request: Request) -> Response {
    match state.discord.with(|core| core.faults.meet_resume()) {
        None => upgrade(state, request).await,
        Some(ResumeFault::Unavailable) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(ResumeFault::Torn) => {
            wire(&request).tear();
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Some(ResumeFault::Hanging) => {
            // The client gives up first, and this with it.
            state.tasks.stop.cancelled().await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// The bytes under this request.
fn wire(request: &Request) -> Arc<Wire> {
    request
        .extensions()
        .get()
        .map_or_else(Wire::new, Arc::clone)
}

/// Upgrades to a WebSocket and serves it.
pub(crate) async fn upgrade(state: GatewayState, request: Request) -> Response {
    let resume_url = state.addresses.gateway_url(request.headers(), RESUME_PATH);
    let wire = wire(&request);
    let (mut parts, _) = request.into_parts();
    let RawQuery(query) = RawQuery::from_request_parts(&mut parts, &())
        .await
        .unwrap_or(RawQuery(None));
    let query = read_query(query.as_deref().unwrap_or_default());
    let upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection> =
        WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    match upgrade {
        Ok(upgrade) => {
            // The upgrade's task is axum's; the token makes a shutdown wait for it.
            let token = state.tasks.tracker.token();
            upgrade
                .max_message_size(LONGEST_FRAME)
                .max_frame_size(LONGEST_FRAME)
                .on_upgrade(async move |socket| {
                    driver::run(socket, state, wire, resume_url, query).await;
                    drop(token);
                })
        }
        Err(rejection) => rejection.into_response(),
    }
}
