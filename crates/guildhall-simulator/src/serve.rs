//! The router and the accept loop.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{ConnectInfo, DefaultBodyLimit, Request, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use futures_util::{StreamExt, stream};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    pin, select,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::{debug, warn};

use crate::{
    cdn, clock,
    config::Config,
    control,
    gateway_ws::{self, GatewayState},
    oauth, page, rest,
    state::{AppState, Tasks},
    wire::{Bytes, Wire, WireStream},
};

/// Longest body of any request.
const LONGEST_BODY: usize = 256 * 1024;
/// After a failed accept (no file descriptors left, as a rule).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Accepts that may fail one after another before the simulator gives up.
const ACCEPT_FAILURES: u32 = 200;

/// How long a request's body may take.
#[derive(Clone)]
struct BodyDeadline {
    ends: Instant,
    is_over: Arc<AtomicBool>,
}

impl BodyDeadline {
    fn new(limit: Duration) -> Self {
        Self {
            ends: clock::now() + limit,
            is_over: Arc::default(),
        }
    }

    /// A body that ends in an error when its time is over.
    fn limit(&self, body: Body) -> Body {
        if body.is_end_stream() {
            return body;
        }
        let deadline = self.clone();
        let waited = stream::unfold(body.into_data_stream(), move |mut body| {
            let deadline = deadline.clone();
            async move {
                let part = match timeout_at(deadline.ends, body.next()).await {
                    Ok(part) => part?,
                    Err(over) => {
                        deadline.is_over.store(true, Ordering::Release);
                        Err(axum::Error::new(over))
                    }
                };
                Some((part, body))
            }
        });
        Body::from_stream(waited)
    }

    /// Whatever was made of a body that did not come is 408.
    fn answer(&self, response: Response) -> Response {
        if self.is_over.load(Ordering::Acquire) {
            StatusCode::REQUEST_TIMEOUT.into_response()
        } else {
            response
        }
    }
}

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

/// `@me` is a word of paths, which discord.js 14.28.1 escapes where it could be an id.
fn name_me_plainly(uri: &mut Uri) {
    if !uri.path().contains("/%40me") {
        return;
    }
    let plain = uri.to_string().replace("/%40me", "/@me");
    if let Ok(plain) = plain.parse() {
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
        let deadline = BodyDeadline::new(body_limit);
        let mut request = request.map(|body| deadline.limit(Body::new(body)));
        request.extensions_mut().insert(wire.clone());
        request.extensions_mut().insert(ConnectInfo(peer));
        name_me_plainly(request.uri_mut());
        let answer = router.clone().oneshot(request);
        async move { answer.await.map(|response| deadline.answer(response)) }
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
