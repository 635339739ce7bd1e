//! What a viewer is to a guild: no member, or a member who sees these rooms.

use guildhall_model::{
    Guild, GuildId, MemberView, VisibleRooms, guild::Membership, permission::VisibilityOfMany,
};

use crate::replica::{Affects, ViewerId};

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
    /// What a viewer is to a guild as it is.
    pub(crate) fn of(guild: Option<&Guild>, id: GuildId, viewer: impl Into<ViewerId>) -> Self {
        let viewer = viewer.into();
        let rooms = |guild| view(id, guild, viewer).map(|view| view.rooms());
        guild.map_or(Self::Absent, |guild| Self::with(guild, viewer, rooms))
    }

    /// The same of one among many. `many`: of this guild.
    pub(crate) fn among(
        many: &mut VisibilityOfMany<'_>,
        (id, guild): (GuildId, &Guild),
        viewer: ViewerId,
    ) -> Self {
        Self::with(guild, viewer, |guild| match viewer {
            ViewerId::Person(user) => many.rooms(user),
            ViewerId::Bot => Some(MemberView::of_bot(id, guild).rooms()),
        })
    }

    fn with<'a>(
        guild: &'a Guild,
        viewer: ViewerId,
        rooms: impl FnOnce(&'a Guild) -> Option<VisibleRooms>,
    ) -> Self {
        let ViewerId::Person(user) = viewer else {
            return rooms(guild).map_or(Self::Unknown, Self::Member);
        };
        match guild.memberships.get(&user) {
            None => Self::Unknown,
            Some(Membership::Stranger) => Self::Stranger,
            Some(Membership::Member { .. }) => rooms(guild).map_or(Self::Unknown, Self::Member),
        }
    }

    /// What a user is to a guild after an event, who was this to it before. Of their rooms only
    /// those are looked at that the event can have shown or hidden. `guild`: as it is after it.
    pub(crate) fn after(
        &self,
        affects: Affects,
        guild: Option<&Guild>,
        id: GuildId,
        viewer: ViewerId,
    ) -> Self {
        let rooms = match affects {
            Affects::Nobody => return self.clone(),
            Affects::Person(who) | Affects::Move { who, .. } if !viewer.is(who) => {
                return self.clone();
            }
            Affects::Person(_) | Affects::Everybody => return Self::of(guild, id, viewer),
            Affects::Move { from, to, .. } => [from, to],
            Affects::Room(room) => [Some(room), None],
        };
        let Self::Member(seen) = self else {
            return self.clone();
        };
        let Some(view) = guild.and_then(|guild| view(id, guild, viewer)) else {
            return Self::of(guild, id, viewer);
        };
        let rooms = rooms.into_iter().flatten();
        Self::Member(rooms.fold(seen.clone(), |seen, room| seen.with(room, view.sees(room))))
    }

    /// The rooms that they see. `None`: they are no member, or it is not known.
    pub(crate) fn rooms(&self) -> Option<&VisibleRooms> {
        match self {
            Self::Member(rooms) => Some(rooms),
            Self::Absent | Self::Unknown | Self::Stranger => None,
        }
    }
}

/// What a viewer sees of a guild. `None`: they are no member, or were not looked up.
pub(crate) fn view(id: GuildId, guild: &Guild, viewer: ViewerId) -> Option<MemberView<'_>> {
    match viewer {
        ViewerId::Person(user) => MemberView::of(id, guild, user),
        ViewerId::Bot => Some(MemberView::of_bot(id, guild)),
    }
}
