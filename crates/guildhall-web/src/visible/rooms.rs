//! What a viewer is in a guild, and the rooms they see there.

use std::collections::BTreeSet;

use guildhall_model::{ChannelId, Guild, GuildId, UserId, ViewerClass, guild::Membership};

/// The rooms that one class of viewers sees in a guild, at one position of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VisibleRooms {
    class: ViewerClass,
    rooms: BTreeSet<ChannelId>,
}

impl VisibleRooms {
    /// What a class sees of the guild as it is.
    pub(crate) fn of(class: ViewerClass, guild: &Guild) -> Self {
        let rooms = guild.rooms.keys().copied();
        let rooms = rooms.filter(|room| class.sees(guild, *room)).collect();
        Self { class, rooms }
    }

    /// Whether a room is among them.
    pub(crate) fn contains(&self, room: ChannelId) -> bool {
        self.rooms.contains(&room)
    }

    /// Their ids.
    pub(super) fn ids(&self) -> &BTreeSet<ChannelId> {
        &self.rooms
    }

    /// The class.
    pub(crate) fn class(&self) -> &ViewerClass {
        &self.class
    }
}

/// What a viewer is to a guild, at one position of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// There is no such guild: the bot is not in it, or it has not come yet.
    Absent,
    /// Not looked up, or being looked up again. Nothing of the guild is shown until it is known.
    Unknown,
    /// Discord said: no member.
    Stranger,
    /// A member, who sees these rooms.
    Member(VisibleRooms),
}

impl Access {
    /// What a user is to a guild as it is.
    pub(crate) fn of(guild: Option<&Guild>, id: GuildId, user: UserId) -> Self {
        let Some(guild) = guild else {
            return Self::Absent;
        };
        let class = ViewerClass::of(id, guild, user);
        match (guild.memberships.get(&user), class) {
            (Some(Membership::Stranger), _) => Self::Stranger,
            (Some(Membership::Member { .. }), Some(class)) => {
                Self::Member(VisibleRooms::of(class, guild))
            }
            (None, _) | (_, None) => Self::Unknown,
        }
    }

    /// The rooms that they see. `None`: they are no member, or it is not known.
    pub(crate) fn rooms(&self) -> Option<&VisibleRooms> {
        match self {
            Self::Member(rooms) => Some(rooms),
            Self::Absent | Self::Unknown | Self::Stranger => None,
        }
    }
}
