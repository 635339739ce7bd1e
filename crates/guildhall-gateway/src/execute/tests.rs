//! The executor against a false Discord on a real loopback socket, with the world that it leads to.

/// The false Discord, and the sequencer that follows it.
mod discord;
/// Random histories with kills.
mod histories;
/// What each answer of Discord leads to.
mod outcomes;

use std::sync::Arc;

use guildhall_http::driver_time::now;
use guildhall_model::{
    ChannelId, GuildId, UserId,
    command::{Command, CommandErrorCode, CommandRequest, CommandResult, Outcome},
};
use guildhall_ports::{
    CommandJournal, CommandState, KeptCommand, SystemClock, journal::JournalFuture,
    memory::MemoryCommandJournal,
};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::*;
use discord::{FalseDiscord, Reaction};

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) const GUILD: GuildId = GuildId(1);
pub(super) const ROOM: ChannelId = ChannelId(10);
pub(super) const OTHER_ROOM: ChannelId = ChannelId(11);
/// Owns the guild.
pub(super) const OWNER: UserId = UserId(100);
pub(super) const ANNA: UserId = UserId(101);
pub(super) const BEN: UserId = UserId(102);

/// A journal that says when something was kept.
#[derive(Clone, Debug)]
struct ObservedJournal {
    kept: MemoryCommandJournal,
    changed: watch::Sender<()>,
}

impl CommandJournal for ObservedJournal {
    fn load(&self) -> JournalFuture<Vec<KeptCommand>> {
        self.kept.load()
    }

    fn keep(&self, command: KeptCommand) -> JournalFuture<()> {
        let kept = self.kept.keep(command);
        self.changed.send_replace(());
        kept
    }

    fn forget(&self, ids: Vec<u64>) -> JournalFuture<()> {
        self.kept.forget(ids)
    }
}

/// An executor, what it talks to, and what outlives it.
struct House {
    discord: FalseDiscord,
    journal: ObservedJournal,
    executor: Executor,
    running: AbortHandle,
    tasks: JoinSet<ExecutorExit>,
}

impl House {
    async fn open() -> Self {
        let discord = FalseDiscord::open().await;
        let journal = ObservedJournal {
            kept: MemoryCommandJournal::default(),
            changed: watch::Sender::new(()),
        };
        let mut tasks = JoinSet::new();
        let (executor, running) = start(&discord, &journal, &mut tasks).await;
        Self {
            discord,
            journal,
            executor,
            running,
            tasks,
        }
    }

    /// As `kill -9` and a start would: the task ends where it stands.
    async fn kill(&mut self) {
        self.running.abort();
        while self.tasks.join_next().await.is_some() {}
        let started = start(&self.discord, &self.journal, &mut self.tasks);
        (self.executor, self.running) = started.await;
    }

    /// The answer to a key once it is neither queued nor waiting.
    async fn settled(&self, request: CommandRequest) -> CommandResult {
        let is_settled = |command: &KeptCommand| {
            command.request == request && matches!(command.state, CommandState::Settled { .. })
        };
        let mut changed = self.journal.changed.subscribe();
        let settled = async {
            while !self
                .journal
                .load()
                .await
                .expect("in memory")
                .iter()
                .any(is_settled)
            {
                changed.changed().await.expect("open");
            }
        };
        timeout(PATIENCE, settled).await.expect("in time");
        self.give(request.clone()).await
    }

    /// Hands a command over; its place in the order is taken when this returns.
    fn give(&self, request: CommandRequest) -> impl Future<Output = CommandResult> + use<> {
        let answer = self.executor.execute(request, now() + PATIENCE);
        async { timeout(PATIENCE, answer).await.expect("answered in time") }
    }
}

async fn start(
    discord: &FalseDiscord,
    journal: &ObservedJournal,
    tasks: &mut JoinSet<ExecutorExit>,
) -> (Executor, AbortHandle) {
    let (executor, submissions) = Executor::new();
    let setup = ExecutorSetup {
        context: CommandContext {
            worlds: discord.worlds(),
            rest: discord.rest(),
            journal: Arc::new(journal.clone()),
            clock: Arc::new(SystemClock),
        },
        kept: journal.load().await.expect("in memory"),
    };
    let running = tasks.spawn(run(setup, submissions, CancellationToken::new()));
    (executor, running)
}

fn by(actor: UserId, key: &str, command: Command) -> CommandRequest {
    CommandRequest {
        actor,
        key: Some(key.to_owned()).filter(|key| !key.is_empty()),
        command,
    }
}

fn rename(name: &str) -> Command {
    Command::RenameRoom {
        guild_id: GUILD,
        channel_id: ROOM,
        name: name.to_owned(),
    }
}

fn connect(user_id: UserId, channel_id: ChannelId) -> Command {
    Command::ConnectUserToVoiceChannel {
        guild_id: GUILD,
        channel_id,
        user_id,
    }
}

fn outcome(result: &CommandResult) -> Outcome {
    result.as_ref().expect("not refused").outcome
}

fn code(result: &CommandResult) -> CommandErrorCode {
    result.as_ref().expect_err("refused").code
}
