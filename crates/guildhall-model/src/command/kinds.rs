//! What can be asked for.

use serde::{Deserialize, Serialize};

use super::invite::InviteToken;
use crate::{ChannelId, GuildId, UserId};

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
    /// Take somebody out of a room; out of a managed one also for good, unless they may return.
    KickFromRoom {
        /// Where.
        guild_id: GuildId,
        /// Out of which room.
        channel_id: ChannelId,
        /// Whom.
        user_id: UserId,
        /// They may come back at once. Of a room that is not managed everybody may.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        allow_return: bool,
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
    /// Make a room of the actor's own.
    CreateRoom {
        /// Where.
        guild_id: GuildId,
        /// 1 to 100 characters.
        name: String,
        /// Up to 99; 0: no limit.
        limit: u32,
        /// In which category; `None`: wherever rooms are made.
        parent_id: Option<ChannelId>,
        /// Only who is listed sees it.
        private: bool,
    },
    /// Make, or find, the actor's own room, since they came into a lobby, and move them there. The
    /// gateway gives it itself: nobody can ask for it.
    EnterLobby {
        /// Where.
        guild_id: GuildId,
        /// The lobby.
        channel_id: ChannelId,
    },
    /// Let nobody new into a managed room, or let them in again.
    LockRoom {
        /// Where.
        guild_id: GuildId,
        /// Which room.
        channel_id: ChannelId,
        /// From now on.
        locked: bool,
    },
    /// Show a managed room to nobody who is not listed, or to everybody again.
    HideRoom {
        /// Where.
        guild_id: GuildId,
        /// Which room.
        channel_id: ChannelId,
        /// From now on.
        hidden: bool,
    },
    /// Make a managed room somebody else's.
    TransferRoom {
        /// Where.
        guild_id: GuildId,
        /// Which room.
        channel_id: ChannelId,
        /// Whose it is to be.
        user_id: UserId,
    },
    /// Make a managed room, whose owner has gone, the actor's.
    ClaimRoom {
        /// Where.
        guild_id: GuildId,
        /// Which room.
        channel_id: ChannelId,
    },
    /// Delete a managed room.
    CloseRoom {
        /// Where.
        guild_id: GuildId,
        /// Which room.
        channel_id: ChannelId,
    },
    /// Keep somebody out of a managed room.
    BlockFromRoom {
        /// Where.
        guild_id: GuildId,
        /// Out of which room.
        channel_id: ChannelId,
        /// Whom.
        user_id: UserId,
    },
    /// Keep somebody out of a managed room no longer.
    UnblockFromRoom {
        /// Where.
        guild_id: GuildId,
        /// Out of which room.
        channel_id: ChannelId,
        /// Whom.
        user_id: UserId,
    },
    /// Sign an invite into a managed room.
    CreateInvite {
        /// Where.
        guild_id: GuildId,
        /// Into which room.
        channel_id: ChannelId,
        /// How many people it is good for; `None`: any number.
        seats: Option<u32>,
        /// It is good for one person.
        single_use: bool,
        /// How long it is good.
        expires_in_seconds: u64,
    },
    /// Make invites into a managed room worthless.
    RevokeInvites {
        /// Where.
        guild_id: GuildId,
        /// Into which room.
        channel_id: ChannelId,
        /// This one; `None`: all of the room's.
        token: Option<InviteToken>,
    },
    /// Come into a managed room by an invite.
    JoinRoom {
        /// Where.
        guild_id: GuildId,
        /// Into which room.
        channel_id: ChannelId,
        /// By which right.
        token: InviteToken,
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
            Self::CreateRoom { .. } => "createRoom",
            Self::EnterLobby { .. } => "enterLobby",
            Self::LockRoom { .. } => "lockRoom",
            Self::HideRoom { .. } => "hideRoom",
            Self::TransferRoom { .. } => "transferRoom",
            Self::ClaimRoom { .. } => "claimRoom",
            Self::CloseRoom { .. } => "closeRoom",
            Self::BlockFromRoom { .. } => "blockFromRoom",
            Self::UnblockFromRoom { .. } => "unblockFromRoom",
            Self::CreateInvite { .. } => "createInvite",
            Self::RevokeInvites { .. } => "revokeInvite",
            Self::JoinRoom { .. } => "joinRoom",
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
            | Self::SetRoomLimit { guild_id, .. }
            | Self::CreateRoom { guild_id, .. }
            | Self::EnterLobby { guild_id, .. }
            | Self::LockRoom { guild_id, .. }
            | Self::HideRoom { guild_id, .. }
            | Self::TransferRoom { guild_id, .. }
            | Self::ClaimRoom { guild_id, .. }
            | Self::CloseRoom { guild_id, .. }
            | Self::BlockFromRoom { guild_id, .. }
            | Self::UnblockFromRoom { guild_id, .. }
            | Self::CreateInvite { guild_id, .. }
            | Self::RevokeInvites { guild_id, .. }
            | Self::JoinRoom { guild_id, .. } => guild_id,
        }
    }

    /// The room that it is about. Not a lobby: nothing is done to it, and whoever comes into one
    /// waits for nobody.
    #[must_use]
    pub fn channel_id(&self) -> Option<ChannelId> {
        match *self {
            Self::ConnectUserToVoiceChannel { channel_id, .. }
            | Self::KickFromRoom { channel_id, .. }
            | Self::RenameRoom { channel_id, .. }
            | Self::SetRoomStatus { channel_id, .. }
            | Self::SetRoomLimit { channel_id, .. }
            | Self::LockRoom { channel_id, .. }
            | Self::HideRoom { channel_id, .. }
            | Self::TransferRoom { channel_id, .. }
            | Self::ClaimRoom { channel_id, .. }
            | Self::CloseRoom { channel_id, .. }
            | Self::BlockFromRoom { channel_id, .. }
            | Self::UnblockFromRoom { channel_id, .. }
            | Self::CreateInvite { channel_id, .. }
            | Self::RevokeInvites { channel_id, .. }
            | Self::JoinRoom { channel_id, .. } => Some(channel_id),
            Self::Disconnect { .. } | Self::CreateRoom { .. } | Self::EnterLobby { .. } => None,
        }
    }

    /// Whether the actor has to see the room that it is about. Whoever comes by an invite need not,
    /// and is told nothing of the room before the invite was found to be genuine: only the gateway
    /// judges such a command, behind that.
    #[must_use]
    pub fn is_about_seen_room(&self) -> bool {
        !matches!(self, Self::JoinRoom { .. })
    }

    /// Whom it moves, or takes out.
    #[must_use]
    pub fn moves(&self, actor: UserId) -> Option<UserId> {
        match *self {
            Self::ConnectUserToVoiceChannel { user_id, .. }
            | Self::KickFromRoom { user_id, .. }
            | Self::BlockFromRoom { user_id, .. } => Some(user_id),
            Self::Disconnect { .. } | Self::EnterLobby { .. } | Self::JoinRoom { .. } => {
                Some(actor)
            }
            Self::RenameRoom { .. }
            | Self::SetRoomStatus { .. }
            | Self::SetRoomLimit { .. }
            | Self::CreateRoom { .. }
            | Self::LockRoom { .. }
            | Self::HideRoom { .. }
            | Self::TransferRoom { .. }
            | Self::ClaimRoom { .. }
            | Self::CloseRoom { .. }
            | Self::UnblockFromRoom { .. }
            | Self::CreateInvite { .. }
            | Self::RevokeInvites { .. } => None,
        }
    }
}
