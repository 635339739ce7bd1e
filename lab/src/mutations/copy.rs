//! The tree once more, to be broken.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, bail};
use subprocess::cargo::cargo;
use subprocess::command::{self, command};

use super::patch::{Judge, Patch};
use super::tried::{Tried, complaint, tried};

/// Once compiled, a test has so long to notice: more, and nobody runs it while he writes.
const NOTICES_WITHIN: Duration = Duration::from_mins(1);

/// Where nothing is broken it tries all that it has, which takes a slow machine minutes.
const PASSES_WITHIN: Duration = Duration::from_mins(5);

/// Simulation runs that each mutant must survive to be an error. The first that fails is enough.
const RUNS: &str = "40";
/// How the simulation names the run that failed, and what it says of it.
const FAILED: &str = "the run of seed ";
const WRONG: &str = "what is wrong:";
/// The simulation tests, as cargo calls them.
const SIMULATION: [&str; 7] = [
    "test",
    "--quiet",
    "--locked",
    "-p",
    "guildhall",
    "--test",
    "simulation",
];

/// The tree once more, beneath `target`. It stays, so that only what differs is built again.
pub(super) struct Copy {
    root: PathBuf,
    /// Holds the two below.
    place: PathBuf,
    tree: PathBuf,
    /// What was built of it, all dependencies included. In a folder that both share cargo takes a
    /// package of one for the other's: it goes by the path beneath the workspace's root.
    built: PathBuf,
}

impl Copy {
    pub(super) fn of(root: &Path) -> anyhow::Result<Self> {
        let place = root.join("target/mutations");
        let copy = Self {
            root: root.to_owned(),
            tree: place.join("tree"),
            built: place.join("built"),
            place,
        };
        copy.refresh()?;
        Ok(copy)
    }

    /// Makes it equal to the tree, and leaves alone what is equal already.
    fn refresh(&self) -> anyhow::Result<()> {
        let wanted = files(&self.root)?;
        for file in &wanted {
            let (from, to) = (self.root.join(file), self.tree.join(file));
            let bytes =
                fs::read(&from).with_context(|| format!("{} can't be read", from.display()))?;
            if fs::read(&to).is_ok_and(|there| there == bytes) {
                continue;
            }
            let folder = to.parent().unwrap_or(&self.tree);
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&to, bytes))
                .with_context(|| format!("{} can't be written", to.display()))?;
        }
        let mut there = BTreeSet::new();
        walk(&self.tree, &self.tree, &mut there)?;
        for left in there.difference(&wanted) {
            fs::remove_file(self.tree.join(left))
                .with_context(|| format!("{} can't be removed", left.display()))?;
        }
        Ok(())
    }

    /// The simulation tests before anything is broken.
    pub(super) fn simulate_unchanged(&self, count: &str) -> anyhow::Result<()> {
        self.build_simulation()?;
        let output = self.simulate(count)?;
        if !output.status.success() {
            bail!(
                "the simulation tests fail without any mutation:\n{}",
                last(&output)
            );
        }
        Ok(())
    }

    /// A test that a patch names, before anything is broken: it passes, and it is one.
    pub(super) fn try_unchanged(&self, test: &[String]) -> anyhow::Result<Tried> {
        self.build_test(test)?;
        let outcome = self.try_test(test, PASSES_WITHIN)?;
        if !outcome.status.success() {
            bail!("it fails without any mutation:\n{}", end_of(&outcome.said));
        }
        if !outcome.said.contains("... ok") {
            bail!("there is no such test");
        }
        Ok(outcome)
    }

    /// Applies a patch, and answers what noticed it.
    pub(super) fn mutate(&self, patch: &Patch) -> anyhow::Result<String> {
        let applied = self
            .git(["apply".as_ref(), patch.path.as_os_str()])
            .output()?;
        if !applied.status.success() {
            let why = String::from_utf8_lossy(&applied.stderr);
            bail!("the patch no longer applies: write it anew\n{why}");
        }
        let noticed = match &patch.judge {
            Judge::Simulation => self.by_simulation(),
            Judge::Test(test) => self.by_test(test),
        };
        self.refresh()?;
        noticed
    }

    fn by_simulation(&self) -> anyhow::Result<String> {
        self.build_simulation()?;
        let output = self.simulate(RUNS)?;
        if output.status.success() {
            bail!("{RUNS} runs noticed nothing");
        }
        seed_and_wrong(&String::from_utf8_lossy(&output.stderr))
            .with_context(|| format!("it fails, and not by a run:\n{}", last(&output)))
    }

    fn by_test(&self, test: &[String]) -> anyhow::Result<String> {
        self.build_test(test)?;
        let outcome = self.try_test(test, NOTICES_WITHIN)?;
        if outcome.status.success() {
            bail!("`cargo {}` noticed nothing", test.join(" "));
        }
        let complaint = complaint(&outcome.said)
            .with_context(|| format!("it fails, and not by a test:\n{}", end_of(&outcome.said)))?;
        let seconds = outcome.took.as_secs_f64();
        Ok(format!("noticed in {seconds:.1} s by {complaint}"))
    }

    fn build_test(&self, test: &[String]) -> anyhow::Result<()> {
        // What follows `--` is for the test itself.
        let of_cargo = test.iter().take_while(|word| *word != "--");
        let words = of_cargo.map(String::as_str).chain(["--no-run"]);
        command::run(self.cargo(words)).context("it does not compile")
    }

    fn try_test(&self, test: &[String], limit: Duration) -> anyhow::Result<Tried> {
        let mut command = self.cargo(test.iter().map(String::as_str));
        command.env("RUST_BACKTRACE", "0");
        tried(command, limit, &self.place)
    }

    fn build_simulation(&self) -> anyhow::Result<()> {
        let words = SIMULATION.into_iter().chain(["--no-run"]);
        command::run(self.cargo(words)).context("it does not compile")
    }

    fn simulate(&self, count: &str) -> anyhow::Result<Output> {
        let mut command = self.cargo(SIMULATION.into_iter().chain(["--", "--nocapture"]));
        command.env("SIMULATION_COUNT", count);
        for name in ["SIMULATION_SEED", "SIMULATION_FIRST"] {
            command.env_remove(name);
        }
        // Where in the test it was noticed helps nobody.
        command.env("RUST_BACKTRACE", "0");
        command
            .output()
            .context("the simulation tests could not be started")
    }

    fn cargo<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = cargo(words);
        command
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.built)
            .env_remove("CARGO_BUILD_BUILD_DIR");
        command
    }

    /// Git in the copy, which must not take it for a part of the repository around it.
    fn git<'a>(&self, arguments: impl IntoIterator<Item = &'a OsStr>) -> Command {
        let mut command = command("git", arguments, &self.tree);
        let around = self.tree.parent().unwrap_or(&self.tree);
        command.env("GIT_CEILING_DIRECTORIES", around);
        command
    }
}

/// Every file of the repository, those not committed yet included.
fn files(root: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let listed = command::output(command(
        "git",
        [
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
        root,
    ))?;
    let names = listed.split('\0').filter(|name| !name.is_empty());
    // A file that was deleted and not committed is still listed.
    let there = names
        .map(PathBuf::from)
        .filter(|file| root.join(file).is_file());
    Ok(there.collect())
}

fn walk(folder: &Path, tree: &Path, found: &mut BTreeSet<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, tree, found)?;
        } else {
            found.insert(path.strip_prefix(tree)?.to_owned());
        }
    }
    Ok(())
}

/// `caught by seed 7: …`
fn seed_and_wrong(said: &str) -> anyhow::Result<String> {
    let seed = after(said, FAILED).and_then(|rest| rest.split(':').next());
    let wrong = after(said, WRONG).and_then(|rest| rest.trim_start().lines().next());
    let (Some(seed), Some(wrong)) = (seed, wrong) else {
        bail!("no run complains");
    };
    let short: String = wrong.chars().take(160).collect();
    Ok(format!("caught by seed {seed}: {short}"))
}

fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    Some(text.split_once(word)?.1)
}

/// The end of what was said.
fn last(output: &Output) -> String {
    let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said));
    end_of(&said.concat())
}

fn end_of(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_names_the_seed_and_what_is_wrong() {
        let said =
            "panicked at …:\nthe run of seed 12:\n 0.1 act\n\nwhat is wrong:\na ghost\nmore\n";
        let caught = seed_and_wrong(said).expect("it complains");
        assert_eq!(caught, "caught by seed 12: a ghost");
        assert!(seed_and_wrong("error: could not compile").is_err());
    }
}
