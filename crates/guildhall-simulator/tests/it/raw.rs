//! A WebSocket by hand, for what no library sends.

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use crate::house::{Failure, House, Outcome, PATIENCE};

/// Where a gateway is, with the query of a usual client.
pub(crate) const GATEWAY: &str = "/gateway/?v=10&encoding=json";

/// One frame as it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    /// FIN, the reserved bits and the opcode.
    pub(crate) head: u8,
    pub(crate) masked: bool,
    pub(crate) payload: &'a [u8],
}

impl<'a> Frame<'a> {
    pub(crate) fn text(payload: &'a [u8]) -> Self {
        Self {
            head: 0x81,
            masked: true,
            payload,
        }
    }
}

pub(crate) struct Raw {
    stream: BufReader<TcpStream>,
}

impl Raw {
    /// A connection that has heard HELLO.
    pub(crate) async fn dial(house: &House, path: &str) -> Result<Self, Failure> {
        let mut stream = BufReader::new(TcpStream::connect(&house.address).await?);
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            house.address
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await?);
        }
        let mut raw = Self { stream };
        assert_eq!(raw.payload().await?["op"], 10);
        Ok(raw)
    }

    pub(crate) async fn send(&mut self, frame: Frame<'_>) -> Outcome {
        let mask_bit = if frame.masked { 0x80 } else { 0 };
        let length = frame.payload.len();
        let mut bytes = vec![frame.head];
        if length < 126 {
            bytes.push(mask_bit | u8::try_from(length)?);
        } else if let Ok(length) = u16::try_from(length) {
            bytes.push(mask_bit | 0x7e);
            bytes.extend(length.to_be_bytes());
        } else {
            bytes.push(mask_bit | 0x7f);
            bytes.extend(u64::try_from(length)?.to_be_bytes());
        }
        let mask = if frame.masked { [7, 1, 8, 2] } else { [0; 4] };
        if frame.masked {
            bytes.extend(mask);
        }
        let masked = frame.payload.iter().zip(mask.iter().cycle());
        bytes.extend(masked.map(|(byte, mask)| byte ^ mask));
        Ok(self.stream.write_all(&bytes).await?)
    }

    /// Opcode and payload of the next frame.
    async fn frame(&mut self) -> Result<(u8, Vec<u8>), Failure> {
        let head = self.stream.read_u8().await?;
        let length = match self.stream.read_u8().await? & 0x7f {
            0x7e => u64::from(self.stream.read_u16().await?),
            0x7f => self.stream.read_u64().await?,
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length)?];
        self.stream.read_exact(&mut payload).await?;
        Ok((head & 0x0f, payload))
    }

    /// The next payload, which must be text.
    pub(crate) async fn payload(&mut self) -> Result<Value, Failure> {
        match timeout(PATIENCE, self.frame()).await?? {
            (1, text) => Ok(serde_json::from_slice(&text)?),
            (opcode, _) => Err(format!("a frame of opcode {opcode}").into()),
        }
    }

    /// The code of the close, which must come before the end.
    pub(crate) async fn closed_with(&mut self) -> Result<Option<u16>, Failure> {
        loop {
            if let (8, payload) = timeout(PATIENCE, self.frame()).await?? {
                let code = payload.first_chunk::<2>();
                return Ok(code.map(|code| u16::from_be_bytes(*code)));
            }
        }
    }
}
