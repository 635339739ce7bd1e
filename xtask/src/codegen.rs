//! What others read of the product's own types: the OpenAPI document that the binary prints, and
//! what client and page are made of beside their own code. All of it is committed.
//!
//! That `docs/openapi.json` is what the binary prints, a test of the binary holds; that the
//! others are what the document makes, the suite.

use std::fs;

use anyhow::Context;
use subprocess::cargo::{cargo, root};
use subprocess::command::{self, command};

use crate::needs;

const DOCUMENT: &str = "docs/openapi.json";
/// Programs, and the folders that they write.
const MADE: [[&str; 2]; 2] = [
    ["client/codegen/main.mjs", "client/src/generated"],
    ["ui/codegen/main.mjs", "ui/src/generated"],
];

/// Writes all of it anew.
pub(crate) fn run() -> anyhow::Result<()> {
    needs::of_scripts(&root())?;
    let print = cargo(["run", "--locked", "--package", "guildhall", "--", "openapi"]);
    let document = command::output(print)?;
    fs::write(root().join(DOCUMENT), document).with_context(|| DOCUMENT.to_owned())?;
    MADE.into_iter().try_for_each(node)
}

/// Fails if the client's and the page's files are not, byte for byte, what the document makes.
pub(crate) fn is_clean() -> anyhow::Result<()> {
    let fresh = "target/generated";
    for [program, made] in MADE {
        node([program, fresh])?;
        let compare = ["diff", "--no-index", "--name-status", made, fresh];
        command::run(command("git", compare, &root())).with_context(|| {
            format!("{made} is not what {DOCUMENT} makes: run `cargo xtask codegen` and commit it")
        })?;
    }
    Ok(())
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
