//! The process that holds the streams: one thread, one epoll, no HTTP beyond
//! looking at the status.
//!
//! It is no user of `lab::sse` on purpose. It competes with the server for the same machine, so it
//! must be far cheaper than what it measures, and as cheap for one server as for the other: a
//! client of several layers would cost more than web's own write, and hide what web costs.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::Duration;

use anyhow::{Context, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};

use super::clock::{now, unix_micros};
use super::frames::{self, Frame};
use super::ledger::{Ledger, Seen};
use super::orders::{Answer, Order, Report, Setup};
use super::stamps::StampSink;

/// Streams being opened at one time: below any listen backlog.
const OPENING_AT_MOST: usize = 64;
const OPEN_WITHIN: Duration = Duration::from_mins(2);
/// A stamp that did not come in this time is lost.
const STAMP_WITHIN: Duration = Duration::from_secs(10);
const WAKE: Token = Token(usize::MAX);

#[derive(clap::Args)]
pub(crate) struct ReaderOptions {}

/// Carries out orders from stdin until it ends.
pub(crate) fn run(_options: &ReaderOptions) -> anyhow::Result<()> {
    let mut lines = BufReader::new(io::stdin()).lines();
    let first = lines.next().context("no setup came")??;
    let mut reader = Reader::new(serde_json::from_str(&first)?)?;

    let (orders_in, orders) = mpsc::sync_channel(1);
    let waker = reader.waker()?;
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if orders_in.send(line).is_err() || waker.wake().is_err() {
                return;
            }
        }
        drop(orders_in);
        // Nobody is left to tell when even this fails.
        waker.wake().ok();
    });
    reader.serve(&orders)
}

/// The streams, and what is counted of them.
pub(crate) struct Reader {
    setup: Setup,
    poll: Poll,
    events: Events,
    streams: Vec<MeasuredStream>,
    stamps: StampSink,
    tally: Tally,
    /// The number of the first stamp that counts.
    first: u64,
    buffer: Vec<u8>,
}

impl Reader {
    pub(crate) fn new(setup: Setup) -> anyhow::Result<Self> {
        Ok(Self {
            stamps: StampSink::open(&setup.stamps_to)?,
            tally: Tally::new(),
            setup,
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            streams: Vec::new(),
            first: 0,
            buffer: vec![0; 64 * 1024],
        })
    }

    fn waker(&self) -> io::Result<Waker> {
        Waker::new(self.poll.registry(), WAKE)
    }

    fn serve(&mut self, orders: &Receiver<String>) -> anyhow::Result<()> {
        loop {
            match orders.try_recv() {
                Ok(line) => {
                    let answer = self
                        .obey(serde_json::from_str(&line)?)
                        .unwrap_or_else(|error| Answer::Failed {
                            why: format!("{error:#}"),
                        });
                    println!("{}", serde_json::to_string(&answer)?);
                }
                Err(TryRecvError::Empty) => self.turn(Duration::from_secs(1))?,
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
        }
    }

    pub(crate) fn obey(&mut self, order: Order) -> anyhow::Result<Answer> {
        match order {
            Order::Open { streams } => self.open(streams).map(|()| Answer::Opened),
            Order::OneByOne { first, count } => self.one_by_one(first, count).map(Answer::Report),
            Order::Begin => {
                self.begin();
                Ok(Answer::Begun)
            }
            Order::Finish { sent } => {
                self.wait_for(sent, Duration::from_millis(100))?;
                Ok(Answer::Report(self.report(sent)))
            }
        }
    }

    fn open(&mut self, streams: usize) -> anyhow::Result<()> {
        let deadline = now() + OPEN_WITHIN;
        while self.tally.open < streams {
            while self.streams.len() < streams
                && self.streams.len() - self.tally.open < OPENING_AT_MOST
            {
                self.open_one()?;
            }
            self.turn(Duration::from_millis(100))?;
            if self.tally.ended > 0 {
                let said = self.tally.last_words.as_deref().unwrap_or("nothing");
                bail!("a stream was closed while opening; it had said: {said}");
            }
            if now() > deadline {
                bail!(
                    "only {} of {streams} streams had their picture within {OPEN_WITHIN:?}",
                    self.tally.open
                );
            }
        }
        Ok(())
    }

    fn open_one(&mut self) -> anyhow::Result<()> {
        let mut socket = TcpStream::connect(self.setup.streams_at)?;
        self.poll.registry().register(
            &mut socket,
            Token(self.streams.len()),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        self.streams.push(MeasuredStream {
            socket,
            state: State::Connecting,
            rest: Vec::new(),
            seen: Seen::default(),
        });
        Ok(())
    }

    fn one_by_one(&mut self, first: u64, count: u64) -> anyhow::Result<Report> {
        self.begin();
        self.first = first;
        for sent in 1..=count {
            self.stamps.send(first + sent - 1, unix_micros())?;
            // Never asleep: waking a reader is charged to the writer, and to the slower one more
            // often, which would measure the reader's sleep and not the server.
            if !self.wait_for(sent, Duration::ZERO)? {
                return Ok(self.report(sent));
            }
        }
        Ok(self.report(count))
    }

    fn begin(&mut self) {
        self.tally.begin();
        for stream in &mut self.streams {
            stream.seen.begin();
        }
    }

    /// Whether every stream has all of `sent` stamps in time. `nap`: the longest sleep.
    fn wait_for(&mut self, sent: u64, nap: Duration) -> anyhow::Result<bool> {
        let streams = self.streams.len();
        let wanted = self.setup.due_to_all(streams, self.first, sent);
        let deadline = now() + STAMP_WITHIN;
        while self.tally.ledger.distinct < wanted {
            self.turn(nap)?;
            if now() > deadline {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn report(&self, sent: u64) -> Report {
        let ledger = &self.tally.ledger;
        Report {
            sent,
            deliveries: ledger.distinct,
            lost: (0..)
                .zip(&self.streams)
                .map(|(number, stream)| {
                    let due = self.setup.due(number, self.first, sent);
                    stream.seen.lost(due)
                })
                .sum(),
            doubled: ledger.doubled,
            reordered: ledger.reordered,
            snapshots: self.tally.snapshots,
            ended: self.tally.ended,
            bytes_per_delivery: ledger.bytes_per_delivery(),
            p50: ledger.latency.quantile(0.50),
            p95: ledger.latency.quantile(0.95),
            p99: ledger.latency.quantile(0.99),
            max: ledger.latency.max(),
        }
    }

    /// Waits for something to happen and reads all there is.
    fn turn(&mut self, at_most: Duration) -> anyhow::Result<()> {
        match self.poll.poll(&mut self.events, Some(at_most)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in &self.events {
            let Some(stream) = self.streams.get_mut(event.token().0) else {
                continue;
            };
            if event.is_writable() && stream.state == State::Connecting {
                let requests = &self.setup.requests;
                let request = requests.get(event.token().0 % requests.len().max(1));
                stream.ask(request.context("no request came")?)?;
            }
            if event.is_readable() {
                // The end comes as an edge of its own; a short read says that
                // there is nothing more for now, and saves a system call.
                let to_the_end = event.is_read_closed() || event.is_error();
                stream.read(&mut self.buffer, to_the_end, &mut self.tally)?;
            }
        }
        Ok(())
    }
}

struct MeasuredStream {
    socket: TcpStream,
    state: State,
    /// The beginning of a frame whose end has not come.
    rest: Vec<u8>,
    seen: Seen,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting,
    Asked,
    Open,
    Ended,
}

impl MeasuredStream {
    fn ask(&mut self, request: &str) -> anyhow::Result<()> {
        if let Some(error) = self.socket.take_error()? {
            return Err(error).context("a stream could not be connected");
        }
        // A new socket's buffer is larger than any request.
        self.socket.write_all(request.as_bytes())?;
        self.state = State::Asked;
        Ok(())
    }

    fn read(
        &mut self,
        buffer: &mut [u8],
        to_the_end: bool,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        loop {
            match self.socket.read(buffer) {
                Ok(0) => {
                    self.end(tally);
                    return Ok(());
                }
                Ok(length) => {
                    self.take(&buffer[..length], tally);
                    if length < buffer.len() && !to_the_end {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    self.end(tally);
                    return Ok(());
                }
                Err(error) => return Err(error).context("a stream could not be read"),
            }
        }
    }

    fn take(&mut self, bytes: &[u8], tally: &mut Tally) {
        let now_micros = unix_micros();
        if self.state == State::Asked {
            tally.first_words(bytes);
        }
        let Self { state, seen, .. } = self;
        frames::cut(&mut self.rest, bytes, |frame, length| match frame {
            Frame::Stamp(stamp) => tally.ledger.write(seen, stamp, now_micros, length),
            Frame::Snapshot if *state == State::Asked => {
                *state = State::Open;
                tally.open += 1;
            }
            Frame::Snapshot => tally.snapshots += 1,
            // The end of the stream follows it, and that is what counts.
            Frame::Bye | Frame::Other => {}
        });
    }

    fn end(&mut self, tally: &mut Tally) {
        if self.state != State::Ended {
            self.state = State::Ended;
            tally.ended += 1;
        }
    }
}

/// What is counted over all streams.
struct Tally {
    open: usize,
    ended: u64,
    snapshots: u64,
    ledger: Ledger,
    /// What an opening stream said last, to explain a refusal.
    last_words: Option<String>,
}

impl Tally {
    fn new() -> Self {
        Self {
            open: 0,
            ended: 0,
            snapshots: 0,
            ledger: Ledger::begin(),
            last_words: None,
        }
    }

    fn begin(&mut self) {
        self.snapshots = 0;
        self.ledger = Ledger::begin();
    }

    fn first_words(&mut self, bytes: &[u8]) {
        let shown = &bytes[..bytes.len().min(1000)];
        self.last_words = Some(String::from_utf8_lossy(shown).into_owned());
    }
}

#[cfg(test)]
mod tests;
