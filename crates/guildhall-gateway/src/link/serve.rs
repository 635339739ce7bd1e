//! The listener: `GET /link` for web roles, `GET /health` for whoever looks whether we are there,
//! nothing else. The token is compared before the upgrade.

use std::{io, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use guildhall_link::attachment::MESSAGE_BYTES_TO_GATEWAY;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use metrics::counter;
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, info, warn};

use super::accept::{Attachments, attend};
use crate::Limits;

/// More than any request of a web role.
const HEAD_BYTES: usize = 16 << 10;
/// After an accept that failed for want of something, such as file descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Everything behind the listener.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    /// Each of them opens.
    pub tokens: Arc<[SecretString]>,
    /// For each attachment.
    pub house: Attachments,
    /// Bounds.
    pub limits: Limits,
    /// Where attachments are waited for.
    pub tracker: TaskTracker,
    /// Ends them.
    pub stop: CancellationToken,
}

/// A connection's place among [`Limits::connections`]; an attachment keeps it.
type Place = Arc<OwnedSemaphorePermit>;

/// Serves until stopped. Connections beyond the limit wait in the kernel's queue.
pub(crate) async fn serve(listener: TcpListener, door: Door) {
    let places = Arc::new(Semaphore::new(door.limits.connections));
    let app = routes(door.clone());
    if let Ok(address) = listener.local_addr() {
        info!("[Gateway WS] Server listening on port {}", address.port());
    }
    loop {
        let accepted = select! {
            accepted = accept(&listener, &places) => accepted,
            () = door.stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, place)) => {
                let connection = converse(stream, app.clone(), place, door.clone());
                door.tracker.spawn(connection);
            }
            Err(error) => {
                warn!("[Gateway WS] A connection could not be accepted: {error}");
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<(TcpStream, Place)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // Small frames, each wanted at once.
    stream.set_nodelay(true)?;
    Ok((stream, Arc::new(place)))
}

/// One connection, until it is closed or upgraded.
async fn converse(stream: TcpStream, app: Router, place: Place, door: Door) {
    let service = TowerToHyperService::new(app.layer(Extension(place)));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(door.limits.request_head)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = select! {
        ended = connection.as_mut() => ended,
        () = door.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!("a connection to the link's listener ended: {error}");
    }
}

fn routes(door: Door) -> Router {
    Router::new()
        .route("/link", any(link))
        .route("/health", get(health))
        .with_state(door)
}

async fn health() -> impl IntoResponse {
    axum::Json(serde_json::json!({ "status": "ok" }))
}

async fn link(
    State(door): State<Door>,
    Extension(place): Extension<Place>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if !door.admits(&headers) {
        counter!("guildhall_link_refusals_total").increment(1);
        warn!("[Gateway WS] Refused: wrong LINK_TOKEN. It is to be the same for gateway and web");
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let (house, stop) = (door.house, door.stop.child_token());
    let attended = async move |socket: WebSocket| {
        attend(socket, house, stop).await;
        drop(place);
    };
    // The future is spawned by axum; made inside the tracker's own, it is waited for all the same.
    let tracker = door.tracker;
    upgrade
        .max_message_size(MESSAGE_BYTES_TO_GATEWAY)
        .max_frame_size(MESSAGE_BYTES_TO_GATEWAY)
        .on_upgrade(move |socket| tracker.track_future(attended(socket)))
}

impl Door {
    /// Whether the request has one of the tokens. Takes as long whichever it is, and however much
    /// of it is right.
    fn admits(&self, headers: &HeaderMap) -> bool {
        let said = headers
            .get(AUTHORIZATION)
            .map_or(&b""[..], |value| value.as_bytes());
        let Some(token) = said.strip_prefix(b"Bearer ") else {
            return false;
        };
        let right = |known: &SecretString| known.expose_secret().as_bytes().ct_eq(token);
        let any = self
            .tokens
            .iter()
            .map(right)
            .fold(Choice::from(0), |any, one| any | one);
        any.into()
    }
}

#[cfg(test)]
mod tests;
