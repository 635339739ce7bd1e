//! Programs that the bench starts: each on the CPU it was given, with its own
//! log file, and gone when the bench is.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::clock::now;
use super::http::Client;

const READY_WITHIN: Duration = Duration::from_secs(30);
/// An IDENTIFY may have to wait for its turn, and more than once.
const LIVE_WITHIN: Duration = Duration::from_mins(1);
/// Below what the kernel gives to port 0 and to outgoing connections.
const LASTING_PORTS: RangeInclusive<u16> = 10_000..=29_999;

/// Which CPU a process is bound to, so that what is measured does not share
/// one with what measures it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cpu {
    /// For web and bare, which never work at the same moment.
    Measured,
    /// For the reader, the simulator and the gateway.
    Others,
    /// Wherever the kernel puts it: where nothing is measured.
    Any,
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
        // One that is started again goes on in the same file.
        let log_file = File::options().create(true).append(true).open(&log)?;
        let mut command = match self.cpu.list().filter(|_| may_bind()) {
            Some(list) => {
                let mut command = Command::new("taskset");
                command.args(["--cpu-list", list]).arg(self.binary);
                command
            }
            None => Command::new(self.binary),
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
    fn list(self) -> Option<&'static str> {
        match self {
            Self::Measured => Some("0"),
            Self::Others => Some("1"),
            Self::Any => None,
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

    /// Waits until every line of the gateway's `/readyz` says ok: Discord is live and all
    /// guilds are there. Looks every two milliseconds.
    pub(crate) fn wait_until_live(&mut self, ops_port: u16) -> anyhow::Result<()> {
        let deadline = now() + LIVE_WITHIN;
        let mut ops = Client::new(([127, 0, 0, 1], ops_port).into());
        loop {
            let last = match ops.get("/readyz", &[]) {
                Ok(answer) if all_ok(&answer.body) => return Ok(()),
                Ok(answer) => answer.body,
                Err(error) => format!("{error:#}"),
            };
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended ({status}):\n{}", self.name, self.log_end());
            }
            if now() > deadline {
                let log = self.log_end();
                bail!(
                    "{} is not live after {LIVE_WITHIN:?}: {last}\n{log}",
                    self.name
                );
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends it (SIGKILL) and waits until it is gone; one that ended before is an error.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} had ended ({status}):\n{}", self.name, self.log_end());
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let id = i32::try_from(self.id())?;
        let id = Pid::from_raw(id).context("a process has an id")?;
        kill_process(id, Signal::TERM)?;
        let deadline = now() + READY_WITHIN;
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("{} ended ({status}):\n{}", self.name, self.log_end()),
                None if now() > deadline => bail!("{} does not stop", self.name),
                None => std::thread::sleep(Duration::from_millis(2)),
            }
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

/// A free port for a process that comes back on it. One that the kernel gave might be an outgoing
/// connection's while the process is away.
pub(crate) fn lasting_port() -> anyhow::Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let count = u32::from(LASTING_PORTS.end() - LASTING_PORTS.start()) + 1;
    // Two that run at the same time begin apart.
    let begin = std::process::id().wrapping_mul(97);
    for _ in 0..count {
        let step = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % count;
        let port = LASTING_PORTS.start() + u16::try_from(step)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("{count} ports are taken")
}

fn all_ok(readyz: &str) -> bool {
    let mut lines = readyz.lines().peekable();
    lines.peek().is_some() && lines.all(|line| line.contains(": ok: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_is_when_no_line_says_otherwise() {
        assert!(all_ok("discord: ok: connected\njournal: ok: kept\n"));
        assert!(!all_ok(
            "discord: ok: connected\nguilds: degraded: not all\n"
        ));
        assert!(!all_ok(""));
    }

    #[test]
    fn a_lasting_port_is_given_once() {
        let ports = [lasting_port().expect("free"), lasting_port().expect("free")];
        assert_ne!(ports[0], ports[1]);
        assert!(ports.iter().all(|port| LASTING_PORTS.contains(port)));
    }
}
