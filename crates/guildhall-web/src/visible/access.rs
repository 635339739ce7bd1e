//! What a viewer is to a guild: no member, or a member who sees these rooms.

use guildhall_model::{
    Guild, GuildId, MemberView, UserId, VisibleRooms, guild::Membership,
    permission::VisibilityOfMany,
};

use crate::replica::Affects;

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
        let rooms = |guild| MemberView::of(id, guild, user).map(|view| view.rooms());
        guild.map_or(Self::Absent, |guild| Self::with(guild, user, rooms))
    }

    /// The same of one among many. `many`: of this guild.
    pub(crate) fn among(many: &mut VisibilityOfMany<'_>, guild: &Guild, user: UserId) -> Self {
        Self::with(guild, user, |_| many.rooms(user))
    }

    fn with<'a>(
        guild: &'a Guild,
        user: UserId,
        rooms: impl FnOnce(&'a Guild) -> Option<VisibleRooms>,
    ) -> Self {
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
        user: UserId,
    ) -> Self {
        let rooms = match affects {
            Affects::Nobody => return self.clone(),
            Affects::Person(who) | Affects::Move { who, .. } if who != user => return self.clone(),
            Affects::Person(_) | Affects::Everybody => return Self::of(guild, id, user),
            Affects::Move { from, to, .. } => [from, to],
            Affects::Room(room) => [Some(room), None],
        };
        let Self::Member(seen) = self else {
            return self.clone();
        };
        let Some(view) = guild.and_then(|guild| MemberView::of(id, guild, user)) else {
            return Self::of(guild, id, user);
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
