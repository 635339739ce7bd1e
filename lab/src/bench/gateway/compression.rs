//! What a dispatch costs under each of Discord's transport compressions.

use anyhow::bail;
use serde_json::Value;

use super::ingest::{Bench, RATE};
use super::{GatewayPlan, Stage, row};
use crate::bench::http::Client;
use crate::bench::table::Row;
use std::path::Path;

/// How Discord's frames come.
#[derive(Clone, Copy, Debug)]
enum Compression {
    Plain,
    Zlib,
    Zstd,
}

const ALL: [Compression; 3] = [Compression::Plain, Compression::Zlib, Compression::Zstd];

impl Compression {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Zlib => "zlib-stream",
            Self::Zstd => "zstd-stream",
        }
    }

    /// What has the gateway come to it: it asks for zstd, and for zlib after a window of zstd's
    /// that it does not take.
    fn fault(self) -> Option<&'static str> {
        match self {
            Self::Plain => Some(r#"{"kind":"no_compression"}"#),
            Self::Zlib => Some(r#"{"kind":"zstd_window","log":27}"#),
            Self::Zstd => None,
        }
    }

    /// What is in the URL of the connection then.
    fn asked_for(self) -> &'static str {
        match self {
            Self::Plain | Self::Zstd => "zstd-stream",
            Self::Zlib => "zlib-stream",
        }
    }
}

/// The three in turn, each in a process of its own.
pub(super) fn rows(plan: &GatewayPlan, stage: &Stage, lab: &Path) -> anyhow::Result<Vec<Row>> {
    let mut costs = [const { Vec::new() }; ALL.len()];
    for repetition in 1..=plan.repetitions {
        for (compression, costs) in ALL.into_iter().zip(&mut costs) {
            let name = compression.name();
            let cost = cost(plan, stage, lab, compression, repetition)?;
            println!("  {name}: {cost:.1} µs of CPU each");
            costs.push(cost);
        }
    }
    let rows = ALL.iter().zip(&costs).map(|(compression, costs)| {
        let what = format!("{RATE} dispatches/s, {}: CPU for each", compression.name());
        row(&what, "µs", costs, None)
    });
    Ok(rows.collect())
}

fn cost(
    plan: &GatewayPlan,
    stage: &Stage,
    lab: &Path,
    compression: Compression,
    repetition: usize,
) -> anyhow::Result<f64> {
    let mut simulator = Client::new(stage.simulator_at);
    if let Some(fault) = compression.fault() {
        let answer = simulator.post("/sim/faults", fault)?;
        if answer.status != 200 {
            bail!("no fault: {} {}", answer.status, answer.body);
        }
    }
    let mut gateway = stage.gateway(&format!("{}-{repetition}", compression.name()))?;
    let bench = Bench::begin(stage, lab, &mut gateway)?;
    let shown: Value = serde_json::from_str(&simulator.get("/sim/state", &[])?.body)?;
    let sessions = shown["sessions"].as_array();
    let is_so = sessions.is_some_and(|sessions| {
        let attached = sessions
            .iter()
            .filter(|session| session["attached"] == true);
        attached
            .map(|session| &session["compress"])
            .eq([compression.asked_for()])
    });
    if !is_so {
        bail!(
            "not the compression that is measured: {}",
            shown["sessions"]
        );
    }
    let cost = bench.run(RATE, plan.seconds)?.cpu_micros_per_event;
    gateway.stop()?;
    Ok(cost)
}
