//! The page in `ui/`: its build is committed as `ui/dist` and embedded in the
//! binary, so that building the product needs Rust alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::cargo::root;
use crate::command::{self, command};
use crate::needs;

/// Rebuilds `ui/dist`.
pub(crate) fn build() -> anyhow::Result<()> {
    let folder = root().join("ui");
    needs::node(&root())?;
    needs::npm_packages(&folder)?;
    command::run(command("npm", ["run", "build"], &folder))
}

/// The page's types and its unit tests.
pub(crate) fn check() -> anyhow::Result<()> {
    let folder = root().join("ui");
    command::run(command("npm", ["run", "typecheck"], &folder))?;
    command::run(command("npm", ["run", "test"], &folder))
}

/// The page and its driver in a real browser, against a server of their own.
pub(crate) fn browser_selftest() -> anyhow::Result<()> {
    command::run(command(
        "npm",
        ["run", "selftest"],
        &root().join("tests/browser"),
    ))
}

/// Fails if the committed `ui/dist` is not, byte for byte, what `ui/` builds.
pub(crate) fn dist_is_clean() -> anyhow::Result<()> {
    let root = root();
    let fresh = Scratch::new(&root)?;
    let out = fresh.0.to_string_lossy().into_owned();
    command::run(command(
        "npm",
        ["run", "build", "--", "--outDir", &out, "--emptyOutDir"],
        &root.join("ui"),
    ))?;
    let differing = differences(&contents(&root.join("ui/dist"))?, &contents(&fresh.0)?);
    if !differing.is_empty() {
        bail!(
            "ui/dist is not what ui/ builds: run `cargo xtask ui` and commit it. Differing: {}",
            differing.join(", ")
        );
    }
    Ok(())
}

/// A folder beneath `target`, gone when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(root: &Path) -> anyhow::Result<Self> {
        let folder = root.join(format!("target/ui-dist-{}", std::process::id()));
        fs::create_dir_all(&folder)
            .with_context(|| format!("{} could not be made", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A leftover beneath target is harmless, and there is nobody to tell.
        fs::remove_dir_all(&self.0).ok();
    }
}

type Contents = BTreeMap<PathBuf, Vec<u8>>;

fn contents(folder: &Path) -> anyhow::Result<Contents> {
    let mut found = Contents::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        let entries =
            fs::read_dir(&next).with_context(|| format!("{} cannot be read", next.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder)?.to_path_buf();
                found.insert(name, fs::read(&path)?);
            }
        }
    }
    Ok(found)
}

fn differences(committed: &Contents, fresh: &Contents) -> Vec<String> {
    let mut names: Vec<&PathBuf> = committed.keys().chain(fresh.keys()).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter(|name| committed.get(*name) != fresh.get(*name))
        .map(|name| name.display().to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> Contents {
        files
            .iter()
            .map(|(name, text)| (PathBuf::from(name), text.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn missing_added_and_changed_files_are_all_named() {
        let committed = folder(&[("same", "1"), ("changed", "1"), ("gone", "1")]);
        let fresh = folder(&[("same", "1"), ("changed", "2"), ("new", "1")]);

        assert_eq!(differences(&committed, &fresh), ["changed", "gone", "new"]);
        assert!(differences(&committed, &committed).is_empty());
    }
}
