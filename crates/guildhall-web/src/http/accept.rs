//! Our own accept loop. `axum::serve` sets no timer, which leaves hyper's limit on request heads
//! without effect, and it has no bound on connections.

use std::{future::poll_fn, io, net::SocketAddr, sync::Arc, task::Poll, time::Duration};

use axum::Router;
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use tracing::{debug, warn};

use super::{ClientAddress, stall::Stall};
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

/// Connections at once. Further ones wait in the kernel's queue until one ends.
const CONNECTIONS: usize = 65_536;

/// After `accept` failed for want of descriptors or memory.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// So long after the stop a connection may finish what it is answering.
const FAREWELL: Duration = Duration::from_secs(3);

/// Serves a router on a bound listener until `stop`; then accepts nothing more and returns, while
/// the connections, which `tracker` has, finish their answers within 3 s.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tracker: &TaskTracker,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned();
        let accepted = async { (place.await, listener.accept().await) };
        let (Ok(place), accepted) = (match stop.run_until_cancelled(accepted).await {
            None => return,
            Some(accepted) => accepted,
        }) else {
            return;
        };
        match accepted {
            Ok((socket, peer)) => {
                let connection = attend(socket, peer, router.clone(), stop.clone(), place);
                tracker.spawn(connection);
            }
            Err(error) if concerns_one_connection(&error) => {}
            Err(error) => {
                warn!(%error, "accepting connections failed");
                sleep(ACCEPT_REST).await;
            }
        }
    }
}

async fn attend(
    socket: TcpStream,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
) {
    if let Err(error) = prepare(&socket) {
        // The peer may already be gone; the connection itself will tell.
        debug!(%error, %peer, "socket options were refused");
    }
    let io = TokioIo::new(Stall::new(socket, STALL_LIMIT));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        // One small copy costs less than the kernel's work on three pieces.
        .writev(false)
        .max_buf_size(BUFFER);
    let client = ClientAddress::of(peer.ip());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(client);
        router.clone().oneshot(request)
    });
    let connection = builder.serve_connection(io, service);
    tokio::pin!(connection);
    let mut stopped = Seldom::new(stop.cancelled_owned());
    let ended = poll_fn(|cx| match connection.as_mut().poll(cx) {
        Poll::Ready(ended) => Poll::Ready(Some(ended)),
        Poll::Pending => stopped.poll(cx).map(|()| None),
    });
    let ended = if let Some(ended) = ended.await {
        ended
    } else {
        connection.as_mut().graceful_shutdown();
        timeout(FAREWELL, connection).await.unwrap_or(Ok(()))
    };
    if let Err(error) = ended {
        debug!(%error, %client, "connection ended");
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

#[cfg(test)]
mod tests;
