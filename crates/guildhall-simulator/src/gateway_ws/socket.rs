//! What goes over one socket: what waits to be written, and what comes meanwhile.
//!
//! Reading never waits for writing, so a client that takes little at a time is
//! heard and answered all the same. What Discord itself says (everything but
//! dispatches) goes before the dispatches that still wait.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{SinkExt, StreamExt, future::poll_fn};
use tokio::{
    io::{AsyncWriteExt, copy, sink},
    time::{Instant, timeout_at},
};
use tokio_tungstenite::tungstenite::{Error as Protocol, error::ProtocolError};

use super::transport::Transport;
use crate::{
    clock,
    sessions::{CloseCode, Dispatch},
    wire::Wire,
};

/// Payloads other than dispatches that wait for a client. One that asks for more
/// without taking these reads too slowly.
const MOST_CONTROLS: usize = 256;

/// What a socket has to tell.
pub(super) enum SocketEvent {
    Message(Message),
    /// Something that is no message, and how Discord closes for it.
    Broken(CloseCode),
    /// The other side is gone.
    Torn,
    /// Everything that waited is written.
    Written,
    /// What waits is not taken; when that is too long now has an answer.
    Stalls,
}

/// One payload that waits.
enum Queued {
    Control(String),
    Dispatch(Dispatch),
}

/// The client takes nothing at present.
#[derive(Clone, Copy)]
struct Stall {
    /// What it had taken when that began.
    taken: u64,
    ends: Instant,
}

/// One WebSocket, and what waits to be written to it.
pub(super) struct GatewaySocket {
    socket: WebSocket,
    wire: Arc<Wire>,
    transport: Transport,
    queue: VecDeque<Queued>,
    /// How many of those, from the first, are not dispatches.
    leading_controls: usize,
    unflushed: bool,
    stall: Option<Stall>,
    write_limit: Duration,
    broken: bool,
}

impl GatewaySocket {
    pub(super) fn new(
        socket: WebSocket,
        wire: Arc<Wire>,
        transport: Transport,
        write_limit: Duration,
    ) -> Self {
        Self {
            socket,
            wire,
            transport,
            queue: VecDeque::new(),
            leading_controls: 0,
            unflushed: false,
            stall: None,
            write_limit,
            broken: false,
        }
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && !self.unflushed
    }

    /// Whether more payloads than may wait do.
    pub(super) fn is_behind(&self) -> bool {
        self.leading_controls > MOST_CONTROLS
    }

    /// Queues a payload before every dispatch that waits.
    pub(super) fn queue_first(&mut self, text: String) {
        self.queue
            .insert(self.leading_controls, Queued::Control(text));
        self.leading_controls += 1;
    }

    /// Queues a payload after everything that waits.
    pub(super) fn queue_last(&mut self, text: String) {
        if self.leading_controls == self.queue.len() {
            self.leading_controls += 1;
        }
        self.queue.push_back(Queued::Control(text));
    }

    /// Dispatches that are to be written.
    pub(super) fn dispatch(&mut self, dispatches: Vec<Dispatch>) {
        self.queue
            .extend(dispatches.into_iter().map(Queued::Dispatch));
    }

    /// Forgets the dispatches that wait.
    pub(super) fn forget_dispatches(&mut self) {
        self.queue.retain(|one| matches!(one, Queued::Control(_)));
        self.leading_controls = self.queue.len();
    }

    pub(super) fn compress_payloads(&mut self) {
        self.transport.compress_payloads();
    }

    /// What is wrong with the bytes is no more; what was withheld is written.
    pub(super) fn heal(&mut self) {
        self.wire.heal();
        self.unflushed = true;
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// When a client that goes on taking nothing is given up.
    pub(super) fn stalls_at(&self) -> Option<Instant> {
        self.stall.map(|stall| stall.ends)
    }

    /// Whether the client took nothing for the whole limit.
    pub(super) fn is_stalled(&mut self, now: Instant) -> bool {
        self.track_stall(now);
        self.stall.is_some_and(|stall| now >= stall.ends)
    }

    /// The next that comes, while what waits is written. Nothing is lost when this
    /// is dropped and asked again.
    pub(super) async fn next(&mut self) -> SocketEvent {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<SocketEvent> {
        if !self.is_idle() {
            match self.poll_write(context) {
                Poll::Ready(Ok(())) => {
                    self.stall = None;
                    return Poll::Ready(SocketEvent::Written);
                }
                Poll::Ready(Err(Torn)) => return Poll::Ready(SocketEvent::Torn),
                Poll::Pending if self.stall.is_none() => {
                    self.track_stall(clock::now());
                    return Poll::Ready(SocketEvent::Stalls);
                }
                Poll::Pending => self.track_stall(clock::now()),
            }
        }
        Poll::Ready(match ready!(self.socket.poll_next_unpin(context)) {
            Some(Ok(message)) => SocketEvent::Message(message),
            Some(Err(error)) => match broken(error) {
                Some(code) => {
                    self.broken = true;
                    SocketEvent::Broken(code)
                }
                None => SocketEvent::Torn,
            },
            None => SocketEvent::Torn,
        })
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Torn>> {
        while !self.queue.is_empty() {
            // What goes slowly goes one by one, so that something may still go before it.
            if self.unflushed && self.wire.pause().is_some() {
                ready!(self.poll_flush(context))?;
            }
            ready!(self.socket.poll_ready_unpin(context)).map_err(|_| Torn)?;
            let text = match self.queue.pop_front() {
                Some(Queued::Control(text)) => {
                    self.leading_controls = self.leading_controls.saturating_sub(1);
                    text
                }
                Some(Queued::Dispatch(dispatch)) => {
                    self.leading_controls = self.count_leading();
                    dispatch.frame()
                }
                None => break,
            };
            let message = self.transport.message(text).ok_or(Torn)?;
            self.socket.start_send_unpin(message).map_err(|_| Torn)?;
            self.unflushed = true;
        }
        self.poll_flush(context)
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Torn>> {
        ready!(self.socket.poll_flush_unpin(context)).map_err(|_| Torn)?;
        self.unflushed = false;
        Poll::Ready(Ok(()))
    }

    /// How many of what waits, from the first, is not a dispatch.
    fn count_leading(&self) -> usize {
        let said = |one: &&Queued| matches!(one, Queued::Control(_));
        self.queue.iter().take_while(said).count()
    }

    /// Keeps count of a client that does not take what is written.
    fn track_stall(&mut self, now: Instant) {
        let taken = self.wire.taken();
        if self.stall.is_none_or(|stall| stall.taken != taken) {
            // A slow wire's own pauses are not the client's.
            let limit = self.write_limit + self.wire.pause().unwrap_or_default();
            self.stall = Some(Stall {
                taken,
                ends: now + limit,
            });
        }
    }

    /// Sends the close and reads on until the client echoes it: a socket that is
    /// dropped with unread bytes is reset, and the code would be lost.
    pub(super) async fn close(mut self, code: CloseCode, limit: Duration) {
        let ends = clock::now() + limit;
        self.wire.hurry();
        let frame = CloseFrame {
            code: code.code,
            reason: code.reason.into(),
        };
        let sent = self.socket.send(Message::Close(Some(frame)));
        if matches!(timeout_at(ends, sent).await, Ok(Ok(()))) {
            self.read_to_the_end(ends).await;
        }
    }

    /// Answers a client's own close.
    pub(super) async fn answer_close(self, limit: Duration) {
        let ends = clock::now() + limit;
        self.read_to_the_end(ends).await;
    }

    /// Reading is also what flushes the echo of a client's close. What is no frame
    /// cannot be read as one: the bytes are read in their place.
    async fn read_to_the_end(mut self, ends: Instant) {
        let reading = async {
            while !self.broken {
                match self.socket.recv().await {
                    Some(Ok(_)) => {}
                    Some(Err(error)) => self.broken = broken(error).is_some(),
                    None => return,
                }
            }
            self.wire.keep();
            drop(self.socket);
            if let Some(mut stream) = self.wire.take_kept() {
                // Whatever the client still says, or that it is gone, changes nothing.
                let _ = stream.shutdown().await;
                let _ = copy(&mut stream, &mut sink()).await;
            }
        };
        // A client that does not leave is left.
        let _ = timeout_at(ends, reading).await;
    }
}

/// The other side is gone, or the compressor broke.
struct Torn;

/// How Discord closes for what is no message: too long or not UTF-8 cannot be
/// decoded, and who does not speak WebSocket breaks its protocol.
fn broken(error: axum::Error) -> Option<CloseCode> {
    match error.into_inner().downcast_ref::<Protocol>()? {
        Protocol::Capacity(_) | Protocol::Utf8(_) => Some(CloseCode::DECODE_ERROR),
        Protocol::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Protocol::Protocol(_) => Some(CloseCode::PROTOCOL_ERROR),
        _ => None,
    }
}
