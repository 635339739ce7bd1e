//! The way back: commands that web roles hand over are carried out in Discord.
//!
//! A command goes through four hands. The *ledger* knows each by its key, so that one that comes again
//! is the same one. The *queues* keep their order: of one person, and about one person or room, one
//! after the other. An *act* judges it on the committed world, has Discord do it, and waits for the
//! effect to come back as an event. The *journal* knows which may have been done and which wait, so that
//! a restart asks Discord instead of guessing.
//!
//! Answered is what is durable: whoever was told that it is done, queued or waiting is told the same
//! after `kill -9`.

/// One command from its judgement to its end, and what is to be done about one that an earlier
/// process left.
mod act;
/// What Discord is asked for, command by command.
mod calls;
/// What Discord's errors mean to whoever gave the command.
mod discord_error;
/// The task.
mod driver;
/// Their order.
mod order;
/// Which commands there are, and what was answered.
mod ledger;
/// What is asked about guilds.
mod worlds;

use std::time::{Duration, Instant};

use guildhall_model::command::{CommandError, CommandErrorCode, CommandRequest, CommandResult};
use tokio::sync::{mpsc, oneshot};

pub(crate) use act::CommandContext;
pub(crate) use driver::{ExecutorExit, ExecutorSetup, run};
pub(crate) use worlds::{GuildWorld, GuildWorlds};

/// Commands that wait or are carried out, at one time. One more is told to come back.
const COMMANDS: usize = 1_000;
/// The same of one person, so that nobody takes all the places.
const COMMANDS_PER_ACTOR: usize = 50;
/// Commands that are carried out at one time. Discord takes 50 requests a second; each takes some
/// fraction of one.
const RUNNING: usize = 64;
/// Commands that wait for Discord's time or for a person to appear in voice.
const DELAYED: usize = 1_000;
/// The same of one person.
const DELAYED_PER_ACTOR: usize = 20;
/// So long is a key good, from when its command ended.
const KEY_KEPT: Duration = Duration::from_mins(10);
/// Ended commands with a key that are kept; for a further one the oldest goes.
const KEYS: usize = 100_000;
/// So long does somebody have to appear in voice.
const APPEARANCE: Duration = Duration::from_mins(5);

/// A handle on the executor's task.
#[derive(Clone, Debug)]
pub(crate) struct Executor {
    inbox: mpsc::Sender<Submission>,
}

/// A command on its way to the task.
#[derive(Debug)]
pub(crate) struct Submission {
    request: CommandRequest,
    /// It is not begun after this.
    due: Instant,
    reply: oneshot::Sender<CommandResult>,
}

impl Executor {
    /// A handle, and the other end of its inbox, which is [`run`]'s.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Submission>) {
        let (inbox, submissions) = mpsc::channel(COMMANDS);
        (Self { inbox }, submissions)
    }

    /// Carries out a command: it has its place in the order when this returns. Not begun by `due`, it
    /// is not done; what was begun goes on, whether or not the answer is waited for.
    pub(crate) fn execute(
        &self,
        request: CommandRequest,
        due: Instant,
    ) -> impl Future<Output = CommandResult> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let submission = Submission {
            request,
            due,
            reply,
        };
        let taken = self.inbox.try_send(submission);
        async move {
            match taken {
                Ok(()) => answer.await.unwrap_or_else(|_| Err(stopping())),
                Err(mpsc::error::TrySendError::Full(_)) => Err(busy()),
                Err(mpsc::error::TrySendError::Closed(_)) => Err(stopping()),
            }
        }
    }
}

fn busy() -> CommandError {
    CommandError::new(
        CommandErrorCode::Busy,
        "Too many commands are under way; nothing was done.",
    )
    .retry_after_ms(1_000)
}

fn stopping() -> CommandError {
    CommandError::new(CommandErrorCode::Stopping, "The gateway is stopping.").retry_after_ms(1_000)
}

fn unknown() -> CommandError {
    CommandError::new(
        CommandErrorCode::Unknown,
        "Discord did not answer, and whether it was done is not known.",
    )
}

#[cfg(test)]
mod tests;
