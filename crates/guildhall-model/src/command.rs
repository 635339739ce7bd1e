//! What people ask to be done in Discord, as it travels from the web role to the gateway, and what
//! comes of it.
//!
//! Who asks and whom it is about are resolved before: a command names its guild, its room and its
//! people. Whether it may be done is decided by [`judge`](crate::command::judge()), by web early on its
//! replica and by the gateway again at the moment of acting, on the committed world.

/// What can be asked for.
mod kinds;
/// The tokens of invites.
mod invite;
/// Why a command is not done.
mod error;
/// What is so before a command is done, and after it.
mod before;
/// Whether it may be done, and whether there is anything to do.
mod judge;
/// What the bot itself lacks.
mod bot;
/// What it needs, by what it is used for.
mod bot_use;

use serde::{Deserialize, Serialize};

use crate::{ChannelId, Cursor, UnixMs, UserId};

pub use before::Before;
pub use bot::missing_of_bot;
pub use bot_use::{BotUse, TO_HEAR_THE_AUDIT_LOG, TO_LET_PEOPLE_IN};
pub use error::{CommandError, CommandErrorCode};
pub use invite::{InviteClaims, InviteToken, InviteTokenError};
pub use judge::{Judgement, judge, judge_creation, judge_management};
pub use kinds::Command;

/// A command with who gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandRequest {
    /// Whose rights count.
    pub actor: UserId,
    /// Makes a repeated request one: within ten minutes the same key of the same actor, for the
    /// same command, is answered as the first was. At most [`CommandRequest::KEY_BYTES`] long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What is to be done.
    pub command: Command,
}

impl CommandRequest {
    /// The longest key, in bytes of UTF-8: a request's of 200, and the name of the program that sent
    /// it.
    pub const KEY_BYTES: usize = 240;
}

/// What came of a command that was not refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandDone {
    /// How far it is.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Whoever has read up to here has seen the effect. `None`: nothing in the log tells it, or not
    /// yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Cursor>,
    /// What there is now that was not there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
}

/// What a command made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Made {
    /// A room.
    Room {
        /// The Discord channel.
        channel_id: ChannelId,
    },
    /// An invite into a room.
    Invite {
        /// What whoever comes by it shows.
        token: InviteToken,
        /// From then on it is worth nothing.
        expires_at: UnixMs,
    },
}

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "outcome",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Outcome {
    /// Discord has done it.
    Done,
    /// Discord makes it wait. It survives a restart; a newer one of its kind takes its place.
    Queued {
        /// When it is tried again.
        done_at: UnixMs,
    },
    /// The person is not in voice; it is done once they are.
    Waiting {
        /// Until then.
        until: UnixMs,
    },
}

impl Outcome {
    /// The answer that says so, and nothing of the log.
    #[must_use]
    pub fn answer(self) -> CommandDone {
        CommandDone {
            outcome: self,
            at: None,
            made: None,
        }
    }
}

/// What a command is answered.
pub type CommandResult = Result<CommandDone, CommandError>;

#[cfg(test)]
mod tests;
