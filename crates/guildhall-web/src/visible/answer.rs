//! What a question about a room or a person is answered, judged by what the asker sees now. Whoever
//! or whatever is in a room that they do not see is nowhere.

use guildhall_model::{ChannelId, Guild, UserId, VisibleRooms, guild::Occupant};
use serde::Serialize;

use super::Visible;

/// Whether there is such a room.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct RoomExistence {
    /// False as well where the asker does not see it.
    exists: bool,
}

/// In which room somebody is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct RoomOfUser {
    /// Null: in none, or in one that the asker does not see.
    #[cfg_attr(feature = "schema", schema(required))]
    channel_id: Option<ChannelId>,
}

/// Whether the asker is a member of a guild.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct GuildMembership {
    /// False as well where the bot is not in the guild.
    member: bool,
}

/// Who is in a room.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct RoomMembers {
    /// As in a snapshot, in order of their ids.
    members: Vec<Occupant>,
}

/// Whether there is such a room. `seen`: what the asker sees of the guild that it is in.
pub(crate) fn room_exists(seen: Option<&VisibleRooms>, room: ChannelId) -> Visible<RoomExistence> {
    let exists = seen.is_some_and(|rooms| rooms.contains(room));
    Visible(RoomExistence { exists })
}

/// In which room somebody is.
pub(crate) fn room_of(guild: &Guild, seen: &VisibleRooms, user: UserId) -> Visible<RoomOfUser> {
    let room = guild.voice.get(&user).map(|person| person.channel_id);
    let channel_id = room.filter(|room| seen.contains(*room));
    Visible(RoomOfUser { channel_id })
}

/// Whether the asker, who sees this of a guild, is a member.
pub(crate) fn membership(seen: Option<&VisibleRooms>) -> Visible<GuildMembership> {
    let member = seen.is_some();
    Visible(GuildMembership { member })
}

/// Who is in a room. `None`: there is no such room, as far as the asker may know.
pub(crate) fn room_members(
    guild: &Guild,
    seen: &VisibleRooms,
    room: ChannelId,
) -> Option<Visible<RoomMembers>> {
    let members = seen.contains(room).then(|| guild.occupants(room).cloned());
    let members = members?.collect();
    Some(Visible(RoomMembers { members }))
}
