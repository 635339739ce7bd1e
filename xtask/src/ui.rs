//! The page in `ui/`. Its build, `ui/dist`, is committed and embedded: the product needs Rust alone.

use anyhow::Context;
use subprocess::cargo::root;
use subprocess::command::{self, command};

use crate::needs;

/// Rebuilds `ui/dist`.
pub(crate) fn build() -> anyhow::Result<()> {
    needs::of_scripts(&root())?;
    npm("ui", "build")
}

/// Runs a script of a folder's `package.json`.
pub(crate) fn npm(folder: &str, script: &str) -> anyhow::Result<()> {
    command::run(command("npm", ["run", script], &root().join(folder)))
}

/// What becomes of people's browsers on a real house, and the examples. By the binary that the
/// whole-house tests before this were built with.
pub(crate) fn journeys() -> anyhow::Result<()> {
    let binary = root().join("target/debug/guildhall");
    let words = ["run", "journeys", "--", &binary.to_string_lossy()];
    command::run(command("npm", words, &root().join("tests/browser")))
}

/// Fails if `ui/dist` is not, byte for byte, what `ui/` builds.
pub(crate) fn dist_is_clean() -> anyhow::Result<()> {
    let root = root();
    let fresh = root.join("target/ui-dist");
    let out = fresh.to_string_lossy();
    let build = ["run", "build", "--", "--outDir", &out, "--emptyOutDir"];
    command::run(command("npm", build, &root.join("ui")))?;
    let compare = ["diff", "--no-index", "--name-status", "ui/dist", &out];
    command::run(command("git", compare, &root))
        .context("ui/dist is not what ui/ builds: run `cargo xtask ui` and commit it")
}
