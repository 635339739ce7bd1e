//! What a stream over several logs costs web, beside one over a single log.
//!
//! Each has a web role of its own behind a false gateway, and they are measured in turn.

use anyhow::Context;

use super::contender::Contender;
use super::fake_gateway::FakeGatewayOptions;
use super::fake_web::{FakeStage, FakedWeb};
use super::orders::{Setup, StampsTo};
use super::sign_in::sign_in;
use super::table::{Budget, Row, Spread};

/// Logs and guilds of each: a stream is about all of the guilds.
const SHAPES: [(u16, u16); 3] = [(1, 1), (1, 17), (17, 17)];

/// How many streams, and how often.
pub(crate) struct LogsPlan {
    pub(crate) repetitions: usize,
    pub(crate) streams: usize,
    /// Stamps of one repetition, one in flight.
    pub(crate) stamps: u64,
}

/// One web role with its false gateway and its streams.
struct Shape {
    // Kept so that it lives as long as the streams.
    _web: FakedWeb,
    streams: Contender,
    micros: Vec<f64>,
    faults: u64,
}

/// The rows, and how many deliveries were lost, doubled or reordered.
pub(crate) fn rows(plan: &LogsPlan, stage: &FakeStage<'_>) -> anyhow::Result<(Vec<Row>, u64)> {
    println!("streams over several logs");
    let mut shapes = Vec::new();
    for (logs, guilds) in SHAPES {
        let mut shape =
            Shape::start(logs, guilds, stage, plan).with_context(|| format!("{logs} logs"))?;
        shape.streams.open(plan.streams)?;
        shapes.push(shape);
    }
    for repetition in 1..=plan.repetitions {
        println!("  repetition {repetition} of {}", plan.repetitions);
        for shape in &mut shapes {
            shape.measure(plan.stamps)?;
        }
    }
    let faults = shapes.iter().map(|shape| shape.faults).sum();
    Ok((table(&shapes, plan), faults))
}

fn table(shapes: &[Shape], plan: &LogsPlan) -> Vec<Row> {
    let row = |what: String, unit, values: &[f64], budget| Row {
        what,
        unit,
        product: Spread::of(values),
        bare: None,
        budget,
    };
    let streams = plan.streams;
    let mut rows: Vec<Row> = SHAPES
        .iter()
        .zip(shapes)
        .map(|((logs, guilds), shape)| {
            let what =
                format!("CPU per delivery, w1, {streams} streams, guilds {guilds}, logs {logs}");
            row(what, "µs", &shape.micros, None)
        })
        .collect();
    if let [one, _, all] = shapes {
        // Of one repetition each: what else the machine does falls on both.
        let times = all.micros.iter().zip(&one.micros);
        let times: Vec<f64> = times.map(|(all, one)| all / one).collect();
        let what = "17 guilds in 17 logs, beside 1 in 1".to_owned();
        rows.push(row(what, "times", &times, Some(Budget::AtMost(1.5))));
    }
    rows
}

impl Shape {
    fn start(
        logs: u16,
        guilds: u16,
        stage: &FakeStage<'_>,
        plan: &LogsPlan,
    ) -> anyhow::Result<Self> {
        let name = format!("logs-{logs}-guilds-{guilds}");
        let options = FakeGatewayOptions {
            logs,
            guilds,
            ..FakeGatewayOptions::of_members(stage.person()?.parse()?, 1)
        };
        let web = stage.web(&name, options, plan.streams)?;
        let cookie = sign_in(web.web_at, stage.simulator_at, stage.person()?)?;
        let setup = Setup {
            streams_at: web.web_at,
            requests: vec![web.request(guilds, &cookie)],
            stamps_to: StampsTo::Bare {
                address: web.stamps_at,
            },
            dealt: 1,
        };
        let streams = Contender::of_server(stage.lab, stage.folder, setup, web.web.id())?;
        Ok(Self {
            _web: web,
            streams,
            micros: Vec::new(),
            faults: 0,
        })
    }

    fn measure(&mut self, stamps: u64) -> anyhow::Result<()> {
        // What was not written for a while is cold.
        self.streams.one_by_one(3)?;
        let before = self.streams.server_nanos()?;
        let report = self.streams.one_by_one(stamps)?;
        let nanos = self.streams.server_nanos()?.saturating_sub(before);
        self.faults += report.faults();
        if report.deliveries > 0 {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            let micros = nanos as f64 / 1_000.0 / report.deliveries as f64;
            self.micros.push(micros);
        }
        Ok(())
    }
}
