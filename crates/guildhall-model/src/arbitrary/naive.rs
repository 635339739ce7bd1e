//! Discord's pseudo code written a second time, slowly and on bare numbers: what tests hold the
//! first against.

use crate::{
    ChannelId, GuildId, RoleId, UserId,
    guild::{Guild, Membership, Overwrite, OverwriteTarget},
};

const ADMIN_BIT: u64 = 1 << 3;
const VIEW_BIT: u64 = 1 << 10;

/// What somebody with these roles may do in the whole guild.
#[must_use]
pub fn base(guild_id: GuildId, guild: &Guild, user: UserId, roles: &[RoleId]) -> u64 {
    if user == guild.owner_id {
        return u64::MAX;
    }
    let mut p = guild.roles.get(&RoleId(guild_id.0)).map_or(0, |p| p.0);
    for role in roles {
        if let Some(role) = guild.roles.get(role) {
            p |= role.0;
        }
    }
    if p & ADMIN_BIT == ADMIN_BIT {
        u64::MAX
    } else {
        p
    }
}

/// What is stored for them in a channel with these overwrites.
#[must_use]
pub fn in_channel(
    guild_id: GuildId,
    guild: &Guild,
    overwrites: &[Overwrite],
    user: UserId,
    roles: &[RoleId],
) -> u64 {
    let mut p = base(guild_id, guild, user, roles);
    if p & ADMIN_BIT == ADMIN_BIT {
        return u64::MAX;
    }
    let role = |id: u64| move |o: &&Overwrite| o.target == OverwriteTarget::Role(RoleId(id));
    if let Some(o) = overwrites.iter().find(role(guild_id.0)) {
        let is_there = guild.roles.contains_key(&RoleId(guild_id.0));
        p = (p & !o.deny.0) | if is_there { o.allow.0 } else { 0 };
    }
    let (mut allow, mut deny) = (0, 0);
    let counts = |id: &&RoleId| id.0 != guild_id.0 && guild.roles.contains_key(id);
    for id in roles.iter().filter(counts) {
        if let Some(o) = overwrites.iter().find(role(id.0)) {
            allow |= o.allow.0;
            deny |= o.deny.0;
        }
    }
    p = (p & !deny) | allow;
    for o in overwrites {
        if o.target == OverwriteTarget::Member(user) {
            p = (p & !o.deny.0) | o.allow.0;
        }
    }
    // A channel has no administrators; Discord does not let an overwrite name the bit.
    p & !ADMIN_BIT
}

/// Whether somebody sees a room.
#[must_use]
pub fn sees(guild_id: GuildId, guild: &Guild, user: UserId, channel: ChannelId) -> bool {
    let Some(Membership::Member { roles, guest, .. }) = guild.memberships.get(&user) else {
        return false;
    };
    let room = guild.rooms.get(&channel);
    let Some(room) = room.filter(|room| !room.rights.obfuscated) else {
        return false;
    };
    let there = guild.voice.get(&user);
    let connected = there.is_some_and(|there| there.channel_id == channel);
    match in_channel(guild_id, guild, &room.rights.overwrites, user, roles) {
        u64::MAX => true,
        _ if *guest => connected,
        stored => connected || stored & VIEW_BIT == VIEW_BIT,
    }
}

/// All that they see, ascending. `None`: no member, or not looked up.
#[must_use]
pub fn rooms(guild_id: GuildId, guild: &Guild, user: UserId) -> Option<Vec<ChannelId>> {
    let Some(Membership::Member { .. }) = guild.memberships.get(&user) else {
        return None;
    };
    let rooms = guild.rooms.keys().copied();
    let seen = rooms.filter(|room| sees(guild_id, guild, user, *room));
    Some(seen.collect())
}
