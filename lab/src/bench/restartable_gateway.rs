//! A gateway whose journal and ports outlive its process, so that it can be killed and started
//! again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::process::{Cpu, Process, Program, lasting_port};
use super::secret::secret;
use super::world::World;

pub(crate) struct Gateway {
    binary: PathBuf,
    folder: PathBuf,
    cpu: Cpu,
    environment: Vec<(&'static str, String)>,
    pub(crate) link_port: u16,
    pub(crate) link_token: String,
    pub(crate) ops_port: u16,
    process: Option<Process>,
}

impl Gateway {
    /// Not started yet. Its journal will be in `folder`.
    pub(crate) fn new(
        binary: &Path,
        folder: &Path,
        cpu: Cpu,
        simulator_at: SocketAddr,
        world: &World,
    ) -> anyhow::Result<Self> {
        let (link_port, ops_port) = (lasting_port()?, lasting_port()?);
        let link_token = secret()?;
        let environment = vec![
            ("DISCORD_URL", format!("http://{simulator_at}")),
            ("DISCORD_BOT_TOKEN", world.application.bot_token.clone()),
            ("LINK_TOKEN", link_token.clone()),
            ("GATEWAY_WS_PORT", link_port.to_string()),
            ("OPS_PORT", ops_port.to_string()),
            ("DATA_DIR", folder.join("data").display().to_string()),
            ("RUST_LOG", "warn".to_owned()),
        ];
        Ok(Self {
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            cpu,
            environment,
            link_port,
            link_token,
            ops_port,
            process: None,
        })
    }

    /// Changes a setting from the next start on.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value.to_owned()));
    }

    /// Another build, from the next start on.
    pub(crate) fn set_binary(&mut self, binary: &Path) {
        binary.clone_into(&mut self.binary);
    }

    pub(crate) fn start(&mut self) -> anyhow::Result<()> {
        let program = Program {
            binary: &self.binary,
            name: "gateway",
            arguments: vec!["gateway".to_owned()],
            environment: self.environment.clone(),
            cpu: self.cpu,
            piped: false,
        };
        self.process = Some(program.start(&self.folder)?);
        Ok(())
    }

    /// Waits until Discord is live and every guild is there.
    pub(crate) fn wait_until_live(&mut self) -> anyhow::Result<()> {
        let port = self.ops_port;
        self.running()?.wait_until_live(port)
    }

    /// Ends it at once (SIGKILL); one that ended by itself is an error.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        self.running()?.end()?;
        self.process = None;
        Ok(())
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        self.process.take().context(NOT_STARTED)?.stop()
    }

    pub(crate) fn id(&self) -> anyhow::Result<u32> {
        Ok(self.process.as_ref().context(NOT_STARTED)?.id())
    }

    /// What its journal takes on the disk.
    pub(crate) fn journal_bytes(&self) -> u64 {
        let length = |name| {
            let file = self.folder.join("data").join(name);
            std::fs::metadata(file).map_or(0, |metadata| metadata.len())
        };
        length("gateway.sqlite3") + length("gateway.sqlite3-wal")
    }

    pub(crate) fn log_end(&self) -> String {
        self.process
            .as_ref()
            .map(Process::log_end)
            .unwrap_or_default()
    }

    fn running(&mut self) -> anyhow::Result<&mut Process> {
        self.process.as_mut().context(NOT_STARTED)
    }
}

const NOT_STARTED: &str = "the gateway does not run";
