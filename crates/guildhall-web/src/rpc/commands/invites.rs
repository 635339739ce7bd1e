//! Invites into rooms that Guildhall makes.

use guildhall_model::{
    ChannelId, GuildId, UserId,
    command::{Command, InviteToken},
};

use super::CommandInput;
use crate::{
    rpc::{
        authorise::CallPlace,
        field::{InviteSeats, LinkLifetime},
        input::{Fields, Input},
    },
    visible::{CommandOutcome, CreatedInvite, JoinedRoom},
};

/// How long an invite is good, where nobody says: a day, in seconds.
const LIFETIME: u64 = 24 * 60 * 60;

/// `createInvite`.
#[derive(Debug)]
pub(in crate::rpc) struct CreateInviteInput {
    channel_id: ChannelId,
    seats: Option<InviteSeats>,
    single_use: bool,
    expires_in_seconds: Option<LinkLifetime>,
}

/// `revokeInvite`.
#[derive(Debug)]
pub(in crate::rpc) enum RevokeInviteInput {
    /// This one.
    One(InviteToken),
    /// All of a room's.
    All(ChannelId),
}

/// `joinRoom`.
#[derive(Debug)]
pub(in crate::rpc) struct JoinRoomInput {
    token: InviteToken,
}

impl Input for CreateInviteInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Into which room.");
        let seats: Option<InviteSeats> = fields.optional(
            "seats",
            "For how many people it is good; left out: for as many as come.",
        );
        let single_use = fields.optional("singleUse", "True: it is good for one person.");
        let expires_in_seconds = fields.optional(
            "expiresInSeconds",
            "How long it is good; left out: for a day.",
        );
        let single_use = single_use.unwrap_or_default();
        if single_use && seats.as_ref().is_some_and(|seats| seats.0 != 1) {
            fields.complain("seats", "must be 1 or left out with singleUse");
        }
        Some(Self {
            channel_id: channel_id?,
            seats,
            single_use,
            expires_in_seconds,
        })
    }
}

impl CommandInput for CreateInviteInput {
    type Answer = CreatedInvite;

    fn place(&self) -> CallPlace {
        CallPlace::Room(self.channel_id)
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::CreateInvite {
            guild_id,
            channel_id: self.channel_id,
            seats: self.seats.map(|seats| seats.0),
            single_use: self.single_use,
            expires_in_seconds: self.expires_in_seconds.map_or(LIFETIME, |life| life.0),
        }
    }
}

impl Input for RevokeInviteInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let token = fields.optional("token", "This one.");
        let channel_id = fields.optional("channelId", "All into this room.");
        match (token, channel_id) {
            (Some(token), None) => Some(Self::One(token)),
            (None, Some(channel_id)) => Some(Self::All(channel_id)),
            (Some(_), Some(_)) => {
                fields.complain("channelId", "must be left out with a token");
                None
            }
            (None, None) => {
                // Where one of them is wrong, that was complained of before.
                for name in ["token", "channelId"] {
                    fields.complain(name, "is missing; there must be a token or a channelId");
                }
                None
            }
        }
    }
}

impl CommandInput for RevokeInviteInput {
    type Answer = CommandOutcome;

    /// Whoever revokes one is not let in by it: they see its room.
    fn place(&self) -> CallPlace {
        CallPlace::Room(match self {
            Self::One(token) => token.claims().channel_id,
            Self::All(channel_id) => *channel_id,
        })
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        let (channel_id, token) = match self {
            Self::One(token) => (token.claims().channel_id, Some(token)),
            Self::All(channel_id) => (channel_id, None),
        };
        Command::RevokeInvites {
            guild_id,
            channel_id,
            token,
        }
    }
}

impl Input for JoinRoomInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let token = fields.required("token", "What the invite's address has as `invite`.");
        Some(Self { token: token? })
    }
}

impl CommandInput for JoinRoomInput {
    type Answer = JoinedRoom;

    fn place(&self) -> CallPlace {
        CallPlace::Invite(self.token.clone())
    }

    fn command(self, guild_id: GuildId, _actor: UserId) -> Command {
        Command::JoinRoom {
            guild_id,
            channel_id: self.token.claims().channel_id,
            token: self.token,
        }
    }
}
