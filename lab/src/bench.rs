//! `cargo xtask bench`: speed and memory of the release build.
//!
//! The product runs as it is operated, in three processes, and beside it a bare
//! server that does one `write(2)` per delivery and nothing else. Both are fed
//! the same stamps in turn, in many short repetitions, so that what else the
//! machine does falls on both; what counts is their ratio. Other parts are measured
//! by themselves, each in a module of its own that answers with rows.

pub(crate) mod bare;
mod classes;
pub(crate) mod clock;
mod commands;
pub(crate) mod fake_gateway;
mod fake_web;
pub(crate) mod follower;
pub(crate) mod frames;
mod contender;
mod gateway;
mod histogram;
pub(crate) mod http;
pub(crate) mod restartable_gateway;
pub(crate) mod ledger;
mod logs;
mod orders;
mod page;
pub(crate) mod process;
mod procfs;
pub(crate) mod product;
pub(crate) mod reader;
mod rights;
mod rounds;
pub(crate) mod secret;
pub(crate) mod shard;
pub(crate) mod sign_in;
mod simulator;
mod stamps;
mod table;
mod websocket;
pub(crate) mod world;

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::binary;
use contender::Contender;
use fake_web::FakeStage;
use product::Product;
use rounds::Rounds;
use table::{Budget, Row, Spread};

#[derive(clap::Args)]
pub(crate) struct BenchOptions {
    /// Fewer streams and repetitions: whether it works, not how fast it is
    #[arg(long)]
    quick: bool,

    /// How many streams, in rising order (1000 10000, with --quick 200 1000); the rate is measured
    /// with the first
    #[arg(long, num_args = 1.., value_name = "N")]
    streams: Vec<usize>,

    /// Short interleaved repetitions of each measurement
    #[arg(long, value_name = "N")]
    repetitions: Option<usize>,

    /// Only these parts, of all there are
    #[arg(long, num_args = 1.., value_name = "PART")]
    only: Vec<Part>,

    /// Use the release binaries as they are
    #[arg(long)]
    no_build: bool,
}

/// What can be measured by itself.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Deliveries to browsers, beside the bare server
    Web,
    /// Deliveries on streams over several logs
    Logs,
    /// Deliveries to viewers who see different rooms, beside viewers who see the same
    Classes,
    /// A role that changes in a guild of many rooms and classes, and who stands by
    Rights,
    /// The simulator
    Simulator,
    /// The gateway with its journal
    Gateway,
    /// Of the gateway only what an event costs with one and with several web instances attached
    Attachments,
    /// Commands, from a browser to Discord and back
    Commands,
    /// The page in Chromium while much happens
    Page,
}

/// Descriptors a process needs beside its streams.
const SPARE_DESCRIPTORS: usize = 200;

pub(crate) fn run(options: &BenchOptions) -> anyhow::Result<()> {
    let plan = Plan::of(options)?;
    let target = binary::target_folder()?;
    let guildhall = binary::guildhall("release", !options.no_build)?;
    let of_streams = [Part::Web, Part::Logs, Part::Classes, Part::Rights];
    if of_streams.iter().any(|part| plan.has(*part)) {
        raise_descriptor_limit(plan.most_streams() + SPARE_DESCRIPTORS)?;
    }

    let folder = std::env::temp_dir().join(format!("guildhall-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = measure(&plan, &guildhall, &folder)
        .with_context(|| format!("the logs are in {}", folder.display()))?;
    fs::remove_dir_all(&folder)?;

    measured.print(&plan);
    let file = target.join("bench.json");
    fs::write(
        &file,
        serde_json::to_string_pretty(&measured.as_json(&plan))?,
    )?;
    println!("\nthese figures as JSON: {}", file.display());
    if measured.faults > 0 {
        bail!(
            "{} deliveries were lost, doubled or reordered",
            measured.faults
        );
    }
    Ok(())
}

/// What is measured, and how often.
struct Plan {
    parts: Vec<Part>,
    streams: Vec<usize>,
    repetitions: usize,
    /// Seconds of one repetition at a rate.
    seconds: u64,
    /// Deliveries of one repetition with one event in flight.
    deliveries: u64,
    logs: logs::LogsPlan,
    classes: classes::ClassesPlan,
    rights: rights::RightsPlan,
    simulator: simulator::SimulatorPlan,
    gateway: gateway::GatewayPlan,
    commands: commands::CommandsPlan,
    page: page::PagePlan,
}

impl Plan {
    fn of(options: &BenchOptions) -> anyhow::Result<Self> {
        let mut streams = options.streams.clone();
        if streams.is_empty() {
            streams = if options.quick {
                vec![200, 1_000]
            } else {
                vec![1_000, 10_000]
            };
        }
        if streams.contains(&0) || !streams.is_sorted() {
            bail!("--streams are numbers above 0 in rising order");
        }
        let repetitions = options
            .repetitions
            .unwrap_or(if options.quick { 2 } else { 5 });
        if repetitions == 0 {
            bail!("--repetitions is at least 1");
        }
        let parts = if options.only.is_empty() {
            // Attachments are a part of the gateway.
            vec![
                Part::Web,
                Part::Classes,
                Part::Rights,
                Part::Simulator,
                Part::Gateway,
                Part::Commands,
                Part::Page,
            ]
        } else {
            options.only.clone()
        };
        let deliveries = if options.quick { 20_000 } else { 100_000 };
        Ok(Self {
            logs: logs::LogsPlan {
                repetitions,
                streams: streams[0],
                stamps: (deliveries / streams[0] as u64).max(17),
            },
            classes: classes::ClassesPlan {
                repetitions,
                viewers: if options.quick { 200 } else { 1_000 },
                stamps: if options.quick { 50 } else { 100 },
            },
            rights: rights::RightsPlan {
                repetitions,
                rooms: if options.quick { 100 } else { 500 },
                classes: if options.quick { 10 } else { 50 },
                streams: if options.quick { 100 } else { 1_000 },
                bystanders: if options.quick { 50 } else { 200 },
                edits: if options.quick { 3 } else { 10 },
                seconds: if options.quick { 2 } else { 6 },
            },
            parts,
            streams,
            repetitions,
            seconds: if options.quick { 2 } else { 4 },
            deliveries,
            simulator: simulator::SimulatorPlan {
                repetitions,
                stamps: if options.quick { 100_000 } else { 400_000 },
            },
            gateway: gateway::GatewayPlan {
                repetitions,
                seconds: if options.quick { 2 } else { 10 },
                weighed_at: if options.quick {
                    [40_000, 80_000]
                } else {
                    [500_000, 1_000_000]
                },
                guilds: if options.quick { 10 } else { 100 },
                people: 500,
            },
            commands: commands::CommandsPlan {
                repetitions,
                one_at_a_time: if options.quick { 50 } else { 200 },
                seconds: if options.quick { 2 } else { 10 },
                overload_seconds: if options.quick { 8 } else { 10 },
            },
            page: page::PagePlan::of(options.quick),
        })
    }

    fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    fn most_streams(&self) -> usize {
        self.streams.iter().copied().max().unwrap_or(0)
    }

    /// Stamps of one repetition with one event in flight.
    fn stamps(&self, streams: usize) -> u64 {
        (self.deliveries / streams as u64).max(10)
    }
}

#[derive(Default)]
struct Measured {
    rows: Vec<Row>,
    deliveries: u64,
    /// Lost, doubled and reordered deliveries, pictures sent anew and streams
    /// ended, over everything the product sent.
    faults: u64,
}

impl Measured {
    fn as_json(&self, plan: &Plan) -> serde_json::Value {
        serde_json::json!({
            "streams": plan.streams,
            "repetitions": plan.repetitions,
            "deliveries": self.deliveries,
            "faults": self.faults,
            "rows": self.rows.iter().map(Row::as_json).collect::<Vec<_>>(),
        })
    }

    fn print(&self, plan: &Plan) {
        println!();
        if process::may_bind() {
            println!("what is measured on CPU 0, all others on CPU 1");
        } else {
            println!("one CPU for all: latencies say little");
        }
        println!("{} repetitions", plan.repetitions);
        if plan.has(Part::Web) {
            let deliveries = self.deliveries;
            println!("web and bare in turn; {deliveries} deliveries by web counted");
        }
        println!();
        print!("{}", table::table(&self.rows));
    }
}

/// Each part in turn, with nothing else running beside it.
fn measure(plan: &Plan, guildhall: &Path, folder: &Path) -> anyhow::Result<Measured> {
    // Readers and the bare server are processes of this same program.
    let lab = std::env::current_exe()?;

    let mut measured = Measured::default();
    if plan.has(Part::Web) {
        measured = measure_web(plan, guildhall, &lab, folder)?;
    }
    if plan.has(Part::Logs) {
        let stage = FakeStage::set(guildhall, &lab, folder)?;
        let (rows, faults) = logs::rows(&plan.logs, &stage)?;
        measured.rows.extend(rows);
        measured.faults += faults;
    }
    if plan.has(Part::Classes) {
        let stage = FakeStage::set(guildhall, &lab, folder)?;
        let (rows, faults) = classes::rows(&plan.classes, &stage)?;
        measured.rows.extend(rows);
        measured.faults += faults;
    }
    if plan.has(Part::Rights) {
        let (rows, faults) = rights::rows(&plan.rights, guildhall, &lab, folder)?;
        measured.rows.extend(rows);
        measured.faults += faults;
    }
    if plan.has(Part::Simulator) {
        let rows = simulator::rows(&plan.simulator, guildhall, &lab, folder)?;
        measured.rows.extend(rows);
    }
    if plan.has(Part::Gateway) {
        let rows = gateway::rows(&plan.gateway, guildhall, &lab, folder)?;
        measured.rows.extend(rows);
    }
    if plan.has(Part::Attachments) {
        let rows = gateway::rows_of_attachments(&plan.gateway, guildhall, &lab, folder)?;
        measured.rows.extend(rows);
    }
    if plan.has(Part::Commands) {
        let rows = commands::rows(&plan.commands, guildhall, folder)?;
        measured.rows.extend(rows);
    }
    if plan.has(Part::Page) {
        measured.rows.extend(page::rows(&plan.page)?);
    }
    Ok(measured)
}

fn measure_web(
    plan: &Plan,
    guildhall: &Path,
    lab: &Path,
    folder: &Path,
) -> anyhow::Result<Measured> {
    println!("starting simulator, gateway and web");
    let product = Product::start(guildhall, folder, plan.most_streams())?;
    let idle = idle_row(lab, folder, &product, plan.most_streams())?;
    let mut web = Contender::of_web(lab, folder, &product)?;
    web.open(plan.streams[0])?;
    // Both servers shall write the same number of bytes.
    let frame_bytes = web.one_by_one(5)?.bytes_per_delivery;
    if frame_bytes == 0 {
        bail!("no stamp reached a stream: is the load user seen by who signed in?");
    }
    println!("one event is {frame_bytes} bytes");
    let mut bare = Contender::of_bare(lab, folder, frame_bytes)?;
    bare.open(plan.streams[0])?;

    let mut rounds = Rounds::new(plan, product, web, bare);
    rounds.run()?;
    let (deliveries, faults) = rounds.deliveries_and_faults();
    let mut rows = rounds.rows();
    rows.push(idle);
    Ok(Measured {
        rows,
        deliveries,
        faults,
    })
}

/// Measured first, while web has done nothing else, and closed again.
fn idle_row(lab: &Path, folder: &Path, product: &Product, streams: usize) -> anyhow::Result<Row> {
    println!("{streams} idle streams");
    let mut web = Contender::of_web(lab, folder, product)?;
    web.open(streams)?;
    Ok(Row {
        what: format!("RSS per idle stream, {streams} streams"),
        unit: "KiB",
        product: Spread::of(&[web.resident_per_stream(streams)? / 1024.0]),
        // Some bytes: a ratio to them would say nothing.
        bare: None,
        budget: Some(Budget::AtMost(20.0)),
    })
}

/// What is started later inherits it.
fn raise_descriptor_limit(needed: usize) -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let needed = needed as u64;
    if limit.maximum.is_some_and(|maximum| maximum < needed) {
        bail!(
            "{needed} open files are needed and the hard limit is lower: raise it with `ulimit -Hn`"
        );
    }
    if limit.current.is_some_and(|current| current < needed) {
        setrlimit(
            Resource::Nofile,
            Rlimit {
                current: limit.maximum,
                maximum: limit.maximum,
            },
        )?;
    }
    Ok(())
}
