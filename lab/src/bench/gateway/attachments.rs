//! What an event costs the gateway with one web instance attached, and with several.

use std::path::Path;

use super::ingest::{Bench, RATE};
use super::{GatewayPlan, Stage, row};
use crate::bench::table::Row;

/// Web instances.
const ATTACHMENTS: [usize; 2] = [1, 8];

/// Both in turn, in processes of their own. The journal is in memory: the disk's part is the same.
pub(super) fn rows(
    plan: &GatewayPlan,
    stage: &Stage,
    lab: &Path,
    memory: &Path,
) -> anyhow::Result<Vec<Row>> {
    let mut costs = [const { Vec::new() }; ATTACHMENTS.len()];
    for repetition in 1..=plan.repetitions {
        for (attachments, costs) in ATTACHMENTS.into_iter().zip(&mut costs) {
            let name = format!("attached-{attachments}-{repetition}");
            let mut gateway = stage.gateway(&name)?;
            let folder = memory.join(&name);
            std::fs::create_dir_all(&folder)?;
            gateway.set("DATA_DIR", &folder.display().to_string());
            let bench = Bench::begin(stage, lab, &mut gateway)?;
            let run = bench.run_attached(attachments, RATE, plan.seconds)?;
            let cost = run.cpu_micros_per_event;
            println!("  {attachments}: {cost:.1} µs of CPU for each event");
            costs.push(cost);
            gateway.stop()?;
        }
    }
    let rows = ATTACHMENTS.iter().zip(&costs).map(|(attachments, costs)| {
        let what = format!("{RATE} events/s to {attachments} attached: CPU for each event");
        row(&what, "µs", costs, None)
    });
    Ok(rows.collect())
}
