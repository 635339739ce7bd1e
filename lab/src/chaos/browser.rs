//! An open stream that comes back as a browser does: on any end it waits for the last `retry:`
//! and asks again with the last `id:` it had.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, bail};

use super::book::Book;
use super::sse::Body;
use crate::bench::clock::{now, unix_micros};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How soon a browser notices that all is over.
const GLANCE: Duration = Duration::from_millis(200);
/// `docs/protocol/sse.md`: a stream that says nothing for so long is dead.
const SILENCE: Duration = Duration::from_secs(40);
/// Until a server said otherwise.
const FIRST_RETRY: Duration = Duration::from_secs(2);
const HEAD_AT_MOST: usize = 16 * 1024;

/// Where, and as whom.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) at: SocketAddr,
    pub(crate) guild_id: String,
    pub(crate) cookie: String,
}

/// One stream over all of its connections.
pub(crate) struct Browser {
    number: usize,
    address: Address,
    book: Arc<Mutex<Book>>,
    stop: Arc<AtomicBool>,
    cursor: Option<String>,
    retry: Duration,
}

impl Browser {
    /// Opens the stream; its thread ends soon after `stop` is set.
    pub(crate) fn open(
        number: usize,
        address: Address,
        book: Arc<Mutex<Book>>,
        stop: Arc<AtomicBool>,
    ) -> JoinHandle<()> {
        let browser = Self {
            number,
            address,
            book,
            stop,
            cursor: None,
            retry: FIRST_RETRY,
        };
        thread::spawn(move || browser.run())
    }

    fn run(mut self) {
        while !self.stopped() {
            // A torn connection is what all this is about; only a refusal is a fault.
            if let Err(refusal) = self.one_connection() {
                let mut book = locked(&self.book);
                book.count.refused += 1;
                book.fault(self.number, &format!("{refusal:#}"));
            }
            let until = now() + self.retry;
            while now() < until && !self.stopped() {
                thread::sleep(GLANCE.min(until.saturating_duration_since(now())));
            }
        }
    }

    /// From the request to the end of the answer.
    fn one_connection(&mut self) -> anyhow::Result<()> {
        let Ok(mut socket) = TcpStream::connect_timeout(&self.address.at, CONNECT_WITHIN) else {
            return Ok(());
        };
        socket.set_read_timeout(Some(GLANCE))?;
        if socket.write_all(self.request().as_bytes()).is_err() {
            return Ok(());
        }
        let mut bytes = vec![0; 64 * 1024];
        let mut answer = Answer::Head(Vec::new());
        let mut last_word = now();
        while !self.stopped() && last_word.elapsed() < SILENCE {
            let read = match socket.read(&mut bytes) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if is_nothing_yet(error.kind()) => continue,
                Err(_) => return Ok(()),
            };
            last_word = now();
            let ended = match &mut answer {
                Answer::Body(body) => self.take(body, &bytes[..read])?,
                Answer::Head(head) => {
                    head.extend_from_slice(&bytes[..read]);
                    let Some((mut body, rest)) = self.begin(head)? else {
                        continue;
                    };
                    let ended = self.take(&mut body, rest)?;
                    answer = Answer::Body(body);
                    ended
                }
            };
            if ended {
                return Ok(());
            }
        }
        Ok(())
    }

    /// A body, and what is there of it already, once the answer's head is whole.
    fn begin<'a>(&self, head: &'a [u8]) -> anyhow::Result<Option<(Body, &'a [u8])>> {
        let Some(end) = memchr::memmem::find(head, b"\r\n\r\n") else {
            if head.len() > HEAD_AT_MOST {
                bail!("an answer without an end of its head");
            }
            return Ok(None);
        };
        let (text, rest) = (String::from_utf8_lossy(&head[..end]), &head[end + 4..]);
        if text.split(' ').nth(1) != Some("200") {
            bail!("{text}");
        }
        locked(&self.book).count.connections += 1;
        Ok(Some((Body::behind(&text)?, rest)))
    }

    fn take(&mut self, body: &mut Body, bytes: &[u8]) -> anyhow::Result<bool> {
        let now_micros = unix_micros();
        let mut book = locked(&self.book);
        let (number, cursor, retry) = (self.number, &mut self.cursor, &mut self.retry);
        let ended = body.take(bytes, |frame| {
            if let Some(ms) = frame.retry_ms {
                *retry = Duration::from_millis(ms);
            }
            book.take(number, &frame, now_micros);
            if frame.id.is_some() {
                *cursor = frame.id;
            }
        });
        ended.context("not a stream")
    }

    fn request(&self) -> String {
        let Address {
            at,
            guild_id,
            cookie,
        } = &self.address;
        let cursor = match &self.cursor {
            Some(cursor) => format!("Last-Event-ID: {cursor}\r\n"),
            None => String::new(),
        };
        format!(
            "GET /api/stream?guild={guild_id} HTTP/1.1\r\nHost: {at}\r\n\
             Accept: text/event-stream\r\nCookie: {cookie}\r\n{cursor}\r\n"
        )
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// How far an answer has come.
enum Answer {
    Head(Vec<u8>),
    Body(Body),
}

/// A browser that panicked has spoilt nothing: each frame is written down at once.
pub(crate) fn locked(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_nothing_yet(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}
