//! Viewer classes: filter results, wake lists and snapshot fragments belong to classes, not to
//! streams.

use super::{ChannelKind, Member, NOBODY, effective, in_channel, in_guild};
use crate::{
    ChannelId, GuildId, Permissions, RoleId, UserId,
    guild::{Guild, Membership, Overwrite, OverwriteTarget, Room},
};

/// Everything about a viewer that decides what they see in one guild. Viewers with equal classes
/// see the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ViewerClass {
    guild_id: GuildId,
    visibility: Visibility,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Visibility {
    /// The owner and every administrator: all rooms but those the bot can't see.
    SeesAll,
    /// A guest sees the room they are in and nothing else.
    Guest(Option<ChannelId>),
    Member {
        roles: Vec<RoleId>,
        /// The overwrites that name this very member.
        own: Vec<(ChannelId, Overwrite)>,
        /// The room they are in, if they would not see it otherwise.
        connected: Option<ChannelId>,
    },
}

impl ViewerClass {
    /// The class of a user in a guild as it is now. `None`: not a member, or not looked up; they
    /// see nothing of it, never what `@everyone` sees.
    #[must_use]
    pub fn of(guild_id: GuildId, guild: &Guild, user_id: UserId) -> Option<Self> {
        let Some(Membership::Member { roles, guest, .. }) = guild.memberships.get(&user_id) else {
            return None;
        };
        // A timeout takes nothing of what somebody sees, so it is no part of a class.
        let member = Member {
            user_id,
            roles,
            timed_out: false,
        };
        let connected = guild.voice.get(&user_id).map(|there| there.channel_id);
        let visibility = if in_guild(guild_id, guild, member) == Permissions::ALL {
            Visibility::SeesAll
        } else if *guest {
            Visibility::Guest(connected)
        } else {
            let class = Self::member(guild_id, guild, user_id, roles, None);
            match connected {
                Some(room) if !class.sees(guild, room) => {
                    return Some(Self::member(guild_id, guild, user_id, roles, connected));
                }
                _ => return Some(class),
            }
        };
        Some(Self {
            guild_id,
            visibility,
        })
    }

    fn member(
        guild_id: GuildId,
        guild: &Guild,
        user_id: UserId,
        roles: &[RoleId],
        connected: Option<ChannelId>,
    ) -> Self {
        let named = |overwrite: &&Overwrite| overwrite.target == OverwriteTarget::Member(user_id);
        let own = guild.rooms.iter().flat_map(|(channel, room)| {
            let overwrites = room.rights.overwrites.iter().filter(named);
            overwrites.map(|overwrite| (*channel, anonymous(*overwrite)))
        });
        let visibility = Visibility::Member {
            roles: roles.to_vec(),
            own: own.collect(),
            connected,
        };
        Self {
            guild_id,
            visibility,
        }
    }

    /// The guild this class is of.
    #[must_use]
    pub fn guild_id(&self) -> GuildId {
        self.guild_id
    }

    /// Whether the class sees a room of its guild: VIEW_CHANNEL there, or being connected to it.
    /// A room that is not there, or that the bot itself can't view, is seen by nobody.
    #[must_use]
    pub fn sees(&self, guild: &Guild, channel: ChannelId) -> bool {
        match guild.rooms.get(&channel) {
            Some(room) if !room.rights.obfuscated => self.sees_room(guild, channel, room),
            _ => false,
        }
    }

    fn sees_room(&self, guild: &Guild, channel: ChannelId, room: &Room) -> bool {
        let (roles, own, connected) = match &self.visibility {
            Visibility::SeesAll => return true,
            Visibility::Guest(there) => return *there == Some(channel),
            Visibility::Member {
                roles,
                own,
                connected,
            } => (roles, own, *connected == Some(channel)),
        };
        let member = Member {
            user_id: NOBODY,
            roles,
            timed_out: false,
        };
        let shared = room.rights.overwrites.iter().copied();
        let own = own.iter().filter(|(there, _)| *there == channel);
        let overwrites: Vec<Overwrite> = shared
            .filter(|overwrite| matches!(overwrite.target, OverwriteTarget::Role(_)))
            .chain(own.map(|(_, overwrite)| *overwrite))
            .collect();
        let stored = in_channel(self.guild_id, guild, &overwrites, member);
        effective(stored, ChannelKind::Voice, member, connected).contains(Permissions::VIEW_CHANNEL)
    }
}

/// A class stands for many members, so an overwrite that names one of them is kept without the
/// name: members with equal overwrites are of one class.
fn anonymous(overwrite: Overwrite) -> Overwrite {
    Overwrite {
        target: OverwriteTarget::Member(NOBODY),
        ..overwrite
    }
}
