//! The router and the accept loop.

/// The body of a request, read within a time.
mod body;

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, DefaultBodyLimit, Request, State},
    http::{Uri, header},
    response::Response,
    routing::{any, get},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    pin, select,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::{debug, warn};

use body::RequestBody;

use crate::{
    cdn,
    config::Config,
    control,
    gateway_ws::{self, GatewayState},
    oauth, page, rest,
    state::{AppState, Tasks},
    wire::{Bytes, Wire, WireStream},
};

/// Longest body of a request that is none of the REST API's, which has limits of its own.
const LONGEST_BODY: usize = 256 * 1024;
/// After a failed accept (no file descriptors left, as a rule).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Accepts that may fail one after another before the simulator gives up.
const ACCEPT_FAILURES: u32 = 200;

/// Every route there is.
pub(crate) fn router(state: AppState) -> Router {
    Router::new()
        .route("/", get(gateway_or_page))
        .route("/gateway", get(gateway_ws::base))
        .route("/gateway/", get(gateway_ws::base))
        .route("/resume", get(gateway_ws::resume))
        .route("/resume/", get(gateway_ws::resume))
        .nest("/api/v10", rest::router(state.clone()))
        .route("/api", any(rest::not_found))
        .route("/api/", any(rest::not_found))
        .route("/api/{*rest}", any(rest::not_found))
        .merge(oauth::router(&state))
        .merge(cdn::router())
        .merge(page::router())
        .nest("/sim", control::router(&state))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(state)
}

/// `/`: the gateway for whoever asks to upgrade, else the page.
async fn gateway_or_page(State(state): State<GatewayState>, request: Request) -> Response {
    if request.headers().contains_key(header::UPGRADE) {
        gateway_ws::upgrade(state, request).await
    } else {
        page::index()
    }
}

/// Accepts until asked to stop, or until accepting fails for good.
pub(crate) async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    config: &Arc<Config>,
    tasks: &Tasks,
) -> Result<(), io::Error> {
    let mut failures = 0;
    loop {
        let accepted = select! {
            accepted = listener.accept() => accepted,
            () = tasks.stop.cancelled() => return Ok(()),
        };
        match accepted {
            Ok((stream, peer)) => {
                failures = 0;
                // Small frames must leave at once; a socket that refuses is slower, not broken.
                let _ = stream.set_nodelay(true);
                let (router, config, stop) = (router.clone(), config.clone(), tasks.stop.clone());
                match tls.clone() {
                    None => tasks
                        .tracker
                        .spawn(serve(stream, peer, router, config, stop)),
                    Some(tls) => tasks
                        .tracker
                        .spawn(serve_tls(tls, stream, peer, router, config, stop)),
                };
            }
            Err(error) if failures >= ACCEPT_FAILURES => return Err(error),
            Err(error) => {
                failures += 1;
                warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A client that does not trust the certificate ends here.
async fn serve_tls(
    tls: TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    config: Arc<Config>,
    stop: CancellationToken,
) {
    let accepted = select! {
        accepted = timeout(config.head_limit, tls.accept(stream)) => accepted,
        () = stop.cancelled() => return,
    };
    match accepted {
        Ok(Ok(stream)) => serve(stream, peer, router, config, stop).await,
        Ok(Err(error)) => debug!(%error, "no TLS came of a connection"),
        Err(_) => debug!("a connection was too slow to begin TLS"),
    }
}

/// Writes a path as the routes have it. `@me` is a word of paths, which discord.js 14.28.1
/// escapes where it could be an id; v9 is answered as v10 is, and so is no version.
fn name_plainly(uri: &mut Uri) {
    let path = uri.path();
    let below = path.strip_prefix("/api/v9/").or_else(|| {
        let below = path.strip_prefix("/api/")?;
        let first = below.split('/').next().unwrap_or_default();
        let is_version = first
            .strip_prefix('v')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|one| one.is_ascii_digit()));
        let is_there = below.is_empty() || below == "oauth2/authorize";
        (!is_version && !is_there).then_some(below)
    });
    let of_v10 = below.map(|below| format!("/api/v10/{below}"));
    if of_v10.is_none() && !path.contains("/%40me") {
        return;
    }
    let plain = of_v10.as_deref().unwrap_or(path).replace("/%40me", "/@me");
    let query = uri
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    if let Ok(plain) = format!("{plain}{query}").parse() {
        *uri = plain;
    }
}

async fn serve<S: Bytes + 'static>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    config: Arc<Config>,
    stop: CancellationToken,
) {
    let wire = Wire::new();
    let stream = WireStream::new(stream, wire.clone());
    let body_limit = config.body_limit;
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (parts, body) = request.into_parts();
        let (rest, body) = RequestBody::limit(Body::new(body), body_limit);
        let mut request = Request::from_parts(parts, body);
        request.extensions_mut().insert(wire.clone());
        request.extensions_mut().insert(ConnectInfo(peer));
        name_plainly(request.uri_mut());
        let answer = router.clone().oneshot(request);
        async move {
            match answer.await {
                Ok(response) => Ok::<_, Infallible>(rest.answer(response).await),
                Err(never) => match never {},
            }
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(config.head_limit)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    pin!(connection);
    let served = select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            match timeout(config.stop_limit, connection).await {
                Ok(served) => served,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = served {
        debug!(%error, "connection ended early");
    }
}
