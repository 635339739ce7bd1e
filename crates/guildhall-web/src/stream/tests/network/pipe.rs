//! One direction of a connection, and the two ends of both.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::Bytes;
use guildhall_http::ByteStream;
use parking_lot::Mutex;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::net::Way;

/// Sent and not read: what kernels and routers hold between two ends.
const CAPACITY: usize = 32 << 10;

/// One direction.
pub(super) struct Pipe {
    way: Way,
    rng: StdRng,
    /// What is on its way, and when it is there.
    queue: VecDeque<(Instant, Piece)>,
    /// Bytes of it.
    held: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
    fate: Fate,
    /// The end that writes, and the one that reads, is of a host that is gone.
    abandoned: [bool; 2],
}

enum Piece {
    Bytes(Bytes),
    /// The other end closed.
    End,
    /// It did with bytes unread.
    Reset,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Whole,
    /// Both ends are told at once.
    Reset,
    /// Nothing comes through, and nobody is told.
    Forgotten,
}

/// Both ends, and both directions: what the first says, and what it hears.
pub(super) fn pipes(
    ways: [Way; 2],
    seeds: [u64; 2],
) -> ([SimulatedConnection; 2], [Arc<Mutex<Pipe>>; 2]) {
    let [there, back] = [0, 1].map(|side| Arc::new(Mutex::new(Pipe::new(ways[side], seeds[side]))));
    let end = |out: &Arc<Mutex<Pipe>>, into: &Arc<Mutex<Pipe>>| SimulatedConnection {
        out: Arc::clone(out),
        into: Arc::clone(into),
        arrival: None,
        closed: false,
    };
    let ends = [end(&there, &back), end(&back, &there)];
    (ends, [there, back])
}

impl Pipe {
    fn new(way: Way, seed: u64) -> Self {
        Self {
            way,
            rng: StdRng::seed_from_u64(seed),
            queue: VecDeque::new(),
            held: 0,
            reader: None,
            writer: None,
            fate: Fate::Whole,
            abandoned: [false; 2],
        }
    }

    pub(super) fn go(&mut self, way: Way) {
        self.way = way;
        self.wake();
    }

    pub(super) fn reset(&mut self) {
        self.fate = Fate::Reset;
        self.wake();
    }

    pub(super) fn forget(&mut self) {
        self.fate = Fate::Forgotten;
    }

    /// The end that writes, or the one that reads, is of a host that is gone.
    pub(super) fn abandon(&mut self, writer: bool) {
        self.abandoned[usize::from(!writer)] = true;
        self.wake();
    }

    fn wake(&mut self) {
        let wakers = [self.reader.take(), self.writer.take()];
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    fn send(&mut self, piece: Piece, length: usize) {
        let earliest = self.queue.back().map_or_else(Instant::now, |(at, _)| *at);
        let rate = f64::from(self.way.bytes_per_second);
        #[expect(clippy::cast_precision_loss, reason = "a length of some bytes")]
        let takes = Duration::from_secs_f64(length as f64 / rate);
        let there = (Instant::now() + self.way.delay).max(earliest) + takes;
        self.queue.push_back((there, piece));
        self.held += length;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.fate == Fate::Reset || self.abandoned[0] {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let room = CAPACITY.saturating_sub(self.held).min(bytes.len());
        if room == 0 && !bytes.is_empty() {
            self.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        // As often as not only a part of it fits.
        let taken = if room > 1 && self.rng.random_ratio(1, 4) {
            self.rng.random_range(1..=room)
        } else {
            room
        };
        self.send(Piece::Bytes(Bytes::copy_from_slice(&bytes[..taken])), taken);
        Poll::Ready(Ok(taken))
    }

    /// What is there now; else when something will be, if that is known.
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Read {
        if self.fate == Fate::Reset || self.abandoned[1] {
            return Read::Done(Err(io::ErrorKind::ConnectionReset.into()));
        }
        self.reader = Some(cx.waker().clone());
        if self.fate == Fate::Forgotten || !self.way.alive {
            return Read::Nothing;
        }
        let Some((at, piece)) = self.queue.front_mut() else {
            return Read::Nothing;
        };
        if *at > Instant::now() {
            return Read::Later(*at);
        }
        match piece {
            Piece::End => Read::Done(Ok(())),
            Piece::Reset => Read::Done(Err(io::ErrorKind::ConnectionReset.into())),
            Piece::Bytes(bytes) => {
                let most = bytes.len().min(buf.remaining());
                let length = if most > 1 && self.rng.random_ratio(1, 8) {
                    self.rng.random_range(1..=most)
                } else {
                    most
                };
                buf.put_slice(&bytes.split_to(length));
                if bytes.is_empty() {
                    self.queue.pop_front();
                }
                self.held -= length;
                if let Some(writer) = self.writer.take() {
                    writer.wake();
                }
                Read::Done(Ok(()))
            }
        }
    }
}

enum Read {
    Done(io::Result<()>),
    Later(Instant),
    Nothing,
}

/// One end of a connection.
pub(super) struct SimulatedConnection {
    out: Arc<Mutex<Pipe>>,
    into: Arc<Mutex<Pipe>>,
    /// When the next piece is there.
    arrival: Option<Pin<Box<Sleep>>>,
    closed: bool,
}

impl AsyncRead for SimulatedConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            let read = self.into.lock().poll_read(cx, buf);
            match read {
                Read::Done(done) => return Poll::Ready(done),
                Read::Nothing => return Poll::Pending,
                Read::Later(at) => {
                    let arrival = self
                        .arrival
                        .get_or_insert_with(|| Box::pin(sleep_until(at)));
                    if arrival.deadline() != at {
                        arrival.as_mut().reset(at);
                    }
                    ready!(arrival.as_mut().poll(cx));
                    self.arrival = None;
                }
            }
        }
    }
}

impl AsyncWrite for SimulatedConnection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.out.lock().poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.closed {
            self.closed = true;
            self.out.lock().send(Piece::End, 0);
        }
        Poll::Ready(Ok(()))
    }
}

impl ByteStream for SimulatedConnection {
    fn set_nodelay(&self) -> io::Result<()> {
        Ok(())
    }

    fn set_send_buffer(&self, _bytes: usize) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for SimulatedConnection {
    fn drop(&mut self) {
        let unread = self.into.lock().held > 0;
        let piece = if unread { Piece::Reset } else { Piece::End };
        if !self.closed || unread {
            self.out.lock().send(piece, 0);
        }
    }
}
