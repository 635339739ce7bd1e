//! As much of a WebSocket client as the bench needs: whole text frames, read with plain blocking
//! calls, and pings answered.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::bail;

const BUFFER: usize = 256 * 1024;
const PAYLOAD_AT_MOST: u64 = 64 * 1024 * 1024;
/// What a connection may take, and the next bytes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The bit of a message's only frame.
const WHOLE: u8 = 0x80;
const TEXT: u8 = 0x1;
/// The bit of what a client sends.
const MASKED: u8 = 0x80;
/// In place of a length: two bytes of it follow, or eight.
const LONG: u8 = 0x7e;
const LONGER: u8 = 0x7f;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

pub(crate) struct WebSocket {
    stream: BufReader<TcpStream>,
    payload: Vec<u8>,
}

/// What came.
pub(crate) enum Message<'a> {
    Text(&'a [u8]),
    /// It is answered already.
    Ping,
}

enum Kind {
    Text,
    Ping,
}

impl WebSocket {
    /// `headers` are whole lines without their end.
    pub(crate) fn open(at: SocketAddr, path: &str, headers: &[String]) -> anyhow::Result<Self> {
        let stream = TcpStream::connect_timeout(&at, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut socket = Self {
            stream: BufReader::with_capacity(BUFFER, stream),
            payload: Vec::new(),
        };
        // The key's answer is not looked at: who answers is known.
        let mut upgrade = format!(
            "GET {path} HTTP/1.1\r\nHost: {at}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        );
        for header in headers {
            upgrade.push_str(header);
            upgrade.push_str("\r\n");
        }
        upgrade.push_str("\r\n");
        socket.stream.get_mut().write_all(upgrade.as_bytes())?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        if !head.starts_with(b"HTTP/1.1 101 ") {
            bail!("no upgrade: {}", String::from_utf8_lossy(&head));
        }
        Ok(socket)
    }

    /// Waits for the next message.
    pub(crate) fn next(&mut self) -> anyhow::Result<Message<'_>> {
        Ok(match self.receive()? {
            Kind::Text => Message::Text(&self.payload),
            Kind::Ping => Message::Ping,
        })
    }

    /// A text is then the payload.
    fn receive(&mut self) -> anyhow::Result<Kind> {
        loop {
            let mut head = [0; 2];
            self.stream.read_exact(&mut head)?;
            let length = self.length(head[1] & !MASKED)?;
            self.payload.resize(usize::try_from(length)?, 0);
            self.stream.read_exact(&mut self.payload)?;
            match (head[0] & 0xf0, head[0] & 0x0f) {
                (WHOLE, TEXT) => return Ok(Kind::Text),
                (WHOLE, PING) => {
                    self.pong()?;
                    return Ok(Kind::Ping);
                }
                (WHOLE, PONG) => {}
                (WHOLE, CLOSE) => {
                    let why = String::from_utf8_lossy(self.payload.get(2..).unwrap_or_default());
                    bail!("closed by the other end: {why}");
                }
                _ => bail!("a frame that begins with {:#x}", head[0]),
            }
        }
    }

    /// The next message that is no ping.
    pub(crate) fn next_text(&mut self) -> anyhow::Result<&[u8]> {
        while let Kind::Ping = self.receive()? {}
        Ok(&self.payload)
    }

    pub(crate) fn send(&mut self, text: &str) -> anyhow::Result<()> {
        self.write(TEXT, text.as_bytes())
    }

    fn pong(&mut self) -> anyhow::Result<()> {
        let payload = std::mem::take(&mut self.payload);
        self.write(PONG, &payload)
    }

    fn length(&mut self, short: u8) -> anyhow::Result<u64> {
        let length = match short {
            LONG => {
                let mut long = [0; 2];
                self.stream.read_exact(&mut long)?;
                u64::from(u16::from_be_bytes(long))
            }
            LONGER => {
                let mut long = [0; 8];
                self.stream.read_exact(&mut long)?;
                u64::from_be_bytes(long)
            }
            short => u64::from(short),
        };
        if length > PAYLOAD_AT_MOST {
            bail!("a frame of {length} bytes");
        }
        Ok(length)
    }

    /// One frame with a mask of zeros, which changes nothing.
    fn write(&mut self, kind: u8, payload: &[u8]) -> anyhow::Result<()> {
        let mut frame = vec![WHOLE | kind];
        match u8::try_from(payload.len()) {
            Ok(short) if short < LONG => frame.push(MASKED | short),
            _ => {
                frame.push(MASKED | LONG);
                frame.extend(u16::try_from(payload.len())?.to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        Ok(self.stream.get_mut().write_all(&frame)?)
    }
}
