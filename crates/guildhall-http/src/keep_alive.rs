//! Connections that are kept alive from one request to the next: those of browsers and probes.

use std::{
    convert::Infallible,
    future::{poll_fn, ready},
    io,
    net::IpAddr,
    sync::Arc,
    task::Poll,
};

use axum::Router;
use futures_util::{TryFutureExt, future::Either};
use http::{HeaderValue, Request, Response, header::CONNECTION};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics::counter;
use tokio::time::{Duration, Instant, timeout};
use tower::ServiceExt;
use tracing::{debug, warn};

use crate::{
    ByteStream, Config, Occurrences, TrustedProxies,
    connection::{Accepted, BUFFER, ConnectionEnd, until_end},
    connections::ConnectionLimit,
    host,
    in_flight::{InUse, ResponseBody},
    refuse::UnavailableResponses,
    request_body::IncomingBody,
    stall::Stall,
    trusted_proxies::ClientAddresses,
};

/// What the kernel takes from us for one socket. With its own default it would hide a reader that
/// has stopped for minutes.
const SEND_BUFFER: usize = 64 * 1024;

/// A socket that takes nothing for so long while something is pending is closed.
const STALL_LIMIT: Duration = Duration::from_secs(30);

/// What such connections have beside their permits.
pub(crate) struct KeepAlive {
    clients: Arc<ClientAddresses>,
    refusals: UnavailableResponses,
    listener: &'static str,
    process: Bound,
    address: Bound,
}

/// One of the two bounds on connections.
struct Bound {
    most: usize,
    refused: Occurrences,
}

impl KeepAlive {
    pub(crate) fn new(
        config: &Config,
        proxies: TrustedProxies,
        proxies_setting: Option<&'static str>,
    ) -> Self {
        let listener = config.listener;
        let bound = |bound, most| {
            let refused = counter!("guildhall_connections_refused_total", "listener" => listener, "bound" => bound);
            Bound {
                most,
                refused: Occurrences::new(refused),
            }
        };
        Self {
            clients: Arc::new(ClientAddresses::new(proxies, proxies_setting)),
            refusals: UnavailableResponses::new(),
            listener,
            process: bound("process", config.connections),
            address: bound("address", config.connections_per_address),
        }
    }

    /// Whether this peer is believed about whose requests it passes on.
    pub(crate) fn is_trusted(&self, peer: IpAddr) -> bool {
        self.clients.proxies.has(peer)
    }

    /// Answers with 503, or with nothing when too many are being answered so.
    pub(crate) fn refuse<C: ByteStream>(
        &self,
        socket: C,
        full: ConnectionLimit,
    ) -> Option<impl Future<Output = ()> + Send + use<C>> {
        let (bound, of) = match full {
            ConnectionLimit::Total => (&self.process, "all"),
            ConnectionLimit::PerAddress => (&self.address, "those of one address"),
        };
        if let Some(times) = bound.refused.happened(Instant::now()) {
            let (listener, number) = (self.listener, bound.most);
            warn!(
                listener,
                times, "connections were refused with 503: {of} are {number}, each in use"
            );
        }
        self.refusals.of(socket)
    }

    /// One connection, until it is closed.
    pub(crate) fn serve_connection<C: ByteStream>(
        &self,
        accepted: Accepted<C>,
        router: Router,
    ) -> impl Future<Output = ()> + Send + use<C> {
        serve_connection(accepted, router, Arc::clone(&self.clients))
    }
}

async fn serve_connection(
    accepted: Accepted<impl ByteStream>,
    router: Router,
    clients: Arc<ClientAddresses>,
) {
    let Accepted {
        socket,
        peer,
        permit,
        head_limit,
        shutdown_grace,
        stop,
    } = accepted;
    if let Err(error) = prepare(&socket) {
        // The peer may already be gone; the connection itself will tell.
        debug!(%error, %peer, "socket options were refused");
    }
    let permit = Arc::new(permit);
    let io = TokioIo::new(Stall::new(socket, STALL_LIMIT, Arc::clone(&permit)));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(head_limit)
        // One small copy costs less than the kernel's work on three pieces.
        .writev(false)
        .max_buf_size(BUFFER);
    let used = Arc::clone(&permit);
    let service = service_fn(move |request| {
        let in_use = InUse::new(Arc::clone(&used));
        answer(router.clone(), &clients, peer.ip(), request, in_use)
    });
    let connection = builder.serve_connection(io, service);
    tokio::pin!(connection);
    let ended = match until_end(connection.as_mut(), &permit, stop).await {
        ConnectionEnd::ByItself(ended) => ended,
        ConnectionEnd::ForRoom => {
            connection.as_mut().graceful_shutdown();
            // That closes an idle one in order; half a head, or an answer that is not read, goes
            // with the socket.
            let closed = poll_fn(|cx| Poll::Ready(connection.as_mut().poll(cx)));
            match closed.await {
                Poll::Ready(ended) => ended,
                Poll::Pending => Ok(()),
            }
        }
        ConnectionEnd::Stopped => {
            connection.as_mut().graceful_shutdown();
            timeout(shutdown_grace, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        debug!(%error, %peer, "connection ended");
    }
}

/// Answers one request. Its address is among its extensions: [`crate::ClientAddress`].
fn answer(
    router: Router,
    clients: &ClientAddresses,
    peer: IpAddr,
    request: Request<Incoming>,
    in_use: InUse,
) -> impl Future<Output = Result<Response<ResponseBody>, Infallible>> + use<> {
    let (head, body) = request.into_parts();
    let (body, body_end) = IncomingBody::of(body);
    let mut request = Request::from_parts(head, body);
    // One future and not an `async` block around it, which would keep room for the router's future
    // twice, in each connection for as long as it is open.
    let answered = if host::is_clear(request.headers(), request.version()) {
        let client = clients.of(peer, request.headers());
        request.extensions_mut().insert(client);
        Either::Left(router.oneshot(request))
    } else {
        Either::Right(ready(Ok(host::refused())))
    };
    answered.map_ok(move |mut response| {
        if !body_end.is_reached() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        response.map(|body| ResponseBody::new(body, in_use))
    })
}

fn prepare(socket: &impl ByteStream) -> io::Result<()> {
    socket.set_nodelay()?;
    socket.set_send_buffer(SEND_BUFFER)
}
