//! `cargo xtask test`: everything that must be true before a change is merged.
//!
//! All cargo calls but one name `--workspace` and the same profile, so that each crate is compiled
//! once with one set of features; clippy and rustdoc share what was only checked.

use clap::ValueEnum;
use subprocess::cargo::{self, cargo};
use subprocess::command;

use crate::metadata::{Metadata, metadata};
use crate::steps::Steps;
use crate::{codegen, lab, needs, tidy, ui};

/// Test binaries that work with real processes and sockets, each in a step of its own.
const LARGE: [&str; 3] = ["it", "libraries", "simulation"];

/// The parts of the suite that can be asked for by themselves.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Everything (the same as naming no part)
    All,
    /// Format, lints, house rules, unit tests of Rust and of the page
    Unit,
    /// The whole house: real processes, a real browser
    Integration,
    /// Random runs: the gateway's log by the simulator's state, what is shown by discord.py
    Simulation,
    /// What costs more, and is no part of everything: whether the tests notice what is broken on
    /// purpose, an older build beside this one, fifty kills in a row, and the oracle for longer
    Slow,
}

pub(crate) fn run(part: Part) -> anyhow::Result<()> {
    let mut steps = Steps::begin();
    match part {
        Part::Unit => {
            steps.step("needs", || needs::of_scripts(&cargo::root()))?;
            unit(&mut steps)?;
        }
        Part::Integration => {
            steps.step("needs", needs_of_integration)?;
            integration(&mut steps)?;
        }
        Part::Simulation => simulation(&mut steps)?,
        Part::Slow => slow(&mut steps)?,
        Part::All => {
            steps.step("needs", || needs::programs(&cargo::root()))?;
            steps.step("lock files of npm and pip", lock_files_hold)?;
            unit(&mut steps)?;
            steps.step("ui/dist is clean", ui::dist_is_clean)?;
            steps.step("bans, licences, sources", needs::deny)?;
            steps.step("documentation", documentation)?;
            integration(&mut steps)?;
            simulation(&mut steps)?;
        }
    }
    println!("\n{}", steps.table());
    Ok(())
}

fn needs_of_integration() -> anyhow::Result<()> {
    let root = cargo::root();
    needs::programs(&root)?;
    for folder in needs::npm_folders(&root)? {
        needs::npm_packages(&folder)?;
    }
    needs::python_libraries(&root, &[])
}

/// Installs everything from nothing: a lock file that works on one machine only cannot pass.
fn lock_files_hold() -> anyhow::Result<()> {
    for folder in needs::npm_folders(&cargo::root())? {
        needs::npm_packages_afresh(&folder)?;
    }
    needs::python_libraries(&cargo::root(), &["--afresh"])
}

fn unit(steps: &mut Steps) -> anyhow::Result<()> {
    steps.step("format", || run_cargo("fmt --all --check"))?;
    steps.step("tidy", tidy::run)?;
    steps.step("generated files are clean", codegen::is_clean)?;
    steps.step("client: types and tests", || ui::npm("client", "check"))?;
    steps.step("page: types and tests", || ui::npm("ui", "check"))?;
    steps.step("clippy", || {
        run_cargo("clippy --locked --workspace --all-targets -- -D warnings")
    })?;
    steps.step("the binary without its simulator", || {
        run_cargo("clippy --locked --package guildhall --no-default-features -- -D warnings")
    })?;
    steps.step("unit tests", || {
        let mut arguments = vec!["test", "--locked", "--workspace", "--lib", "--bins"];
        let metadata = metadata()?;
        for name in small_test_binaries(&metadata) {
            arguments.extend(["--test", name]);
        }
        command::run(cargo(arguments))
    })?;
    steps.step("examples in the documentation", || {
        run_cargo("test --locked --workspace --doc")
    })
}

fn documentation() -> anyhow::Result<()> {
    let mut command = cargo(["doc", "--locked", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command::run(command)
}

/// The page alone first: when it is broken, the whole house only tells later.
fn integration(steps: &mut Steps) -> anyhow::Result<()> {
    steps.step("the OpenAPI document is valid", codegen::is_valid)?;
    steps.step("client: the package", || ui::npm("client", "prove"))?;
    steps.step("page in Chromium", || ui::npm("tests/browser", "selftest"))?;
    steps.step("libraries against the simulator", || {
        run_tests("libraries", " -- --nocapture")
    })?;
    steps.step("whole-house tests", || {
        run_tests("it", " -- --skip oracle::")
    })?;
    steps.step("journeys in Chromium", ui::journeys)
}

fn simulation(steps: &mut Steps) -> anyhow::Result<()> {
    steps.step("simulation tests", || {
        run_tests("simulation", " -- --nocapture")
    })?;
    steps.step("the oracle", || oracle(1))
}

fn oracle(runs: u32) -> anyhow::Result<()> {
    needs::python_libraries(&cargo::root(), &[])?;
    let more = format!(" --config env.ORACLE_RUNS='{runs}' oracle:: -- --nocapture");
    run_tests("it", &more)
}

/// Mutations build a copy of the tree again and again, and chaos needs the release build.
fn slow(steps: &mut Steps) -> anyhow::Result<()> {
    steps.step("the oracle, for longer", || oracle(8))?;
    steps.step("mutations", || lab::start::<&str>("mutations", &[]))?;
    steps.step("the link's version before this one", || {
        lab::start::<&str>("versions", &[])
    })?;
    steps.step("chaos: the gateway killed", || {
        lab::start::<&str>("chaos", &[])
    })?;
    steps.step("chaos: web killed, too", || lab::start("chaos", &["--web"]))
}

fn run_tests(name: &str, more: &str) -> anyhow::Result<()> {
    run_cargo(&format!("test --locked --workspace --test {name}{more}"))
}

fn run_cargo(words: &str) -> anyhow::Result<()> {
    command::run(cargo(words.split(' ')))
}

/// Test binaries of single crates: `--lib --bins` does not reach them.
fn small_test_binaries(metadata: &Metadata) -> Vec<&str> {
    let mut names: Vec<&str> = metadata
        .ours()
        .flat_map(|package| &package.targets)
        .filter(|target| target.kind.iter().any(|kind| kind == "test"))
        .map(|target| target.name.as_str())
        .filter(|name| !LARGE.contains(name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
