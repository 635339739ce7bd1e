//! The page in `ui/`. Its build, `ui/dist`, is committed and embedded: the product needs Rust alone.

use anyhow::Context;
use subprocess::cargo::root;
use subprocess::command::{self, command};

use crate::needs;

/// Rebuilds `ui/dist`.
pub(crate) fn build() -> anyhow::Result<()> {
    needs::of_scripts(&root())?;
    command::run(command("npm", ["run", "build"], &root().join("ui")))
}

/// Types and unit tests of the client or the page.
pub(crate) fn check(folder: &str) -> anyhow::Result<()> {
    command::run(command("npm", ["run", "check"], &root().join(folder)))
}

/// The page and its driver in a real browser, against a server of their own.
pub(crate) fn browser_selftest() -> anyhow::Result<()> {
    let folder = root().join("tests/browser");
    command::run(command("npm", ["run", "selftest"], &folder))
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
