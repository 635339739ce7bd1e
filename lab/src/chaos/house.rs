//! The product as it is operated, each process on a port that it keeps: one simulator, one
//! gateway, and two web instances that share their secrets. What is ended is ended by its id.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::browser::Address;
use super::picture::Picture;
use crate::bench::http::Client;
use crate::bench::process::{Cpu, Process, Program, lasting_port};
use crate::bench::product::{simulator, web_environment};
use crate::bench::restartable_gateway::Gateway;
use crate::bench::sign_in::sign_in;
use crate::bench::world::World;

pub(crate) struct House {
    pub(crate) gateway: Gateway,
    pub(crate) simulator_at: SocketAddr,
    pub(crate) webs: Vec<Web>,
    pub(crate) guild_id: String,
    cookie: String,
    _simulator: Process,
}

/// One web instance.
pub(crate) struct Web {
    binary: PathBuf,
    folder: PathBuf,
    pub(crate) name: &'static str,
    environment: Vec<(&'static str, String)>,
    pub(crate) at: SocketAddr,
    ops_port: u16,
    process: Process,
}

impl House {
    /// Starts all of it, live, and signs the guild's first member in. `window`: events that are
    /// kept for a browser or an instance that comes back.
    pub(crate) fn start(
        binary: &Path,
        folder: &Path,
        window: u64,
        streams: usize,
    ) -> anyhow::Result<Self> {
        let simulator_at = SocketAddr::from(([127, 0, 0, 1], lasting_port()?));
        let mut simulator = Program {
            cpu: Cpu::Any,
            ..simulator(binary, simulator_at)
        }
        .start(folder)?;
        simulator.wait_until_listening(simulator_at)?;
        let world = World::read(&mut Client::new(simulator_at))?;
        let guild = world.guilds.first().context("the simulator has no guild")?;
        let viewer = guild.members.first().context("the guild has no member")?;

        let mut gateway = Gateway::new(binary, folder, Cpu::Any, simulator_at, &world)?;
        gateway.set("LOG_WINDOW", &window.to_string());
        // Every start in one file: for whoever looks for a fault.
        gateway.set("RUST_LOG", "info");
        gateway.start()?;
        gateway.wait_until_live()?;

        let mut common = web_environment(simulator_at, &world, &gateway)?;
        common.extend([
            ("LOG_WINDOW", window.to_string()),
            // One person has all of them, and those that were cut may still be closing.
            ("STREAMS_PER_USER", (4 * streams + 100).to_string()),
            ("RUST_LOG", "warn".to_owned()),
        ]);
        let webs = ["web-1", "web-2"].map(|name| Web::start(binary, folder, name, &common));
        let webs = webs.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
        let cookie = sign_in(webs[0].at, simulator_at, &viewer.user_id)?;
        Ok(Self {
            gateway,
            simulator_at,
            guild_id: guild.id.clone(),
            cookie,
            webs,
            _simulator: simulator,
        })
    }

    /// Where stream number `number` is: in turn on each instance.
    pub(crate) fn address(&self, number: usize) -> Address {
        Address {
            at: self.webs[number % self.webs.len()].at,
            guild_id: self.guild_id.clone(),
            cookie: self.cookie.clone(),
        }
    }

    /// What an instance answers to who asks once; `None` while it can't say.
    pub(crate) fn picture(&self, web: &Web) -> anyhow::Result<Option<Picture>> {
        let path = format!("/api/state?guild={}", self.guild_id);
        let answer = Client::new(web.at).get(&path, &[("Cookie", &self.cookie)])?;
        (answer.status == 200)
            .then(|| Picture::of(&answer.body))
            .transpose()
    }
}

impl Web {
    fn start(
        binary: &Path,
        folder: &Path,
        name: &'static str,
        common: &[(&'static str, String)],
    ) -> anyhow::Result<Self> {
        let (port, ops_port) = (lasting_port()?, lasting_port()?);
        let at = SocketAddr::from(([127, 0, 0, 1], port));
        let mut environment = common.to_vec();
        environment.extend([
            ("WEB_PORT", port.to_string()),
            ("BASE_URL", format!("http://{at}")),
            ("OPS_PORT", ops_port.to_string()),
        ]);
        let mut process = program(binary, name, &environment).start(folder)?;
        process.wait_until_ready(ops_port, "/readyz")?;
        Ok(Self {
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            name,
            environment,
            at,
            ops_port,
            process,
        })
    }

    /// SIGKILL, and the same again on the same port. Ready or not: the gateway may be away.
    pub(crate) fn kill_and_start(&mut self) -> anyhow::Result<()> {
        self.process.end()?;
        let program = program(&self.binary, self.name, &self.environment);
        self.process = program.start(&self.folder)?;
        Ok(())
    }

    pub(crate) fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        self.process.wait_until_ready(self.ops_port, "/readyz")
    }
}

fn program<'a>(
    binary: &'a Path,
    name: &'static str,
    environment: &[(&'static str, String)],
) -> Program<'a> {
    Program {
        binary,
        name,
        arguments: vec!["web".to_owned()],
        environment: environment.to_vec(),
        cpu: Cpu::Any,
        piped: false,
    }
}
