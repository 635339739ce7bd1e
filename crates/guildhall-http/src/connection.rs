//! What is the same for a connection that is kept alive and for one of one request.

use std::{future::poll_fn, net::SocketAddr, pin::Pin, task::Poll, time::Duration};

use tokio::select;
use tokio_util::sync::CancellationToken;

use crate::{PollWhenWoken, connections::ConnectionPermit};

/// A request's head, and hyper's buffers of each connection, in bytes. The largest heads are two
/// cookies of ours; an idle stream's memory is mostly this.
pub(crate) const BUFFER: usize = 16 * 1024;

/// A connection that was let in.
#[derive(Debug)]
pub(crate) struct Accepted<C> {
    pub(crate) socket: C,
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
    // Only looked at when it was woken itself: a stream's connection is woken for each event, and
    // with a thousand of them whatever else it looks at has left the CPU's cache meanwhile.
    let mut told_to_end = PollWhenWoken::new(async {
        select! {
            biased;
            () = permit.told_to_close() => ConnectionEnd::ForRoom,
            () = stop.cancelled() => ConnectionEnd::Stopped,
        }
    });
    let end = poll_fn(|cx| match connection.as_mut().poll(cx) {
        Poll::Ready(ended) => Poll::Ready(ConnectionEnd::ByItself(ended)),
        Poll::Pending => told_to_end.poll(cx),
    });
    end.await
}
