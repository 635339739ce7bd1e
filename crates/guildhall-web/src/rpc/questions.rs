//! What is asked of the world, answered from the replica by what the asker sees.

use guildhall_model::{ChannelId, GuildId, UserId};
use serde::Serialize;

use super::{
    authorise::{CallPlace, Seen},
    input::{Fields, Input},
};
use crate::visible::{
    GuildMembership, RoomExistence, RoomMembers, RoomOfUser, Visible, membership, room_exists,
    room_members, room_of,
};

/// A question.
pub(super) trait QuestionInput: Input + Send {
    /// Its answer.
    #[cfg(feature = "schema")]
    type Answer: Serialize + utoipa::ToSchema;
    /// Its answer.
    #[cfg(not(feature = "schema"))]
    type Answer: Serialize;

    /// Where it is about.
    fn place(&self) -> CallPlace;

    /// The answer by what is seen there, to this person, if it is one; nothing, where the place is none that the asker may know
    /// of. `None`: 404.
    fn answer(
        &self,
        asker: Option<UserId>,
        seen: Option<&Seen<'_>>,
    ) -> Option<Visible<Self::Answer>>;

    /// Whether it is about whoever asks, who has to be a person then.
    fn asks_of_oneself(&self) -> bool {
        false
    }
}

/// `checkRoomExists`.
#[derive(Debug)]
pub(super) struct CheckRoomExistsInput {
    channel_id: ChannelId,
}

/// `checkUserInVoiceChannel`.
#[derive(Debug)]
pub(super) struct CheckUserInVoiceChannelInput {
    guild_id: GuildId,
    user_id: Option<UserId>,
}

/// `ensureUserInGuild`.
#[derive(Debug)]
pub(super) struct EnsureUserInGuildInput {
    guild_id: GuildId,
}

/// `getVoiceChannelMembers`.
#[derive(Debug)]
pub(super) struct GetVoiceChannelMembersInput {
    channel_id: ChannelId,
}

impl Input for CheckRoomExistsInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room.");
        Some(Self {
            channel_id: channel_id?,
        })
    }
}

impl QuestionInput for CheckRoomExistsInput {
    type Answer = RoomExistence;

    fn place(&self) -> CallPlace {
        CallPlace::Room(self.channel_id)
    }

    fn answer(
        &self,
        _asker: Option<UserId>,
        seen: Option<&Seen<'_>>,
    ) -> Option<Visible<RoomExistence>> {
        let rooms = seen.map(|seen| seen.rooms);
        Some(room_exists(rooms, self.channel_id))
    }
}

impl Input for CheckUserInVoiceChannelInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let guild_id = fields.required("guildId", "Where.");
        let user_id = fields.optional("userId", "Who; left out: who asks.");
        Some(Self {
            guild_id: guild_id?,
            user_id,
        })
    }
}

impl QuestionInput for CheckUserInVoiceChannelInput {
    type Answer = RoomOfUser;

    fn place(&self) -> CallPlace {
        CallPlace::Guild(self.guild_id)
    }

    fn answer(
        &self,
        asker: Option<UserId>,
        seen: Option<&Seen<'_>>,
    ) -> Option<Visible<RoomOfUser>> {
        let Seen { guild, rooms } = seen?;
        Some(room_of(guild, rooms, self.user_id.or(asker)?))
    }

    fn asks_of_oneself(&self) -> bool {
        self.user_id.is_none()
    }
}

impl Input for EnsureUserInGuildInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let guild_id = fields.required("guildId", "Which guild.");
        Some(Self {
            guild_id: guild_id?,
        })
    }
}

impl QuestionInput for EnsureUserInGuildInput {
    type Answer = GuildMembership;

    fn place(&self) -> CallPlace {
        CallPlace::Guild(self.guild_id)
    }

    fn answer(
        &self,
        _asker: Option<UserId>,
        seen: Option<&Seen<'_>>,
    ) -> Option<Visible<GuildMembership>> {
        Some(membership(seen.map(|seen| seen.rooms)))
    }
}

impl Input for GetVoiceChannelMembersInput {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let channel_id = fields.required("channelId", "Which room.");
        Some(Self {
            channel_id: channel_id?,
        })
    }
}

impl QuestionInput for GetVoiceChannelMembersInput {
    type Answer = RoomMembers;

    fn place(&self) -> CallPlace {
        CallPlace::Room(self.channel_id)
    }

    fn answer(
        &self,
        _asker: Option<UserId>,
        seen: Option<&Seen<'_>>,
    ) -> Option<Visible<RoomMembers>> {
        let Seen { guild, rooms } = seen?;
        room_members(guild, rooms, self.channel_id)
    }
}
