//! The tasks of the role: each ends with a value, and the first that ends, asked or not, ends all.

use std::collections::{HashMap, HashSet};

use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    GatewayRunError, GatewaySettingNames,
    execute::ExecutorExit,
    restore::another_bot,
    revocations::RevocationWriterExit,
    sequencer::SequencerExit,
    shard::{self, ShardExit},
};

/// How a task ended.
#[derive(Debug)]
pub(super) enum TaskExit {
    Shard(ShardExit),
    Listener,
    Sequencer(SequencerExit),
    /// Only when asked.
    History,
    Executor(ExecutorExit),
    /// Only when asked.
    Upkeep,
    Revocations(RevocationWriterExit),
}

/// The tasks that have not ended.
#[derive(Debug)]
pub(super) struct Tasks<'a> {
    tracker: &'a TaskTracker,
    set: JoinSet<TaskExit>,
    /// What is said of each if it panics.
    broke: HashMap<Id, &'static str>,
    /// Those that stop last.
    sequencers: HashSet<Id>,
}

impl<'a> Tasks<'a> {
    pub(super) fn new(tracker: &'a TaskTracker) -> Self {
        Self {
            tracker,
            set: JoinSet::new(),
            broke: HashMap::new(),
            sequencers: HashSet::new(),
        }
    }

    /// `broke`: what is said if it panics.
    pub(super) fn spawn(
        &mut self,
        broke: &'static str,
        task: impl Future<Output = TaskExit> + Send + 'static,
    ) {
        self.begin(broke, task);
    }

    /// The same, of one that stops last.
    pub(super) fn spawn_sequencer(
        &mut self,
        broke: &'static str,
        task: impl Future<Output = TaskExit> + Send + 'static,
    ) {
        let id = self.begin(broke, task);
        self.sequencers.insert(id);
    }

    fn begin(
        &mut self,
        broke: &'static str,
        task: impl Future<Output = TaskExit> + Send + 'static,
    ) -> Id {
        let task = self.set.spawn(self.tracker.track_future(task));
        self.broke.insert(task.id(), broke);
        task.id()
    }

    /// Waits until all have ended. The first end cancels `stop`; when sequencers alone are left,
    /// which stop last to take what the connections still hand over, `sequencer_stop` is cancelled.
    /// Returns the first failure.
    pub(super) async fn run(
        mut self,
        stop: &CancellationToken,
        sequencer_stop: &CancellationToken,
        names: &GatewaySettingNames,
    ) -> Result<(), GatewayRunError> {
        let mut result = Ok(());
        while let Some(ended) = self.set.join_next_with_id().await {
            let (id, ended) = match ended {
                Ok((id, exit)) => (id, exit.result(stop, names)),
                Err(error) => (error.id(), Err(self.broken(&error))),
            };
            self.sequencers.remove(&id);
            result = result.and(ended);
            stop.cancel();
            if self.set.len() <= self.sequencers.len() {
                sequencer_stop.cancel();
            }
        }
        result
    }

    fn broken(&self, error: &JoinError) -> GatewayRunError {
        let broke = self.broke.get(&error.id()).unwrap_or(&"a task broke");
        failed(&format!("{broke}: {error}"))
    }
}

impl TaskExit {
    /// What the end of a task is to the role. `stop`: whether it was asked to.
    fn result(
        self,
        stop: &CancellationToken,
        names: &GatewaySettingNames,
    ) -> Result<(), GatewayRunError> {
        match self {
            Self::Shard(exit) => shard_ended(exit),
            Self::Listener | Self::Upkeep if stop.is_cancelled() => Ok(()),
            Self::History | Self::Revocations(RevocationWriterExit::Stopped) => Ok(()),
            Self::Listener => Err(failed("the link's listener ended")),
            Self::Upkeep => Err(failed("nobody looks after rooms any more")),
            Self::Sequencer(exit) => sequencer_ended(exit, names),
            Self::Executor(exit) => executor_ended(exit, names),
            Self::Revocations(RevocationWriterExit::NotKept(error)) => Err(failed(&format!(
                "revocations can't be kept in {} ({error}): look at the disk",
                names.data_dir
            ))),
        }
    }
}

fn shard_ended(exit: ShardExit) -> Result<(), GatewayRunError> {
    match exit {
        ShardExit::Stopped => Ok(()),
        ShardExit::Misconfigured(sentence) => Err(GatewayRunError::Misconfigured(sentence)),
        ShardExit::InboxClosed => Err(failed("nobody took what Discord told")),
    }
}

fn sequencer_ended(
    exit: SequencerExit,
    names: &GatewaySettingNames,
) -> Result<(), GatewayRunError> {
    let data_dir = names.data_dir;
    match exit {
        SequencerExit::Stopped => Ok(()),
        SequencerExit::Fenced(fenced) => Err(failed(&format!(
            "somebody else writes to the log: {fenced}"
        ))),
        SequencerExit::NotAppended(why) => {
            Err(failed(&format!("the log could not be passed on: {why}")))
        }
        SequencerExit::NotCommitted(error) => Err(failed(&format!(
            "the journal in {data_dir} can't be written ({error}): look at the disk"
        ))),
        SequencerExit::LogRolledBack => Err(failed(&format!(
            "the journal in {data_dir} is older than what web roles have seen (was it restored \
             from a backup?): a new log begins at the next start"
        ))),
        SequencerExit::AnotherBot { kept, is } => {
            Err(GatewayRunError::Misconfigured(another_bot(kept, is, names)))
        }
        SequencerExit::TokenRefused => {
            Err(GatewayRunError::Misconfigured(shard::token_refused(names)))
        }
    }
}

fn executor_ended(exit: ExecutorExit, names: &GatewaySettingNames) -> Result<(), GatewayRunError> {
    match exit {
        ExecutorExit::Stopped => Ok(()),
        ExecutorExit::NotKept(error) => Err(failed(&format!(
            "commands can't be kept in {} ({error}): look at the disk",
            names.data_dir
        ))),
        ExecutorExit::TokenRefused => {
            Err(GatewayRunError::Misconfigured(shard::token_refused(names)))
        }
    }
}

fn failed(why: &str) -> GatewayRunError {
    GatewayRunError::Failed(why.to_owned())
}
