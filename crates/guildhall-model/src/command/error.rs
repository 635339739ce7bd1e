//! Why a command is not done.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A command was refused, or failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{code}: {message}")]
pub struct CommandError {
    /// In a word, for programs.
    pub code: CommandErrorCode,
    /// In a sentence, for people: what was missing, and who can give it.
    pub message: String,
    /// When a further try has a chance, in ms from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The Discord permissions that were missing, as Discord names them: the actor's for
    /// [`CommandErrorCode::Forbidden`], the bot's for [`CommandErrorCode::BotForbidden`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// Why, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandErrorCode {
    /// What is asked cannot be: Discord refused its values.
    Invalid,
    /// The actor lacks a permission.
    Forbidden,
    /// The actor is in a timeout.
    TimedOut,
    /// There is no such guild, room or person, as far as the actor may know.
    NotFound,
    /// The person is not in that room.
    NotInRoom,
    /// No one more fits into the room.
    RoomFull,
    /// Guildhall did not make that room.
    NotManaged,
    /// The room is locked.
    RoomLocked,
    /// The actor is kept out of that room.
    Blocked,
    /// The invite was never given, or its room is gone.
    InviteInvalid,
    /// The invite's time is over.
    InviteExpired,
    /// The invite was revoked.
    InviteRevoked,
    /// As many as the invite is good for have come.
    NoSeatsLeft,
    /// The actor, or the guild, has as many rooms as allowed.
    TooManyRooms,
    /// The room has as many invites as it may.
    TooManyInvites,
    /// The room's owner is there, or left a moment ago.
    OwnerPresent,
    /// The bot lacks a permission.
    BotForbidden,
    /// A newer command of its kind took its place while it waited.
    Superseded,
    /// The same key came with another request before.
    KeyReused,
    /// The guild is in an outage, or the actor's rights are not known yet.
    GuildUnavailable,
    /// Too many commands wait.
    Busy,
    /// The gateway is about to stop, or has no bot that Discord knows.
    Stopping,
    /// Discord refused it, or did not answer, and nothing was done.
    DiscordFailed,
    /// Whether it was done is not known. Its key tells, if it becomes known.
    Unknown,
    /// The deadline passed. Its key tells whether it was done.
    Deadline,
    /// A word of a newer gateway.
    #[serde(other)]
    Other,
}

impl CommandError {
    /// With nothing but the sentence.
    #[must_use]
    pub fn new(code: CommandErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after_ms: None,
            missing: Vec::new(),
        }
    }

    /// What a command names is not there, or the actor does not see it: in the same words, whichever
    /// of guild and room it is, and whoever finds it out.
    #[must_use]
    pub fn nowhere() -> Self {
        Self::new(CommandErrorCode::NotFound, Self::NOWHERE)
    }

    /// The sentence of [`CommandError::nowhere`].
    pub const NOWHERE: &str = "There is no such guild or room, or you do not see it.";

    /// Worth another try after so long.
    #[must_use]
    pub fn retry_after_ms(self, ms: u64) -> Self {
        Self {
            retry_after_ms: Some(ms),
            ..self
        }
    }

    /// For want of these permissions.
    #[must_use]
    pub fn missing(self, permissions: &[&str]) -> Self {
        Self {
            missing: permissions.iter().map(|&name| name.to_owned()).collect(),
            ..self
        }
    }
}

impl fmt::Display for CommandErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
