//! `cargo xtask test slow`, a part of it: the last build that spoke version 1 of the link beside
//! this one, as in a rolling update.
//!
//! Whichever of the two roles is the older one, both logs say in a sentence which versions met and
//! what to do, the web role goes on dialling, and is served as soon as its peer is the right one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use subprocess::cargo::{self, cargo};
use subprocess::command::{self, command};

use crate::bench::clock::now;
use crate::bench::http::Client;
use crate::bench::process::{Cpu, Process, Program, lasting_port};
use crate::bench::product::{simulator, web_environment};
use crate::bench::restartable_gateway::Gateway;
use crate::bench::world::World;
use crate::binary;

/// The last commit whose build speaks version 1 of the link.
const VERSION_1: &str = "0c972b6c79d9b88cb24cc2026e71f2e3609a8628";
/// The wait between two dials is 16 s at most, and a debug build is slow.
const WITHIN: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Builds the older one, and has each role of it meet the other role of today's.
pub(crate) fn run() -> anyhow::Result<()> {
    let older = built(VERSION_1)?;
    let todays = binary::guildhall("debug", true)?;
    let folder = std::env::temp_dir().join(format!("guildhall-versions-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    meet(&older, &todays, &folder)
        .with_context(|| format!("the logs are in {}", folder.display()))?;
    fs::remove_dir_all(&folder)?;
    Ok(())
}

fn meet(older: &Path, todays: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut meeting = Meeting::start(todays, older, folder)?;
    let mut web = meeting.web(todays, "web", folder)?;
    let sentence = sentence(1, 2);
    web.until_refused_twice(&sentence)?;
    meeting.until_gateway_said(&sentence)?;
    println!("a gateway of version 1, a web role of today: {sentence}");
    meeting.gateway.stop()?;
    meeting.gateway.set_binary(todays);
    meeting.gateway.start()?;
    meeting.gateway.wait_until_live()?;
    web.until_served()?;
    println!("its gateway is today's now: served");

    let mut old_web = meeting.web(older, "web-of-version-1", folder)?;
    let sentence = self::sentence(2, 1);
    old_web.until_refused_twice(&sentence)?;
    meeting.until_gateway_said(&sentence)?;
    println!("a gateway of today, a web role of version 1: {sentence}");
    drop(old_web);
    web.until_served()?;
    meeting.web(todays, "another-web", folder)?.until_served()?;
    println!("web roles of today beside it: served");
    Ok(())
}

fn sentence(gateway: u32, web: u32) -> String {
    format!(
        "the gateway speaks version {gateway} of the link, the web role version {web}: run the \
         same release on both sides"
    )
}

/// The binary of a commit, built beneath `target`, where it stays.
fn built(commit: &str) -> anyhow::Result<PathBuf> {
    let root = cargo::root();
    let object = format!("{commit}^{{commit}}");
    if !command::works(command("git", ["cat-file", "-e", &object], &root)) {
        bail!(
            "the commit {commit}, the last that speaks version 1 of the link, is not in this \
             clone: is it a shallow one? `git fetch --unshallow`"
        );
    }
    let place = root.join("target/versions").join(commit);
    let tree = place.join("tree");
    fs::create_dir_all(&tree)?;
    let archive = place.join("tree.tar");
    let [archive, unpacked] = [&archive, &tree].map(|path| path.display().to_string());
    command::run(command(
        "git",
        ["archive", "--output", &archive, commit],
        &root,
    ))?;
    command::run(command("tar", ["-xf", &archive, "-C", &unpacked], &root))?;
    let mut build: Command = cargo(["build", "--locked", "--package", "guildhall"]);
    let target = place.join("built");
    build.current_dir(&tree).env("CARGO_TARGET_DIR", &target);
    command::run(build)?;
    Ok(target.join("debug/guildhall"))
}

struct Meeting {
    gateway: Gateway,
    /// What a web role is told.
    environment: Vec<(&'static str, String)>,
    gateway_log: PathBuf,
    _simulator: Process,
}

impl Meeting {
    /// A simulator of today's build, and a gateway.
    fn start(todays: &Path, gateway: &Path, folder: &Path) -> anyhow::Result<Self> {
        let simulator_at = ([127, 0, 0, 1], lasting_port()?).into();
        let mut simulator = Program {
            cpu: Cpu::Any,
            ..simulator(todays, simulator_at)
        }
        .start(folder)?;
        simulator.wait_until_listening(simulator_at)?;
        let world = World::read(&mut Client::new(simulator_at))?;
        let mut gateway = Gateway::new(gateway, folder, Cpu::Any, simulator_at, &world)?;
        gateway.start()?;
        gateway.wait_until_live()?;
        let mut environment = web_environment(simulator_at, &world, &gateway)?;
        environment.push(("RUST_LOG", "warn".to_owned()));
        Ok(Self {
            gateway,
            environment,
            gateway_log: folder.join("gateway.log"),
            _simulator: simulator,
        })
    }

    fn web(&self, binary: &Path, name: &'static str, folder: &Path) -> anyhow::Result<WebRole> {
        let (port, ops_port) = (lasting_port()?, lasting_port()?);
        let mut environment = self.environment.clone();
        environment.push(("WEB_PORT", port.to_string()));
        environment.push(("OPS_PORT", ops_port.to_string()));
        let process = Program {
            binary,
            name,
            arguments: vec!["web".to_owned()],
            environment,
            cpu: Cpu::Any,
            piped: false,
        }
        .start(folder)?;
        Ok(WebRole {
            process,
            ops_port,
            log: folder.join(format!("{name}.log")),
        })
    }

    fn until_gateway_said(&self, sentence: &str) -> anyhow::Result<()> {
        until("the gateway's log says so", || {
            Ok(said(&self.gateway_log, sentence))
        })
    }
}

struct WebRole {
    process: Process,
    ops_port: u16,
    log: PathBuf,
}

impl WebRole {
    fn until_refused_twice(&mut self, sentence: &str) -> anyhow::Result<()> {
        let mut ops = Client::new(([127, 0, 0, 1], self.ops_port).into());
        until("the web role says so, and dials again", || {
            if let Some(status) = self.process.child.try_wait()? {
                bail!("it ended ({status}):\n{}", self.process.log_end());
            }
            // It may not listen yet.
            let answered = ops.get("/metrics", &[]).map(|answer| answer.body);
            let metrics = answered.unwrap_or_default();
            let failures = metrics
                .lines()
                .find_map(|line| line.strip_prefix("guildhall_link_failures_total "));
            let failures: u32 = failures.unwrap_or("0").parse()?;
            Ok(failures >= 2 && said(&self.log, sentence))
        })
    }

    /// Every line of its `/readyz` says ok: it has the world, and the link is up.
    fn until_served(&mut self) -> anyhow::Result<()> {
        self.process.wait_until_live(self.ops_port)
    }
}

fn said(log: &Path, sentence: &str) -> bool {
    fs::read_to_string(log).is_ok_and(|text| text.contains(sentence))
}

fn until(what: &str, mut so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let deadline = now() + WITHIN;
    while !so()? {
        if now() > deadline {
            bail!("not within {WITHIN:?}: {what}");
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}
