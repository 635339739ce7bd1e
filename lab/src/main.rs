//! The lab: `cargo xtask bench`, `cargo xtask chaos` and `cargo xtask mutations` start it.
//!
//! It drives the product's binary from outside, as its users do, and knows no crate of the product.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to the person who started it"
)]

mod binary;

mod bench;
mod chaos;
mod mutations;
mod versions;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

fn main() -> ExitCode {
    // Nothing ran before it, and nothing here speaks TLS: reqwest only wants to know.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Causes on one line; where in this program it arose helps nobody.
            eprintln!("\nlab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Chaos(options) => chaos::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Mutations { names } => mutations::run(&names),
        Task::Versions => versions::run(),
        Task::BenchBare(options) => bench::bare::serve(&options),
        Task::BenchFakeGateway(options) => bench::fake_gateway::serve(options),
        Task::BenchFollower(options) => bench::follower::run(&options),
        Task::BenchReader(options) => bench::reader::run(&options),
        Task::BenchShard(options) => bench::shard::run(&options),
    }
}

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Speed, and what is left after kills"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Kills real processes in a row under load: streams lose and double nothing
    Chaos(chaos::ChaosOptions),
    /// Speed and memory of the release build, beside a bare write(2) server
    Bench(bench::BenchOptions),
    /// Whether the tests notice what the patches in tests/mutations break
    Mutations {
        /// Only these patches, named as their files are without .patch
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// The last build of the link's version before this one beside this one
    Versions,
    /// One bare write(2) per delivery: what `bench` compares with
    #[command(hide = true)]
    BenchBare(bench::bare::BareOptions),
    /// A gateway of several logs, for `bench`
    #[command(hide = true)]
    BenchFakeGateway(bench::fake_gateway::FakeGatewayOptions),
    /// Reads the gateway's log as a web instance does, for `bench`
    #[command(hide = true)]
    BenchFollower(bench::follower::FollowerOptions),
    /// Holds the streams that `bench` measures with
    #[command(hide = true)]
    BenchReader(bench::reader::ReaderOptions),
    /// Counts what the simulator sends to one shard
    #[command(hide = true)]
    BenchShard(bench::shard::ShardOptions),
}
