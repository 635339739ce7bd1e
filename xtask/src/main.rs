//! The project's own tasks, run as `cargo xtask NAME`.
//!
//! A person and the build server type the same words. This crate depends on nothing of the product:
//! what it needs of it, it runs as a program.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these tasks talk to the person who started them"
)]

mod metadata;
mod needs;
mod steps;
mod suite;
mod tidy;
mod ui;
mod codegen;
mod lab;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Causes on one line; where in this program it arose helps nobody.
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Test { part } => suite::run(part.unwrap_or(suite::Part::All)),
        Task::Tidy => tidy::run(),
        Task::Ui => ui::build(),
        Task::Codegen => codegen::run(),
        Task::Deny => needs::deny(),
        Task::Chaos(options) => lab::start("chaos", &options.words),
        Task::Mutations(options) => needs::python_libraries(&subprocess::cargo::root(), &[])
            .and_then(|()| lab::start("mutations", &options.words)),
        Task::Bench(options) => needs::browser(&subprocess::cargo::root())
            .and_then(|()| lab::start("bench", &options.words)),
    }
}

/// The project's own tasks
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that must be true before a change is merged
    Test {
        /// Only a part of it
        part: Option<suite::Part>,
    },
    /// The house rules that no other tool checks: edges, circles, names, file sizes, words
    Tidy,
    /// Builds the page into ui/dist, which is committed and embedded
    Ui,
    /// Writes docs/openapi.json and the generated files of client and ui, which are committed
    Codegen,
    /// Bans, licences and sources of all dependencies
    Deny,
    /// Kills real processes in a row under load: streams lose and double nothing
    #[command(disable_help_flag = true)]
    Chaos(lab::Options),
    /// Whether the tests notice what the patches in tests/mutations break
    #[command(disable_help_flag = true)]
    Mutations(lab::Options),
    /// Speed and memory of the release build, beside a bare write(2) server
    #[command(disable_help_flag = true)]
    Bench(lab::Options),
}
