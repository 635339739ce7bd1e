//! Dispatches at fixed rates, from Discord's socket to the link: how late they are, how many it
//! takes, and what they leave on the disk.

use std::io::{BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ChildStdout;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::metrics::Metrics;
use super::{GatewayPlan, Stage, disk, row};
use crate::bench::clock::now;
use crate::bench::follower::{FollowerReport, Line, hear};
use crate::bench::http::Client;
use crate::bench::process::{Cpu, Process, Program};
use crate::bench::procfs;
use crate::bench::restartable_gateway::Gateway;
use crate::bench::table::{Budget, Row, Spread};

/// What is promised, per second.
pub(super) const RATE: u64 = 20_000;
/// From the socket to what is published.
const P99_MS: f64 = 20.0;
/// What is tried beyond, until it is too much.
const HIGHER: [u64; 6] = [25_000, 30_000, 35_000, 40_000, 50_000, 60_000];
/// A rate is kept up with if its stamps take no longer than so much of their time.
const LATE_AT_MOST: f64 = 1.05;
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// The window of 64 MiB, half as much again until it is swept, and a write-ahead log.
const JOURNAL_MB: f64 = 128.0;

const MEGABYTE: f64 = 1e6;

/// One load from beginning to end.
pub(super) struct Run {
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    /// Of what came after the gateway had read it.
    read_p99_ms: f64,
    /// Whether the gateway took it as fast as it came, in one connection.
    kept_up: bool,
    commit_p99_ms: f64,
    pub(super) cpu_micros_per_event: f64,
}

pub(super) fn rows(plan: &GatewayPlan, stage: &Stage, lab: &Path) -> anyhow::Result<Vec<Row>> {
    let mut gateway = stage.gateway("busy")?;
    let bench = Bench::begin(stage, lab, &mut gateway)?;

    let [first, second] = plan.weighed_at;
    let (mut events, mut weights, mut figures) = (0, Vec::new(), RunFigures::default());
    while figures.p99.len() < plan.repetitions || events < second {
        let syncs = disk::syncs(&stage.folder)?;
        figures.take(&bench.run(RATE, plan.seconds)?, Some(&syncs));
        events += RATE * plan.seconds;
        for limit in [first, second].into_iter().skip(weights.len()) {
            if events >= limit {
                #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
                weights.push(bench.gateway.journal_bytes() as f64 / MEGABYTE);
            }
        }
    }
    let highest = figures.highest(&bench, plan.seconds)?;
    gateway.stop()?;

    let mut rows = figures.rows("");
    rows.push(row(
        "highest rate tried within that",
        "1/s",
        &[highest],
        Some(Budget::AtLeast(20_000.0)),
    ));
    for (limit, weight) in [first, second].into_iter().zip(&weights) {
        rows.push(row(
            &format!("journal after {limit} events"),
            "MB",
            &[*weight],
            Some(Budget::AtMost(JOURNAL_MB)),
        ));
    }
    Ok(rows)
}

/// The same without a disk: what is left is ours.
pub(super) fn rows_in_memory(
    plan: &GatewayPlan,
    stage: &Stage,
    lab: &Path,
    memory: &Path,
) -> anyhow::Result<Vec<Row>> {
    let mut gateway = stage.gateway("memory")?;
    gateway.set("DATA_DIR", &memory.display().to_string());
    let bench = Bench::begin(stage, lab, &mut gateway)?;
    let mut figures = RunFigures::default();
    for _ in 0..plan.repetitions {
        figures.take(&bench.run(RATE, plan.seconds)?, None);
    }
    let highest = figures.highest(&bench, plan.seconds)?;
    gateway.stop()?;
    let mut rows = figures.rows(", in memory");
    rows.push(row(
        "highest rate tried within that, in memory",
        "1/s",
        &[highest],
        None,
    ));
    Ok(rows)
}

/// The figures of repetitions at the promised rate.
#[derive(Default)]
struct RunFigures {
    p50: Vec<f64>,
    p99: Vec<f64>,
    read_p99: Vec<f64>,
    commit_p99: Vec<f64>,
    cpu: Vec<f64>,
    sync_p50: Vec<f64>,
    sync_p99: Vec<f64>,
}

impl RunFigures {
    fn take(&mut self, run: &Run, syncs: Option<&disk::Syncs>) {
        println!("  {}: {}", self.p99.len() + 1, run.summary(RATE));
        self.p50.push(run.p50_ms);
        self.p99.push(run.p99_ms);
        self.read_p99.push(run.read_p99_ms);
        self.commit_p99.push(run.commit_p99_ms);
        self.cpu.push(run.cpu_micros_per_event);
        if let Some(syncs) = syncs {
            self.sync_p50.push(syncs.p50_ms);
            self.sync_p99.push(syncs.p99_ms);
        }
    }

    /// The highest rate that is kept up with, and late by no more than promised.
    fn highest(&self, bench: &Bench<'_>, seconds: u64) -> anyhow::Result<f64> {
        if Spread::of(&self.p99).is_none_or(|p99| p99.median > P99_MS) {
            return Ok(0.0);
        }
        let mut highest = RATE;
        for rate in HIGHER {
            let Some(run) = bench.try_run(1, rate, seconds)? else {
                break;
            };
            println!("  {}", run.summary(rate));
            if !run.kept_up || run.p99_ms > P99_MS {
                break;
            }
            highest = rate;
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let highest = highest as f64;
        Ok(highest)
    }

    fn rows(&self, how: &str) -> Vec<Row> {
        let at = format!("{RATE} dispatches/s{how}");
        let limit = Some(Budget::AtMost(P99_MS));
        let mut rows = vec![
            row(&format!("{at}: stamp to link p50"), "ms", &self.p50, None),
            row(&format!("{at}: stamp to link p99"), "ms", &self.p99, limit),
            row(
                &format!("{at}: read by it to link p99"),
                "ms",
                &self.read_p99,
                None,
            ),
            row(
                &format!("{at}: commit p99, at most"),
                "ms",
                &self.commit_p99,
                None,
            ),
            row(&format!("{at}: CPU for each"), "µs", &self.cpu, None),
        ];
        let by_itself = "the disk by itself, 32 KiB and fsync";
        for (share, values) in [("p50", &self.sync_p50), ("p99", &self.sync_p99)] {
            if !values.is_empty() {
                rows.push(row(&format!("{by_itself} {share}"), "ms", values, None));
            }
        }
        rows
    }
}

/// A gateway, and what is sent to it and read of it.
pub(super) struct Bench<'a> {
    stage: &'a Stage,
    lab: &'a Path,
    gateway: &'a Gateway,
}

impl<'a> Bench<'a> {
    /// Starts the gateway. The first second of a process is another matter, and over then.
    pub(super) fn begin(
        stage: &'a Stage,
        lab: &'a Path,
        gateway: &'a mut Gateway,
    ) -> anyhow::Result<Self> {
        gateway.start()?;
        gateway.wait_until_live()?;
        let bench = Self {
            stage,
            lab,
            gateway,
        };
        bench.run(RATE, 1)?;
        Ok(bench)
    }

    /// So many dispatches a second, for so long, all counted at the link.
    pub(super) fn run(&self, rate: u64, seconds: u64) -> anyhow::Result<Run> {
        self.run_attached(1, rate, seconds)
    }

    /// The same with several who follow, each of whom counts all of them.
    pub(super) fn run_attached(
        &self,
        attachments: usize,
        rate: u64,
        seconds: u64,
    ) -> anyhow::Result<Run> {
        let run = self.try_run(attachments, rate, seconds)?;
        run.context("it is to be followed at this rate")
    }

    /// The same at a rate that may be too much; `None`: it was, for who follows.
    fn try_run(&self, attachments: usize, rate: u64, seconds: u64) -> anyhow::Result<Option<Run>> {
        let stamps = rate * seconds;
        let follow = |_| Follower::start(self, stamps);
        let mut followers: Vec<Follower> = (0..attachments)
            .map(follow)
            .collect::<anyhow::Result<_>>()?;
        let before = Metrics::read(self.gateway.ops_port)?;
        let cpu_before = procfs::cpu_nanos(self.gateway.id()?)?;
        self.load(rate, seconds)?;
        let mut reports = Vec::new();
        for follower in &mut followers {
            match follower.report()? {
                Line::Report(report) => reports.push(report),
                Line::LeftBehind(why) => {
                    println!("  {rate}/s: who follows was left behind ({why})");
                    return Ok(None);
                }
                Line::Following => bail!("the follower began again"),
            }
        }
        let cpu = procfs::cpu_nanos(self.gateway.id()?)? - cpu_before;
        let after = Metrics::read(self.gateway.ops_port)?;
        let disconnects =
            |metrics: &Metrics| metrics.counter("guildhall_gateway_disconnects_total");
        let one_connection = disconnects(&after) <= disconnects(&before);
        // One that is far too slow falls behind what Discord keeps for a RESUME: what is then lost
        // is lost with the session, and told by its picture.
        let faults = |report: &FollowerReport| {
            report.faults() - if one_connection { 0 } else { report.lost }
        };
        if let Some(report) = reports.iter().find(|report| faults(report) > 0) {
            let log = self.gateway.log_end();
            bail!("at {rate}/s the gateway lost, doubled or reordered: {report:?}\n{log}");
        }
        let report = reports.first().context("somebody follows")?;
        let commits = after.histogram("guildhall_journal_commit_seconds", &before);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let ms = |micros: Option<u64>| micros.unwrap_or(u64::MAX) as f64 / 1e3;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let (due_ms, cpu_micros_per_event) =
            (seconds as f64 * 1e3, cpu as f64 / 1e3 / stamps as f64);
        Ok(Some(Run {
            p50_ms: ms(report.p50),
            p99_ms: ms(report.p99),
            max_ms: ms(report.max),
            read_p99_ms: ms(report.read_p99),
            kept_up: one_connection && ms(Some(report.micros)) <= due_ms * LATE_AT_MOST,
            commit_p99_ms: commits.at_most(0.99)? * 1e3,
            cpu_micros_per_event,
        }))
    }

    /// Returns when the simulator has sent all of it.
    fn load(&self, rate: u64, seconds: u64) -> anyhow::Result<()> {
        #[derive(Deserialize)]
        struct Progress {
            done: bool,
            failed: Option<String>,
        }
        let mut simulator = Client::new(self.stage.simulator_at);
        let order = format!(r#"{{"eventsPerSecond":{rate},"seconds":{seconds}}}"#);
        let answer = simulator.post("/sim/load", &order)?;
        if answer.status != 202 {
            bail!("no load: {} {}", answer.status, answer.body);
        }
        let deadline = now() + Duration::from_secs(3 * seconds + 10);
        loop {
            let answer = simulator.get("/sim/load", &[])?;
            let progress: Progress = serde_json::from_str(&answer.body)?;
            match progress {
                Progress {
                    failed: Some(why), ..
                } => bail!("the load failed: {why}"),
                Progress { done: true, .. } => return Ok(()),
                Progress { .. } if now() > deadline => bail!("the load does not end"),
                Progress { .. } => std::thread::sleep(LOOK_AGAIN),
            }
        }
    }
}

impl Run {
    fn summary(&self, rate: u64) -> String {
        format!(
            "{rate}/s: p99 {:.1} ms ({:.1} since it was read), max {:.1} ms, commit p99 at most {:.1} ms, {:.1} µs of CPU each{}",
            self.p99_ms,
            self.read_p99_ms,
            self.max_ms,
            self.commit_p99_ms,
            self.cpu_micros_per_event,
            if self.kept_up {
                ""
            } else {
                ", not kept up with"
            },
        )
    }
}

/// The process that reads the link.
struct Follower {
    process: Process,
    said: BufReader<ChildStdout>,
}

impl Follower {
    /// Returns when it follows.
    fn start(bench: &Bench<'_>, stamps: u64) -> anyhow::Result<Self> {
        let link = SocketAddr::from(([127, 0, 0, 1], bench.gateway.link_port));
        let mut process = Program {
            binary: bench.lab,
            name: "follower",
            arguments: vec![
                "bench-follower".to_owned(),
                "--gateway".to_owned(),
                link.to_string(),
                "--stamps".to_owned(),
                stamps.to_string(),
            ],
            environment: Vec::new(),
            cpu: Cpu::Others,
            piped: true,
        }
        .start(&bench.stage.folder)?;
        let mut stdin = process.child.stdin.take().context("stdin is a pipe")?;
        writeln!(stdin, "{}", bench.gateway.link_token)?;
        let stdout = process.child.stdout.take().context("stdout is a pipe")?;
        let mut said = BufReader::new(stdout);
        match hear(&mut said).with_context(|| process.log_end())? {
            Line::Following => Ok(Self { process, said }),
            Line::Report(_) => bail!("the follower reported before it followed"),
            Line::LeftBehind(why) => bail!("the follower can't follow: {why}"),
        }
    }

    fn report(&mut self) -> anyhow::Result<Line> {
        hear(&mut self.said).with_context(|| self.process.log_end())
    }
}
