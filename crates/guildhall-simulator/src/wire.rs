//! The bytes of one connection, which may be made to go slowly, halfway or nowhere.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// Bytes that a silent wire keeps for the time after it; with more, it breaks then.
const MOST_WITHHELD: usize = 4 * 1024 * 1024;

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
    /// Nothing arrives, and nobody says so.
    Silent,
    /// The connection breaks at the next write.
    Torn,
}

/// A stream that is nobody's any more.
pub(crate) trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Bytes for S {}

/// What becomes of the stream when its owner drops it.
enum OnDrop {
    Close,
    Keep,
    Kept(Box<dyn Bytes>),
}

/// The handle by which a connection's bytes are interfered with.
pub(crate) struct Wire {
    open: AtomicBool,
    mode: Mutex<Mode>,
    taken: AtomicU64,
    on_drop: Mutex<OnDrop>,
}

impl Wire {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            open: AtomicBool::new(true),
            mode: Mutex::new(Mode::Open),
            taken: AtomicU64::new(0),
            on_drop: Mutex::new(OnDrop::Close),
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

    /// Nothing is wrong any more; what a silent wire withheld goes out with the next
    /// write or flush.
    pub(crate) fn heal(&self) {
        self.set(Mode::Open);
    }

    /// A slow wire is slow no more.
    pub(crate) fn hurry(&self) {
        if self.pause().is_some() {
            self.heal();
        }
    }

    /// How long a slow wire rests after each write.
    pub(crate) fn pause(&self) -> Option<Duration> {
        match self.mode() {
            Mode::Slow { pause, .. } => Some(pause),
            Mode::Open | Mode::Half | Mode::Silent | Mode::Torn => None,
        }
    }

    /// How many bytes the other side took so far, as far as the system says.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Whoever drops the stream leaves it here in place of closing it.
    pub(crate) fn keep(&self) {
        *self.on_drop.lock() = OnDrop::Keep;
    }

    /// The stream that was left.
    pub(crate) fn take_kept(&self) -> Option<Box<dyn Bytes>> {
        match std::mem::replace(&mut *self.on_drop.lock(), OnDrop::Close) {
            OnDrop::Kept(stream) => Some(stream),
            OnDrop::Close | OnDrop::Keep => None,
        }
    }

    fn set(&self, mode: Mode) {
        *self.mode.lock() = mode;
        self.open.store(mode == Mode::Open, Ordering::Release);
    }

    fn mode(&self) -> Mode {
        if self.open.load(Ordering::Acquire) {
            Mode::Open
        } else {
            *self.mode.lock()
        }
    }
}

/// A stream whose writing goes over a [`Wire`].
pub(crate) struct WireStream<S: Bytes + 'static> {
    /// Gone only while this is dropped.
    stream: Option<S>,
    wire: Arc<Wire>,
    pause: Option<Pin<Box<Sleep>>>,
    withheld: Vec<u8>,
    /// More was written in silence than is withheld.
    lost: bool,
}

impl<S: Bytes + 'static> WireStream<S> {
    pub(crate) fn new(stream: S, wire: Arc<Wire>) -> Self {
        Self {
            stream: Some(stream),
            wire,
            pause: None,
            withheld: Vec::new(),
            lost: false,
        }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut S>> {
        let stream = self.stream.as_mut().map(Pin::new);
        stream.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(self.stream()?.poll_write(context, bytes))?;
        let count = u64::try_from(written).unwrap_or(u64::MAX);
        self.wire.taken.fetch_add(count, Ordering::Relaxed);
        Poll::Ready(Ok(written))
    }

    fn withhold(&mut self, bytes: &[u8]) {
        self.lost |= self.withheld.len() + bytes.len() > MOST_WITHHELD;
        if self.lost {
            self.withheld = Vec::new();
        } else {
            self.withheld.extend_from_slice(bytes);
        }
    }

    /// Writes what was withheld.
    fn release(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lost {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        while !self.withheld.is_empty() {
            let withheld = std::mem::take(&mut self.withheld);
            let written = self.write(context, &withheld);
            self.withheld = withheld;
            let written = ready!(written)?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.withheld.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Bytes + 'static> Drop for WireStream<S> {
    fn drop(&mut self) {
        let mut on_drop = self.wire.on_drop.lock();
        if let (OnDrop::Keep, Some(stream)) = (&*on_drop, self.stream.take()) {
            *on_drop = OnDrop::Kept(Box::new(stream));
        }
    }
}

impl<S: Bytes + 'static> AsyncRead for WireStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream()?.poll_read(context, buffer)
    }
}

impl<S: Bytes + 'static> AsyncWrite for WireStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.wire.mode() {
            Mode::Open => {
                ready!(self.release(context))?;
                self.write(context, bytes)
            }
            Mode::Slow {
                bytes: most,
                pause: length,
            } => {
                ready!(self.release(context))?;
                if let Some(pause) = &mut self.pause {
                    ready!(pause.as_mut().poll(context));
                    self.pause = None;
                }
                let part = bytes.get(..most).unwrap_or(bytes);
                let written = ready!(self.write(context, part))?;
                self.pause = Some(Box::pin(sleep(length)));
                Poll::Ready(Ok(written))
            }
            Mode::Half => {
                let half = &bytes[..bytes.len() / 2];
                let written = ready!(self.write(context, half))?;
                self.withhold(&bytes[written..]);
                self.wire.fall_silent();
                Poll::Ready(Ok(bytes.len()))
            }
            Mode::Silent => {
                self.withhold(bytes);
                Poll::Ready(Ok(bytes.len()))
            }
            Mode::Torn => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if matches!(self.wire.mode(), Mode::Open | Mode::Slow { .. }) {
            ready!(self.release(context))?;
        }
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
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
        let mut wired = WireStream::new(ours, wire);
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
        let mut wired = WireStream::new(ours, wire.clone());
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

    #[tokio::test]
    async fn what_was_withheld_in_silence_comes_first_when_it_is_over() -> io::Result<()> {
        let (ours, mut theirs) = duplex(1024);
        let wire = Wire::new();
        let mut wired = WireStream::new(ours, wire.clone());
        wire.halve();
        wired.write_all(b"half of this ").await?;
        wired.write_all(b"and all of that ").await?;
        wire.heal();
        wired.flush().await?;
        wired.write_all(b"then the rest").await?;
        drop(wired);
        let mut heard = Vec::new();
        theirs.read_to_end(&mut heard).await?;
        assert_eq!(heard, b"half of this and all of that then the rest");
        Ok(())
    }

    #[tokio::test]
    async fn a_silence_too_long_to_withhold_ends_torn() {
        let (ours, _theirs) = duplex(1024);
        let wire = Wire::new();
        let mut wired = WireStream::new(ours, wire.clone());
        wire.fall_silent();
        for _ in 0..=4 {
            let said = wired.write_all(&vec![0; 1024 * 1024]).await;
            assert!(said.is_ok());
        }
        wire.heal();
        assert!(wired.flush().await.is_err());
    }

    #[tokio::test]
    async fn a_stream_that_is_kept_outlives_its_owner() -> io::Result<()> {
        let (ours, mut theirs) = duplex(1024);
        let wire = Wire::new();
        let wired = WireStream::new(ours, wire.clone());
        assert!(wire.take_kept().is_none());
        wire.keep();
        drop(wired);
        let mut kept = wire.take_kept().ok_or(io::ErrorKind::NotFound)?;
        kept.write_all(b"still here").await?;
        drop(kept);
        let mut heard = Vec::new();
        theirs.read_to_end(&mut heard).await?;
        assert_eq!(heard, b"still here");
        Ok(())
    }
}
