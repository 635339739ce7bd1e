//! What the workspace consists of, as cargo tells it.

use std::path::PathBuf;

use anyhow::Context;
use serde::Deserialize;
use subprocess::{cargo::cargo, command};

/// What `cargo metadata` says about the workspace and all it depends on.
pub(crate) fn metadata() -> anyhow::Result<Metadata> {
    let text = command::output(cargo(["metadata", "--format-version", "1", "--locked"]))?;
    serde_json::from_str(&text).context("`cargo metadata` wrote something that is not its format")
}

#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_members: Vec<String>,
}

impl Metadata {
    /// Our own packages.
    pub(crate) fn ours(&self) -> impl Iterator<Item = &Package> {
        let packages = self.packages.iter();
        packages.filter(|package| self.workspace_members.contains(&package.id))
    }
}

#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

/// A dependency as a manifest declares it, whether or not a feature uses it.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `dev` or `build`; `None` is the ordinary kind.
    pub(crate) kind: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
}
