//! Programs that the bench starts: each on the CPU it was given, with its own
//! log file, and gone when the bench is.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use super::clock::now;
use super::http::Client;

const READY_WITHIN: Duration = Duration::from_secs(30);

/// Which CPU a process is bound to, so that what is measured does not share
/// one with what measures it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cpu {
    /// For web and bare, which never work at the same moment.
    Measured,
    /// For the reader, the simulator and the gateway.
    Others,
}

/// How a program is started.
pub(crate) struct Program<'a> {
    pub(crate) binary: &'a Path,
    pub(crate) name: &'static str,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) cpu: Cpu,
    /// Whether stdin and stdout are pipes to the bench.
    pub(crate) piped: bool,
}

/// A running program; dropping it kills it.
pub(crate) struct Process {
    pub(crate) name: &'static str,
    pub(crate) child: Child,
    log: PathBuf,
}

impl Program<'_> {
    /// Starts it in `folder`, where its log will be. It inherits nothing of our
    /// environment, so that settings of this machine do not count.
    pub(crate) fn start(self, folder: &Path) -> anyhow::Result<Process> {
        let log = folder.join(format!("{}.log", self.name));
        let log_file = File::create(&log)?;
        let mut command = if may_bind() {
            let mut command = Command::new("taskset");
            command
                .args(["--cpu-list", self.cpu.list()])
                .arg(self.binary);
            command
        } else {
            Command::new(self.binary)
        };
        command
            .args(&self.arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .envs(self.environment)
            .current_dir(folder)
            .stderr(log_file.try_clone()?);
        if self.piped {
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
        } else {
            command.stdin(Stdio::null()).stdout(log_file);
        }
        let child = command
            .spawn()
            .with_context(|| format!("{} could not be started", self.binary.display()))?;
        Ok(Process {
            name: self.name,
            child,
            log,
        })
    }
}

impl Cpu {
    fn list(self) -> &'static str {
        match self {
            Self::Measured => "0",
            Self::Others => "1",
        }
    }
}

/// With one CPU there is nothing to part.
pub(crate) fn may_bind() -> bool {
    std::thread::available_parallelism().is_ok_and(|cpus| cpus.get() >= 2)
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns within a millisecond of the moment when it takes connections.
    pub(crate) fn wait_until_listening(&mut self, at: SocketAddr) -> anyhow::Result<()> {
        let deadline = now() + READY_WITHIN;
        while let Err(error) = TcpStream::connect(at) {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended ({status}):\n{}", self.name, self.log_end());
            }
            if now() > deadline {
                bail!(
                    "{} does not listen after {READY_WITHIN:?}: {error}",
                    self.name
                );
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Waits until `GET path` is answered with 200.
    pub(crate) fn wait_until_ready(&mut self, port: u16, path: &str) -> anyhow::Result<()> {
        let deadline = now() + READY_WITHIN;
        loop {
            let last = match Client::new(([127, 0, 0, 1], port).into()).get(path, &[]) {
                Ok(response) if response.status == 200 => return Ok(()),
                Ok(response) => format!("{} {}", response.status, response.body),
                Err(error) => format!("{error:#}"),
            };
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended ({status}):\n{}", self.name, self.log_end());
            }
            if now() > deadline {
                bail!(
                    "{} is not ready after {READY_WITHIN:?}: {last}\n{}",
                    self.name,
                    self.log_end()
                );
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The last lines of its log.
    pub(crate) fn log_end(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
