//! A WebSocket client for who counts: text messages, read with plain blocking calls, and pings
//! answered.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Utf8Bytes, client::client_with_config};

/// What a connection may take, and the next bytes.
const PATIENCE: Duration = Duration::from_secs(20);
/// A guild of ten thousand is one message.
const MESSAGE_AT_MOST: usize = 64 * 1024 * 1024;

pub(crate) struct WebSocket {
    socket: tungstenite::WebSocket<TcpStream>,
    text: Utf8Bytes,
}

/// What came.
pub(crate) enum Message<'a> {
    Text(&'a [u8]),
    /// It is answered already.
    Ping,
}

impl WebSocket {
    pub(crate) fn open(at: SocketAddr, path: &str, bearer: Option<&str>) -> anyhow::Result<Self> {
        let stream = TcpStream::connect_timeout(&at, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut request = format!("ws://{at}{path}").into_client_request()?;
        if let Some(bearer) = bearer {
            let value = HeaderValue::from_str(&format!("Bearer {bearer}"))?;
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_AT_MOST))
            .max_frame_size(Some(MESSAGE_AT_MOST));
        let (socket, _) = client_with_config(request, stream, Some(config))
            .ok()
            .with_context(|| format!("no upgrade at {at}{path}"))?;
        Ok(Self {
            socket,
            text: Utf8Bytes::default(),
        })
    }

    /// Waits for the next message.
    pub(crate) fn next(&mut self) -> anyhow::Result<Message<'_>> {
        loop {
            match self.socket.read()? {
                tungstenite::Message::Text(text) => {
                    self.text = text;
                    return Ok(Message::Text(self.text.as_bytes()));
                }
                tungstenite::Message::Ping(_) => {
                    // Its answer waits for the next writing.
                    self.socket.flush()?;
                    return Ok(Message::Ping);
                }
                tungstenite::Message::Close(frame) => {
                    let why = frame.map(|frame| frame.reason).unwrap_or_default();
                    bail!("closed by the other end: {why}");
                }
                _ => {}
            }
        }
    }

    /// The next message that is no ping.
    pub(crate) fn next_text(&mut self) -> anyhow::Result<&[u8]> {
        while let Message::Ping = self.next()? {}
        Ok(self.text.as_bytes())
    }

    pub(crate) fn send(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.socket.send(tungstenite::Message::text(text))?)
    }
}
