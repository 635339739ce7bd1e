//! Cargo: where the workspace is, and how it is called there.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::command;

/// The folder of the workspace, whatever folder the task was started in.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// `cargo ARGUMENTS`, in the workspace.
///
/// The variables that `cargo run` set for this process are taken out, or they would be taken for
/// settings of the packages built next.
pub fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = command("cargo", arguments, &root());
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
