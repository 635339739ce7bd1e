//! What is to be done in Discord, read from a request.

/// Rooms that Guildhall makes.
mod managed;
/// Invites into them.
mod invites;

use guildhall_model::{ChannelId, GuildId, UserId, command::Command};

pub(super) use invites::{CreateInviteInput, JoinRoomInput, RevokeInviteInput};
pub(super) use managed::{
    BlockFromRoomInput, ClaimRoomInput, CloseRoomInput, CreateRoomInput, HideRoomInput,
    LockRoomInput, TransferRoomInput, UnblockFromRoomInput,
};

use super::{
    authorise::CallPlace,
    field::{RoomName, StatusLine, UserLimit},
    input::{Fields, Input},
};
use crate::visible::{CommandAnswer, CommandOutcome};

/// Something to be done.
pub(super) trait CommandInput: Input + Send {
    /// What is answered when it was not refused.
    #[cfg(feature = "schema")]
    type Answer: CommandAnswer + utoipa::ToSchema;
    /// What is answered when it was not refused.
    #[cfg(not(feature = "schema"))]
    type Answer: CommandAnswer;

    /// Where it is about.
    fn place(&self) -> CallPlace;

    /// As it goes to the gateway. `guild_id`: where the place is; `actor`: who asks.
    fn command(self, guild_id: GuildId, actor: UserId) -> Command;
}

/// `connectUserToVoiceChannel`.
#[derive(Debug)]
pub(super) struct ConnectUserToVoiceChannelInput {
    channel_id: ChannelId,
    user_id: Option<UserId>,
}

/// `disconnect`.
#[derive(Debug)]
pub(super) struct DisconnectInput {
    guild_id: GuildId,
}

/// `kickFromRoom`.
#[derive(Debug)]
pub(super) struct KickFromRoomInput {
    channel_id: ChannelId,
    user_id: UserId,
    allow_return: bool,
}

/// `renameRoom`.
#[derive(Debug)]
pub(super) struct RenameRoomInput {
    channel_id: ChannelId,
    name: RoomName,
}

/// `setRoomStatus`.
#[derive(Debug)]
pub(super) struct SetRoomStatusInput {
    channel_id: ChannelId,
    status: StatusLine,
}

/// `setRoomLimit`.
#[derive(Debug)]
pub(super) struct SetRoomLimitInput {
    channel_id: ChannelId,
    limit: UserLimit,
}

impl Input for ConnectUserToVoiceChannelInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Into which room.");
        let user_id = fields.optional("userId", "Whom; left out: who asks.");
        Some(Self {
            channel_id: channel_id?,
            user_id,
        })
    }
}

impl CommandInput for ConnectUserToVoiceChannelInput {
    type Answer = CommandOutcome;

    fn place(&self) -> CallPlace {
        CallPlace::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, actor: UserId) -> Command {
        Command::ConnectUserToVoiceChannel {
            guild_id,
            channel_id: self.channel_id,
            user_id: self.user_id.unwrap_or(actor),
        }
    }
}

impl Input for DisconnectInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let guild_id = fields.required("guildId", "Where.");
        Some(Self {
            guild_id: guild_id?,
        })
    }
}

impl CommandInput for DisconnectInput {
    type Answer = CommandOutcome;

    fn place(&self) -> CallPlace {
        CallPlace::Guild(self.guild_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::Disconnect { guild_id }
    }
}

impl Input for KickFromRoomInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Out of which room.");
        let user_id = fields.required("userId", "Whom.");
        let allow_return: Option<bool> = fields.optional(
            "allowReturn",
            "Whether they may come back; left out: no. Out of a room that Guildhall did not make they \
             may in any case.",
        );
        Some(Self {
            channel_id: channel_id?,
            user_id: user_id?,
            allow_return: allow_return.unwrap_or_default(),
        })
    }
}

impl CommandInput for KickFromRoomInput {
    type Answer = CommandOutcome;

    fn place(&self) -> CallPlace {
        CallPlace::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::KickFromRoom {
            guild_id,
            channel_id: self.channel_id,
            user_id: self.user_id,
            allow_return: self.allow_return,
        }
    }
}

impl Input for RenameRoomInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room.");
        let name = fields.required("name", "Its new name.");
        Some(Self {
            channel_id: channel_id?,
            name: name?,
        })
    }
}

impl CommandInput for RenameRoomInput {
    type Answer = CommandOutcome;

    fn place(&self) -> CallPlace {
        CallPlace::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::RenameRoom {
            guild_id,
            channel_id: self.channel_id,
            name: self.name.0,
        }
    }
}

impl Input for SetRoomStatusInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room.");
        let status = fields.required("status", "The line below its name; null or empty: none.");
        Some(Self {
            channel_id: channel_id?,
            status: status?,
        })
    }
}

impl CommandInput for SetRoomStatusInput {
    type Answer = CommandOutcome;

    fn place(&self) -> CallPlace {
        CallPlace::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::SetRoomStatus {
            guild_id,
            channel_id: self.channel_id,
            status: self.status.0,
        }
    }
}

impl Input for SetRoomLimitInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room.");
        let limit = fields.required("limit", "How many fit in; 0: no limit.");
        Some(Self {
            channel_id: channel_id?,
            limit: limit?,
        })
    }
}

impl CommandInput for SetRoomLimitInput {
    type Answer = CommandOutcome;

    fn place(&self) -> CallPlace {
        CallPlace::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::SetRoomLimit {
            guild_id,
            channel_id: self.channel_id,
            limit: self.limit.0,
        }
    }
}
