//! `cargo xtask deny`: bans, licences and sources, by `deny.toml`. It stands
//! apart from `test` because installing cargo-deny takes minutes.

use subprocess::{cargo::cargo, command};

pub(crate) fn run() -> anyhow::Result<()> {
    if !command::works(cargo(["deny", "--version"])) {
        println!("cargo-deny is missing: installing it (some minutes, once)");
        command::run(cargo(["install", "--locked", "cargo-deny"]))?;
    }
    let words = "deny --locked check bans licenses sources";
    command::run(cargo(words.split(' ')))
}
