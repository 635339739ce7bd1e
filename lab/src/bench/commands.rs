//! Commands: how long one takes from a browser's POST to its answer, what becomes of more than
//! Discord takes, and what one costs.
//!
//! Discord answers each request after 20 ms here, and what is shown is beyond that. The gateway is
//! alone on the measured CPU; simulator and web share the other one with this program.

mod answer;
mod browser;
mod link;
mod overload;
mod people;
mod rooms;
mod shares;

use std::net::SocketAddr;
use std::path::Path;

use anyhow::bail;
use serde_json::json;

use super::histogram::Histogram;
use super::http::Client;
use super::process::{Cpu, Process, lasting_port};
use super::procfs;
use super::product::{self, role, web_environment};
use super::restartable_gateway::Gateway;
use super::table::{Budget, Row, Spread};
use super::world::World;
use browser::{Answered, Browser, Call, Kind, Script};
use people::Participants;

/// What is measured, and how often.
pub(crate) struct CommandsPlan {
    pub(crate) repetitions: usize,
    /// Commands of one repetition that are given one after the other.
    pub(crate) one_at_a_time: usize,
    /// Seconds of one repetition at a rate.
    pub(crate) seconds: usize,
    /// How long more is asked for than Discord takes.
    pub(crate) overload_seconds: u64,
}

/// What Discord takes for each request.
const DISCORD_MS: u32 = 20;
/// Of what a command may take beyond Discord's own time.
const P95_MS: f64 = 100.0;
/// Of the 50 requests a second that Discord takes the gateway keeps some free for look-ups, and
/// counts a second a little longer: it sends 43 in 1.05 s. At this rate it need not wait.
const WITHIN: usize = 35;
/// At this one it must: what is shown is mostly the wait for Discord's limit, so it has no budget.
const BEYOND: usize = 50;

/// The rows of commands; what is lost, doubled or reordered is an error.
pub(crate) fn rows(
    plan: &CommandsPlan,
    guildhall: &Path,
    folder: &Path,
) -> anyhow::Result<Vec<Row>> {
    println!("commands: starting simulator, gateway and web");
    let mut stage = Stage::start(guildhall, folder, overload::viewers(plan.overload_seconds))?;
    stage.people.sign_in(stage.web_at, stage.simulator_at)?;
    let mut rows = answer_times(plan, &stage)?;
    println!("commands: more than Discord takes");
    rows.extend(overload::rows(plan.overload_seconds, &stage)?);
    rows.extend(rooms::rows(plan.repetitions, &stage)?);
    Ok(rows)
}

/// The product, with people who do something in it.
struct Stage {
    gateway: Gateway,
    simulator_at: SocketAddr,
    web_at: SocketAddr,
    people: Participants,
    _simulator: Process,
    _web: Process,
}

impl Stage {
    fn start(guildhall: &Path, folder: &Path, viewers: usize) -> anyhow::Result<Self> {
        let simulator_at = SocketAddr::from(([127, 0, 0, 1], lasting_port()?));
        let mut simulator = product::simulator(guildhall, simulator_at).start(folder)?;
        simulator.wait_until_listening(simulator_at)?;
        let mut control = Client::new(simulator_at);
        let world = World::read(&mut control)?;
        let people = Participants::make(&mut control, &world.application.id, viewers)?;

        let mut gateway = Gateway::new(guildhall, folder, Cpu::Measured, simulator_at, &world)?;
        gateway.start()?;
        gateway.wait_until_live()?;
        let web_at = SocketAddr::from(([127, 0, 0, 1], lasting_port()?));
        let ops_port = lasting_port()?;
        let mut environment = web_environment(simulator_at, &world, &gateway)?;
        environment.extend([
            ("WEB_PORT", web_at.port().to_string()),
            ("BASE_URL", format!("http://{web_at}")),
            ("OPS_PORT", ops_port.to_string()),
        ]);
        let mut web = role(guildhall, "web", Cpu::Others, environment).start(folder)?;
        web.wait_until_ready(ops_port, "/readyz")?;

        // For every request of every route, from now on.
        let latency = json!({"kind": "latency", "latencyMs": DISCORD_MS, "times": u32::MAX});
        let answer = control.post("/sim/faults", &latency.to_string())?;
        if answer.status >= 300 {
            bail!("no latency: {} {}", answer.status, answer.body);
        }
        Ok(Self {
            gateway,
            simulator_at,
            web_at,
            people,
            _simulator: simulator,
            _web: web,
        })
    }

    fn gateway_nanos(&self) -> anyhow::Result<u64> {
        procfs::cpu_nanos(self.gateway.id()?)
    }
}

/// How commands are given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    OneAtATime,
    PerSecond(usize),
}

/// One way of giving them, measured again and again.
struct Series {
    pace: Pace,
    /// With a key each is kept before it is sent, and again when it has ended. Without one nothing is
    /// written, so the difference is what the journal costs.
    keyed: bool,
    samples: Vec<Sample>,
}

/// One repetition.
struct Sample {
    /// By [`Kind`]: the 50th, 95th and 99th part of a hundred, in ms beyond Discord's time.
    percentiles: [[f64; 3]; 2],
    cpu_micros_per_command: f64,
    failed: usize,
}

fn answer_times(plan: &CommandsPlan, stage: &Stage) -> anyhow::Result<Vec<Row>> {
    let browser = Browser::new(stage.web_at)?;
    let mut script = Script::new(stage.people.signed_in());
    // Rights are looked up, buckets become known and files warm.
    let warm_up = script.calls(2 * people::SIGNED_IN, true);
    measure(stage, &browser, Pace::OneAtATime, warm_up)?;

    let series = |pace, keyed| Series {
        pace,
        keyed,
        samples: Vec::new(),
    };
    let mut all = [
        series(Pace::OneAtATime, true),
        series(Pace::OneAtATime, false),
        series(Pace::PerSecond(WITHIN), true),
        series(Pace::PerSecond(WITHIN), false),
        series(Pace::PerSecond(BEYOND), true),
    ];
    for repetition in 1..=plan.repetitions {
        println!("commands: repetition {repetition} of {}", plan.repetitions);
        for series in &mut all {
            let count = match series.pace {
                Pace::OneAtATime => plan.one_at_a_time,
                Pace::PerSecond(rate) => rate * plan.seconds,
            };
            let calls = script.calls(count, series.keyed);
            series
                .samples
                .push(measure(stage, &browser, series.pace, calls)?);
        }
    }
    let mut rows: Vec<Row> = all.iter().flat_map(Series::rows).collect();
    rows.extend(journal_rows(&all));
    Ok(rows)
}

fn measure(
    stage: &Stage,
    browser: &Browser,
    pace: Pace,
    calls: Vec<Call>,
) -> anyhow::Result<Sample> {
    let before = stage.gateway_nanos()?;
    let answers = match pace {
        Pace::OneAtATime => browser.one_at_a_time(calls)?,
        Pace::PerSecond(rate) => browser.at_rate(calls, rate)?,
    };
    let nanos = stage.gateway_nanos()?.saturating_sub(before);
    let failure = answers.iter().find_map(|answer| answer.failure.as_ref());
    if let (Some(why), true) = (failure, pace != Pace::PerSecond(BEYOND)) {
        bail!("a command was not done: {why}");
    }
    let percentiles = Kind::ALL.map(|kind| percentiles(&answers, kind));
    let [Some(moves), Some(limits)] = percentiles else {
        bail!("nothing was measured");
    };
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let cpu_micros_per_command = nanos as f64 / 1_000.0 / answers.len() as f64;
    Ok(Sample {
        percentiles: [moves, limits],
        cpu_micros_per_command,
        failed: answers
            .iter()
            .filter(|answer| answer.failure.is_some())
            .count(),
    })
}

/// Of those that were done.
fn percentiles(answers: &[Answered], kind: Kind) -> Option<[f64; 3]> {
    let mut histogram = Histogram::new();
    for answer in answers {
        if answer.kind == kind && answer.failure.is_none() {
            histogram.record(answer.micros);
        }
    }
    let beyond = |share| {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let millis = histogram.quantile(share)? as f64 / 1_000.0;
        Some(millis - f64::from(DISCORD_MS))
    };
    Some([beyond(0.50)?, beyond(0.95)?, beyond(0.99)?])
}

impl Series {
    fn name(&self) -> String {
        let pace = match self.pace {
            Pace::OneAtATime => "one at a time".to_owned(),
            Pace::PerSecond(rate) => format!("{rate}/s"),
        };
        let key = if self.keyed { "" } else { ", no keys" };
        format!("{pace}{key}")
    }

    fn values(&self, pick: impl Fn(&Sample) -> f64) -> Vec<f64> {
        self.samples.iter().map(pick).collect()
    }

    fn rows(&self) -> Vec<Row> {
        let name = self.name();
        let budgeted = self.pace != Pace::PerSecond(BEYOND);
        let mut rows = Vec::new();
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            for (which, percentile) in ["p50", "p95", "p99"].into_iter().enumerate() {
                let values = self.values(|sample| sample.percentiles[at][which]);
                let budget = (budgeted && which == 1).then_some(Budget::AtMost(P95_MS));
                let what = format!("{}, {name}: {percentile}", kind.name());
                rows.push(row(&what, "ms", &values, budget));
            }
        }
        let cpu = self.values(|sample| sample.cpu_micros_per_command);
        rows.push(row(
            &format!("{name}: the gateway's CPU per command"),
            "µs",
            &cpu,
            None,
        ));
        if !budgeted {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            let failed = self.values(|sample| sample.failed as f64);
            rows.push(row(&format!("{name}: not done"), "commands", &failed, None));
        }
        rows
    }
}

/// What a key costs: the difference to commands without one, repetition by repetition.
fn journal_rows(all: &[Series]) -> Vec<Row> {
    let mut rows = Vec::new();
    for keyed in all.iter().filter(|series| series.keyed) {
        let plain = all
            .iter()
            .find(|series| !series.keyed && series.pace == keyed.pace);
        let Some(plain) = plain else {
            continue;
        };
        let differences = |pick: fn(&Sample) -> f64| {
            let pairs = keyed.samples.iter().zip(&plain.samples);
            let differences = pairs.map(|(keyed, plain)| pick(keyed) - pick(plain));
            differences.collect::<Vec<f64>>()
        };
        let name = keyed.name();
        let time = differences(|sample| sample.percentiles[1][0]);
        let what = format!("the journal, {name}: of {}'s p50", Kind::Limit.name());
        rows.push(row(&what, "ms", &time, None));
        let cpu = differences(|sample| sample.cpu_micros_per_command);
        let what = format!("the journal, {name}: CPU per command");
        rows.push(row(&what, "µs", &cpu, None));
    }
    rows
}

fn row(what: &str, unit: &'static str, values: &[f64], budget: Option<Budget>) -> Row {
    Row {
        what: format!("commands: {what}"),
        unit,
        product: Spread::of(values),
        bare: None,
        budget,
    }
}
