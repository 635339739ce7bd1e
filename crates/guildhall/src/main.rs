//! Guildhall: your Discord guild, live in your web app.
//!
//! This crate puts the parts together: it reads the settings, picks the adapters, starts the
//! roles and ends them. What the product does is in the other crates, one for each part of the
//! road (ARCHITECTURE.md).

/// What can be typed.
mod cli;
/// Settings, and what is refused.
mod config;
/// Which adapter stands behind each port.
mod adapters;
/// One file for each subcommand.
mod commands;
/// Subcommands that run nothing: they look, tell and leave.
mod tools;
/// How many files may be open, and for what.
mod descriptors;
/// From "all parts are built" to "the process may end".
mod lifecycle;
/// Logs and metrics.
mod telemetry;
/// The operator's listener: is it alive, is it ready, how much of what.
mod ops;

use std::process::ExitCode;

/// Fan-out allocates and frees many short pieces on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The allocator asks for huge pages, and with them each stream keeps half as much memory again
    // resident as it ever touches. A kernel that has none has nothing to switch off.
    let _without = rustix::thread::disable_transparent_huge_pages(true);
    descriptors::raise();
    // One crypto provider for every TLS user in the process, chosen here and nowhere else.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        unreachable!("nothing ran before main, so no other provider was installed");
    }
    let done = match cli::parse() {
        cli::Invocation::Start(arguments) => commands::run(&arguments),
        cli::Invocation::Tool(tool) => return tools::run(tool),
        #[cfg(feature = "openapi")]
        cli::Invocation::OpenApi => commands::openapi::print(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(end) => end.report(),
    }
}
