//! The product as it is operated, each process on a port that it keeps: one simulator, one
//! gateway, and two web instances that share their secrets, with a proxy before each of their links and
//! one before their browsers. What is ended is ended by its id.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::browser::Address;
use super::faults::Faults;
use super::picture::Picture;
use super::viewers::{self, CHANGING, Onlooker, RightsChanges};
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
    pub(crate) viewers: [Onlooker; 4],
    pub(crate) faults: Faults,
    /// One of each viewer's sessions.
    cookies: Vec<String>,
    _simulator: Process,
}

/// One web instance.
pub(crate) struct Web {
    binary: PathBuf,
    folder: PathBuf,
    pub(crate) name: &'static str,
    environment: Vec<(&'static str, String)>,
    pub(crate) at: SocketAddr,
    /// Where its browsers come in.
    proxy_at: SocketAddr,
    ops_port: u16,
    process: Process,
}

impl House {
    /// Starts all of it, live, and signs four people in. `window`: events that are
    /// kept for a browser or an instance that comes back.
    pub(crate) fn start(
        binary: &Path,
        folder: &Path,
        window: u64,
        streams: usize,
    ) -> anyhow::Result<(Self, RightsChanges)> {
        let simulator_at = SocketAddr::from(([127, 0, 0, 1], lasting_port()?));
        let mut simulator = Program {
            cpu: Cpu::Any,
            ..simulator(binary, simulator_at)
        }
        .start(folder)?;
        simulator.wait_until_listening(simulator_at)?;
        let world = World::read(&mut Client::new(simulator_at))?;
        let guild = world.guilds.first().context("the simulator has no guild")?;
        let (viewers, changes) = viewers::bring(simulator_at)?;
        let mut faults = Faults::new()?;

        let mut gateway = Gateway::new(binary, folder, Cpu::Any, simulator_at, &world)?;
        gateway.set("LOG_WINDOW", &window.to_string());
        // Every start in one file: for whoever looks for a fault.
        gateway.set("RUST_LOG", "info");
        // So that a change of somebody's rights is heard of at once.
        gateway.set("DISCORD_INTENTS", "members");
        gateway.start()?;
        gateway.wait_until_live()?;

        let mut common = web_environment(simulator_at, &world, &gateway)?;
        common.extend([
            ("LOG_WINDOW", window.to_string()),
            // One person has all of them, and those that were cut may still be closing.
            ("STREAMS_PER_USER", (4 * streams + 100).to_string()),
            ("RUST_LOG", "warn".to_owned()),
        ]);
        let link_at = SocketAddr::from(([127, 0, 0, 1], gateway.link_port));
        let mut webs = Vec::new();
        for name in ["web-1", "web-2"] {
            webs.push(Web::start(
                binary,
                folder,
                name,
                &common,
                link_at,
                &mut faults,
            )?);
        }
        let cookies = viewers
            .iter()
            .map(|viewer| sign_in(webs[0].at, simulator_at, &viewer.user_id));
        let cookies = cookies.collect::<anyhow::Result<Vec<_>>>()?;
        let house = Self {
            gateway,
            simulator_at,
            guild_id: guild.id.clone(),
            viewers,
            faults,
            cookies,
            webs,
            _simulator: simulator,
        };
        Ok((house, changes))
    }

    /// Whose stream number `number` is: each viewer has one on each instance, and so on.
    pub(crate) fn viewer(&self, number: usize) -> usize {
        number / self.webs.len() % self.viewers.len()
    }

    /// Where stream number `number` is: in turn on each instance.
    pub(crate) fn address(&self, number: usize) -> Address {
        let viewer = self.viewer(number);
        Address {
            at: self.webs[number % self.webs.len()].proxy_at,
            guild_id: self.named_to(viewer).map(str::to_owned),
            cookie: self.cookies[viewer].clone(),
        }
    }

    /// A guild that is named is refused to who is no member of it.
    fn named_to(&self, viewer: usize) -> Option<&str> {
        (viewer != CHANGING).then_some(self.guild_id.as_str())
    }

    /// What an instance answers to who asks once; `None` while it can't say.
    pub(crate) fn picture(&self, web: &Web, viewer: usize) -> anyhow::Result<Option<Picture>> {
        let cookie = &self.cookies[viewer];
        let query = self.named_to(viewer);
        let query = query.map_or_else(String::new, |id| format!("?guild={id}"));
        let path = format!("/api/state{query}");
        let answer = Client::new(web.at).get(&path, &[("Cookie", cookie)])?;
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
        link_at: SocketAddr,
        faults: &mut Faults,
    ) -> anyhow::Result<Self> {
        let (port, ops_port) = (lasting_port()?, lasting_port()?);
        let at = SocketAddr::from(([127, 0, 0, 1], port));
        let link_at = faults.put_before(&format!("the link of {name}"), link_at)?;
        let proxy_at = faults.put_before(&format!("the streams of {name}"), at)?;
        let mut environment = common.to_vec();
        environment.retain(|(known, _)| *known != "GATEWAY_WS_URL");
        environment.extend([
            ("GATEWAY_WS_URL", format!("ws://{link_at}")),
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
            proxy_at,
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
