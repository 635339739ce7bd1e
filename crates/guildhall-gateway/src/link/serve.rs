//! The listener: `GET /link` for web roles, `GET /health` for whoever looks whether we are there,
//! nothing else. The token is compared before the upgrade.
//!
//! A connection has no token until its request has come with one. Until then it has one of a few
//! places, loses it to newer ones when it says nothing, and is closed behind its one answer; so
//! whoever has no token cannot keep out who has. Web roles have places of their own.

use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::{
        HeaderMap, HeaderValue, Request, StatusCode, Version,
        header::{AUTHORIZATION, CONNECTION, HOST, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
    routing::{any, get},
};
use guildhall_link::attachment::MESSAGE_BYTES_TO_GATEWAY;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics::{Counter, counter, gauge};
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use tracing::{debug, info, warn};

use super::{
    accept::{Attachments, attend},
    connections::{Connections, Place},
    notice::Notice,
};
use crate::Limits;

/// More than any request of a web role.
const HEAD_BYTES: usize = 16 << 10;
/// After an accept that failed for want of something, such as file descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(20);
/// So long after the stop a request may take to come to its end.
const FAREWELL: Duration = Duration::from_secs(1);

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

/// What the routes have.
#[derive(Clone)]
struct Hall {
    door: Door,
    /// One for each attachment.
    places: Arc<Semaphore>,
    refusals: Arc<Refusals>,
}

/// Those who were not let in; said once a minute, as somebody may try thousands of times.
struct Refusals {
    wrong_token: Told,
    full: Told,
}

/// A metric and its line.
struct Told {
    counter: Counter,
    notice: Mutex<Notice>,
}

/// Serves until stopped.
pub(crate) async fn serve(listener: TcpListener, door: Door) {
    let limits = door.limits;
    let connections = Connections::new("link", limits.tokenless, limits.tokenless_per_address);
    announce(&limits);
    let failures = Told::new(counter!("guildhall_accept_failures_total", "listener" => "link"));
    let app = routes(door.clone());
    if let Ok(address) = listener.local_addr() {
        info!("[Gateway WS] Server listening on port {}", address.port());
    }
    loop {
        let accepted = select! {
            accepted = accept(&listener, &connections) => accepted,
            () = door.stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, place)) => {
                let connection = converse(stream, app.clone(), place, door.clone());
                door.tracker.spawn(connection);
            }
            Err(error) => {
                connections.make_room();
                if let Some(times) = failures.happened() {
                    warn!(
                        times,
                        "[Gateway WS] A connection could not be accepted: {error}"
                    );
                }
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// Not one more than there are places for, each of them for a moment.
async fn accept(
    listener: &TcpListener,
    connections: &Connections,
) -> io::Result<(TcpStream, Place)> {
    connections.settled().await;
    let (stream, peer) = listener.accept().await?;
    // Small frames, each wanted at once. The peer may already be gone; its connection will tell.
    let _gone = stream.set_nodelay(true);
    let ip = peer.ip().to_canonical();
    loop {
        match connections.enter(ip, !ip.is_loopback()) {
            Ok(place) => return Ok((stream, place)),
            // All of them have just come, or are being answered: neither lasts.
            Err(_) => connections.left().await,
        }
    }
}

/// One connection, until it is closed or upgraded.
async fn converse(stream: TcpStream, app: Router, place: Place, door: Door) {
    let service = service_fn(|request| {
        place.busy();
        answer(app.clone(), request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(door.limits.request_head)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let mut attended = false;
    // `None`: closed for a newer one.
    let ended = poll_fn(|cx| {
        if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
            return Poll::Ready(Some(ended));
        }
        if !attended {
            attended = true;
            place.attended(cx.waker());
        }
        if place.is_closing() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    });
    let ended = select! {
        ended = ended => ended.unwrap_or(Ok(())),
        () = door.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            timeout(FAREWELL, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        debug!("a connection to the link's listener ended: {error}");
    }
}

/// The one answer of a connection that does not become an attachment.
async fn answer(app: Router, request: Request<Incoming>) -> Result<Response, Infallible> {
    let mut response = if is_host_said_once(&request) {
        app.oneshot(request).await?
    } else {
        StatusCode::BAD_REQUEST.into_response()
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    Ok(response)
}

/// As HTTP/1.1 asks (RFC 9112, 3.2).
fn is_host_said_once<B>(request: &Request<B>) -> bool {
    let said = request.headers().get_all(HOST).iter().count();
    said == 1 || (said == 0 && request.version() < Version::HTTP_11)
}

fn routes(door: Door) -> Router {
    let hall = Hall {
        places: Arc::new(Semaphore::new(door.limits.attachments)),
        refusals: Arc::new(Refusals {
            wrong_token: Told::new(counter!("guildhall_link_refusals_total")),
            full: Told::new(counter!("guildhall_link_attachments_refused_total")),
        }),
        door,
    };
    Router::new()
        .route("/link", any(link))
        .route("/health", get(health))
        .with_state(hall)
}

async fn health() -> impl IntoResponse {
    axum::Json(serde_json::json!({ "status": "ok" }))
}

async fn link(
    State(hall): State<Hall>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Hall {
        door,
        places,
        refusals,
    } = hall;
    if !door.admits(&headers) {
        if let Some(times) = refusals.wrong_token.happened() {
            warn!(
                times,
                "[Gateway WS] Refused: wrong LINK_TOKEN. It is to be the same for gateway and web"
            );
        }
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let Ok(place) = places.try_acquire_owned() else {
        if let Some(times) = refusals.full.happened() {
            let most = door.limits.attachments;
            warn!(
                times,
                "[Gateway WS] Refused: {most} web roles are attached already"
            );
        }
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")]).into_response();
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

impl Told {
    fn new(counter: Counter) -> Self {
        // There from the start, for alerts.
        counter.increment(0);
        Self {
            counter,
            notice: Mutex::default(),
        }
    }

    /// It happened again: counted, and how often it did if that is to be said now.
    fn happened(&self) -> Option<u64> {
        self.counter.increment(1);
        let notice = self.notice.lock();
        let mut notice = notice.unwrap_or_else(PoisonError::into_inner);
        notice.happened(Instant::now())
    }
}

/// The numbers, for whoever watches how near we are to them.
fn announce(limits: &Limits) {
    #[expect(clippy::cast_precision_loss, reason = "numbers of connections")]
    let [tokenless, attachments] = [limits.tokenless as f64, limits.attachments as f64];
    gauge!("guildhall_connections_max", "listener" => "link").set(tokenless);
    gauge!("guildhall_link_attachments_max").set(attachments);
}

#[cfg(test)]
mod tests;
