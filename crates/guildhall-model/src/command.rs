//! What people ask to be done in Discord, as it travels from the web role to the gateway, and what
//! comes of it.
//!
//! Who asks and whom it is about are resolved before: a command names its guild, its room and its
//! people. Whether it may be done is decided by [`judge`](crate::command::judge()), by web early on its
//! replica and by the gateway again at the moment of acting, on the committed world.

/// Why a command is not done.
mod error;
/// Whether it may be done, and whether there is anything to do.
mod judge;

use serde::{Deserialize, Serialize};

use crate::{ChannelId, Cursor, GuildId, UnixMs, UserId, guild::Guild};

pub use error::{CommandError, CommandErrorCode};
pub use judge::{Before, Judgement, judge};

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
    /// The longest key, in bytes of UTF-8.
    pub const KEY_BYTES: usize = 200;
}

/// Something to be done in Discord.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "call",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Command {
    /// Move somebody into a room, or once they are in voice.
    ConnectUserToVoiceChannel {
        /// Where.
        guild_id: GuildId,
        /// Into which room.
        channel_id: ChannelId,
        /// Whom: the actor, or somebody else.
        user_id: UserId,
    },
    /// Take the actor out of voice.
    Disconnect {
        /// Where.
        guild_id: GuildId,
    },
    /// Take somebody out of a room.
    KickFromRoom {
        /// Where.
        guild_id: GuildId,
        /// Out of which room.
        channel_id: ChannelId,
        /// Whom.
        user_id: UserId,
    },
    /// Give a room another name.
    RenameRoom {
        /// Where.
        guild_id: GuildId,
        /// Which room.
        channel_id: ChannelId,
        /// 1 to 100 characters.
        name: String,
    },
    /// Set the line of text below a room's name.
    SetRoomStatus {
        /// Where.
        guild_id: GuildId,
        /// Which room.
        channel_id: ChannelId,
        /// Up to 500 characters; `None`: take it away.
        status: Option<String>,
    },
    /// Set how many fit into a room.
    SetRoomLimit {
        /// Where.
        guild_id: GuildId,
        /// Which room.
        channel_id: ChannelId,
        /// Up to 99; 0: no limit.
        limit: u32,
    },
}

impl Command {
    /// As RPC calls it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ConnectUserToVoiceChannel { .. } => "connectUserToVoiceChannel",
            Self::Disconnect { .. } => "disconnect",
            Self::KickFromRoom { .. } => "kickFromRoom",
            Self::RenameRoom { .. } => "renameRoom",
            Self::SetRoomStatus { .. } => "setRoomStatus",
            Self::SetRoomLimit { .. } => "setRoomLimit",
        }
    }

    /// Where.
    #[must_use]
    pub fn guild_id(&self) -> GuildId {
        match *self {
            Self::ConnectUserToVoiceChannel { guild_id, .. }
            | Self::Disconnect { guild_id }
            | Self::KickFromRoom { guild_id, .. }
            | Self::RenameRoom { guild_id, .. }
            | Self::SetRoomStatus { guild_id, .. }
            | Self::SetRoomLimit { guild_id, .. } => guild_id,
        }
    }

    /// The room that it names.
    #[must_use]
    pub fn channel_id(&self) -> Option<ChannelId> {
        match *self {
            Self::ConnectUserToVoiceChannel { channel_id, .. }
            | Self::KickFromRoom { channel_id, .. }
            | Self::RenameRoom { channel_id, .. }
            | Self::SetRoomStatus { channel_id, .. }
            | Self::SetRoomLimit { channel_id, .. } => Some(channel_id),
            Self::Disconnect { .. } => None,
        }
    }

    /// Whom it moves, or takes out.
    #[must_use]
    pub fn moves(&self, actor: UserId) -> Option<UserId> {
        match *self {
            Self::ConnectUserToVoiceChannel { user_id, .. }
            | Self::KickFromRoom { user_id, .. } => Some(user_id),
            Self::Disconnect { .. } => Some(actor),
            Self::RenameRoom { .. } | Self::SetRoomStatus { .. } | Self::SetRoomLimit { .. } => {
                None
            }
        }
    }

    /// Whether a guild is as if this had been done. `None`: the world does not say.
    #[must_use]
    pub fn is_so(&self, actor: UserId, guild: &Guild) -> Option<bool> {
        let is_now = Before::of(self, actor, guild)?;
        (is_now != Before::Unknown).then(|| is_now.is_after(self))
    }
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
        }
    }
}

/// What a command is answered.
pub type CommandResult = Result<CommandDone, CommandError>;

#[cfg(test)]
mod tests;
