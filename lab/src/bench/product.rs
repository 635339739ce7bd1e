//! The product as it is operated: three processes that know each other by
//! environment variables alone, and a person who signed in.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::http::Client;
use super::process::{Cpu, Process, Program, free_port};
use super::restartable_gateway::Gateway;
use super::secret::secret;
use super::sign_in::sign_in;
use super::world::{Application, World};

pub(crate) struct Product {
    pub(crate) simulator: Process,
    pub(crate) gateway: Gateway,
    pub(crate) web: Process,
    pub(crate) simulator_at: SocketAddr,
    pub(crate) web_at: SocketAddr,
    /// The guild whose load user carries the stamps.
    pub(crate) guild_id: String,
    /// `NAME=VALUE` of a session of the guild's first member.
    pub(crate) cookie: String,
}

impl Product {
    /// Starts all three and signs in. `streams` is how many will be open at once.
    pub(crate) fn start(binary: &Path, folder: &Path, streams: usize) -> anyhow::Result<Self> {
        let (simulator_port, web_port) = (free_port()?, free_port()?);
        let simulator_at = SocketAddr::from(([127, 0, 0, 1], simulator_port));
        let web_at = SocketAddr::from(([127, 0, 0, 1], web_port));

        let mut simulator = simulator(binary, simulator_at).start(folder)?;
        simulator.wait_until_ready(simulator_port, "/sim/state")?;
        let world = World::read(&mut Client::new(simulator_at))?;

        let mut gateway = Gateway::new(binary, folder, Cpu::Others, simulator_at, &world)?;
        gateway.start()?;
        gateway.wait_until_live()?;

        let ops_port = free_port()?;
        let mut environment = web_environment(simulator_at, &world, &gateway)?;
        environment.extend([
            ("WEB_PORT", web_port.to_string()),
            ("BASE_URL", format!("http://{web_at}")),
            // One person holds all of them here, and those of the idle
            // measurement may still be closing.
            ("STREAMS_PER_USER", (2 * streams + 100).to_string()),
            ("OPS_PORT", ops_port.to_string()),
        ]);
        let web = role(binary, "web", Cpu::Measured, environment);
        let mut web = web.start(folder)?;
        web.wait_until_ready(ops_port, "/readyz")?;

        let guild = world.guilds.first().context("the simulator has no guild")?;
        let member = guild
            .members
            .first()
            .context("the first guild has no member")?;
        let cookie = sign_in(web_at, simulator_at, &member.user_id)?;
        Ok(Self {
            simulator,
            gateway,
            web,
            simulator_at,
            web_at,
            guild_id: guild.id.clone(),
            cookie,
        })
    }

    /// The request that opens one stream.
    pub(crate) fn stream_request(&self) -> String {
        format!(
            "GET /api/stream?guild={} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nCookie: {}\r\n\r\n",
            self.guild_id, self.web_at, self.cookie
        )
    }

    /// Asks the simulator for stamps at a rate by its own clock.
    pub(crate) fn begin_load(&self, per_second: u64, seconds: u64) -> anyhow::Result<()> {
        let body = format!(
            r#"{{"eventsPerSecond":{per_second},"seconds":{seconds},"guilds":["{}"]}}"#,
            self.guild_id
        );
        let response = Client::new(self.simulator_at).post("/sim/load", &body)?;
        if response.status != 202 {
            bail!("no load: {} {}", response.status, response.body);
        }
        Ok(())
    }

    /// How many stamps the simulator has sent, once it is done.
    pub(crate) fn load_sent(&self) -> anyhow::Result<Option<u64>> {
        let response = Client::new(self.simulator_at).get("/sim/load", &[])?;
        let load: LoadProgress = serde_json::from_str(&response.body)?;
        if let Some(why) = load.failed {
            bail!("the simulator's load failed: {why}");
        }
        Ok(load.done.then_some(load.sent))
    }
}

#[derive(Deserialize)]
struct LoadProgress {
    sent: u64,
    done: bool,
    failed: Option<String>,
}

/// What a web role is told of Discord and of its gateway, and by what its sessions are sealed. All
/// instances that are told the same share their sessions; its own ports each is told besides.
pub(crate) fn web_environment(
    simulator_at: SocketAddr,
    world: &World,
    gateway: &Gateway,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let Application {
        id, client_secret, ..
    } = &world.application;
    let link = format!("ws://127.0.0.1:{}", gateway.link_port);
    Ok(vec![
        ("DISCORD_URL", format!("http://{simulator_at}")),
        ("DISCORD_CLIENT_ID", id.clone()),
        ("DISCORD_CLIENT_SECRET", client_secret.clone()),
        ("LINK_TOKEN", gateway.link_token.clone()),
        ("GATEWAY_WS_URL", link),
        ("SESSION_SECRET", secret()?),
    ])
}

pub(crate) fn simulator(binary: &Path, listen: SocketAddr) -> Program<'_> {
    Program {
        binary,
        name: "simulator",
        arguments: vec![
            "simulator".to_owned(),
            "--listen".to_owned(),
            listen.to_string(),
        ],
        environment: vec![("RUST_LOG", "warn".to_owned())],
        cpu: Cpu::Others,
        piped: false,
    }
}

pub(crate) fn role<'a>(
    binary: &'a Path,
    name: &'static str,
    cpu: Cpu,
    mut environment: Vec<(&'static str, String)>,
) -> Program<'a> {
    environment.push(("RUST_LOG", "warn".to_owned()));
    Program {
        binary,
        name,
        arguments: vec![name.to_owned()],
        environment,
        cpu,
        piped: false,
    }
}
