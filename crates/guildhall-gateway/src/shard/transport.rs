//! The WebSocket to Discord's Gateway: dials it, turns frames into messages, and writes without
//! ever keeping the reader waiting. What a message means is read elsewhere.
//!
//! Everything that a peer decides has a bound here: the size of a frame, of a message before and
//! after decompression, the number of control frames, and how long it may refuse to read.

/// The address, and the request that makes a WebSocket of a connection.
mod dial;
/// TCP to whichever address of a host answers first.
mod tcp;
/// Binary frames into messages.
mod decoder;
/// A message as it grows.
mod message_buffer;
/// One zlib stream for all of a connection.
mod zlib;
/// One zstd frame for all of a connection.
mod zstd;
/// Pings and pongs, which a peer may not send without end.
mod control_frames;

use std::{
    borrow::Cow,
    future::poll_fn,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{FutureExt, SinkExt, StreamExt};
use guildhall_http::root_cause;
use tokio::{net::TcpStream, time::Instant};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{
        Bytes, Error, Message, Utf8Bytes,
        error::ProtocolError,
        protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::reconnect_policy::Close;
use control_frames::ControlFrames;
use decoder::Decoder;
use message_buffer::DecodeError;

pub(super) use decoder::Compression;
pub(super) use dial::{connect, dialable};

/// One frame of Discord's. Its largest messages are tens of megabytes, compressed to a tenth.
const FRAME_BYTES: usize = 4 << 20;
/// One message, decompressed or not.
const MESSAGE_BYTES: usize = 64 << 20;
/// Sends that a peer has not read. All that may be sent in a minute is not as much.
const UNSENT_BYTES: usize = 512 << 10;
/// What is read of the socket at a time. The WebSocket library writes zeros over so much before each
/// look at the socket, and dispatches are compressed to some hundred bytes.
const READ_BYTES: usize = 16 << 10;
/// A peer that takes nothing for so long is given up.
const WRITE_TIME: Duration = Duration::from_secs(15);

/// An open WebSocket.
pub(super) struct Transport {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    decoder: Decoder,
    /// A message came that could be read.
    has_read: bool,
    /// The last message, if it came as text.
    plain: Option<Utf8Bytes>,
    control_frames: ControlFrames,
    /// Since when there is something that the peer has not taken.
    unsent_since: Option<Instant>,
}

/// What came.
#[derive(Debug)]
pub(super) enum Arrival {
    /// A message: [`Transport::message`].
    Message,
    /// The peer closed. `None`: without a code, or without a word. The last one.
    Closed(Option<Close>),
    /// Nothing more can be read, and the peer was told so if it took it at once. The last one.
    Failed(TransportError),
}

/// Why a connection can't be gone on with.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TransportError {
    /// The peer compresses in a way that needs more memory than we have for it.
    #[error("its compression needs more than 8 MiB of memory for its window")]
    WindowTooLarge,
    /// The first message is already unreadable, so the peer compresses with something else.
    #[error("what it sends first is not compressed as was asked for: {0}")]
    OtherCompression(String),
    #[error("{0}")]
    Broken(String),
}

impl From<DecodeError> for TransportError {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::WindowTooLarge => Self::WindowTooLarge,
            error => Self::Broken(error.to_string()),
        }
    }
}

impl Transport {
    fn new(
        socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
        compression: Compression,
        now: Instant,
    ) -> Self {
        Self {
            socket,
            decoder: Decoder::new(compression, MESSAGE_BYTES),
            has_read: false,
            plain: None,
            control_frames: ControlFrames::new(now),
            unsent_since: None,
        }
    }

    /// The next arrival. Writes meanwhile what the peer will take. Can be dropped at any time.
    pub(super) async fn next(&mut self) -> Arrival {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The next arrival, if it is there already.
    pub(super) fn try_next(&mut self) -> Option<Arrival> {
        self.next().now_or_never()
    }

    /// The message that [`Arrival::Message`] told of. Bytes that are no UTF-8 are U+FFFD.
    pub(super) fn message(&self) -> Cow<'_, str> {
        match &self.plain {
            Some(text) => Cow::Borrowed(text.as_str()),
            None => self.decoder.message(),
        }
    }

    /// Sends a text, now or as soon as the peer takes it.
    pub(super) fn send(&mut self, text: String, now: Instant) -> Result<(), TransportError> {
        self.start_send(Message::text(text), now)
    }

    /// Sends a close; the peer answers with its own.
    pub(super) fn close(&mut self, code: u16, now: Instant) -> Result<(), TransportError> {
        let frame = CloseFrame {
            code: code.into(),
            reason: Utf8Bytes::default(),
        };
        self.start_send(Message::Close(Some(frame)), now)
    }

    /// When the peer is given up, because it takes nothing of what is to be sent.
    pub(super) fn write_deadline(&self) -> Option<Instant> {
        self.unsent_since.map(|since| since + WRITE_TIME)
    }

    fn start_send(&mut self, message: Message, now: Instant) -> Result<(), TransportError> {
        match self.socket.start_send_unpin(message) {
            Ok(()) => {
                self.unsent_since.get_or_insert(now);
                Ok(())
            }
            // The connection has ended: reading tells how, behind what came before.
            Err(
                Error::Io(_)
                | Error::AlreadyClosed
                | Error::ConnectionClosed
                | Error::Protocol(ProtocolError::SendAfterClosing),
            ) => Ok(()),
            Err(error) => Err(TransportError::Broken(root_cause(&error))),
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Arrival> {
        // An error of writing shows in reading too, behind what came before it.
        if self.unsent_since.is_some() && self.socket.poll_flush_unpin(cx).is_ready() {
            self.unsent_since = None;
        }
        loop {
            let arrival = match ready!(self.socket.poll_next_unpin(cx)) {
                Some(Ok(message)) => self.took(message),
                Some(Err(error)) => Some(self.ended(&error)),
                None => Some(Arrival::Closed(None)),
            };
            if let Some(arrival) = arrival {
                return Poll::Ready(arrival);
            }
        }
    }

    /// What a frame completes, if it does.
    fn took(&mut self, message: Message) -> Option<Arrival> {
        match message {
            Message::Text(text) => {
                self.has_read = true;
                self.plain = Some(text);
                Some(Arrival::Message)
            }
            Message::Binary(frame) => self.decode(&frame),
            Message::Close(frame) => {
                // The answer is written if that needs no waiting.
                let _later = self.socket.flush().now_or_never();
                Some(Arrival::Closed(frame.map(|frame| Close {
                    code: frame.code.into(),
                    reason: frame.reason.as_str().to_owned(),
                })))
            }
            Message::Ping(_) | Message::Pong(_) => {
                if self.control_frames.came(Instant::now()) {
                    return None;
                }
                let flood = "it sends pings without end".to_owned();
                Some(self.failed(CloseCode::Policy, TransportError::Broken(flood)))
            }
            // Never read by itself.
            Message::Frame(_) => None,
        }
    }

    fn decode(&mut self, frame: &Bytes) -> Option<Arrival> {
        self.plain = None;
        match self.decoder.push(frame) {
            Ok(true) => {
                self.has_read = true;
                Some(Arrival::Message)
            }
            Ok(false) => None,
            Err(error) => {
                let code = match error {
                    DecodeError::TooLong(_) | DecodeError::WindowTooLarge => CloseCode::Size,
                    DecodeError::Broken(_) => CloseCode::Invalid,
                };
                let error = match error {
                    DecodeError::Broken(_) if !self.has_read => {
                        TransportError::OtherCompression(error.to_string())
                    }
                    error => error.into(),
                };
                Some(self.failed(code, error))
            }
        }
    }

    /// A connection that broke off is as good as one that was closed without a word.
    fn ended(&mut self, error: &Error) -> Arrival {
        let code = match error {
            Error::Io(_)
            | Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                return Arrival::Closed(None);
            }
            Error::Capacity(_) => CloseCode::Size,
            Error::Utf8(_) => CloseCode::Invalid,
            _ => CloseCode::Protocol,
        };
        self.failed(code, TransportError::Broken(root_cause(error)))
    }

    /// Gives up, and tells the peer why if that needs no waiting: nothing is read any more that it
    /// would answer. Discord keeps the session after any code but 1000 and 1001.
    fn failed(&mut self, code: CloseCode, error: TransportError) -> Arrival {
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::default(),
        };
        // Nobody is told who closed before, or takes nothing.
        let _unsent = self.socket.start_send_unpin(Message::Close(Some(frame)));
        let _later = self.socket.flush().now_or_never();
        Arrival::Failed(error)
    }
}

fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        // Each message is written at once.
        .write_buffer_size(0)
        .max_write_buffer_size(UNSENT_BYTES)
        .max_frame_size(Some(FRAME_BYTES))
        .max_message_size(Some(MESSAGE_BYTES))
}

#[cfg(test)]
mod tests;
