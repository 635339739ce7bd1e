//! `cargo xtask mutations`: whether the lives would notice.
//!
//! Each patch in `tests/mutations` breaks one promise of the gateway. It is applied to a copy of
//! the tree, and the lives must fail there. A patch that no longer applies, one that does not
//! compile and one that nobody notices are errors alike.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, bail};

use crate::cargo::{self, cargo};
use crate::command::{self, command};

/// Where the patches are.
const PATCHES: &str = "tests/mutations";
/// Lives that each mutant must survive to be an error. The first that fails is enough.
const LIVES: &str = "40";
/// Lives of the copy before anything is broken in it.
const LIVES_UNCHANGED: &str = "8";
/// How the lives name the one that failed, and what they say of it.
const FAILED: &str = "the life of seed ";
const WRONG: &str = "what is wrong:";

/// Applies the patches of these names in turn, or every one, and tells what each was caught by.
pub(crate) fn run(names: &[String]) -> anyhow::Result<()> {
    let root = cargo::root();
    let patches = named(patches(&root.join(PATCHES))?, names)?;
    let copy = Copy::of(&root)?;
    // Were the copy broken by itself, it would catch everything.
    copy.build().context("the copy, unchanged")?;
    let output = copy.live(LIVES_UNCHANGED)?;
    if !output.status.success() {
        bail!("the lives fail without any mutation:\n{}", last(&output));
    }
    println!("unchanged: {LIVES_UNCHANGED} lives, nothing wrong");
    for patch in &patches {
        let name = name_of(patch);
        let caught = copy
            .mutate(patch)
            .with_context(|| format!("{PATCHES}/{name}.patch"));
        println!("{name}: {}", caught?);
    }
    Ok(())
}

fn patches(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listed =
        fs::read_dir(folder).with_context(|| format!("{} is missing", folder.display()))?;
    let paths = listed.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| path.extension() == Some(OsStr::new("patch")));
    paths.sort();
    if paths.is_empty() {
        bail!("{} holds no patch", folder.display());
    }
    Ok(paths)
}

/// Those of these names; without any, all of them.
fn named(mut patches: Vec<PathBuf>, names: &[String]) -> anyhow::Result<Vec<PathBuf>> {
    for name in names {
        if !patches.iter().any(|patch| name_of(patch) == *name) {
            bail!("there is no {PATCHES}/{name}.patch");
        }
    }
    patches.retain(|patch| names.is_empty() || names.contains(&name_of(patch)));
    Ok(patches)
}

fn name_of(patch: &Path) -> String {
    let stem = patch.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// The tree once more, beneath `target`. It stays, so that only what differs is built again.
struct Copy {
    root: PathBuf,
    tree: PathBuf,
    /// What was built of it, all dependencies included. In a folder that both share cargo takes a
    /// package of one for the other's: it goes by the path beneath the workspace's root.
    built: PathBuf,
}

impl Copy {
    fn of(root: &Path) -> anyhow::Result<Self> {
        let place = root.join("target/mutations");
        let copy = Self {
            root: root.to_owned(),
            tree: place.join("tree"),
            built: place.join("built"),
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

    /// Applies a patch, and answers what noticed it.
    fn mutate(&self, patch: &Path) -> anyhow::Result<String> {
        let applied = self.git(["apply".as_ref(), patch.as_os_str()]).output()?;
        if !applied.status.success() {
            let why = String::from_utf8_lossy(&applied.stderr);
            bail!("the patch no longer applies: write it anew\n{why}");
        }
        let caught = self.build().and_then(|()| self.live(LIVES));
        self.refresh()?;
        let output = caught?;
        if output.status.success() {
            bail!("{LIVES} lives noticed nothing");
        }
        complaint(&String::from_utf8_lossy(&output.stderr))
            .with_context(|| format!("it fails, and not by a life:\n{}", last(&output)))
    }

    fn build(&self) -> anyhow::Result<()> {
        command::run(self.cargo(["--no-run"])).context("it does not compile")
    }

    fn live(&self, count: &str) -> anyhow::Result<Output> {
        let mut command = self.cargo(["--", "--nocapture"]);
        command.env("LIVES_COUNT", count);
        for name in ["LIVES_SEED", "LIVES_FIRST"] {
            command.env_remove(name);
        }
        // Where in the test it was noticed helps nobody.
        command.env("RUST_BACKTRACE", "0");
        command.output().context("the lives could not be started")
    }

    fn cargo<const N: usize>(&self, more: [&str; N]) -> Command {
        let lives = [
            "test",
            "--quiet",
            "--locked",
            "-p",
            "guildhall",
            "--test",
            "lives",
        ];
        let mut command = cargo(lives.into_iter().chain(more));
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
fn complaint(said: &str) -> anyhow::Result<String> {
    let seed = after(said, FAILED).and_then(|rest| rest.split(':').next());
    let wrong = after(said, WRONG).and_then(|rest| rest.trim_start().lines().next());
    let (Some(seed), Some(wrong)) = (seed, wrong) else {
        bail!("no life complains");
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
    let lines: Vec<&str> = said.iter().flat_map(|said| said.lines()).collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_asked_for_by_its_name_and_one_that_is_none_is_refused() {
        let all = ["t/a-ghost-stays.patch", "t/a-room-goes.patch"].map(PathBuf::from);
        let chosen = |name: &str| named(all.to_vec(), &[name.to_owned()]);
        assert_eq!(chosen("a-room-goes").expect("it is there"), all[1..]);
        assert_eq!(named(all.to_vec(), &[]).expect("no name"), all);
        assert!(chosen("a-room").is_err());
    }

    #[test]
    fn a_complaint_names_the_seed_and_what_is_wrong() {
        let said =
            "panicked at …:\nthe life of seed 12:\n 0.1 act\n\nwhat is wrong:\na ghost\nmore\n";
        let caught = complaint(said).expect("it complains");
        assert_eq!(caught, "caught by seed 12: a ghost");
        assert!(complaint("error: could not compile").is_err());
    }
}
