//! What a room's channel is asked for with: by that it is known again when it comes.

use guildhall_model::{
    ChannelId, GuildId, RoleId,
    guild::{Overwrite, OverwriteTarget, Room, RoomKind, RoomManagement},
};
use guildhall_ports::room_store::RoomRecord;

/// A room as Discord is asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoomDraft {
    name: String,
    limit: u32,
    parent_id: Option<ChannelId>,
    overwrites: Vec<Overwrite>,
    /// Its channel is none of these.
    before: Vec<ChannelId>,
    /// What web roles are to know of it.
    pub(crate) management: RoomManagement,
}

/// A voice channel, as much of it as tells whose it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VoiceChannelSeen<'a> {
    pub(crate) channel_id: ChannelId,
    pub(crate) name: &'a str,
    pub(crate) user_limit: u32,
    pub(crate) parent_id: Option<ChannelId>,
    pub(crate) overwrites: &'a [Overwrite],
}

/// What web roles are to know of a room.
pub(crate) fn management_of(room: &RoomRecord) -> RoomManagement {
    RoomManagement {
        owner_id: room.owner_id,
        locked: room.locked,
        hidden: room.hidden,
    }
}

impl RoomDraft {
    /// `None`: Discord was never asked for it.
    pub(crate) fn of(room: &RoomRecord) -> Option<Self> {
        // Each room of ours names the bot.
        let asked_for = !room.overwrites.is_empty();
        asked_for.then(|| Self {
            name: room.name.clone(),
            limit: room.limit,
            parent_id: room.parent_id,
            overwrites: room.overwrites.clone(),
            before: room.before.clone(),
            management: management_of(room),
        })
    }

    /// Whether a channel is what was asked for, to the last bit: what somebody makes by hand names the
    /// bot and the owner by themselves only where they set out to copy it. `is_gone`: the guild has
    /// no such role, and what named it may name it no longer.
    pub(crate) fn is(&self, seen: VoiceChannelSeen<'_>, is_gone: impl Fn(RoleId) -> bool) -> bool {
        !self.before.contains(&seen.channel_id)
            && seen.name == self.name
            && seen.user_limit == self.limit
            && seen.parent_id == self.parent_id
            && self.says(seen.overwrites, is_gone)
    }

    /// Whether it names roles besides @everyone.
    pub(crate) fn names_roles(&self, guild_id: GuildId) -> bool {
        let everyone = OverwriteTarget::Role(guild_id.everyone());
        let mut targets = self.overwrites.iter().map(|one| one.target);
        targets.any(|it| it != everyone && matches!(it, OverwriteTarget::Role(_)))
    }

    /// In whatever order, and whether or not one of them says nothing.
    fn says(&self, seen: &[Overwrite], is_gone: impl Fn(RoleId) -> bool) -> bool {
        let says_something = |one: &&Overwrite| one.allow.0 | one.deny.0 != 0;
        let may_lack = |one: &Overwrite| match one.target {
            OverwriteTarget::Role(role_id) => is_gone(role_id),
            OverwriteTarget::Member(_) => false,
        };
        let mut there = seen.iter().filter(says_something);
        let mut asked_for = self.overwrites.iter().filter(says_something);
        there.all(|one| self.overwrites.contains(one))
            && asked_for.all(|one| seen.contains(one) || may_lack(one))
    }

    /// The same of a room of the world.
    pub(crate) fn is_room(&self, room: &Room) -> bool {
        let (info, rights) = (&room.info, &room.rights);
        let seen = VoiceChannelSeen {
            channel_id: info.channel_id,
            name: &info.name,
            user_limit: info.user_limit,
            parent_id: info.parent_id,
            overwrites: &rights.overwrites,
        };
        info.kind == RoomKind::Voice && !rights.obfuscated && self.is(seen, |_| false)
    }
}
