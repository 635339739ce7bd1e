//! `bench`, `chaos` and `mutations`: programs that measure, kill and break the product from outside.

use subprocess::{cargo::cargo, command};

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

pub(crate) fn start<A: AsRef<str>>(program: &str, words: &[A]) -> anyhow::Result<()> {
    let mut lab = vec!["run", "--quiet", "--locked", "-p", "lab"];
    // What these do is cargo's work, and a debug build is there where tests were run.
    if !["mutations", "versions"].contains(&program) {
        lab.push("--release");
    }
    lab.extend(["--", program]);
    lab.extend(words.iter().map(AsRef::as_ref));
    command::run(cargo(lab))
}
