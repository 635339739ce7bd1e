//! Ids come from small ranges that overlap across their kinds, so that a mix-up of a role and a
//! user shows.

/// Who sees what, written a second time.
pub mod naive;

use std::collections::BTreeMap;

use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
};

use crate::{
    Change, ChannelId, Event, Guild, GuildId, Permissions, RoleId, UserId, World,
    guild::{
        Category, GuildInfo, Membership, Occupant, Overwrite, OverwriteTarget, Role, Room,
        RoomInfo, RoomKind, RoomManagement, RoomRights, VoiceFlags,
    },
};

/// The guild that single-guild tests are in; role 1 is its `@everyone`.
pub const GUILD: GuildId = GuildId(1);

/// One of five users.
pub fn user_id() -> impl Strategy<Value = UserId> {
    (1..=5_u64).prop_map(UserId)
}

/// One of five roles.
pub fn role_id() -> impl Strategy<Value = RoleId> {
    (1..=5_u64).prop_map(RoleId)
}

/// One of four rooms.
pub fn room_id() -> impl Strategy<Value = ChannelId> {
    (1..=4_u64).prop_map(ChannelId)
}

fn category_id() -> impl Strategy<Value = ChannelId> {
    (8..=9_u64).prop_map(ChannelId)
}

/// Mostly of the bits that something here asks for, so that they meet.
pub fn permissions() -> impl Strategy<Value = Permissions> {
    let asked = [
        Permissions::MANAGE_CHANNELS,
        Permissions::VIEW_CHANNEL,
        Permissions::SEND_MESSAGES,
        Permissions::EMBED_LINKS,
        Permissions::READ_MESSAGE_HISTORY,
        Permissions::CONNECT,
        Permissions::SPEAK,
    ];
    let asked = asked.into_iter().fold(0, |all, one| all | one.0);
    prop_oneof![
        16 => any::<u64>().prop_map(move |bits| Permissions(bits & asked)),
        1 => Just(Permissions::ADMINISTRATOR),
        1 => any::<u64>().prop_map(Permissions),
        1 => Just(Permissions::ALL),
    ]
}

/// At most one overwrite for a target, as Discord keeps them.
fn overwrites() -> impl Strategy<Value = Vec<Overwrite>> {
    let targets = btree_map(
        (any::<bool>(), 1..=5_u64),
        (permissions(), permissions()),
        0..5,
    );
    targets.prop_map(|targets| {
        let overwrite = |((member, id), (allow, deny))| Overwrite {
            target: if member {
                OverwriteTarget::Member(UserId(id))
            } else {
                OverwriteTarget::Role(RoleId(id))
            },
            allow,
            deny,
        };
        targets.into_iter().map(overwrite).collect()
    })
}

/// Mostly members, some of them in a timeout; some are guests, some strangers.
pub fn membership() -> impl Strategy<Value = Membership> {
    let standing = prop_oneof![
        6 => vec(role_id(), 0..4).prop_map(Membership::member),
        1 => vec(role_id(), 0..4).prop_map(Membership::guest),
        1 => Just(Membership::Stranger),
    ];
    let timeout = prop_oneof![3 => Just(None), 1 => (0..4_u64).prop_map(Some)];
    (standing, timeout).prop_map(|(is, until)| is.timed_out_until(until))
}

/// Names as hostile as JSON lets them be.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![Just("The Moon".to_owned()), "\\PC{0,6}", ".{0,6}"]
}

fn room_info() -> impl Strategy<Value = RoomInfo> {
    let kind = prop_oneof![Just(RoomKind::Voice), Just(RoomKind::Stage)];
    let parent = (option::of(category_id()), option::of(name()));
    let numbers = (any::<i64>(), any::<u32>());
    let own = (option::of(management()), option::of(name()));
    (room_id(), name(), kind, parent, numbers, own).prop_map(
        |(
            channel_id,
            name,
            kind,
            (parent_id, parent_name),
            (position, user_limit),
            (managed, status),
        )| RoomInfo {
            channel_id,
            name,
            kind,
            parent_id,
            parent_name,
            position,
            user_limit,
            managed,
            status,
        },
    )
}

/// Of a room that Guildhall made.
pub fn management() -> impl Strategy<Value = RoomManagement> {
    (user_id(), any::<bool>(), any::<bool>()).prop_map(|(owner_id, locked, hidden)| {
        RoomManagement {
            owner_id,
            locked,
            hidden,
        }
    })
}

fn category() -> impl Strategy<Value = Category> {
    (name(), room_rights()).prop_map(|(name, rights)| Category { name, rights })
}

fn room_rights() -> impl Strategy<Value = RoomRights> {
    (overwrites(), prop::bool::weighted(0.2)).prop_map(|(overwrites, obfuscated)| RoomRights {
        overwrites,
        obfuscated,
    })
}

fn room() -> impl Strategy<Value = Room> {
    (room_info(), room_rights()).prop_map(|(info, rights)| Room { info, rights })
}

fn occupant() -> impl Strategy<Value = Occupant> {
    let names = (name(), name(), option::of(name()), name());
    let flags = any::<[bool; 7]>().prop_map(
        |[
            mute,
            deaf,
            self_mute,
            self_deaf,
            streaming,
            video,
            suppressed,
        ]| VoiceFlags {
            mute,
            deaf,
            self_mute,
            self_deaf,
            streaming,
            video,
            suppressed,
        },
    );
    (
        room_id(),
        user_id(),
        names,
        any::<bool>(),
        any::<u64>(),
        flags,
    )
        .prop_map(
            |(
                channel_id,
                user_id,
                (username, display_name, avatar, avatar_url),
                bot,
                since,
                flags,
            )| {
                Occupant {
                    channel_id,
                    user_id,
                    username,
                    display_name,
                    avatar,
                    avatar_url,
                    bot,
                    since,
                    flags,
                }
            },
        )
}

fn info() -> impl Strategy<Value = GuildInfo> {
    (name(), option::of(name())).prop_map(|(name, icon)| GuildInfo { name, icon })
}

/// A guild in which everybody is in a room that is there.
pub fn guild() -> impl Strategy<Value = Guild> {
    (
        info(),
        any::<bool>(),
        user_id(),
        btree_map(role_id(), permissions(), 0..5),
        btree_map(category_id(), category(), 0..2),
        vec(room(), 0..4),
        vec(occupant(), 0..4),
        vec(occupant(), 0..2),
        btree_map(user_id(), membership(), 0..5),
    )
        .prop_map(
            |(
                info,
                available,
                owner_id,
                roles,
                categories,
                rooms,
                people,
                pending,
                memberships,
            )| {
                let rooms = rooms.into_iter().map(|room| (room.info.channel_id, room));
                let rooms: BTreeMap<_, _> = rooms.collect();
                let people = people.into_iter().map(|person| (person.user_id, person));
                Guild {
                    info,
                    available,
                    owner_id,
                    roles,
                    categories,
                    voice: people
                        .filter(|(_, person)| rooms.contains_key(&person.channel_id))
                        .collect(),
                    pending_voice: pending
                        .into_iter()
                        .map(|person| (person.user_id, person))
                        .filter(|(_, person)| !rooms.contains_key(&person.channel_id))
                        .collect(),
                    rooms,
                    memberships,
                }
            },
        )
}

/// A world of at most two guilds.
pub fn world() -> impl Strategy<Value = World> {
    btree_map((1..=2_u64).prop_map(GuildId), guild(), 0..=2).prop_map(|guilds| World { guilds })
}

/// Any change there is, `Unknown` apart, which no gateway writes.
pub fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => occupant().prop_map(Change::VoiceJoined),
        4 => (room_id(), user_id()).prop_map(|(previous_channel_id, user_id)| {
            Change::VoiceLeft { previous_channel_id, user_id }
        }),
        4 => occupant().prop_map(Change::VoiceUpdated),
        2 => occupant().prop_map(Change::VoicePending),
        1 => user_id().prop_map(|user_id| Change::VoicePendingRemoved { user_id }),
        4 => room().prop_map(Change::RoomCreated),
        2 => room_info().prop_map(Change::RoomUpdated),
        2 => room_id().prop_map(|channel_id| Change::RoomDeleted { channel_id }),
        1 => (room_id(), option::of(any::<u64>())).prop_map(|(channel_id, deletes_at)| {
            Change::RoomIdle { channel_id, deletes_at }
        }),
        2 => guild().prop_map(|guild| Change::GuildAvailable(Some(Box::new(guild)))),
        1 => Just(Change::GuildAvailable(None)),
        1 => Just(Change::GuildUnavailable),
        1 => info().prop_map(Change::GuildUpdated),
        1 => Just(Change::GuildRemoved),
        1 => (any::<u64>(), any::<u64>()).prop_map(|(from, to)| Change::Gap { from, to }),
        1 => user_id().prop_map(|owner_id| Change::OwnerChanged { owner_id }),
        2 => (role_id(), permissions()).prop_map(|(role_id, permissions)| {
            Change::RoleSet(Role { role_id, permissions })
        }),
        1 => role_id().prop_map(|role_id| Change::RoleRemoved { role_id }),
        2 => (room_id(), room_rights()).prop_map(|(channel_id, rights)| {
            Change::RoomRights { channel_id, rights }
        }),
        1 => (category_id(), category()).prop_map(|(channel_id, category)| {
            Change::CategorySet { channel_id, category }
        }),
        1 => category_id().prop_map(|channel_id| Change::CategoryRemoved { channel_id }),
        3 => (user_id(), option::of(membership())).prop_map(|(user_id, membership)| {
            Change::Rights { user_id, membership }
        }),
        1 => Just(Change::RightsReset),
    ]
}

/// Any change, in one of two guilds.
pub fn event() -> impl Strategy<Value = Event> {
    let guild_id = (1..=2_u64).prop_map(GuildId);
    (guild_id, any::<u64>(), any::<bool>(), change()).prop_map(
        |(guild_id, ts, synthetic, change)| Event {
            guild_id,
            ts,
            synthetic,
            change,
        },
    )
}
