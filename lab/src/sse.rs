//! Server-Sent Events as a browser has them (HTML standard, "Server-sent events"): the only client
//! of streams that is written in Rust here.
//!
//! `Stream` is one connection, `EventSource` comes back after each end. The reader that `bench`
//! measures with is another matter: it must cost next to nothing, and reads bytes by itself.

mod parser;
mod rising_ids;
mod source;

pub use parser::{Event, Parser};
pub use rising_ids::{OutOfOrder, Position, RisingIds};
pub use source::{EventSource, SourceEvent};

use reqwest::header::{ACCEPT, COOKIE, HeaderName};
use reqwest::{Client, Response, StatusCode};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// One open connection.
pub struct Stream {
    response: Response,
    parser: Parser,
    cursor: Option<String>,
}

/// Why there is no stream.
#[derive(Debug)]
pub enum OpenError {
    /// Nobody answered.
    Unreachable(reqwest::Error),
    /// The answer is no stream: its status, and what it says.
    Refused(StatusCode, String),
}

/// Why no more events come.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The server ended the answer, or the connection tore: a browser sees no difference.
    Closed,
    /// What came is not UTF-8, which no stream may be.
    NotText,
}

impl Stream {
    /// Asks for the stream at `url`, after `cursor` if there is one.
    ///
    /// # Errors
    /// If no stream begins.
    pub async fn open(
        http: &Client,
        url: &str,
        cookie: &str,
        cursor: Option<&str>,
    ) -> Result<Self, OpenError> {
        let mut request = http
            .get(url)
            .header(ACCEPT, "text/event-stream")
            .header(COOKIE, cookie);
        if let Some(cursor) = cursor {
            request = request.header(LAST_EVENT_ID, cursor);
        }
        let response = request.send().await.map_err(OpenError::Unreachable)?;
        let status = response.status();
        if status != StatusCode::OK {
            let said = response.text().await.unwrap_or_default();
            return Err(OpenError::Refused(status, said));
        }
        Ok(Self {
            response,
            parser: Parser::default(),
            cursor: cursor.map(str::to_owned),
        })
    }

    /// A header of the answer, or nothing.
    pub fn header(&self, name: &str) -> &str {
        let value = self.response.headers().get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The last `id:` that came, which a browser sends back as `Last-Event-ID`.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// The next event. One that is given up while it waits loses nothing.
    ///
    /// # Errors
    /// When none comes any more.
    pub async fn next(&mut self) -> Result<Event, End> {
        loop {
            if let Some(event) = self.parser.next().map_err(|_| End::NotText)? {
                if event.id.is_some() {
                    self.cursor.clone_from(&event.id);
                }
                return Ok(event);
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) => self.parser.push(&bytes),
                Ok(None) | Err(_) => return Err(End::Closed),
            }
        }
    }
}
