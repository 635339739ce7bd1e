//! The listener: `GET /link` for web roles, `GET /health` for whoever looks whether we are there,
//! nothing else. The token is compared before the upgrade.
//!
//! A connection has no token until its request has come with one. Until then it has one of a few
//! permits, loses it to newer ones when it says nothing, and is closed behind its one answer; so
//! whoever has no token cannot keep out who has. Web roles have permits of their own.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
    routing::{any, get},
};
use guildhall_http::{
    AcceptFailure, Listener, Occurrences, Persistence, RotatedSecret, StrongSecret,
};
use guildhall_link::attachment::MESSAGE_BYTES_TO_GATEWAY;
use metrics::{counter, gauge};
use subtle::{Choice, ConstantTimeEq};
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use super::attachment::{AttachmentContext, serve_attachment};
use crate::Limits;

/// So long after the stop a request may take to come to its end.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// Read from the socket at once. The WebSocket library writes zeros over so much of its buffer before
/// each look at the socket, and an attachment looks whenever it has sent something.
const READ_BYTES: usize = 4 << 10;

/// Everything behind the listener.
#[derive(Clone, Debug)]
pub(crate) struct LinkServer {
    /// Each of them opens.
    pub tokens: Arc<RotatedSecret>,
    /// For each attachment.
    pub context: AttachmentContext,
    /// Bounds.
    pub limits: Limits,
    /// What the operator calls the tokens.
    pub tokens_setting: &'static str,
    /// Where attachments are waited for.
    pub tracker: TaskTracker,
    /// Ends them.
    pub stop: CancellationToken,
}

/// What the routes have.
#[derive(Clone)]
struct LinkRouteState {
    server: LinkServer,
    /// One for each attachment.
    permits: Arc<Semaphore>,
    refusals: Arc<Refusals>,
}

/// Those who were not let in; said once a minute, as somebody may try thousands of times.
struct Refusals {
    wrong_token: Occurrences,
    full: Occurrences,
}

/// Serves until stopped.
pub(crate) async fn serve(listener: Listener, server: LinkServer) {
    announce(&server.limits);
    let app = routes(server.clone());
    if let Ok(address) = listener.local_addr() {
        info!("[Gateway WS] Server listening on port {}", address.port());
    }
    let http = http_config(&server.limits);
    guildhall_http::serve(listener, app, http, &server.tracker, server.stop).await;
}

fn http_config(limits: &Limits) -> guildhall_http::Config {
    guildhall_http::Config {
        listener: "link",
        connections: limits.tokenless,
        connections_per_address: limits.tokenless_per_address,
        head_limit: limits.request_head,
        shutdown_grace: SHUTDOWN_GRACE,
        persistence: Persistence::OneRequest,
        log_accept_failure: |AcceptFailure { times, error, .. }| {
            warn!(
                times,
                "[Gateway WS] A connection could not be accepted: {error}"
            );
        },
    }
}

fn routes(server: LinkServer) -> Router {
    let state = LinkRouteState {
        permits: Arc::new(Semaphore::new(server.limits.attachments)),
        refusals: Arc::new(Refusals {
            wrong_token: Occurrences::new(counter!("guildhall_link_refusals_total")),
            full: Occurrences::new(counter!("guildhall_link_attachments_refused_total")),
        }),
        server,
    };
    Router::new()
        .route("/link", any(link))
        .route("/health", get(health))
        .with_state(state)
}

async fn health() -> impl IntoResponse {
    axum::Json(serde_json::json!({ "status": "ok" }))
}

async fn link(
    State(state): State<LinkRouteState>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let LinkRouteState {
        server,
        permits,
        refusals,
    } = state;
    if !server.admits(&headers) {
        if let Some(times) = refusals.wrong_token.happened(Instant::now()) {
            let setting = server.tokens_setting;
            warn!(
                times,
                "[Gateway WS] Refused: wrong {setting}. It is to be the same for gateway and web"
            );
        }
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let Ok(permit) = permits.try_acquire_owned() else {
        if let Some(times) = refusals.full.happened(Instant::now()) {
            let most = server.limits.attachments;
            warn!(
                times,
                "[Gateway WS] Refused: {most} web roles are attached already"
            );
        }
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")]).into_response();
    };
    let (context, stop) = (server.context, server.stop.child_token());
    let attended = async move |socket: WebSocket| {
        serve_attachment(socket, context, stop).await;
        drop(permit);
    };
    // The future is spawned by axum; made inside the tracker's own, it is waited for all the same.
    let tracker = server.tracker;
    upgrade
        .max_message_size(MESSAGE_BYTES_TO_GATEWAY)
        .max_frame_size(MESSAGE_BYTES_TO_GATEWAY)
        .read_buffer_size(READ_BYTES)
        .on_upgrade(move |socket| tracker.track_future(attended(socket)))
}

impl LinkServer {
    /// Whether the request has one of the tokens. Takes as long whichever it is, and however much
    /// of it is right.
    fn admits(&self, headers: &HeaderMap) -> bool {
        let said = headers
            .get(AUTHORIZATION)
            .map_or(&b""[..], |value| value.as_bytes());
        let Some(token) = said.strip_prefix(b"Bearer ") else {
            return false;
        };
        let right = |known: &StrongSecret| known.expose().as_bytes().ct_eq(token);
        let any = self
            .tokens
            .iter()
            .map(right)
            .fold(Choice::from(0), |any, one| any | one);
        any.into()
    }
}

/// The number, for whoever watches how near we are to it.
fn announce(limits: &Limits) {
    #[expect(clippy::cast_precision_loss, reason = "a number of connections")]
    let attachments = limits.attachments as f64;
    gauge!("guildhall_link_attachments_max").set(attachments);
}

#[cfg(test)]
mod tests;
