//! Cargo: where its output is, and how it is called.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::command;

/// Where cargo puts what it builds: this program is there, too.
pub(crate) struct Metadata {
    pub(crate) target_directory: PathBuf,
}

pub(crate) fn metadata() -> anyhow::Result<Metadata> {
    let this = std::env::current_exe()?;
    let target = this.parent().and_then(Path::parent);
    let target_directory = target.context("cargo did not build this")?.to_owned();
    Ok(Metadata { target_directory })
}

/// `cargo ARGUMENTS`, in the workspace.
///
/// The variables that `cargo run` set for this process are taken out, or they
/// would be taken for settings of the packages built next.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = command::command("cargo", arguments, &workspace);
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
