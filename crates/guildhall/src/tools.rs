//! Subcommands that run nothing: they look at a house or at what it will meet, tell, and leave.

/// What is wrong, and what cures it.
mod doctor;
/// Why somebody is shown a room.
mod explain;
/// A `.env`, and what else it takes to begin.
mod init;
/// Links for stream software.
mod overlay_link;
/// What happens, line by line.
mod tail;
/// What Discord answers.
mod discord_api;
/// What they print.
mod print;
/// A running house's ops listener.
mod ops_client;

use std::{collections::BTreeMap, process::ExitCode};

use crate::{
    cli::Tool,
    config::{Settings, Sources},
    lifecycle::ProcessExit,
};

/// Runs one, to its end.
pub(crate) fn run(tool: Tool) -> ExitCode {
    let said = match &tool {
        Tool::Init(asked) => init::flags(asked),
        Tool::Doctor(_) | Tool::Explain(_) | Tool::OverlayLink(_) | Tool::Tail(_) => {
            BTreeMap::new()
        }
    };
    let settings = Settings::resolve(&Sources::from_process(said));
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
            Tool::Tail(asked) => tail::run(&asked, &settings).await,
            Tool::Init(asked) => init::run(&asked, settings).await,
        }
    });
    // A question that nobody answers any more must not hold the process.
    runtime.shutdown_background();
    ended.unwrap_or_else(|end| end.report())
}
