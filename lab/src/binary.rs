//! The product's binary: built as its users build it, and found beside this program.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

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
        let mut cargo = cargo(&["build", "--locked", "--package", "guildhall"]);
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

/// In the workspace, without the variables that `cargo run` set for this process: they would be
/// taken for settings of the packages built next.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    for name in [
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_PKG_NAME",
        "CARGO_PKG_VERSION",
        // `ring` is built anew, and all that stands on it, when one of these changes.
        "CARGO_PKG_VERSION_MAJOR",
        "CARGO_PKG_VERSION_MINOR",
        "CARGO_PKG_VERSION_PATCH",
        "CARGO_PKG_VERSION_PRE",
    ] {
        command.env_remove(name);
    }
    command
}
