//! A web role behind a false gateway, whose sessions people sign in to by the simulator.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;

use super::fake_gateway::FakeGatewayOptions;
use super::http::Client;
use super::process::{Cpu, Process, free_port};
use super::product::{role, simulator};
use super::secret::secret;
use super::world::World;

/// What all of them share.
pub(crate) struct FakeStage<'a> {
    pub(crate) guildhall: &'a Path,
    pub(crate) lab: &'a Path,
    pub(crate) folder: &'a Path,
    pub(crate) simulator_at: SocketAddr,
    pub(crate) world: World,
    /// A session of one is good on all.
    session_secret: String,
    _simulator: Process,
}

/// One web role with its gateway.
pub(crate) struct FakedWeb {
    // Kept so that it lives as long as the web role.
    _gateway: Process,
    pub(crate) web: Process,
    pub(crate) web_at: SocketAddr,
    pub(crate) stamps_at: SocketAddr,
}

impl<'a> FakeStage<'a> {
    /// Starts the simulator.
    pub(crate) fn set(
        guildhall: &'a Path,
        lab: &'a Path,
        folder: &'a Path,
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        let simulator_at = SocketAddr::from(([127, 0, 0, 1], port));
        let mut simulator = simulator(guildhall, simulator_at).start(folder)?;
        simulator.wait_until_ready(port, "/sim/state")?;
        Ok(Self {
            guildhall,
            lab,
            folder,
            simulator_at,
            world: World::read(&mut Client::new(simulator_at))?,
            session_secret: secret()?,
            _simulator: simulator,
        })
    }

    /// A person of the simulator.
    pub(crate) fn person(&self) -> anyhow::Result<&str> {
        let guild = self
            .world
            .guilds
            .first()
            .context("the simulator has no guild")?;
        let member = guild.members.first().context("a guild has no member")?;
        Ok(&member.user_id)
    }

    /// Starts a web role for so many streams. `name`: of its folder.
    pub(crate) fn web(
        &self,
        name: &str,
        options: FakeGatewayOptions,
        streams: usize,
    ) -> anyhow::Result<FakedWeb> {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder)?;
        let (gateway, link_at, stamps_at) = options.start(self.lab, &folder)?;
        let (web_port, ops_port) = (free_port()?, free_port()?);
        let web_at = SocketAddr::from(([127, 0, 0, 1], web_port));
        let application = &self.world.application;
        let streams = (streams + 100).to_string();
        let environment = vec![
            ("DISCORD_URL", format!("http://{}", self.simulator_at)),
            ("DISCORD_CLIENT_ID", application.id.clone()),
            ("DISCORD_CLIENT_SECRET", application.client_secret.clone()),
            ("LINK_TOKEN", secret()?),
            ("GATEWAY_WS_URL", format!("ws://{link_at}")),
            ("WEB_PORT", web_port.to_string()),
            ("BASE_URL", format!("http://{web_at}")),
            ("SESSION_SECRET", self.session_secret.clone()),
            ("STREAMS_PER_USER", streams.clone()),
            ("STREAMS_PER_ADDRESS", streams),
            ("OPS_PORT", ops_port.to_string()),
        ];
        let mut web = role(self.guildhall, "web", Cpu::Measured, environment).start(&folder)?;
        web.wait_until_ready(ops_port, "/readyz")?;
        Ok(FakedWeb {
            _gateway: gateway,
            web,
            web_at,
            stamps_at,
        })
    }
}

impl FakedWeb {
    /// The request of a stream about these guilds. `cookie`: `NAME=VALUE` of a session.
    pub(crate) fn request(&self, guilds: u16, cookie: &str) -> String {
        let asked =
            (0..guilds).map(|number| format!("guild={}", super::fake_gateway::guild_id(number)));
        let asked: Vec<String> = asked.collect();
        format!(
            "GET /api/stream?{} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n\
             Cookie: {cookie}\r\n\r\n",
            asked.join("&"),
            self.web_at
        )
    }
}
