//! A patch of `tests/mutations`: its name, and the test that is said to notice it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Where the patches are.
pub(super) const FOLDER: &str = "tests/mutations";

/// What stands before the diff when a test of its own notices the patch.
const NOTICED_BY: &str = "Noticed-by:";

/// One patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Patch {
    pub(super) path: PathBuf,
    pub(super) judge: Judge,
}

/// What must fail when the patch is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judge {
    /// The simulation tests.
    Simulation,
    /// What follows `cargo` on a command line.
    Test(Vec<String>),
}

impl Patch {
    /// The file's name without its ending.
    pub(super) fn name(&self) -> String {
        let stem = self.path.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }

    fn read(path: PathBuf) -> anyhow::Result<Self> {
        let text = fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
        let judge = judge(&String::from_utf8_lossy(&text))
            .with_context(|| format!("{} is no patch of ours", path.display()))?;
        Ok(Self { path, judge })
    }
}

/// Every patch, by name.
pub(super) fn all(root: &Path) -> anyhow::Result<Vec<Patch>> {
    let folder = root.join(FOLDER);
    let listed =
        fs::read_dir(&folder).with_context(|| format!("{} is missing", folder.display()))?;
    let paths = listed.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| path.extension() == Some(OsStr::new("patch")));
    paths.sort();
    if paths.is_empty() {
        bail!("{} holds no patch", folder.display());
    }
    paths.into_iter().map(Patch::read).collect()
}

/// Those of these names; without any, all of them.
pub(super) fn named(mut patches: Vec<Patch>, names: &[String]) -> anyhow::Result<Vec<Patch>> {
    for name in names {
        if !patches.iter().any(|patch| patch.name() == *name) {
            bail!("there is no {FOLDER}/{name}.patch");
        }
    }
    patches.retain(|patch| names.is_empty() || names.contains(&patch.name()));
    Ok(patches)
}

/// Reads the first line. A word that is nearly ours is a mistake, or the patch would be judged by
/// the wrong test without a word.
fn judge(text: &str) -> anyhow::Result<Judge> {
    let first = text.lines().next().unwrap_or_default();
    let Some(command) = first.strip_prefix(NOTICED_BY) else {
        if first.to_ascii_lowercase().starts_with("noticed") {
            bail!("its first line begins with {first:?}: write `{NOTICED_BY} cargo test …`");
        }
        return Ok(Judge::Simulation);
    };
    let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    match words.as_slice() {
        [program, task, ..] if program == "cargo" && task == "test" => {
            Ok(Judge::Test(words[1..].to_vec()))
        }
        _ => bail!("`{NOTICED_BY}` is followed by `cargo test` and what the test is called"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes no time: whoever moves the code that a patch is about learns of it at once.
    #[test]
    fn every_patch_still_applies() {
        let root = subprocess::cargo::root();
        for patch in all(&root).expect("the folder") {
            let words = ["apply".as_ref(), "--check".as_ref(), patch.path.as_os_str()];
            let check = subprocess::command::command("git", words, &root);
            assert!(
                subprocess::command::works(check),
                "{} does not apply: write it anew",
                patch.name()
            );
        }
    }

    #[test]
    fn a_patch_is_asked_for_by_its_name_and_one_that_is_none_is_refused() {
        let all = ["t/a-ghost-stays.patch", "t/a-room-goes.patch"].map(|path| Patch {
            path: path.into(),
            judge: Judge::Simulation,
        });
        let chosen = |name: &str| named(all.to_vec(), &[name.to_owned()]);
        assert_eq!(chosen("a-room-goes").expect("it is there"), all[1..]);
        assert_eq!(named(all.to_vec(), &[]).expect("no name"), all);
        assert!(chosen("a-room").is_err());
    }

    #[test]
    fn the_first_line_names_the_test_or_the_simulation_judges() {
        let text = "Noticed-by: cargo test -p guildhall-web --lib a_name\ndiff --git a/x b/x\n";
        let words = ["test", "-p", "guildhall-web", "--lib", "a_name"];
        assert_eq!(
            judge(text).expect("a test"),
            Judge::Test(words.map(str::to_owned).to_vec())
        );
        assert_eq!(
            judge("diff --git a/x b/x\n").expect("none"),
            Judge::Simulation
        );
        for wrong in ["Noticed-by: make", "Noticed-by:", "noticed by: cargo test"] {
            assert!(judge(wrong).is_err(), "{wrong}");
        }
    }
}
