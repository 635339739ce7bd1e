//! What a stream over several logs costs web, beside one over a single log.
//!
//! Each has a web role of its own behind a false gateway, and they are measured in turn.

use std::io::BufReader;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;

use super::contender::Contender;
use super::fake_gateway::{self, FakeGatewayOptions};
use super::http::Client;
use super::orders::{Setup, StampsTo};
use super::process::{Cpu, Process, Program, free_port};
use super::product::{role, simulator};
use super::secret::secret;
use super::sign_in::sign_in;
use super::table::{Budget, Row, Spread};
use super::world::World;

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
    // Kept so that they live as long as the streams.
    _gateway: Process,
    _web: Process,
    streams: Contender,
    micros: Vec<f64>,
    faults: u64,
}

/// The rows, and how many deliveries were lost, doubled or reordered.
pub(crate) fn rows(
    plan: &LogsPlan,
    guildhall: &Path,
    lab: &Path,
    folder: &Path,
) -> anyhow::Result<(Vec<Row>, u64)> {
    println!("streams over several logs");
    let simulator_port = free_port()?;
    let simulator_at = SocketAddr::from(([127, 0, 0, 1], simulator_port));
    let mut sim = simulator(guildhall, simulator_at).start(folder)?;
    sim.wait_until_ready(simulator_port, "/sim/state")?;
    let mut shapes = Vec::new();
    for (logs, guilds) in SHAPES {
        let mut shape = Shape::start(logs, guilds, guildhall, lab, folder, simulator_at, plan)
            .with_context(|| format!("{logs} logs"))?;
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
        guildhall: &Path,
        lab: &Path,
        folder: &Path,
        simulator_at: SocketAddr,
        plan: &LogsPlan,
    ) -> anyhow::Result<Self> {
        let folder = folder.join(format!("logs-{logs}-guilds-{guilds}"));
        std::fs::create_dir_all(&folder)?;
        let world = World::read(&mut Client::new(simulator_at))?;
        let guild = world.guilds.first().context("the simulator has no guild")?;
        let member = guild.members.first().context("a guild has no member")?;
        let options = FakeGatewayOptions {
            logs,
            guilds,
            member: member.user_id.parse()?,
        };
        let mut gateway = false_gateway(lab, options).start(&folder)?;
        let stdout = gateway.child.stdout.take().context("stdout is a pipe")?;
        let (link_at, stamps_at) = fake_gateway::addresses(&mut BufReader::new(stdout))?;

        let (web_port, ops_port) = (free_port()?, free_port()?);
        let web_at = SocketAddr::from(([127, 0, 0, 1], web_port));
        let environment = vec![
            ("DISCORD_URL", format!("http://{simulator_at}")),
            ("DISCORD_CLIENT_ID", world.application.id.clone()),
            (
                "DISCORD_CLIENT_SECRET",
                world.application.client_secret.clone(),
            ),
            ("LINK_TOKEN", secret()?),
            ("GATEWAY_WS_URL", format!("ws://{link_at}")),
            ("WEB_PORT", web_port.to_string()),
            ("BASE_URL", format!("http://{web_at}")),
            ("SESSION_SECRET", secret()?),
            ("STREAMS_PER_USER", (plan.streams + 100).to_string()),
            ("OPS_PORT", ops_port.to_string()),
        ];
        let mut web = role(guildhall, "web", Cpu::Measured, environment).start(&folder)?;
        web.wait_until_ready(ops_port, "/readyz")?;
        let cookie = sign_in(web_at, simulator_at, &member.user_id)?;
        let asked = (0..guilds).map(|number| format!("guild={}", fake_gateway::guild_id(number)));
        let asked: Vec<String> = asked.collect();
        let setup = Setup {
            streams_at: web_at,
            request: format!(
                "GET /api/stream?{} HTTP/1.1\r\nHost: {web_at}\r\nAccept: text/event-stream\r\n\
                 Cookie: {cookie}\r\n\r\n",
                asked.join("&")
            ),
            stamps_to: StampsTo::Bare { address: stamps_at },
        };
        let streams = Contender::of_server(lab, &folder, setup, web.id())?;
        Ok(Self {
            _gateway: gateway,
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

fn false_gateway(lab: &Path, options: FakeGatewayOptions) -> Program<'_> {
    let FakeGatewayOptions {
        logs,
        guilds,
        member,
    } = options;
    let arguments = [
        "bench-fake-gateway".to_owned(),
        format!("--logs={logs}"),
        format!("--guilds={guilds}"),
        format!("--member={member}"),
    ];
    Program {
        binary: lab,
        name: "fake-gateway",
        arguments: arguments.to_vec(),
        environment: Vec::new(),
        cpu: Cpu::Others,
        piped: true,
    }
}
