//! What others read of the product's own types: the OpenAPI document that the binary prints, and
//! what the client is made of beside its own code. All of it is committed.
//!
//! That `docs/openapi.json` is what the binary prints, a test of the binary holds; that the rest
//! is what the document makes, the suite.

use std::fs;

use anyhow::Context;
use subprocess::cargo::{cargo, root};
use subprocess::command::{self, command};

use crate::needs;

const DOCUMENT: &str = "docs/openapi.json";
const PROGRAM: &str = "client/codegen/main.mjs";
/// The folder that it writes.
const MADE: &str = "client/src/generated";

/// Writes all of it anew.
pub(crate) fn run() -> anyhow::Result<()> {
    needs::of_scripts(&root())?;
    let print = cargo(["run", "--locked", "--package", "guildhall", "--", "openapi"]);
    let document = command::output(print)?;
    fs::write(root().join(DOCUMENT), document).with_context(|| DOCUMENT.to_owned())?;
    node([PROGRAM, MADE])
}

/// Fails if the client's files are not, byte for byte, what the document makes.
pub(crate) fn is_clean() -> anyhow::Result<()> {
    let fresh = "target/generated";
    node([PROGRAM, fresh])?;
    let compare = ["diff", "--no-index", "--name-status", MADE, fresh];
    command::run(command("git", compare, &root())).with_context(|| {
        format!("{MADE} is not what {DOCUMENT} makes: run `cargo xtask codegen` and commit it")
    })
}

/// Fails unless the document is one for a validator that nobody here wrote.
pub(crate) fn is_valid() -> anyhow::Result<()> {
    let words = ["tests/libraries/openapi/validate.py", DOCUMENT];
    let python = root().join(needs::PYTHON);
    command::run(command(&python.to_string_lossy(), words, &root()))
}

fn node(words: [&str; 2]) -> anyhow::Result<()> {
    command::run(command("node", words, &root()))
}
