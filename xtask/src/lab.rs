//! `cargo xtask bench`, `chaos` and `mutations`: programs of their own, which `cargo xtask` builds
//! and starts. They measure, kill and break the product from outside.

use crate::cargo::cargo;
use crate::command;

/// What stands behind the name of the program; `--help` says what it knows.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "OPTION"
    )]
    pub(crate) words: Vec<String>,
}

pub(crate) fn bench<A: AsRef<str>>(words: &[A]) -> anyhow::Result<()> {
    start(&["--release"], "bench", words)
}

pub(crate) fn chaos<A: AsRef<str>>(words: &[A]) -> anyhow::Result<()> {
    start(&["--release"], "chaos", words)
}

/// What it does is cargo's work: a debug build of the lab is there already where tests were run.
pub(crate) fn mutations<A: AsRef<str>>(words: &[A]) -> anyhow::Result<()> {
    start(&[], "mutations", words)
}

fn start<A: AsRef<str>>(profile: &[&str], program: &str, words: &[A]) -> anyhow::Result<()> {
    let lab = ["run", "--quiet", "--locked", "-p", "lab"];
    let cargos = lab.into_iter().chain(profile.iter().copied());
    let its = words.iter().map(AsRef::as_ref);
    command::run(cargo(cargos.chain(["--", program]).chain(its)))
}
