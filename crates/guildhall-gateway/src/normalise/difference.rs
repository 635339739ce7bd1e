//! The difference between two snapshots of one guild, as changes in an order that shows nobody too
//! much.

use guildhall_model::{
    Change, Guild, UserId,
    guild::{Role, Room, RoomRights},
};

use super::occupancy::{self, Location};

/// The difference between two snapshots of one guild, memberships and availability apart: `from` with
/// these changes applied is `to`. Rooms come before the users in them and go after them.
pub(super) fn difference(from: &Guild, to: &Guild) -> Vec<Change> {
    let mut changes = hide_unsettled(from, to);
    let mut from = from.clone();
    for change in &changes {
        if let Change::RoomRights { channel_id, rights } = change
            && let Some(room) = from.rooms.get_mut(channel_id)
        {
            room.rights.clone_from(rights);
        }
    }
    let from = &from;
    if from.info != to.info {
        changes.push(Change::GuildUpdated(to.info.clone()));
    }
    if from.owner_id != to.owner_id {
        let owner_id = to.owner_id;
        changes.push(Change::OwnerChanged { owner_id });
    }
    roles(from, to, &mut changes);
    for (channel_id, category) in &to.categories {
        if from.categories.get(channel_id) != Some(category) {
            changes.push(Change::CategorySet {
                channel_id: *channel_id,
                category: category.clone(),
            });
        }
    }
    let mut shown = Vec::new();
    for (channel_id, room) in &to.rooms {
        match from.rooms.get(channel_id) {
            Some(known) if known.rights.obfuscated => {
                let rights = |change: &Change| matches!(change, Change::RoomRights { .. });
                let (rights, others) = room_changes(known, room).into_iter().partition(rights);
                changes.extend::<Vec<_>>(others);
                shown.extend::<Vec<_>>(rights);
            }
            Some(known) => changes.extend(room_changes(known, room)),
            None => changes.push(Change::RoomCreated(room.clone())),
        }
    }
    occupants(from, to, &mut changes);
    // Only now: who was in a hidden room and is no longer has not seen it and does not now.
    changes.extend(shown);
    for channel_id in from.rooms.keys() {
        if !to.rooms.contains_key(channel_id) {
            let channel_id = *channel_id;
            changes.push(Change::RoomDeleted { channel_id });
        }
    }
    for channel_id in from.categories.keys() {
        if !to.categories.contains_key(channel_id) {
            let channel_id = *channel_id;
            changes.push(Change::CategoryRemoved { channel_id });
        }
    }
    changes
}

/// The difference between two snapshots of one room.
///
/// Rights first, so that who loses the room does not learn its new name. But where the bot itself
/// regains it, its name until then may be a made-up one, which nobody must be shown.
pub(super) fn room_changes(known: &Room, now: &Room) -> Vec<Change> {
    let rights = (known.rights != now.rights).then(|| Change::RoomRights {
        channel_id: now.info.channel_id,
        rights: now.rights.clone(),
    });
    let info = (known.info != now.info).then(|| Change::RoomUpdated(now.info.clone()));
    let regained = known.rights.obfuscated && !now.rights.obfuscated;
    let ordered = if regained {
        [info, rights]
    } else {
        [rights, info]
    };
    ordered.into_iter().flatten().collect()
}

/// Where roles or owner change together with a room, every order has a moment of new roles
/// with old overwrites or the reverse, in which somebody could see a room that they may see neither
/// before nor after. So such rooms, and those that go, are hidden until all is settled.
fn hide_unsettled(from: &Guild, to: &Guild) -> Vec<Change> {
    if from.roles == to.roles && from.owner_id == to.owner_id {
        return Vec::new();
    }
    let unsettled = from.rooms.iter().filter(|(channel_id, room)| {
        let now = to.rooms.get(channel_id);
        !room.rights.obfuscated && now.is_none_or(|now| now.rights != room.rights)
    });
    let hide = unsettled.map(|(channel_id, room)| Change::RoomRights {
        channel_id: *channel_id,
        rights: RoomRights {
            overwrites: room.rights.overwrites.clone(),
            obfuscated: true,
        },
    });
    hide.collect()
}

fn roles(from: &Guild, to: &Guild, changes: &mut Vec<Change>) {
    for (role_id, permissions) in &to.roles {
        if from.roles.get(role_id) != Some(permissions) {
            changes.push(Change::RoleSet(Role {
                role_id: *role_id,
                permissions: *permissions,
            }));
        }
    }
    for role_id in from.roles.keys() {
        if !to.roles.contains_key(role_id) {
            changes.push(Change::RoleRemoved { role_id: *role_id });
        }
    }
}

fn occupants(from: &Guild, to: &Guild, changes: &mut Vec<Change>) {
    let known = from.voice.keys().chain(from.pending_voice.keys());
    let new = to.voice.keys().chain(to.pending_voice.keys());
    let listed =
        |user: &&UserId| from.voice.contains_key(user) || from.pending_voice.contains_key(user);
    for user_id in known.chain(new.filter(|user| !listed(user))) {
        changes.extend(occupancy::changes(
            Location::of(*user_id, from),
            Location::of(*user_id, to),
        ));
    }
}
