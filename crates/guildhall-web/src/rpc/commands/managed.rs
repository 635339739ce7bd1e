//! Rooms that Guildhall makes: they are somebody's, and go when nobody needs them.

use guildhall_model::{ChannelId, GuildId, UserId, command::Command};

use super::CommandInput;
use crate::{
    rpc::{
        authorise::CallPlace,
        field::{RoomName, UserLimit},
        input::{Fields, Input},
    },
    visible::{CommandOutcome, CreatedRoom},
};

/// How many fit into a room, where nobody says.
const LIMIT: u32 = 4;

/// `createRoom`.
#[derive(Debug)]
pub(in crate::rpc) struct CreateRoomInput {
    guild_id: GuildId,
    name: RoomName,
    limit: Option<UserLimit>,
    parent_id: Option<ChannelId>,
    private: Option<bool>,
}

/// `lockRoom`.
#[derive(Debug)]
pub(in crate::rpc) struct LockRoomInput {
    channel_id: ChannelId,
    locked: bool,
}

/// `hideRoom`.
#[derive(Debug)]
pub(in crate::rpc) struct HideRoomInput {
    channel_id: ChannelId,
    hidden: bool,
}

/// `transferRoom`.
#[derive(Debug)]
pub(in crate::rpc) struct TransferRoomInput {
    channel_id: ChannelId,
    user_id: UserId,
}

/// `claimRoom`.
#[derive(Debug)]
pub(in crate::rpc) struct ClaimRoomInput {
    channel_id: ChannelId,
}

/// `closeRoom`.
#[derive(Debug)]
pub(in crate::rpc) struct CloseRoomInput {
    channel_id: ChannelId,
}

/// `blockFromRoom`.
#[derive(Debug)]
pub(in crate::rpc) struct BlockFromRoomInput {
    channel_id: ChannelId,
    user_id: UserId,
}

/// `unblockFromRoom`.
#[derive(Debug)]
pub(in crate::rpc) struct UnblockFromRoomInput {
    channel_id: ChannelId,
    user_id: UserId,
}

impl Input for CreateRoomInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let guild_id = fields.required("guildId", "Where.");
        let name = fields.required("name", "Its name.");
        let limit = fields.optional("limit", "How many fit in; left out: 4; 0: no limit.");
        let parent_id = fields.optional(
            "parentId",
            "In which category, of those that the operator lists; left out: the first with room.",
        );
        let private = fields.optional(
            "private",
            "Whether only who is listed sees it and comes in; left out: yes.",
        );
        Some(Self {
            guild_id: guild_id?,
            name: name?,
            limit,
            parent_id,
            private,
        })
    }
}

impl CommandInput for CreateRoomInput {
    type Answer = CreatedRoom;

    fn place(&self) -> CallPlace {
        CallPlace::Guild(self.guild_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::CreateRoom {
            guild_id,
            name: self.name.0,
            limit: self.limit.map_or(LIMIT, |limit| limit.0),
            parent_id: self.parent_id,
            private: self.private.unwrap_or(true),
        }
    }
}

impl Input for LockRoomInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room.");
        let locked = fields.required("locked", "Whether nobody new comes in.");
        Some(Self {
            channel_id: channel_id?,
            locked: locked?,
        })
    }
}

impl CommandInput for LockRoomInput {
    type Answer = CommandOutcome;

    fn place(&self) -> CallPlace {
        CallPlace::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::LockRoom {
            guild_id,
            channel_id: self.channel_id,
            locked: self.locked,
        }
    }
}

impl Input for HideRoomInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room.");
        let hidden = fields.required("hidden", "Whether only who is listed sees it.");
        Some(Self {
            channel_id: channel_id?,
            hidden: hidden?,
        })
    }
}

impl CommandInput for HideRoomInput {
    type Answer = CommandOutcome;

    fn place(&self) -> CallPlace {
        CallPlace::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::HideRoom {
            guild_id,
            channel_id: self.channel_id,
            hidden: self.hidden,
        }
    }
}

impl Input for TransferRoomInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room.");
        let user_id = fields.required("userId", "Whose it is to be.");
        Some(Self {
            channel_id: channel_id?,
            user_id: user_id?,
        })
    }
}

impl CommandInput for TransferRoomInput {
    type Answer = CommandOutcome;

    fn place(&self) -> CallPlace {
        CallPlace::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::TransferRoom {
            guild_id,
            channel_id: self.channel_id,
            user_id: self.user_id,
        }
    }
}

impl Input for ClaimRoomInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room.");
        Some(Self {
            channel_id: channel_id?,
        })
    }
}

impl CommandInput for ClaimRoomInput {
    type Answer = CommandOutcome;

    fn place(&self) -> CallPlace {
        CallPlace::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::ClaimRoom {
            guild_id,
            channel_id: self.channel_id,
        }
    }
}

impl Input for CloseRoomInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room.");
        Some(Self {
            channel_id: channel_id?,
        })
    }
}

impl CommandInput for CloseRoomInput {
    type Answer = CommandOutcome;

    fn place(&self) -> CallPlace {
        CallPlace::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::CloseRoom {
            guild_id,
            channel_id: self.channel_id,
        }
    }
}

impl Input for BlockFromRoomInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Out of which room.");
        let user_id = fields.required("userId", "Whom.");
        Some(Self {
            channel_id: channel_id?,
            user_id: user_id?,
        })
    }
}

impl CommandInput for BlockFromRoomInput {
    type Answer = CommandOutcome;

    fn place(&self) -> CallPlace {
        CallPlace::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::BlockFromRoom {
            guild_id,
            channel_id: self.channel_id,
            user_id: self.user_id,
        }
    }
}

impl Input for UnblockFromRoomInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Of which room.");
        let user_id = fields.required("userId", "Whom.");
        Some(Self {
            channel_id: channel_id?,
            user_id: user_id?,
        })
    }
}

impl CommandInput for UnblockFromRoomInput {
    type Answer = CommandOutcome;

    fn place(&self) -> CallPlace {
        CallPlace::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::UnblockFromRoom {
            guild_id,
            channel_id: self.channel_id,
            user_id: self.user_id,
        }
    }
}
