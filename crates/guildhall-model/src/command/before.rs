//! What is so before a command is done, and after it.

use serde::{Deserialize, Serialize};

use super::kinds::Command;
use crate::{
    ChannelId, Permissions, UserId,
    guild::{Guild, OverwriteTarget, Room},
};

/// What is so before a command is done. If it is so afterwards it was not done; if neither this is so
/// nor what the command asks for, something else happened meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Before {
    /// The room in which the person is whom it moves; `None`: none.
    Room(Option<ChannelId>),
    /// The room's name.
    Name(String),
    /// How many fit into the room.
    Limit(u32),
    /// The line of text below the room's name; `None`: none, or none was told yet.
    Status(Option<String>),
    /// Nobody new may enter the room.
    Locked(bool),
    /// Who is not listed does not see the room.
    Hidden(bool),
    /// Whose room it is.
    OwnedBy(UserId),
    /// The person is kept out of the room.
    Blocked(bool),
    /// The room is there.
    Exists(bool),
    /// The world does not say.
    Unknown,
}

impl Before {
    /// What is so now of that which a command changes. `None`: there is no such room, or it is none of
    /// ours.
    #[must_use]
    pub fn of(command: &Command, actor: UserId, guild: &Guild) -> Option<Self> {
        let room = || guild.rooms.get(&command.channel_id()?);
        let info = || room().map(|room| &room.info);
        let managed = || info()?.managed;
        match command {
            Command::RenameRoom { .. } => Some(Self::Name(info()?.name.clone())),
            Command::SetRoomLimit { .. } => Some(Self::Limit(info()?.user_limit)),
            Command::SetRoomStatus { .. } => Some(Self::Status(info()?.status.clone())),
            Command::CreateInvite { .. } | Command::RevokeInvites { .. } => {
                room().map(|_| Self::Unknown)
            }
            Command::CreateRoom { .. } => Some(Self::Unknown),
            Command::LockRoom { .. } => Some(Self::Locked(managed()?.locked)),
            Command::HideRoom { .. } => Some(Self::Hidden(managed()?.hidden)),
            Command::TransferRoom { .. } | Command::ClaimRoom { .. } => {
                Some(Self::OwnedBy(managed()?.owner_id))
            }
            Command::BlockFromRoom { user_id, .. } | Command::UnblockFromRoom { user_id, .. } => {
                Some(Self::Blocked(is_blocked(room()?, *user_id)))
            }
            Command::CloseRoom { .. } => Some(Self::Exists(room().is_some())),
            Command::ConnectUserToVoiceChannel { .. }
            | Command::KickFromRoom { .. }
            | Command::Disconnect { .. }
            | Command::EnterLobby { .. }
            | Command::JoinRoom { .. } => {
                let user = command.moves(actor)?;
                Some(Self::Room(room_of(guild, user)))
            }
        }
    }

    /// Whether this is how it is once a command of this actor is done.
    #[must_use]
    pub fn is_after(&self, command: &Command, actor: UserId) -> bool {
        match (self, command) {
            (
                Self::Room(there),
                Command::ConnectUserToVoiceChannel { channel_id, .. }
                | Command::JoinRoom { channel_id, .. },
            ) => *there == Some(*channel_id),
            (
                Self::Room(there),
                Command::KickFromRoom { channel_id, .. } | Command::EnterLobby { channel_id, .. },
            ) => *there != Some(*channel_id),
            (Self::Room(there), Command::Disconnect { .. }) => there.is_none(),
            (Self::Name(is), Command::RenameRoom { name, .. }) => is == name,
            (Self::Limit(is), Command::SetRoomLimit { limit, .. }) => is == limit,
            (Self::Status(is), Command::SetRoomStatus { status, .. }) => is == status,
            (Self::Locked(is), Command::LockRoom { locked, .. }) => is == locked,
            (Self::Hidden(is), Command::HideRoom { hidden, .. }) => is == hidden,
            (Self::OwnedBy(is), Command::TransferRoom { user_id, .. }) => is == user_id,
            (Self::OwnedBy(is), Command::ClaimRoom { .. }) => *is == actor,
            (Self::Blocked(is), Command::BlockFromRoom { .. }) => *is,
            (Self::Blocked(is), Command::UnblockFromRoom { .. })
            | (Self::Exists(is), Command::CloseRoom { .. }) => !*is,
            _ => false,
        }
    }
}

impl Command {
    /// Whether a guild is as if this had been done. `None`: the world does not say.
    #[must_use]
    pub fn is_so(&self, actor: UserId, guild: &Guild) -> Option<bool> {
        let is_now = Before::of(self, actor, guild)?;
        (is_now != Before::Unknown).then(|| is_now.is_after(self, actor))
    }
}

/// The room in which somebody is.
pub(super) fn room_of(guild: &Guild, user_id: UserId) -> Option<ChannelId> {
    guild.voice.get(&user_id).map(|there| there.channel_id)
}

/// Whether somebody is kept out of a room by name.
pub(super) fn is_blocked(room: &Room, user_id: UserId) -> bool {
    let named = OverwriteTarget::Member(user_id);
    let mut overwrites = room.rights.overwrites.iter();
    overwrites.any(|one| one.target == named && one.deny.contains(Permissions::CONNECT))
}
