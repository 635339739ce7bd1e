//! What is the same for a connection that is kept alive and for one of one request.

use std::{future::poll_fn, net::SocketAddr, pin::Pin, task::Poll, time::Duration};

use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::{PollWhenWoken, connections::ConnectionPermit};

/// A request's head, and hyper's buffers of each connection, in bytes. The largest heads are two
/// cookies of ours; an idle stream's memory is mostly this.
pub(crate) const BUFFER: usize = 16 * 1024;

/// A connection that was let in.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) socket: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) permit: ConnectionPermit,
    pub(crate) head_limit: Duration,
    pub(crate) shutdown_grace: Duration,
    pub(crate) stop: CancellationToken,
}

/// Why a connection is not waited for any more.
#[derive(Debug)]
pub(crate) enum ConnectionEnd {
    ByItself(hyper::Result<()>),
    ForRoom,
    Stopped,
}

/// Polls a connection until it ends by itself or has to.
pub(crate) async fn until_end<C>(
    mut connection: Pin<&mut C>,
    permit: &ConnectionPermit,
    stop: CancellationToken,
) -> ConnectionEnd
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut stopped = PollWhenWoken::new(stop.cancelled_owned());
    let mut polled = false;
    let end = poll_fn(|cx| {
        if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
            return Poll::Ready(ConnectionEnd::ByItself(ended));
        }
        if !polled {
            polled = true;
            permit.polled(cx.waker());
        }
        if permit.is_closing() {
            return Poll::Ready(ConnectionEnd::ForRoom);
        }
        stopped.poll(cx).map(|()| ConnectionEnd::Stopped)
    });
    end.await
}
