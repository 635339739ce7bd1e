//! One guild as plain records: its rooms, who is in them, and what decides who may see them.
//! Events carry these records, and the world is made of them.

/// How an occupant is read: most of what is ever read are occupants.
mod occupant;
/// How rooms and overwrites are read and written.
mod room;
/// Discord's permission bits.
mod permissions;
/// How a guild is read and written.
mod written;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ChannelId, RoleId, UnixMs, UserId};

pub use permissions::Permissions;

/// One guild: its rooms, who is in them, and everything that decides who may see what.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "written::WrittenGuild")]
pub struct Guild {
    /// Name and icon.
    pub info: GuildInfo,
    /// False in an outage: rooms and people are as they were last seen.
    pub available: bool,
    /// Who may do everything.
    pub owner_id: UserId,
    /// Permissions of each role, `@everyone` included.
    pub roles: BTreeMap<RoleId, Permissions>,
    /// The categories that rooms are in.
    pub categories: BTreeMap<ChannelId, Category>,
    /// Voice and stage channels.
    pub rooms: BTreeMap<ChannelId, Room>,
    /// Who is in a room; a person is in at most one.
    pub voice: BTreeMap<UserId, Occupant>,
    /// Whose voice state names a channel that is not known as a room: it has not come yet, or is
    /// of another type at the moment. They join when the room comes. Nobody is shown them, and
    /// nobody is in `voice` too.
    pub pending_voice: BTreeMap<UserId, Occupant>,
    /// What the watched users are here, and the bot itself. Who is not listed was not looked up.
    pub memberships: BTreeMap<UserId, Membership>,
}

/// What a guild looks like from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct GuildInfo {
    /// The guild's name.
    pub name: String,
    /// Hash of its icon.
    #[cfg_attr(feature = "schema", schema(required))]
    pub icon: Option<String>,
}

/// A category. What is put into it inherits nothing from it, but who may make rooms in it is decided
/// by its rights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Category {
    /// Its name.
    pub name: String,
    /// What each member may do in it. Never leaves the web role.
    pub rights: RoomRights,
}

/// A voice or stage channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "room::FlatRoom")]
pub struct Room {
    /// What who sees it may know.
    #[serde(flatten)]
    pub info: RoomInfo,
    /// Who sees it. Never leaves the web role.
    pub rights: RoomRights,
}

/// The public side of a room.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "room::FlatInfo")]
pub struct RoomInfo {
    /// The Discord channel.
    pub channel_id: ChannelId,
    /// Its name.
    pub name: String,
    /// Voice or stage.
    pub kind: RoomKind,
    /// The category it is in.
    pub parent_id: Option<ChannelId>,
    /// The category's name.
    pub parent_name: Option<String>,
    /// Discord's sorting position.
    pub position: i64,
    /// How many fit in; 0: no limit.
    pub user_limit: u32,
    /// Whose it is, if Guildhall made it. Written side by side with the rest: `managed`, `ownerId`,
    /// `locked` and `hidden`.
    pub managed: Option<RoomManagement>,
    /// The line of text below its name; `None`: none, or none was told yet.
    pub status: Option<String>,
}

/// What Guildhall keeps of a room that it made, and Discord does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomManagement {
    /// Whose room it is.
    pub owner_id: UserId,
    /// Nobody new may enter.
    pub locked: bool,
    /// Who is not listed does not see it.
    pub hidden: bool,
}

/// What kind of channel a room is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum RoomKind {
    /// Discord's channel type 2.
    Voice,
    /// Discord's channel type 13.
    Stage,
}

/// What decides who sees a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomRights {
    /// The channel's permission overwrites. A channel inherits nothing from its category.
    pub overwrites: Vec<Overwrite>,
    /// The bot itself may not view it: Discord sends the channel obfuscated, its overwrites are
    /// false, and nobody is shown it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub obfuscated: bool,
}

/// One permission overwrite of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "room::FlatOverwrite")]
pub struct Overwrite {
    /// Whom it is about.
    #[serde(flatten)]
    pub target: OverwriteTarget,
    /// Permissions given.
    pub allow: Permissions,
    /// Permissions taken.
    pub deny: Permissions,
}

/// Whom an overwrite is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "type", content = "id", rename_all = "lowercase")]
pub enum OverwriteTarget {
    /// Everybody with a role; `@everyone` is the role with the guild's id.
    Role(RoleId),
    /// One member.
    Member(UserId),
}

/// A role's permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    /// The role.
    pub role_id: RoleId,
    /// What it gives everywhere in the guild.
    pub permissions: Permissions,
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "occupant::Flat")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Occupant {
    /// The room.
    pub channel_id: ChannelId,
    /// Who.
    pub user_id: UserId,
    /// Discord's unique name.
    pub username: String,
    /// Nickname here, else global name, else username.
    pub display_name: String,
    /// Hash of the avatar behind `avatar_url`, if it is not a default one.
    #[cfg_attr(feature = "schema", schema(required))]
    pub avatar: Option<String>,
    /// Where the avatar's picture is.
    pub avatar_url: String,
    /// Not a person.
    pub bot: bool,
    /// When they came into this room, or were first seen in it.
    #[cfg_attr(feature = "schema", schema(value_type = u64))]
    pub since: UnixMs,
    /// Flags of the voice state.
    #[serde(flatten)]
    pub flags: VoiceFlags,
}

/// Flags of a Discord voice state.
#[expect(
    clippy::struct_excessive_bools,
    reason = "seven independent flags of Discord's voice state, named as it names them"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VoiceFlags {
    /// Muted by the server.
    pub mute: bool,
    /// Deafened by the server.
    pub deaf: bool,
    /// Muted by themselves.
    pub self_mute: bool,
    /// Deafened by themselves.
    pub self_deaf: bool,
    /// Sharing a screen.
    pub streaming: bool,
    /// Camera on.
    pub video: bool,
    /// In a stage's audience.
    pub suppressed: bool,
}

/// What a user is in a guild.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Membership {
    /// A member with these roles, `@everyone` left out, in ascending order.
    Member {
        /// Their roles.
        roles: Vec<RoleId>,
        /// Invited to one voice channel only (Discord's member flag IS_GUEST).
        guest: bool,
        /// Until when they are in a timeout, which may be over: its end is told by nobody. It
        /// decides what they may do, and nothing of what they see.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_until: Option<UnixMs>,
    },
    /// Discord said: no member.
    Stranger,
}

impl Membership {
    /// A member who joined, in no timeout; roles are sorted and said once, so that equal rights
    /// are equal values.
    #[must_use]
    pub fn member(mut roles: Vec<RoleId>) -> Self {
        roles.sort_unstable();
        roles.dedup();
        Self::Member {
            roles,
            guest: false,
            timeout_until: None,
        }
    }

    /// The same of somebody who never joined and was invited to one voice channel.
    #[must_use]
    pub fn guest(roles: Vec<RoleId>) -> Self {
        let mut is = Self::member(roles);
        if let Self::Member { guest, .. } = &mut is {
            *guest = true;
        }
        is
    }

    /// The same in a timeout, or in none. A stranger is in none.
    #[must_use]
    pub fn timed_out_until(mut self, until: Option<UnixMs>) -> Self {
        if let Self::Member { timeout_until, .. } = &mut self {
            *timeout_until = until;
        }
        self
    }

    /// Until when they are in a timeout, which may be over.
    #[must_use]
    pub fn timeout_until(&self) -> Option<UnixMs> {
        match self {
            Self::Member { timeout_until, .. } => *timeout_until,
            Self::Stranger => None,
        }
    }

    /// Whether they are in a timeout at this time.
    #[must_use]
    pub fn is_timed_out(&self, now: UnixMs) -> bool {
        self.timeout_until().is_some_and(|until| now < until)
    }

    pub(crate) fn remove_role(&mut self, gone: RoleId) {
        if let Self::Member { roles, .. } = self {
            roles.retain(|role| *role != gone);
        }
    }
}

impl Guild {
    /// Who is in a room, in order of their ids.
    pub fn occupants(&self, room: ChannelId) -> impl Iterator<Item = &Occupant> {
        self.voice
            .values()
            .filter(move |occupant| occupant.channel_id == room)
    }

    /// Whose voice state names this channel, which is no room, in order of their ids.
    pub fn pending(&self, channel: ChannelId) -> impl Iterator<Item = &Occupant> {
        self.pending_voice
            .values()
            .filter(move |occupant| occupant.channel_id == channel)
    }
}
