//! One of the two servers compared, with the process that holds its streams.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout};
use std::time::Duration;

use anyhow::{Context, bail};

use super::clock::{now, unix_micros};
use super::orders::{Answer, Order, Report, Setup, StampsTo};
use super::process::{Cpu, Process, Program};
use super::procfs;
use super::product::Product;
use super::stamps::StampSink;

pub(crate) struct Contender {
    reader: Process,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    stamps_to: StampsTo,
    /// The process whose cost is asked for.
    server_id: u32,
    /// Kept so that it lives as long as its streams; web belongs to the product.
    bare: Option<Process>,
    /// Stamps are numbered through all rounds, so a late one cannot be taken
    /// for one of the next round.
    next_sequence: u64,
    /// Resident memory with no stream open.
    resident_at_start: u64,
}

impl Contender {
    pub(crate) fn of_web(lab: &Path, folder: &Path, product: &Product) -> anyhow::Result<Self> {
        let setup = Setup {
            streams_at: product.web_at,
            requests: vec![product.stream_request()],
            dealt: 1,
            stamps_to: StampsTo::Simulator {
                address: product.simulator_at,
                guild_id: product.guild_id.clone(),
            },
        };
        Self::start(lab, folder, "reader-of-web", setup, product.web.id(), None)
    }

    pub(crate) fn of_bare(lab: &Path, folder: &Path, frame_bytes: u64) -> anyhow::Result<Self> {
        let mut bare = Program {
            binary: lab,
            name: "bare",
            arguments: vec![
                "bench-bare".to_owned(),
                "--frame-bytes".to_owned(),
                frame_bytes.to_string(),
            ],
            environment: Vec::new(),
            cpu: Cpu::Measured,
            piped: true,
        }
        .start(folder)?;
        let stdout = bare.child.stdout.take().context("stdout is a pipe")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let (streams_at, control_at) = line
            .trim()
            .split_once(' ')
            .context("bare did not say where it listens")?;
        let setup = Setup {
            streams_at: streams_at.parse()?,
            requests: vec![format!(
                "GET /api/stream HTTP/1.1\r\nHost: {streams_at}\r\n\r\n"
            )],
            dealt: 1,
            stamps_to: StampsTo::Bare {
                address: control_at.parse()?,
            },
        };
        let server_id = bare.id();
        Self::start(lab, folder, "reader-of-bare", setup, server_id, Some(bare))
    }

    /// Streams of any server. `server_id`: its process.
    pub(crate) fn of_server(
        lab: &Path,
        folder: &Path,
        setup: Setup,
        server_id: u32,
    ) -> anyhow::Result<Self> {
        Self::start(lab, folder, "reader", setup, server_id, None)
    }

    fn start(
        lab: &Path,
        folder: &Path,
        name: &'static str,
        setup: Setup,
        server_id: u32,
        bare: Option<Process>,
    ) -> anyhow::Result<Self> {
        let mut reader = Program {
            binary: lab,
            name,
            arguments: vec!["bench-reader".to_owned()],
            environment: Vec::new(),
            cpu: Cpu::Others,
            piped: true,
        }
        .start(folder)?;
        let mut orders = reader.child.stdin.take().context("stdin is a pipe")?;
        let answers = reader.child.stdout.take().context("stdout is a pipe")?;
        writeln!(orders, "{}", serde_json::to_string(&setup)?)?;
        Ok(Self {
            reader,
            orders,
            answers: BufReader::new(answers),
            stamps_to: setup.stamps_to,
            server_id,
            bare,
            next_sequence: 1,
            resident_at_start: procfs::resident_bytes(server_id)?,
        })
    }

    /// Opens streams until there are this many.
    pub(crate) fn open(&mut self, streams: usize) -> anyhow::Result<()> {
        match self.ask(Order::Open { streams })? {
            Answer::Opened => Ok(()),
            _ => bail!("{} gave another answer than asked for", self.reader.name),
        }
    }

    /// Bytes of resident memory that each of `streams` open streams costs.
    pub(crate) fn resident_per_stream(&self, streams: usize) -> anyhow::Result<f64> {
        let now = procfs::resident_bytes(self.server_id)?;
        #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
        let (grown, streams) = (
            now.saturating_sub(self.resident_at_start) as f64,
            streams as f64,
        );
        Ok(grown / streams)
    }

    /// One event in flight at a time.
    pub(crate) fn one_by_one(&mut self, count: u64) -> anyhow::Result<Report> {
        let first = self.next_sequence;
        self.next_sequence += count;
        self.ask_for_report(Order::OneByOne { first, count })
    }

    /// Stamps at a rate by our own clock: for the bare server.
    pub(crate) fn paced(&mut self, per_second: u64, seconds: u64) -> anyhow::Result<Report> {
        let mut stamps = StampSink::open(&self.stamps_to)?;
        self.begin()?;
        let count = per_second * seconds;
        let pause = Duration::from_micros(1_000_000 / per_second);
        let mut due = now();
        for _ in 0..count {
            std::thread::sleep(due.saturating_duration_since(now()));
            stamps.send(self.next_sequence, unix_micros())?;
            self.next_sequence += 1;
            due += pause;
        }
        self.ask_for_report(Order::Finish { sent: count })
    }

    /// Stamps at a rate by the simulator's clock.
    pub(crate) fn loaded(
        &mut self,
        product: &Product,
        per_second: u64,
        seconds: u64,
    ) -> anyhow::Result<Report> {
        self.begin()?;
        product.begin_load(per_second, seconds)?;
        let deadline = now() + Duration::from_secs(seconds + 10);
        loop {
            if let Some(sent) = product.load_sent()? {
                return self.ask_for_report(Order::Finish { sent });
            }
            if now() > deadline {
                bail!("the simulator's load did not end");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// CPU time the server has used so far.
    pub(crate) fn server_nanos(&self) -> anyhow::Result<u64> {
        procfs::cpu_nanos(self.server_id)
    }

    /// All processes of this contender that the bench started itself.
    pub(crate) fn processes(&self) -> impl Iterator<Item = u32> {
        std::iter::once(self.reader.id()).chain(self.bare.as_ref().map(Process::id))
    }

    fn begin(&mut self) -> anyhow::Result<()> {
        match self.ask(Order::Begin)? {
            Answer::Begun => Ok(()),
            _ => bail!("{} gave another answer than asked for", self.reader.name),
        }
    }

    fn ask_for_report(&mut self, order: Order) -> anyhow::Result<Report> {
        match self.ask(order)? {
            Answer::Report(report) => Ok(report),
            _ => bail!("{} gave another answer than asked for", self.reader.name),
        }
    }

    fn ask(&mut self, order: Order) -> anyhow::Result<Answer> {
        let name = self.reader.name;
        let mut line = String::new();
        writeln!(self.orders, "{}", serde_json::to_string(&order)?)
            .with_context(|| format!("{name} has ended"))?;
        self.answers.read_line(&mut line)?;
        match serde_json::from_str(&line).with_context(|| format!("{name} has ended"))? {
            Answer::Failed { why } => bail!("{name}: {why}"),
            answer => Ok(answer),
        }
    }
}
