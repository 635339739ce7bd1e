//! A socket that accepts no byte for a while although some are pending is given up: its owner is
//! gone or does not read, and what is kept for it is kept in vain.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::connections::ConnectionPermit;

/// A connection that fails with [`io::ErrorKind::TimedOut`] when a write makes no progress for
/// `limit`. While nothing is pending it costs nothing.
#[derive(Debug)]
pub(super) struct Stall<T> {
    io: T,
    limit: Duration,
    /// Runs while a write is pending.
    patience: Option<Pin<Box<Sleep>>>,
    /// Is told whether one is.
    permit: Arc<ConnectionPermit>,
}

impl<T> Stall<T> {
    pub(super) fn new(io: T, limit: Duration, permit: Arc<ConnectionPermit>) -> Self {
        Self {
            io,
            limit,
            patience: None,
            permit,
        }
    }

    fn judge<R>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if written.is_ready() {
            if self.patience.take().is_some() {
                self.permit.set_unread(false);
            }
            return written;
        }
        let (limit, permit) = (self.limit, &self.permit);
        let patience = self.patience.get_or_insert_with(|| {
            permit.set_unread(true);
            Box::pin(sleep(limit))
        });
        ready!(patience.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Stall<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Stall<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, pieces);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, duplex},
        time::{Instant, advance},
    };

    use super::*;
    use crate::connections::{AddressBound, Connections};

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up_and_one_that_takes_little_is_not() {
        let (near, mut far) = duplex(8);
        let permit =
            Connections::new("test", 1, 1).admit([127, 0, 0, 1].into(), AddressBound::Exempt);
        let mut near = Stall::new(near, LIMIT, Arc::new(permit.expect("the first")));
        near.write_all(b"12345678").await.expect("fits");
        let began = Instant::now();

        // A byte taken after 20 s starts the time again.
        let pending =
            poll_fn(|cx| Poll::Ready(Pin::new(&mut near).poll_write(cx, b"9").is_pending()));
        assert!(pending.await);
        advance(Duration::from_secs(20)).await;
        far.read_u8().await.expect("open");
        near.write_all(b"9").await.expect("there is room");

        let error = near.write_all(b"x").await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed(), Duration::from_secs(50));
    }
}
