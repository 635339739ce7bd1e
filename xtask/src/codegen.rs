//! What others read of the product's own types: the OpenAPI document that the binary prints, and
//! what the page is made of beside its own code. All of it is committed.
//!
//! That `docs/openapi.json` is what the binary prints, a test of the binary holds; that the page's
//! files are what the document makes, the suite.

mod events;

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use subprocess::cargo::{cargo, root};
use subprocess::command::{self, command};

use crate::needs;

const DOCUMENT: &str = "docs/openapi.json";
const TYPES: &str = "ui/src/generated";

/// Writes all of it anew.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = root();
    needs::node(&root)?;
    needs::npm_packages(&root.join("ui"))?;
    let print = cargo(["run", "--locked", "--package", "guildhall", "--", "openapi"]);
    let document = command::output(print)?;
    fs::write(root.join(DOCUMENT), document).with_context(|| DOCUMENT.to_owned())?;
    typescript(&root, &root.join(TYPES))
}

/// Fails if the page's files are not, byte for byte, what the document makes.
pub(crate) fn is_clean() -> anyhow::Result<()> {
    let root = root();
    let fresh = root.join("target/generated");
    typescript(&root, &fresh)?;
    let fresh = fresh.to_string_lossy();
    let compare = ["diff", "--no-index", "--name-status", TYPES, &fresh];
    command::run(command("git", compare, &root)).with_context(|| {
        format!("{TYPES} is not what {DOCUMENT} makes: run `cargo xtask codegen` and commit it")
    })
}

/// Fails unless a validator that nobody here wrote takes the document; that it refuses what is none
/// is asked first.
pub(crate) fn is_valid() -> anyhow::Result<()> {
    let root = root();
    let python = root.join(needs::PYTHON).to_string_lossy().into_owned();
    let validate = |file: &str| {
        let words = ["-m", "openapi_spec_validator", "--schema", "3.1", file];
        command(&python, words, &root)
    };
    let spoilt = root.join("target/spoilt-openapi.json");
    let text = fs::read_to_string(root.join(DOCUMENT)).with_context(|| DOCUMENT.to_owned())?;
    fs::write(&spoilt, text.replace("\"in\":", "\"on\":"))?;
    if command::works(validate(&spoilt.to_string_lossy())) {
        bail!("the validator takes a document whose parameters are nowhere");
    }
    command::run(validate(DOCUMENT))
}

/// Types by openapi-typescript, events and their schemas by us.
fn typescript(root: &Path, folder: &Path) -> anyhow::Result<()> {
    let document = root.join(DOCUMENT);
    let text = fs::read_to_string(&document).with_context(|| DOCUMENT.to_owned())?;
    let events = events::typescript(&text).with_context(|| DOCUMENT.to_owned())?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("events.ts"), events)?;
    let types = folder.join("api.ts").to_string_lossy().into_owned();
    let document = document.to_string_lossy();
    // Never by a name that npm would look for elsewhere.
    let generate = "exec --no -- openapi-typescript --immutable --output";
    let words = generate.split(' ').chain([&*types, &*document]);
    command::run(command("npm", words, &root.join("ui")))
}
