//! `cargo xtask bench` and `cargo xtask chaos`: programs of their own, which `cargo xtask` builds
//! and starts. They measure and kill the product from outside.

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
    start("bench", words)
}

pub(crate) fn chaos<A: AsRef<str>>(words: &[A]) -> anyhow::Result<()> {
    start("chaos", words)
}

fn start<A: AsRef<str>>(program: &str, words: &[A]) -> anyhow::Result<()> {
    let lab = [
        "run",
        "--quiet",
        "--release",
        "--locked",
        "-p",
        "lab",
        "--",
        program,
    ];
    let words = words.iter().map(AsRef::as_ref);
    command::run(cargo(lab.into_iter().chain(words)))
}
