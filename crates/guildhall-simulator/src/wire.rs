//! The bytes of one connection, which may be made to go slowly, halfway or nowhere.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// How what is written goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Open,
    /// So many bytes, then a pause.
    Slow {
        bytes: usize,
        pause: Duration,
    },
    /// Half of what is written next, and nothing after it.
    Half,
    /// Nothing: written bytes are lost, and nobody says so.
    Silent,
    /// The connection breaks at the next write.
    Torn,
}

/// The handle by which a connection's bytes are interfered with.
#[derive(Debug)]
pub(crate) struct Wire {
    open: AtomicBool,
    mode: Mutex<Mode>,
}

impl Wire {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            open: AtomicBool::new(true),
            mode: Mutex::new(Mode::Open),
        })
    }

    pub(crate) fn slow_down(&self, bytes: usize, pause: Duration) {
        self.set(Mode::Slow {
            bytes: bytes.max(1),
            pause,
        });
    }

    pub(crate) fn halve(&self) {
        self.set(Mode::Half);
    }

    pub(crate) fn fall_silent(&self) {
        self.set(Mode::Silent);
    }

    pub(crate) fn tear(&self) {
        self.set(Mode::Torn);
    }

    fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap_or_else(PoisonError::into_inner) = mode;
        self.open.store(mode == Mode::Open, Ordering::Release);
    }

    fn mode(&self) -> Mode {
        if self.open.load(Ordering::Acquire) {
            Mode::Open
        } else {
            *self.mode.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

/// A stream whose writing goes over a [`Wire`].
pub(crate) struct Wired<S> {
    stream: S,
    wire: Arc<Wire>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl<S> Wired<S> {
    pub(crate) fn new(stream: S, wire: Arc<Wire>) -> Self {
        Self {
            stream,
            wire,
            pause: None,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wired<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wired<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.wire.mode() {
            Mode::Open => Pin::new(&mut self.stream).poll_write(context, bytes),
            Mode::Slow {
                bytes: most,
                pause: length,
            } => {
                if let Some(pause) = &mut self.pause {
                    ready!(pause.as_mut().poll(context));
                    self.pause = None;
                }
                let part = bytes.get(..most).unwrap_or(bytes);
                let written = ready!(Pin::new(&mut self.stream).poll_write(context, part))?;
                self.pause = Some(Box::pin(sleep(length)));
                Poll::Ready(Ok(written))
            }
            Mode::Half => {
                let half = &bytes[..bytes.len() / 2];
                ready!(Pin::new(&mut self.stream).poll_write(context, half))?;
                self.wire.fall_silent();
                Poll::Ready(Ok(bytes.len()))
            }
            Mode::Silent => Poll::Ready(Ok(bytes.len())),
            Mode::Torn => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_slow_wire_loses_nothing() -> io::Result<()> {
        let (ours, mut theirs) = duplex(1024);
        let wire = Wire::new();
        wire.slow_down(3, Duration::from_secs(1));
        let mut wired = Wired::new(ours, wire);
        let began = crate::clock::now();
        wired.write_all(b"ten bytes!").await?;
        assert_eq!(began.elapsed().as_secs(), 3);
        drop(wired);
        let mut heard = Vec::new();
        theirs.read_to_end(&mut heard).await?;
        assert_eq!(heard, b"ten bytes!");
        Ok(())
    }

    #[tokio::test]
    async fn a_halved_write_is_the_last_that_is_heard() -> io::Result<()> {
        let (ours, mut theirs) = duplex(1024);
        let wire = Wire::new();
        let mut wired = Wired::new(ours, wire.clone());
        wired.write_all(b"whole ").await?;
        wire.halve();
        wired.write_all(b"half").await?;
        wired.write_all(b"never").await?;
        drop(wired);
        let mut heard = Vec::new();
        theirs.read_to_end(&mut heard).await?;
        assert_eq!(heard, b"whole ha");
        Ok(())
    }
}
