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
use super::{Plan, Stage};
use crate::bench::clock::now;
use crate::bench::follower::{Line, Report, hear};
use crate::bench::http::Client;
use crate::bench::lasting::Gateway;
use crate::bench::process::{Cpu, Process, Program};
use crate::bench::table::{Budget, Row, Spread};

/// What is promised, per second.
const RATE: u64 = 20_000;
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
struct Run {
    report: Report,
    p99_ms: f64,
    /// Whether the gateway took it as fast as it came, in one connection.
    kept_up: bool,
    commit_p50_ms: f64,
    commit_p99_ms: f64,
    cpu_micros_per_event: f64,
}

pub(super) fn rows(plan: &Plan, stage: &Stage, xtask: &Path) -> anyhow::Result<Vec<Row>> {
    let mut gateway = stage.gateway("busy")?;
    gateway.start()?;
    gateway.wait_until_live()?;
    let bench = Bench {
        stage,
        xtask,
        gateway: &gateway,
    };
    // The first second of a process is another matter.
    bench.run(RATE, 1)?;

    let [first, second] = plan.weighed_at;
    let (mut events, mut sizes) = (0, Vec::new());
    let (mut p50, mut p99, mut commits, mut slow_commits) = (vec![], vec![], vec![], vec![]);
    let mut cpu = Vec::new();
    let mut repetition = 0;
    while repetition < plan.repetitions || events < second {
        let run = bench.run(RATE, plan.seconds)?;
        repetition += 1;
        events += run.report.stamps;
        println!("  {repetition}: {}", run.told(RATE));
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        p50.push(run.report.p50.unwrap_or(u64::MAX) as f64 / 1e3);
        p99.push(run.p99_ms);
        commits.push(run.commit_p50_ms);
        slow_commits.push(run.commit_p99_ms);
        cpu.push(run.cpu_micros_per_event);
        for limit in [first, second].into_iter().skip(sizes.len()) {
            if events >= limit {
                #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
                sizes.push(gateway.journal_bytes() as f64 / MEGABYTE);
            }
        }
    }
    let mut highest = if Spread::of(&p99).is_some_and(|p99| p99.median <= P99_MS) {
        RATE
    } else {
        0
    };
    for rate in HIGHER {
        let run = bench.run(rate, plan.seconds)?;
        println!("  {}", run.told(rate));
        if !run.kept_up || run.p99_ms > P99_MS {
            break;
        }
        highest = rate;
    }
    gateway.stop()?;

    let row = |what: String, unit, values: &[f64], budget| Row {
        what: format!("gateway: {what}"),
        unit,
        product: Spread::of(values),
        bare: None,
        budget,
    };
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let highest = highest as f64;
    let at = format!("{RATE} dispatches/s, journal on");
    Ok(vec![
        row(format!("{at}, stamp to link p50"), "ms", &p50, None),
        row(
            format!("{at}, stamp to link p99"),
            "ms",
            &p99,
            Some(Budget::AtMost(P99_MS)),
        ),
        row(
            "highest rate that was tried within that".to_owned(),
            "1/s",
            &[highest],
            Some(Budget::AtLeast(20_000.0)),
        ),
        row(format!("{at}, CPU"), "µs", &cpu, None),
        row(format!("{at}, commit p50 at most"), "ms", &commits, None),
        row(
            format!("{at}, commit p99 at most"),
            "ms",
            &slow_commits,
            None,
        ),
        row(
            format!("journal after {first} events"),
            "MB",
            &sizes[..1],
            Some(Budget::AtMost(JOURNAL_MB)),
        ),
        row(
            format!("journal after {second} events"),
            "MB",
            &sizes[1..],
            Some(Budget::AtMost(JOURNAL_MB)),
        ),
    ])
}

struct Bench<'a> {
    stage: &'a Stage,
    xtask: &'a Path,
    gateway: &'a Gateway,
}

impl Bench<'_> {
    /// So many dispatches a second, for so long, all counted at the link.
    fn run(&self, rate: u64, seconds: u64) -> anyhow::Result<Run> {
        let stamps = rate * seconds;
        let mut follower = Follower::start(self, stamps)?;
        let before = Metrics::read(self.gateway.ops_port)?;
        let cpu_before = crate::bench::procfs::cpu_nanos(self.gateway.id()?)?;
        self.load(rate, seconds)?;
        let report = follower.report()?;
        let cpu = crate::bench::procfs::cpu_nanos(self.gateway.id()?)? - cpu_before;
        let after = Metrics::read(self.gateway.ops_port)?;
        if report.faults() > 0 {
            let log = self.gateway.log_end();
            bail!("at {rate}/s the gateway lost, doubled or reordered: {report:?}\n{log}");
        }
        let commits = after.histogram("guildhall_journal_commit_seconds", &before);
        let disconnects =
            |metrics: &Metrics| metrics.counter("guildhall_gateway_disconnects_total");
        let one_connection = disconnects(&after) <= disconnects(&before);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let (took, due, p99, cpu_each) = (
            report.micros as f64 / 1e6,
            seconds as f64,
            report.p99.unwrap_or(u64::MAX) as f64 / 1e3,
            cpu as f64 / 1e3 / stamps as f64,
        );
        Ok(Run {
            report,
            p99_ms: p99,
            kept_up: one_connection && took <= due * LATE_AT_MOST,
            commit_p50_ms: commits.at_most(0.50)? * 1e3,
            commit_p99_ms: commits.at_most(0.99)? * 1e3,
            cpu_micros_per_event: cpu_each,
        })
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
    fn told(&self, rate: u64) -> String {
        let ms = |micros: Option<u64>| micros.map_or(0, |micros| micros / 1_000);
        format!(
            "{rate}/s: p99 {:.1} ms, max {} ms, commit p99 at most {:.1} ms, {:.1} µs of CPU each{}",
            self.p99_ms,
            ms(self.report.max),
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
            binary: bench.xtask,
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
        }
    }

    fn report(&mut self) -> anyhow::Result<Report> {
        match hear(&mut self.said).with_context(|| self.process.log_end())? {
            Line::Report(report) => Ok(report),
            Line::Following => bail!("the follower began again"),
        }
    }
}
