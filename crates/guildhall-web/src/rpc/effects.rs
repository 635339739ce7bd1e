//! What is to be done in Discord, read from a request.

use guildhall_model::{ChannelId, GuildId, UserId, command::Command};

use super::{
    authorise::Place,
    field::{RoomName, StatusLine, UserLimit},
    input::{Fields, Input},
};

/// Something to be done.
pub(super) trait Effect: Input + Send {
    /// Where it is about.
    fn place(&self) -> Place;

    /// As it goes to the gateway. `guild_id`: where the place is; `actor`: who asks.
    fn command(self, guild_id: GuildId, actor: UserId) -> Command;
}

/// `connectUserToVoiceChannel`.
#[derive(Debug)]
pub(super) struct ConnectUserToVoiceChannel {
    channel_id: ChannelId,
    user_id: Option<UserId>,
}

/// `disconnect`.
#[derive(Debug)]
pub(super) struct Disconnect {
    guild_id: GuildId,
}

/// `kickFromRoom`.
#[derive(Debug)]
pub(super) struct KickFromRoom {
    channel_id: ChannelId,
    user_id: UserId,
}

/// `renameRoom`.
#[derive(Debug)]
pub(super) struct RenameRoom {
    channel_id: ChannelId,
    name: RoomName,
}

/// `setRoomStatus`.
#[derive(Debug)]
pub(super) struct SetRoomStatus {
    channel_id: ChannelId,
    status: StatusLine,
}

/// `setRoomLimit`.
#[derive(Debug)]
pub(super) struct SetRoomLimit {
    channel_id: ChannelId,
    limit: UserLimit,
}

impl Input for ConnectUserToVoiceChannel {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Into which room.");
        let user_id = fields.optional("userId", "Whom; left out: who asks.");
        Some(Self {
            channel_id: channel_id?,
            user_id,
        })
    }
}

impl Effect for ConnectUserToVoiceChannel {
    fn place(&self) -> Place {
        Place::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, actor: UserId) -> Command {
        Command::ConnectUserToVoiceChannel {
            guild_id,
            channel_id: self.channel_id,
            user_id: self.user_id.unwrap_or(actor),
        }
    }
}

impl Input for Disconnect {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let guild_id = fields.required("guildId", "Where.");
        Some(Self {
            guild_id: guild_id?,
        })
    }
}

impl Effect for Disconnect {
    fn place(&self) -> Place {
        Place::Guild(self.guild_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::Disconnect { guild_id }
    }
}

impl Input for KickFromRoom {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Out of which room.");
        let user_id = fields.required("userId", "Whom.");
        // Whoever is taken out of a room that nobody manages may always come back.
        let _allow_return: Option<bool> = fields.optional(
            "allowReturn",
            "Whether they may come back. Out of a room that Guildhall does not manage they may.",
        );
        Some(Self {
            channel_id: channel_id?,
            user_id: user_id?,
        })
    }
}

impl Effect for KickFromRoom {
    fn place(&self) -> Place {
        Place::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::KickFromRoom {
            guild_id,
            channel_id: self.channel_id,
            user_id: self.user_id,
        }
    }
}

impl Input for RenameRoom {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room.");
        let name = fields.required("name", "Its new name.");
        Some(Self {
            channel_id: channel_id?,
            name: name?,
        })
    }
}

impl Effect for RenameRoom {
    fn place(&self) -> Place {
        Place::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::RenameRoom {
            guild_id,
            channel_id: self.channel_id,
            name: self.name.0,
        }
    }
}

impl Input for SetRoomStatus {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room.");
        let status = fields.required("status", "The line below its name; null or empty: none.");
        Some(Self {
            channel_id: channel_id?,
            status: status?,
        })
    }
}

impl Effect for SetRoomStatus {
    fn place(&self) -> Place {
        Place::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::SetRoomStatus {
            guild_id,
            channel_id: self.channel_id,
            status: self.status.0,
        }
    }
}

impl Input for SetRoomLimit {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room.");
        let limit = fields.required("limit", "How many fit in; 0: no limit.");
        Some(Self {
            channel_id: channel_id?,
            limit: limit?,
        })
    }
}

impl Effect for SetRoomLimit {
    fn place(&self) -> Place {
        Place::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::SetRoomLimit {
            guild_id,
            channel_id: self.channel_id,
            limit: self.limit.0,
        }
    }
}
