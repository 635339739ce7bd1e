//! Subcommands that run nothing: they look at a house or at what it will meet, tell, and leave.

/// What is wrong, and what cures it.
mod doctor;
/// Why somebody is shown a room.
mod explain;
/// Links for stream software.
mod overlay_link;
/// What they print.
mod print;
/// A running house's ops listener.
mod ops_client;

use std::process::ExitCode;

use crate::{
    cli::Tool,
    config::{Settings, Sources},
    lifecycle::ProcessExit,
};

/// Runs one, to its end.
pub(crate) fn run(tool: Tool) -> ExitCode {
    let settings = Settings::resolve(&Sources::from_process([].into()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return ProcessExit::Failed(error.into()).report(),
    };
    let ended = runtime.block_on(async {
        match tool {
            Tool::Doctor(asked) => doctor::run(&asked, &settings).await,
            Tool::Explain(asked) => explain::run(&asked, &settings).await,
            Tool::OverlayLink(asked) => overlay_link::run(&asked, &settings).await,
        }
    });
    ended.unwrap_or_else(|end| end.report())
}
