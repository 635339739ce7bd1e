//! What is asked of the world, answered from the replica by what the asker sees.

use guildhall_model::{ChannelId, GuildId, UserId};
use serde::Serialize;

use super::{
    authorise::{Place, Seen},
    input::{Fields, Input},
};
use crate::visible::{
    GuildMembership, RoomExistence, RoomMembers, RoomOfUser, Visible, membership, room_exists,
    room_members, room_of,
};

/// A question.
pub(super) trait LookUp: Input + Send {
    /// Its answer.
    #[cfg(feature = "schema")]
    type Answer: Serialize + utoipa::ToSchema;
    /// Its answer.
    #[cfg(not(feature = "schema"))]
    type Answer: Serialize;

    /// Where it is about.
    fn place(&self) -> Place;

    /// The answer by what is seen there; nothing, where the place is none that the asker may know
    /// of. `None`: 404.
    fn answer(&self, asker: UserId, seen: Option<&Seen<'_>>) -> Option<Visible<Self::Answer>>;
}

/// `checkRoomExists`.
#[derive(Debug)]
pub(super) struct CheckRoomExists {
    channel_id: ChannelId,
}

/// `checkUserInVoiceChannel`.
#[derive(Debug)]
pub(super) struct CheckUserInVoiceChannel {
    guild_id: GuildId,
    user_id: Option<UserId>,
}

/// `ensureUserInGuild`.
#[derive(Debug)]
pub(super) struct EnsureUserInGuild {
    guild_id: GuildId,
}

/// `getVoiceChannelMembers`.
#[derive(Debug)]
pub(super) struct GetVoiceChannelMembers {
    channel_id: ChannelId,
}

impl Input for CheckRoomExists {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room.");
        Some(Self {
            channel_id: channel_id?,
        })
    }
}

impl LookUp for CheckRoomExists {
    type Answer = RoomExistence;

    fn place(&self) -> Place {
        Place::Room(self.channel_id)
    }

    fn answer(&self, _asker: UserId, seen: Option<&Seen<'_>>) -> Option<Visible<RoomExistence>> {
        let rooms = seen.map(|seen| seen.rooms);
        Some(room_exists(rooms, self.channel_id))
    }
}

impl Input for CheckUserInVoiceChannel {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let guild_id = fields.required("guildId", "Where.");
        let user_id = fields.optional("userId", "Who; left out: who asks.");
        Some(Self {
            guild_id: guild_id?,
            user_id,
        })
    }
}

impl LookUp for CheckUserInVoiceChannel {
    type Answer = RoomOfUser;

    fn place(&self) -> Place {
        Place::Guild(self.guild_id)
    }

    fn answer(&self, asker: UserId, seen: Option<&Seen<'_>>) -> Option<Visible<RoomOfUser>> {
        let Seen { guild, rooms } = seen?;
        Some(room_of(guild, rooms, self.user_id.unwrap_or(asker)))
    }
}

impl Input for EnsureUserInGuild {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let guild_id = fields.required("guildId", "Which guild.");
        Some(Self {
            guild_id: guild_id?,
        })
    }
}

impl LookUp for EnsureUserInGuild {
    type Answer = GuildMembership;

    fn place(&self) -> Place {
        Place::Guild(self.guild_id)
    }

    fn answer(&self, _asker: UserId, seen: Option<&Seen<'_>>) -> Option<Visible<GuildMembership>> {
        Some(membership(seen.map(|seen| seen.rooms)))
    }
}

impl Input for GetVoiceChannelMembers {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room.");
        Some(Self {
            channel_id: channel_id?,
        })
    }
}

impl LookUp for GetVoiceChannelMembers {
    type Answer = RoomMembers;

    fn place(&self) -> Place {
        Place::Room(self.channel_id)
    }

    fn answer(&self, _asker: UserId, seen: Option<&Seen<'_>>) -> Option<Visible<RoomMembers>> {
        let Seen { guild, rooms } = seen?;
        room_members(guild, rooms, self.channel_id)
    }
}
