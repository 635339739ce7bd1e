//! The product's binary: built as its users build it, and found beside this program.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use subprocess::cargo::cargo;

/// Where cargo puts what it builds; this program is there, too.
pub(crate) fn target_folder() -> anyhow::Result<PathBuf> {
    let this = std::env::current_exe()?;
    let folder = this.parent().and_then(Path::parent);
    Ok(folder
        .context("cargo did not build this program")?
        .to_owned())
}

/// `guildhall` of the profile `release` or `debug`. `build`: as it is in the tree now.
pub(crate) fn guildhall(profile: &str, build: bool) -> anyhow::Result<PathBuf> {
    if build {
        // By itself: together with this program it would have other features.
        let mut cargo = cargo(["build", "--locked", "--package", "guildhall"]);
        if profile == "release" {
            cargo.arg("--release");
        }
        let status = cargo.status().context("cargo could not be started")?;
        if !status.success() {
            bail!("guildhall was not built ({status})");
        }
    }
    let binary = target_folder()?.join(profile).join("guildhall");
    if !binary.is_file() {
        bail!("{} is not built: leave --no-build away", binary.display());
    }
    Ok(binary)
}
