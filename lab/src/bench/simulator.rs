//! The simulator by itself: how many dispatches it sends, and how soon and how
//! large it stands with a big guild.

use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, bail};

use super::clock::now;
use super::http::Client;
use super::process::{Cpu, Process, Program, free_port};
use super::procfs;
use super::shard::{Shard, ShardReport};
use super::table::{Budget, Row, Spread};
use super::world::World;

/// The most that `/sim/load` takes: a simulator that keeps up with it shows this figure.
const ASKED_PER_SECOND: u64 = 200_000;

/// What is measured, and how often.
pub(crate) struct SimulatorPlan {
    pub(crate) repetitions: usize,
    /// Of one repetition.
    pub(crate) stamps: u64,
}

/// The rows of the simulator; a stamp that is lost or out of order is an error.
pub(crate) fn rows(
    plan: &SimulatorPlan,
    guildhall: &Path,
    lab: &Path,
    folder: &Path,
) -> anyhow::Result<Vec<Row>> {
    println!("the simulator by itself");
    let (mut rates, mut starts, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    for repetition in 1..=plan.repetitions {
        println!("  repetition {repetition} of {}", plan.repetitions);
        let standing = Simulator::start(guildhall, folder, "standing")?;
        rates.push(standing.rate(plan, lab, folder)?);
        drop(standing);

        let began = now();
        let big = Simulator::start(guildhall, folder, "big")?;
        Shard::open(big.at, &big.bot_token)?.hear_guilds()?;
        starts.push(began.elapsed().as_secs_f64() * 1_000.0);
        #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
        let size = procfs::resident_bytes(big.process.id())? as f64 / 1e6;
        sizes.push(size);
    }
    let row = |what: &str, unit, values: &[f64], budget| Row {
        what: format!("simulator: {what}"),
        unit,
        product: Spread::of(values),
        bare: None,
        budget: Some(budget),
    };
    Ok(vec![
        row(
            "dispatches to one shard, one CPU",
            "1/s",
            &rates,
            Budget::AtLeast(50_000.0),
        ),
        row(
            "10,000 members, start to their GUILD_CREATE",
            "ms",
            &starts,
            Budget::AtMost(1_000.0),
        ),
        row(
            "RSS with 10,000 members and a shard",
            "MB",
            &sizes,
            Budget::AtMost(100.0),
        ),
    ])
}

/// One simulator on the measured CPU.
struct Simulator {
    process: Process,
    at: SocketAddr,
    bot_token: String,
}

impl Simulator {
    /// Returns as soon as it answers.
    fn start(guildhall: &Path, folder: &Path, scenario: &str) -> anyhow::Result<Self> {
        let at = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let mut process = Program {
            binary: guildhall,
            name: "simulator-alone",
            arguments: [
                "simulator",
                "--listen",
                &at.to_string(),
                "--scenario",
                scenario,
            ]
            .map(str::to_owned)
            .to_vec(),
            environment: vec![("RUST_LOG", "warn".to_owned())],
            cpu: Cpu::Measured,
            piped: false,
        }
        .start(folder)?;
        process.wait_until_listening(at)?;
        let world = World::read(&mut Client::new(at))?;
        Ok(Self {
            process,
            at,
            bot_token: world.application.bot_token,
        })
    }

    /// Dispatches per second that a shard on the other CPU got.
    fn rate(&self, plan: &SimulatorPlan, lab: &Path, folder: &Path) -> anyhow::Result<f64> {
        let numbers = [self.at.to_string(), plan.stamps.to_string()];
        let mut shard = Program {
            binary: lab,
            name: "shard",
            arguments: [
                "bench-shard",
                "--simulator",
                &numbers[0],
                "--bot-token",
                &self.bot_token,
                "--per-second",
                &ASKED_PER_SECOND.to_string(),
                "--stamps",
                &numbers[1],
            ]
            .map(str::to_owned)
            .to_vec(),
            environment: Vec::new(),
            cpu: Cpu::Others,
            piped: true,
        }
        .start(folder)?;
        let mut line = String::new();
        let stdout = shard.child.stdout.as_mut();
        stdout
            .context("stdout is a pipe")?
            .read_to_string(&mut line)?;
        let report: ShardReport = serde_json::from_str(&line)
            .with_context(|| format!("the shard: {}", shard.log_end()))?;
        if report.out_of_order > 0 {
            bail!("the simulator lost, doubled or reordered: {report:?}");
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let rate = report.stamps as f64 * 1e6 / (report.micros.max(1) as f64);
        Ok(rate)
    }
}
