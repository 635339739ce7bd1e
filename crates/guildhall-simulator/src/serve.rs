//! The router and the accept loop.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::DefaultBodyLimit,
    middleware,
    routing::{any, get},
};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    pin, select,
    time::{sleep, timeout},
};
use tower::ServiceExt;
use tracing::{debug, warn};

use crate::{
    cdn, control,
    discord::Discord,
    gateway_ws, oauth, page, rest,
    wire::{Wire, Wired},
};

/// Longest body of any request.
const LONGEST_BODY: usize = 256 * 1024;
/// A client that has not sent its request's head by then is gone.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// How long a stopping simulator waits for answers under way.
const STOP_LIMIT: Duration = Duration::from_secs(1);
/// After a failed accept (no file descriptors left, as a rule).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Accepts that may fail one after another before the simulator gives up.
const ACCEPT_FAILURES: u32 = 200;

/// Whose connection a request came over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Every route there is.
pub(crate) fn router(discord: Arc<Discord>) -> Router {
    Router::new()
        .route("/", get(gateway_ws::gateway_or_page))
        .route("/gateway", get(gateway_ws::base))
        .route("/gateway/", get(gateway_ws::base))
        .route("/resume", get(gateway_ws::resume))
        .route("/resume/", get(gateway_ws::resume))
        .nest("/api/v10", rest::router(discord.clone()))
        .route("/api", any(rest::not_found))
        .route("/api/", any(rest::not_found))
        .route("/api/{*rest}", any(rest::not_found))
        .merge(oauth::router().layer(middleware::from_fn_with_state(
            discord.clone(),
            rest::interfere,
        )))
        .merge(cdn::router())
        .merge(page::router())
        .nest("/sim", control::router(discord.clone()))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(discord)
}

/// Accepts until asked to stop, or until accepting fails for good.
pub(crate) async fn accept(
    listener: TcpListener,
    router: Router,
    discord: &Discord,
) -> Result<(), io::Error> {
    let mut failures = 0;
    loop {
        let accepted = select! {
            accepted = listener.accept() => accepted,
            () = discord.stop.cancelled() => return Ok(()),
        };
        match accepted {
            Ok((stream, peer)) => {
                failures = 0;
                let connection = serve(stream, peer, router.clone(), discord.stop.clone());
                discord.tracker.spawn(connection);
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

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    stop: tokio_util::sync::CancellationToken,
) {
    // Small frames must leave at once; a socket that refuses is slower, not broken.
    let _ = stream.set_nodelay(true);
    let wire = Wire::new();
    let stream = Wired::new(stream, wire.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(wire.clone());
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    pin!(connection);
    let served = select! {
        served = connection.as_mut() => served,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            match timeout(STOP_LIMIT, connection).await {
                Ok(served) => served,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = served {
        debug!(%error, "connection ended early");
    }
}
