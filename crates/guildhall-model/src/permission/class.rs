//! What one member sees of a guild, and whom that makes a class.

/// The rooms somebody sees, as a value.
mod visible_rooms;
/// The rooms that many members of one guild see.
mod many;

use super::{ChannelKind, Member, NOBODY, RightsStep, base, counted, overwritten};
use crate::{
    ChannelId, GuildId, Permissions, RoleId, UserId,
    guild::{Guild, Membership, Room},
};

pub use many::VisibilityOfMany;
pub use visible_rooms::VisibleRooms;

/// Which rooms of a guild one member sees, as both are now.
#[derive(Clone, Copy, Debug)]
pub struct MemberView<'a> {
    guild_id: GuildId,
    guild: &'a Guild,
    user_id: UserId,
    common: CommonRights<'a>,
    base: Permissions,
    connected: Option<ChannelId>,
}

impl<'a> MemberView<'a> {
    /// Of a user. `None`: they are no member, or were not looked up; they see nothing of the guild,
    /// never what `@everyone` sees.
    #[must_use]
    pub fn of(guild_id: GuildId, guild: &'a Guild, user_id: UserId) -> Option<Self> {
        Self::noted(guild_id, guild, user_id, &mut |_| {})
    }

    /// The same, with a word on each step.
    pub(super) fn noted(
        guild_id: GuildId,
        guild: &'a Guild,
        user_id: UserId,
        note: &mut impl FnMut(RightsStep),
    ) -> Option<Self> {
        let Some(Membership::Member { roles, guest, .. }) = guild.memberships.get(&user_id) else {
            return None;
        };
        let base = base(guild_id, guild, member(user_id, roles), note);
        let common = if base == Permissions::ALL {
            CommonRights::SeesAll
        } else if *guest {
            CommonRights::Guest
        } else {
            CommonRights::Roles(roles)
        };
        Some(Self {
            guild_id,
            guild,
            user_id,
            common,
            base,
            connected: guild.voice.get(&user_id).map(|there| there.channel_id),
        })
    }

    /// Of the bot: every room but those that Discord hides from it. It needs no looking up, and it is
    /// in no room.
    #[must_use]
    pub fn of_bot(guild_id: GuildId, guild: &'a Guild) -> Self {
        Self {
            guild_id,
            guild,
            user_id: NOBODY,
            common: CommonRights::SeesAll,
            base: Permissions::ALL,
            connected: None,
        }
    }

    /// Of somebody with the same common rights whom no overwrite names and who is in no room.
    fn by_common_rights(&self) -> Self {
        Self {
            user_id: NOBODY,
            connected: None,
            ..*self
        }
    }

    /// Whether they see a room: VIEW_CHANNEL there, or being connected to it. A room that is not
    /// there, or that the bot itself can't view, is seen by nobody.
    #[must_use]
    pub fn sees(&self, channel: ChannelId) -> bool {
        let room = self.guild.rooms.get(&channel);
        room.is_some_and(|room| self.sees_room(channel, room))
    }

    fn sees_room(&self, channel: ChannelId, room: &Room) -> bool {
        let rights = self.rights_in(channel, room, false, &mut |_| {});
        rights.contains(Permissions::VIEW_CHANNEL)
    }

    /// What counts of their permissions in a room, as far as it decides what they see and whether
    /// they may connect. A timeout takes nothing of what somebody sees.
    pub(super) fn rights_in(
        &self,
        channel: ChannelId,
        room: &Room,
        timed_out: bool,
        note: &mut impl FnMut(RightsStep),
    ) -> Permissions {
        if room.rights.obfuscated {
            note(RightsStep::Obfuscated);
            return Permissions::NONE;
        }
        let connected = self.connected == Some(channel);
        let roles = match self.common {
            CommonRights::SeesAll => return Permissions::ALL,
            CommonRights::Guest => {
                note(RightsStep::Guest { connected });
                let there = Permissions::VIEW_CHANNEL | Permissions::CONNECT;
                return if connected { there } else { Permissions::NONE };
            }
            CommonRights::Roles(roles) => roles,
        };
        let member = Member {
            timed_out,
            ..member(self.user_id, roles)
        };
        let (guild, overwrites) = ((self.guild_id, self.guild), &room.rights.overwrites);
        let stored = overwritten(guild, self.base, overwrites, member, note);
        counted(stored, ChannelKind::Voice, member, connected, note)
    }

    /// All that they see.
    #[must_use]
    pub fn rooms(&self) -> VisibleRooms {
        let rooms = self.guild.rooms.iter();
        let seen = rooms.filter(|(channel, room)| self.sees_room(**channel, room));
        VisibleRooms::of(seen.map(|(channel, _)| *channel))
    }
}

/// A timeout takes nothing of what somebody sees.
fn member(user_id: UserId, roles: &[RoleId]) -> Member<'_> {
    Member {
        user_id,
        roles,
        timed_out: false,
    }
}

/// What of a member counts alike in every room. Members of whom it is equal see the same, but for
/// the rooms whose overwrites name one of them and the room that one of them is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum CommonRights<'a> {
    /// The owner and every administrator: all rooms but those the bot can't see.
    SeesAll,
    /// A guest sees the room they are in and nothing else.
    Guest,
    /// Everybody else, by their roles.
    Roles(&'a [RoleId]),
}
