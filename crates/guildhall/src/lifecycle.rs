//! From "all parts are built" to "the process may end": signals, unplanned ends, the time limit.

use std::{process::ExitCode, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::config::{ConfigError, EXIT_CONFIG};

/// What is still running after this is left behind: an orchestrator would kill it anyway.
const STOP_LIMIT: Duration = Duration::from_millis(4_500);

/// Why the process ends other than by being asked to.
#[derive(Debug)]
pub(crate) enum ProcessExit {
    /// Exit code 78: the operator has to change something.
    Misconfigured(ConfigError),
    /// Exit code 1: a restart may help.
    Failed(anyhow::Error),
}

impl ProcessExit {
    /// A line on stderr for each thing that is wrong, and the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let (sentence, code) = match self {
            Self::Misconfigured(error) => (error.to_string(), EXIT_CONFIG),
            Self::Failed(error) => (format!("{error:#}"), 1),
        };
        for line in sentence.lines() {
            #[expect(
                clippy::print_stderr,
                reason = "logging may not have begun, or be in JSON"
            )]
            {
                eprintln!("guildhall: {line}");
            }
        }
        ExitCode::from(code)
    }
}

impl From<ConfigError> for ProcessExit {
    fn from(error: ConfigError) -> Self {
        Self::Misconfigured(error)
    }
}

impl From<anyhow::Error> for ProcessExit {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// The tasks of a process, and the wish that they stop.
pub(crate) struct Lifecycle {
    pub(crate) tracker: TaskTracker,
    pub(crate) stop: CancellationToken,
    roles: JoinSet<Result<(), ProcessExit>>,
}

impl Lifecycle {
    pub(crate) fn new() -> Self {
        Self {
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
            roles: JoinSet::new(),
        }
    }

    /// Starts a role. It gets the tracker for its tasks and a token that says when to stop.
    pub(crate) fn start<F, R>(&mut self, role: F)
    where
        F: FnOnce(TaskTracker, CancellationToken) -> R,
        R: Future<Output = Result<(), ProcessExit>> + Send + 'static,
    {
        self.roles
            .spawn(role(self.tracker.clone(), self.stop.child_token()));
    }

    /// Waits for SIGTERM, SIGINT or the end of a role, then stops everything. A role that ends
    /// by itself takes the process with it: better a restart than half a process.
    pub(crate) async fn wait(mut self) -> Result<(), ProcessExit> {
        let mut terminate = signal(SignalKind::terminate()).map_err(anyhow::Error::from)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(anyhow::Error::from)?;
        let first = tokio::select! {
            _ = terminate.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
            Some(ended) = self.roles.join_next() => flat(ended),
        };
        tracing::info!("Stopping");
        self.stop.cancel();
        self.tracker.close();
        let mut result = first;
        let drained = tokio::time::timeout(STOP_LIMIT, async {
            while let Some(ended) = self.roles.join_next().await {
                let ended = flat(ended);
                result = std::mem::replace(&mut result, Ok(())).and(ended);
            }
            self.tracker.wait().await;
        });
        if drained.await.is_err() {
            tracing::warn!("Some tasks did not stop in time and are left behind");
        }
        result
    }
}

fn flat(ended: Result<Result<(), ProcessExit>, tokio::task::JoinError>) -> Result<(), ProcessExit> {
    ended.unwrap_or_else(|broken| Err(ProcessExit::Failed(anyhow::Error::from(broken))))
}
