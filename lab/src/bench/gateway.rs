//! The gateway with its journal: how many dispatches it takes, how soon it is live again, and what
//! it needs of disk and memory.
//!
//! It is alone on the measured CPU, its threads and its disk's included; the simulator that sends
//! and the follower that reads share the other one.

mod attachments;
mod compression;
mod disk;
mod ingest;
mod many;
mod metrics;
mod restart;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::http::Client;
use super::process::{Cpu, Process, lasting_port};
use super::product::simulator;
use super::restartable_gateway::Gateway;
use super::table::{Budget, Row, Spread};
use super::world::World;

/// What is measured, and how often.
pub(crate) struct GatewayPlan {
    pub(crate) repetitions: usize,
    /// Seconds of one repetition at a rate.
    pub(crate) seconds: u64,
    /// Events after which the journal is weighed.
    pub(crate) weighed_at: [u64; 2],
    pub(crate) guilds: u64,
    /// In voice, in each guild.
    pub(crate) people: u64,
}

/// Where the kernel keeps files in memory.
const MEMORY: &str = "/dev/shm";

/// The rows of the gateway; what is lost, doubled or reordered is an error.
pub(crate) fn rows(
    plan: &GatewayPlan,
    guildhall: &Path,
    lab: &Path,
    folder: &Path,
) -> anyhow::Result<Vec<Row>> {
    println!("the gateway: ingest");
    let stage = Stage::of(guildhall, folder, "ingest")?;
    let mut rows = ingest::rows(plan, &stage, lab)?;
    if Path::new(MEMORY).is_dir() {
        println!("the gateway: ingest, its journal in {MEMORY}");
        let memory = InMemory::folder()?;
        rows.extend(ingest::rows_in_memory(plan, &stage, lab, &memory.0)?);
        println!("the gateway: web instances attached");
        rows.extend(attachments::rows(plan, &stage, lab, &memory.0)?);
    }
    println!("the gateway: compressions of Discord's stream");
    rows.extend(compression::rows(plan, &stage, lab)?);
    drop(stage);
    println!("the gateway: restart");
    rows.extend(restart::rows(
        plan,
        &Stage::of(guildhall, folder, "restart")?,
    )?);
    Ok(rows)
}

/// The rows of [`attachments`] by themselves.
pub(crate) fn rows_of_attachments(
    plan: &GatewayPlan,
    guildhall: &Path,
    lab: &Path,
    folder: &Path,
) -> anyhow::Result<Vec<Row>> {
    println!("the gateway: web instances attached");
    let memory = InMemory::folder()?;
    let stage = Stage::of(guildhall, folder, "attachments")?;
    attachments::rows(plan, &stage, lab, &memory.0)
}

/// A folder that has no disk, gone when it is dropped.
struct InMemory(PathBuf);

impl InMemory {
    fn folder() -> anyhow::Result<Self> {
        let folder = Path::new(MEMORY).join(format!("guildhall-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for InMemory {
    fn drop(&mut self) {
        // What is left there goes with the next start of the machine.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A simulator, and where a gateway keeps its journal.
struct Stage {
    guildhall: PathBuf,
    folder: PathBuf,
    simulator_at: SocketAddr,
    world: World,
    _simulator: Process,
}

impl Stage {
    fn of(guildhall: &Path, folder: &Path, name: &str) -> anyhow::Result<Self> {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder)?;
        let simulator_at = SocketAddr::from(([127, 0, 0, 1], lasting_port()?));
        let mut simulator = simulator(guildhall, simulator_at).start(&folder)?;
        simulator.wait_until_listening(simulator_at)?;
        Ok(Self {
            guildhall: guildhall.to_owned(),
            world: World::read(&mut Client::new(simulator_at))?,
            folder,
            simulator_at,
            _simulator: simulator,
        })
    }

    /// Its journal is `name`'s own.
    fn gateway(&self, name: &str) -> anyhow::Result<Gateway> {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder)?;
        Gateway::new(
            &self.guildhall,
            &folder,
            Cpu::Measured,
            self.simulator_at,
            &self.world,
        )
    }
}

fn row(what: &str, unit: &'static str, values: &[f64], budget: Option<Budget>) -> Row {
    Row {
        what: format!("gateway: {what}"),
        unit,
        product: Spread::of(values),
        bare: None,
        budget,
    }
}
