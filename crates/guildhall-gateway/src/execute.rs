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
/// Commands that are one request to Discord each.
mod single_call;
/// What Discord's errors mean to whoever gave the command.
mod discord_error;
/// The task.
mod driver;
/// Their order.
mod order;
/// Which commands there are, and what was answered.
mod ledger;
/// Letting somebody into a guild by an invite.
mod admit;
/// Saying once what the bot lacks for rooms.
mod bot_rights;
/// What is asked about guilds.
mod worlds;

use std::time::{Duration, Instant};

use guildhall_link::frame::{AdmitRequestBody, AdmitResult};
use guildhall_model::{
    ChannelId, GuildId, UserId,
    command::{Command, CommandError, CommandErrorCode, CommandRequest, CommandResult},
};
use guildhall_ports::room_store::RoomNumber;
use tokio::sync::{mpsc, oneshot};

pub(crate) use act::{CALL, CommandContext};
pub(crate) use driver::{ExecutorExit, ExecutorSetup, run};
pub(crate) use worlds::{GuildWorld, GuildWorlds};

/// Commands that wait or are carried out, at one time. One more is told to come back.
const COMMANDS: usize = 1_000;
/// The same of one person, so that nobody takes all the places.
const COMMANDS_PER_ACTOR: usize = 50;
/// Commands that are carried out at one time. Discord takes 50 requests a second; each takes some
/// fraction of one.
const RUNNING: usize = 64;
/// Commands that wait for Discord's time or for a person to appear in voice, without those by invites.
const DELAYED: usize = 1_000;
/// Those who came by an invite and are waited for, for as long as it is good; for a further one the
/// oldest is let in and not moved.
const JOINS_WAITING: usize = 1_000;
/// The same of one person.
const DELAYED_PER_ACTOR: usize = 20;
/// So long is a key good, from when its command ended.
const KEY_KEPT: Duration = Duration::from_mins(10);
/// Ended commands with a key that are kept; for a further one the oldest goes.
const KEYS: usize = 100_000;
/// So long does somebody have to appear in voice.
const APPEARANCE: Duration = Duration::from_mins(5);

/// Who does what nobody has asked for: the gateway. No snowflake is this one.
const GATEWAY_ITSELF: UserId = UserId(0);

/// What the gateway has done of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnCommand {
    /// A room of ours in which nobody is goes. Refused where somebody is there after all.
    DeleteIdle {
        guild_id: GuildId,
        channel_id: ChannelId,
    },
    /// Somebody came into a lobby.
    EnterLobby {
        guild_id: GuildId,
        /// The lobby.
        channel_id: ChannelId,
        user_id: UserId,
    },
}

/// A handle on the executor's task.
#[derive(Clone, Debug)]
pub(crate) struct Executor {
    inbox: mpsc::Sender<Submission>,
}

/// What is on its way to the task.
#[derive(Debug)]
pub(crate) enum Submission {
    Command {
        request: CommandRequest,
        /// It is not begun after this.
        due: Instant,
        reply: oneshot::Sender<CommandResult>,
        /// The gateway gives it itself, and is not counted with anybody's.
        is_own: bool,
    },
    /// What a command with a key was answered when it came before.
    Recall {
        request: CommandRequest,
        reply: oneshot::Sender<CommandResult>,
    },
    /// Somebody signs in by an invite.
    Admit {
        request: Box<AdmitRequestBody>,
        reply: oneshot::Sender<AdmitResult>,
    },
    /// Discord may not be as a room's record says.
    Repair(RoomNumber),
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
        let answer = match is_refused(&request) {
            Some(error) => Err(error),
            None => Ok(self.submit(request, due, false)),
        };
        async move { answer?.await }
    }

    /// What this command was answered when it came with its key before: it is not carried out, whatever
    /// becomes of it. Of one that never came it is said that there is nothing.
    pub(crate) fn recall(
        &self,
        request: CommandRequest,
    ) -> impl Future<Output = CommandResult> + Send + use<> {
        let inbox = self.inbox.clone();
        async move {
            let (reply, answer) = oneshot::channel();
            let submission = Submission::Recall { request, reply };
            inbox.send(submission).await.map_err(|_| stopping())?;
            answer.await.map_err(|_| stopping())?
        }
    }

    /// The same of what nobody has asked for. However many wait, it is taken.
    pub(crate) fn execute_own(
        &self,
        command: OwnCommand,
        due: Instant,
    ) -> impl Future<Output = CommandResult> + Send + use<> {
        let (actor, command) = match command {
            OwnCommand::DeleteIdle {
                guild_id,
                channel_id,
            } => {
                let command = Command::CloseRoom {
                    guild_id,
                    channel_id,
                };
                (GATEWAY_ITSELF, command)
            }
            OwnCommand::EnterLobby {
                guild_id,
                channel_id,
                user_id,
            } => {
                let command = Command::EnterLobby {
                    guild_id,
                    channel_id,
                };
                (user_id, command)
            }
        };
        let request = CommandRequest {
            actor,
            key: None,
            command,
        };
        self.submit(request, due, true)
    }

    /// Looks at an invite, and lets into its guild whoever has agreed to that.
    pub(crate) fn admit(
        &self,
        request: Box<AdmitRequestBody>,
    ) -> impl Future<Output = AdmitResult> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let taken = self.inbox.try_send(Submission::Admit { request, reply });
        async move {
            match taken {
                Ok(()) => answer.await.unwrap_or_else(|_| Err(stopping())),
                Err(mpsc::error::TrySendError::Full(_)) => Err(busy()),
                Err(mpsc::error::TrySendError::Closed(_)) => Err(stopping()),
            }
        }
    }

    /// Something has happened to a room of ours at Discord: it is looked at, and ended or mended.
    pub(crate) fn repair(&self, number: RoomNumber) {
        // Where there is no place for it, it is looked at with all others at the next start.
        let _full = self.inbox.try_send(Submission::Repair(number));
    }

    fn submit(
        &self,
        request: CommandRequest,
        due: Instant,
        is_own: bool,
    ) -> impl Future<Output = CommandResult> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let submission = Submission::Command {
            request,
            due,
            reply,
            is_own,
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

/// Nobody but the gateway gives these.
fn is_refused(request: &CommandRequest) -> Option<CommandError> {
    let is_own = matches!(request.command, Command::EnterLobby { .. });
    (is_own || request.actor == GATEWAY_ITSELF).then(CommandError::nowhere)
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

fn not_live() -> CommandError {
    CommandError::new(
        CommandErrorCode::GuildUnavailable,
        "The connection to Discord is being restored.",
    )
    .retry_after_ms(1_000)
}

fn unknown() -> CommandError {
    CommandError::new(
        CommandErrorCode::Unknown,
        "Discord did not answer, and whether it was done is not known.",
    )
}

#[cfg(test)]
pub(crate) mod tests;
