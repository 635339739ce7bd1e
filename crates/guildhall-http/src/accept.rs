//! Our own accept loop. `axum::serve` sets no timer, which leaves hyper's limit on request heads
//! without effect, and it has no bound on connections.

use std::{
    convert::Infallible, future::poll_fn, io, net::SocketAddr, sync::Arc, task::Poll,
    time::Duration,
};

use axum::Router;
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics::{Counter, counter, gauge};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use tracing::{debug, warn};

use super::{
    ClientAddress, TrustedProxies,
    answered::{AnswerBody, InUse},
    connections::{Connections, Full, Place},
    host,
    notice::Notice,
    proxies::Clients,
    refuse::Refusals,
    stall::Stall,
};
use crate::seldom::Seldom;

/// A request's head must be complete so soon after the connection, or the answer before it.
const HEAD_LIMIT: Duration = Duration::from_secs(10);

/// A request's head, and hyper's buffers of each connection, in bytes. The largest heads are two
/// cookies of ours; an idle stream's memory is mostly this.
const BUFFER: usize = 16 * 1024;

/// What the kernel takes from us for one socket. With its own default it would hide a reader that
/// has stopped for minutes.
const SEND_BUFFER: usize = 64 * 1024;

/// A socket that takes nothing for so long while something is pending is closed.
const STALL_LIMIT: Duration = Duration::from_secs(30);

/// After `accept` failed for want of descriptors or memory, before the next try. Long enough for
/// what was told to close to have closed.
const ACCEPT_REST: Duration = Duration::from_millis(20);

/// So long after the stop a connection may finish what it is answering.
const FAREWELL: Duration = Duration::from_secs(3);

/// What a listener is bounded by.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// The listener's name in metrics and logs.
    pub listener: &'static str,
    /// Connections at one time. For a further one idle ones are closed; where none is idle, it is
    /// answered with 503.
    pub connections: usize,
    /// The same for one address. This machine and trusted proxies speak for many, and are counted
    /// by the bound above alone.
    pub connections_per_address: usize,
    /// Who is believed about whose requests they pass on.
    pub trusted_proxies: TrustedProxies,
    /// Whether a proxy that is not among them is worth a line.
    pub warns_of_proxies: bool,
}

impl Bounds {
    /// For a listener that no proxy stands before.
    #[must_use]
    pub fn direct(listener: &'static str, connections: usize) -> Self {
        Self {
            listener,
            connections,
            connections_per_address: connections,
            trusted_proxies: TrustedProxies::default(),
            warns_of_proxies: false,
        }
    }
}

/// Serves a router on a bound listener until `stop`; then accepts nothing more and returns, while
/// the connections, which `tracker` has, finish their answers within 3 s.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    tracker: &TaskTracker,
    stop: CancellationToken,
) {
    let mut door = Door::new(bounds);
    loop {
        let accepted = async {
            door.connections.settled().await;
            listener.accept().await
        };
        match stop.run_until_cancelled(accepted).await {
            None => return,
            Some(Ok((socket, peer))) => match door.enter(peer) {
                Ok(place) => {
                    let clients = Arc::clone(&door.clients);
                    let connection =
                        attend(socket, peer, router.clone(), clients, place, stop.clone());
                    tracker.spawn(connection);
                }
                Err(full) => {
                    door.said(full);
                    if let Some(refusal) = door.refusals.of(socket) {
                        tracker.spawn(refusal);
                    }
                }
            },
            Some(Err(error)) if concerns_one_connection(&error) => {}
            Some(Err(error)) => {
                door.failed(&error);
                sleep(ACCEPT_REST).await;
            }
        }
    }
}

/// Who is let in, and what is said about the others.
struct Door {
    bounds: Bounds,
    clients: Arc<Clients>,
    connections: Connections,
    refusals: Refusals,
    refused: [(Counter, Notice); 2],
    failures: (Counter, Notice),
}

impl Door {
    fn new(bounds: Bounds) -> Self {
        let listener = bounds.listener;
        let refused = |bound| {
            let counter = counter!("guildhall_connections_refused_total", "listener" => listener, "bound" => bound);
            // There from the start, for alerts.
            counter.increment(0);
            (counter, Notice::default())
        };
        let failures = counter!("guildhall_accept_failures_total", "listener" => listener);
        failures.increment(0);
        #[expect(clippy::cast_precision_loss, reason = "a number of descriptors")]
        gauge!("guildhall_connections_max", "listener" => listener).set(bounds.connections as f64);
        Self {
            clients: Arc::new(Clients::new(
                bounds.trusted_proxies.clone(),
                bounds.warns_of_proxies,
            )),
            connections: Connections::new(
                listener,
                bounds.connections,
                bounds.connections_per_address,
            ),
            refusals: Refusals::new(),
            refused: [refused("process"), refused("address")],
            failures: (failures, Notice::default()),
            bounds,
        }
    }

    fn enter(&self, peer: SocketAddr) -> Result<Place, Full> {
        let ip = peer.ip().to_canonical();
        let counted = !ip.is_loopback() && !self.clients.proxies.has(ip);
        self.connections.enter(ClientAddress::of(ip).0, counted)
    }

    fn said(&mut self, full: Full) {
        let (which, number) = match full {
            Full::Process => (0, self.bounds.connections),
            Full::Address => (1, self.bounds.connections_per_address),
        };
        let (counter, notice) = &mut self.refused[which];
        counter.increment(1);
        if let Some(times) = notice.happened(Instant::now()) {
            let (listener, of) = (self.bounds.listener, ["all", "those of one address"][which]);
            warn!(
                listener,
                times, "connections were refused with 503: {of} are {number}, each in use"
            );
        }
    }

    fn failed(&mut self, error: &io::Error) {
        let closing = self.connections.make_room();
        let (counter, notice) = &mut self.failures;
        counter.increment(1);
        if let Some(times) = notice.happened(Instant::now()) {
            let listener = self.bounds.listener;
            warn!(listener, times, %error, closing, "accepting connections failed; idle ones are closed for it");
        }
    }
}

/// Why a connection is not waited for any more.
enum Ended {
    ByItself(hyper::Result<()>),
    ForRoom,
    Stopped,
}

async fn attend(
    socket: TcpStream,
    peer: SocketAddr,
    router: Router,
    clients: Arc<Clients>,
    place: Place,
    stop: CancellationToken,
) {
    if let Err(error) = prepare(&socket) {
        // The peer may already be gone; the connection itself will tell.
        debug!(%error, %peer, "socket options were refused");
    }
    let place = Arc::new(place);
    let io = TokioIo::new(Stall::new(socket, STALL_LIMIT, Arc::clone(&place)));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        // One small copy costs less than the kernel's work on three pieces.
        .writev(false)
        .max_buf_size(BUFFER);
    let used = Arc::clone(&place);
    let service = service_fn(move |request| {
        let in_use = InUse::new(Arc::clone(&used));
        answer(router.clone(), &clients, peer, request, in_use)
    });
    let connection = builder.serve_connection(io, service);
    tokio::pin!(connection);
    let mut stopped = Seldom::new(stop.cancelled_owned());
    let mut attended = false;
    let ended = poll_fn(|cx| {
        if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
            return Poll::Ready(Ended::ByItself(ended));
        }
        if !attended {
            attended = true;
            place.attended(cx.waker());
        }
        if place.is_closing() {
            return Poll::Ready(Ended::ForRoom);
        }
        stopped.poll(cx).map(|()| Ended::Stopped)
    });
    let ended = match ended.await {
        Ended::ByItself(ended) => ended,
        Ended::ForRoom => {
            connection.as_mut().graceful_shutdown();
            // That closes an idle one in order; half a head, or an answer that is not read, goes
            // with the socket.
            let closed = poll_fn(|cx| Poll::Ready(connection.as_mut().poll(cx)));
            match closed.await {
                Poll::Ready(ended) => ended,
                Poll::Pending => Ok(()),
            }
        }
        Ended::Stopped => {
            connection.as_mut().graceful_shutdown();
            timeout(FAREWELL, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        debug!(%error, %peer, "connection ended");
    }
}

/// Answers one request. Its address is among its extensions: [`ClientAddress`].
fn answer(
    router: Router,
    clients: &Clients,
    peer: SocketAddr,
    mut request: Request<Incoming>,
    in_use: InUse,
) -> impl Future<Output = Result<Response<AnswerBody>, Infallible>> + use<> {
    let answered = if host::is_clear(request.headers(), request.version()) {
        let client = clients.of(peer.ip(), request.headers());
        request.extensions_mut().insert(client);
        Some(router.oneshot(request))
    } else {
        None
    };
    async move {
        let response = match answered {
            Some(answered) => answered.await?,
            None => host::refused(),
        };
        Ok(response.map(|body| AnswerBody::new(body, in_use)))
    }
}

fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    SockRef::from(socket).set_send_buffer_size(SEND_BUFFER)
}

fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
