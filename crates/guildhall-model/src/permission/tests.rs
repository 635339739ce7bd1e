//! Discord's algorithm line by line. Random guilds against a second writing of it: `tests/random.rs`.

use std::collections::BTreeMap;

use super::*;
use crate::{
    ChannelId,
    arbitrary::GUILD,
    guild::{GuildInfo, Membership, Occupant, Room, RoomInfo, RoomKind, RoomRights, VoiceFlags},
};

mod random;

const VIEW: Permissions = Permissions::VIEW_CHANNEL;
const CONNECT: Permissions = Permissions::CONNECT;
const SPEAK: Permissions = Permissions::SPEAK;
const SEND: Permissions = Permissions::SEND_MESSAGES;
const HISTORY: Permissions = Permissions::READ_MESSAGE_HISTORY;
const NONE: Permissions = Permissions::NONE;

const EVERYONE: RoleId = RoleId(1);
const RED: RoleId = RoleId(20);
const BLUE: RoleId = RoleId(30);
const UNKNOWN: RoleId = RoleId(99);
const OWNER: UserId = UserId(7);
const ANN: UserId = UserId(8);
const BOB: UserId = UserId(9);
const ROOM: ChannelId = ChannelId(100);
const OTHER: ChannelId = ChannelId(101);

#[test]
fn in_the_guild_everyones_permissions_and_those_of_all_roles_add_up() {
    let guild = guild_with([(EVERYONE, VIEW), (RED, CONNECT), (BLUE, SPEAK)], []);
    for (roles, expected) in [
        (&[][..], VIEW),
        (&[RED], VIEW | CONNECT),
        (&[RED, BLUE], VIEW | CONNECT | SPEAK),
        (&[BLUE, RED], VIEW | CONNECT | SPEAK),
        (&[EVERYONE], VIEW),
        (&[UNKNOWN, RED], VIEW | CONNECT),
    ] {
        assert_eq!(
            in_guild(GUILD, &guild, member(ANN, roles)),
            expected,
            "{roles:?}"
        );
    }
}

#[test]
fn owner_and_administrators_may_do_everything_whatever_the_overwrites_say() {
    let deny_all = [
        overwrite(EVERYONE, NONE, Permissions::ALL),
        own(OWNER, NONE, Permissions::ALL),
    ];
    let roles = [(EVERYONE, NONE), (RED, Permissions::ADMINISTRATOR)];
    let guild = guild_with(roles, deny_all);
    for who in [member(OWNER, &[]), member(ANN, &[RED])] {
        assert_eq!(in_guild(GUILD, &guild, who), Permissions::ALL);
        assert_eq!(in_room(&guild, who), Permissions::ALL);
    }
    assert_eq!(in_room(&guild, member(ANN, &[BLUE])), NONE);
}

#[test]
fn a_role_that_the_guild_does_not_have_opens_nothing() {
    let deny_all = overwrite(GUILD.everyone(), Permissions::NONE, VIEW);
    let overwrites = [deny_all, overwrite(RoleId(5), VIEW, Permissions::NONE)];
    let everyone = (GUILD.everyone(), VIEW);
    let mut guild = guild_with([everyone, (RoleId(5), Permissions::NONE)], overwrites);
    assert!(class_of(&guild, ANN, &[RoleId(5)]).contains(ROOM));
    // Deleted: it is in the member's list and in the overwrites for a while longer.
    guild.roles.remove(&RoleId(5));
    assert!(!class_of(&guild, ANN, &[RoleId(5)]).contains(ROOM));
    assert!(!in_room(&guild, member(ANN, &[RoleId(5)])).contains(VIEW));
    // Back with the same id, it is the same role again.
    guild.roles.insert(RoleId(5), Permissions::NONE);
    assert!(class_of(&guild, ANN, &[RoleId(5)]).contains(ROOM));
}

#[test]
fn a_role_that_the_guild_does_not_have_closes_nothing_either() {
    let overwrites = [overwrite(RoleId(5), Permissions::NONE, VIEW)];
    let mut guild = guild_with(
        [(GUILD.everyone(), VIEW), (RoleId(5), Permissions::NONE)],
        overwrites,
    );
    assert!(!class_of(&guild, ANN, &[RoleId(5)]).contains(ROOM));
    guild.roles.remove(&RoleId(5));
    assert!(class_of(&guild, ANN, &[RoleId(5)]).contains(ROOM));
}

#[test]
fn without_the_role_of_everyone_its_overwrites_only_take() {
    let everyone = GUILD.everyone();
    let opened = guild_with([], [overwrite(everyone, VIEW, Permissions::NONE)]);
    assert!(!class_of(&opened, ANN, &[]).contains(ROOM));
    let closed = guild_with(
        [(RoleId(5), VIEW)],
        [overwrite(everyone, Permissions::NONE, VIEW)],
    );
    assert!(!class_of(&closed, ANN, &[RoleId(5)]).contains(ROOM));
}

#[test]
fn an_administrator_role_that_does_not_exist_makes_nobody_one() {
    let guild = guild_with([(EVERYONE, VIEW)], []);
    assert_eq!(in_room(&guild, member(ANN, &[UNKNOWN])), VIEW);
}

#[test]
fn no_overwrite_makes_an_administrator() {
    let everything = [own(ANN, Permissions::ALL, NONE)];
    let guild = guild_with([(EVERYONE, NONE)], everything);
    let stored = in_room(&guild, member(ANN, &[]));
    assert_eq!(stored, Permissions::ALL.without(Permissions::ADMINISTRATOR));
    let muzzled = Member {
        timed_out: true,
        ..member(ANN, &[])
    };
    assert_eq!(
        effective(stored, ChannelKind::Voice, muzzled, false),
        VIEW | HISTORY
    );
}

#[test]
fn nobody_owns_a_guild_without_an_owner() {
    let guild = Guild {
        owner_id: NOBODY,
        ..guild_with([(EVERYONE, NONE)], [])
    };
    assert_eq!(in_guild(GUILD, &guild, member(NOBODY, &[])), NONE);
    let class = class_of(&guild, ANN, &[]);
    assert!(!class.contains(ROOM));
}

#[test]
fn overwrites_apply_in_the_order_everyone_roles_member() {
    let base = [(EVERYONE, VIEW), (RED, NONE), (BLUE, NONE)];
    let hidden = || overwrite(EVERYONE, NONE, VIEW);
    for (what, overwrites, roles, sees) in [
        ("nothing", vec![], &[][..], true),
        ("@everyone denied", vec![hidden()], &[], false),
        (
            "allow beats deny in one overwrite",
            vec![overwrite(EVERYONE, VIEW, VIEW)],
            &[],
            true,
        ),
        (
            "a role's allow after @everyone's deny",
            vec![overwrite(RED, VIEW, NONE), hidden()],
            &[RED],
            true,
        ),
        (
            "a role they do not have",
            vec![hidden(), overwrite(RED, VIEW, NONE)],
            &[BLUE],
            false,
        ),
        (
            "a role's deny",
            vec![overwrite(RED, NONE, VIEW)],
            &[RED],
            false,
        ),
        (
            "one role's allow beats another's deny",
            vec![overwrite(RED, VIEW, NONE), overwrite(BLUE, NONE, VIEW)],
            &[RED, BLUE],
            true,
        ),
        (
            "whichever comes first",
            vec![overwrite(RED, NONE, VIEW), overwrite(BLUE, VIEW, NONE)],
            &[RED, BLUE],
            true,
        ),
        (
            "their own deny after a role's allow",
            vec![own(ANN, NONE, VIEW), overwrite(RED, VIEW, NONE)],
            &[RED],
            false,
        ),
        (
            "their own allow after a role's deny",
            vec![own(ANN, VIEW, NONE), overwrite(RED, NONE, VIEW), hidden()],
            &[RED],
            true,
        ),
        ("somebody else's", vec![own(BOB, NONE, VIEW)], &[], true),
    ] {
        let guild = guild_with(base, overwrites);
        let stored = in_room(&guild, member(ANN, roles));
        assert_eq!(stored.contains(VIEW), sees, "{what}");
        assert_eq!(
            class_of(&guild, ANN, roles).contains(ROOM),
            sees,
            "{what}: class"
        );
    }
}

#[test]
fn a_role_and_a_member_with_one_number_are_not_confused() {
    let same = RoleId(ANN.0);
    let as_role = guild_with(
        [(EVERYONE, VIEW), (same, NONE)],
        [overwrite(same, NONE, VIEW)],
    );
    assert!(in_room(&as_role, member(ANN, &[])).contains(VIEW));
    assert!(!in_room(&as_role, member(BOB, &[same])).contains(VIEW));
    let as_member = guild_with([(EVERYONE, VIEW), (same, NONE)], [own(ANN, NONE, VIEW)]);
    assert!(!in_room(&as_member, member(ANN, &[])).contains(VIEW));
    assert!(in_room(&as_member, member(BOB, &[same])).contains(VIEW));
}

#[test]
fn what_is_implied_by_a_missing_permission_does_not_count() {
    use ChannelKind::{Text, Voice};
    let written = Permissions::MENTION_EVERYONE
        | Permissions::SEND_TTS_MESSAGES
        | Permissions::ATTACH_FILES
        | Permissions::EMBED_LINKS;
    for (what, stored, kind, connected, expected) in [
        (
            "no view, nothing",
            CONNECT | SPEAK | SEND,
            Voice,
            false,
            NONE,
        ),
        ("no view, nothing, text", SEND | written, Text, false, NONE),
        (
            "text without send",
            VIEW | HISTORY | written,
            Text,
            false,
            VIEW | HISTORY,
        ),
        (
            "text with send",
            VIEW | SEND | written,
            Text,
            false,
            VIEW | SEND | written,
        ),
        (
            "voice without connect",
            VIEW | SPEAK | Permissions::MANAGE_CHANNELS,
            Voice,
            false,
            VIEW,
        ),
        (
            "voice without send",
            VIEW | CONNECT | written,
            Voice,
            false,
            VIEW | CONNECT | written,
        ),
        (
            "connected is seeing",
            CONNECT | SPEAK,
            Voice,
            true,
            VIEW | CONNECT | SPEAK,
        ),
        ("moved in without rights", NONE, Voice, true, VIEW),
    ] {
        let counts = effective(stored, kind, member(ANN, &[]), connected);
        assert_eq!(counts, expected, "{what}");
    }
}

#[test]
fn a_timeout_leaves_seeing_and_reading_except_to_owner_and_administrators() {
    let muzzled = Member {
        timed_out: true,
        ..member(ANN, &[])
    };
    let stored = VIEW | HISTORY | CONNECT | SPEAK | SEND;
    for (stored, expected) in [
        (stored, VIEW | HISTORY),
        (VIEW | CONNECT, VIEW),
        (HISTORY, NONE),
        (Permissions::ALL, Permissions::ALL),
    ] {
        assert_eq!(
            effective(stored, ChannelKind::Voice, muzzled, false),
            expected
        );
    }
}

#[test]
fn who_is_no_member_or_was_not_looked_up_has_no_class() {
    let mut guild = guild_with([(EVERYONE, Permissions::ALL)], []);
    assert_eq!(rooms_of(&guild, ANN), None);
    guild.memberships.insert(ANN, Membership::Stranger);
    assert_eq!(rooms_of(&guild, ANN), None);
    guild.memberships.insert(OWNER, Membership::Stranger);
    assert_eq!(rooms_of(&guild, OWNER), None);
}

#[test]
fn a_timeout_changes_nobodys_class() {
    let mut guild = guild_with([(EVERYONE, VIEW), (RED, Permissions::ADMINISTRATOR)], []);
    sit(&mut guild, BOB, ROOM);
    for is in [
        Membership::member(vec![]),
        Membership::member(vec![RED]),
        Membership::guest(vec![]),
    ] {
        for user in [ANN, BOB, OWNER] {
            let mut class = |is| {
                guild.memberships.insert(user, is);
                rooms_of(&guild, user).expect("a member")
            };
            let timed_out = is.clone().timed_out_until(Some(u64::MAX));
            assert_eq!(class(timed_out), class(is.clone()));
        }
    }
}

#[test]
fn an_explanation_says_that_a_timeout_takes_connecting_and_nothing_of_what_is_seen() {
    let mut guild = guild_with([(EVERYONE, VIEW | CONNECT)], []);
    let roles = DecidedBy::Roles {
        roles: vec![EVERYONE],
    };
    for (until, connects, by) in [
        (None, true, roles.clone()),
        (Some(1_000), true, roles.clone()),
        (Some(1_001), false, DecidedBy::TimedOut),
    ] {
        let is = Membership::member(vec![]).timed_out_until(until);
        guild.memberships.insert(ANN, is);
        let why = explain(GUILD, &guild, ANN, ROOM, 1_000);
        assert_eq!((why.sees, &why.sees_by), (true, &roles));
        assert_eq!((why.connects, why.connects_by), (connects, by));
    }
}

#[test]
fn an_obfuscated_or_absent_room_is_seen_by_nobody() {
    let mut guild = guild_with([(EVERYONE, VIEW), (RED, Permissions::ADMINISTRATOR)], []);
    sit(&mut guild, ANN, ROOM);
    for (user, roles) in [(ANN, &[][..]), (BOB, &[RED]), (OWNER, &[])] {
        let class = class_of(&guild, user, roles);
        assert!(class.contains(ROOM));
        let mut hidden = guild.clone();
        hidden
            .rooms
            .get_mut(&ROOM)
            .expect("there")
            .rights
            .obfuscated = true;
        assert!(!class_of(&hidden, user, roles).contains(ROOM));
        assert!(!class.contains(ChannelId(404)));
    }
}

#[test]
fn a_guest_sees_the_room_they_are_in_and_nothing_else() {
    let mut guild = guild_with([(EVERYONE, VIEW)], []);
    guild.memberships.insert(ANN, Membership::guest(vec![]));
    let outside = rooms_of(&guild, ANN).expect("a member");
    assert!(!outside.contains(ROOM) && !outside.contains(OTHER));
    sit(&mut guild, ANN, ROOM);
    let inside = rooms_of(&guild, ANN).expect("a member");
    assert!(inside.contains(ROOM) && !inside.contains(OTHER));
}

#[test]
fn who_sees_the_same_is_of_one_class_whatever_makes_them_see_it() {
    let named = [
        own(ANN, VIEW, NONE),
        overwrite(EVERYONE, NONE, VIEW),
        overwrite(RED, VIEW, NONE),
    ];
    let mut guild = guild_with([(EVERYONE, VIEW), (RED, NONE)], named);
    guild.roles.insert(BLUE, Permissions::ADMINISTRATOR);
    let everything = class_of(&guild, OWNER, &[]);
    assert_eq!(everything.ids(), [ROOM, OTHER]);
    for (user, roles) in [(ANN, &[][..]), (BOB, &[RED]), (BOB, &[BLUE])] {
        assert_eq!(
            class_of(&guild, user, roles),
            everything,
            "{user} {roles:?}"
        );
    }
    let outside = class_of(&guild, BOB, &[]);
    assert_eq!(outside.ids(), [OTHER]);
    assert_ne!(outside, everything);

    // Being in a room they see anyway is no difference; in one they would not see, it is.
    sit(&mut guild, BOB, OTHER);
    assert_eq!(class_of(&guild, BOB, &[]), outside);
    sit(&mut guild, BOB, ROOM);
    assert_eq!(class_of(&guild, BOB, &[]), everything);
}

#[test]
fn a_set_changed_room_by_room_is_the_set_that_was_made_at_once() {
    let set = |rooms: &[u64]| VisibleRooms::of(rooms.iter().copied().map(ChannelId));
    let mut rooms = set(&[]);
    for room in [5, 1, 9, 5] {
        rooms = rooms.with(ChannelId(room), true);
    }
    assert_eq!(rooms, set(&[1, 5, 9]));
    assert!(rooms.contains(ChannelId(5)) && !rooms.contains(ChannelId(4)));
    assert_eq!(rooms.with(ChannelId(4), false), rooms);
    let fewer = rooms.with(ChannelId(5), false);
    assert_eq!(fewer, set(&[1, 9]));
    assert_ne!(fewer, rooms);
    let gone: Vec<ChannelId> = rooms.difference(&fewer).collect();
    assert_eq!(
        (gone, fewer.difference(&rooms).count()),
        (vec![ChannelId(5)], 0)
    );
}

fn member(user_id: UserId, roles: &[RoleId]) -> Member<'_> {
    Member {
        user_id,
        roles,
        timed_out: false,
    }
}

fn overwrite(role: RoleId, allow: Permissions, deny: Permissions) -> Overwrite {
    Overwrite {
        target: OverwriteTarget::Role(role),
        allow,
        deny,
    }
}

fn own(user: UserId, allow: Permissions, deny: Permissions) -> Overwrite {
    Overwrite {
        target: OverwriteTarget::Member(user),
        allow,
        deny,
    }
}

fn in_room(guild: &Guild, member: Member<'_>) -> Permissions {
    in_channel(GUILD, guild, &guild.rooms[&ROOM].rights.overwrites, member)
}

fn rooms_of(guild: &Guild, user: UserId) -> Option<VisibleRooms> {
    MemberView::of(GUILD, guild, user).map(|view| view.rooms())
}

fn class_of(guild: &Guild, user: UserId, roles: &[RoleId]) -> VisibleRooms {
    let mut guild = guild.clone();
    let membership = Membership::member(roles.to_vec());
    guild.memberships.insert(user, membership);
    rooms_of(&guild, user).expect("a member")
}

fn sit(guild: &mut Guild, user_id: UserId, channel_id: ChannelId) {
    let occupant = Occupant {
        channel_id,
        user_id,
        username: "x".to_owned(),
        display_name: "X".to_owned(),
        avatar: None,
        avatar_url: String::new(),
        bot: false,
        since: 0,
        flags: VoiceFlags::default(),
    };
    guild.voice.insert(user_id, occupant);
}

fn guild_with(
    roles: impl IntoIterator<Item = (RoleId, Permissions)>,
    overwrites: impl IntoIterator<Item = Overwrite>,
) -> Guild {
    let room = |channel_id, overwrites| Room {
        info: RoomInfo {
            channel_id,
            name: "room".to_owned(),
            kind: RoomKind::Voice,
            parent_id: None,
            parent_name: None,
            position: 0,
            user_limit: 0,
            managed: None,
            status: None,
        },
        rights: RoomRights {
            overwrites,
            obfuscated: false,
        },
    };
    Guild {
        info: GuildInfo {
            name: "guild".to_owned(),
            icon: None,
        },
        available: true,
        owner_id: OWNER,
        roles: roles.into_iter().collect(),
        categories: BTreeMap::new(),
        rooms: [
            (ROOM, room(ROOM, overwrites.into_iter().collect())),
            (OTHER, room(OTHER, Vec::new())),
        ]
        .into(),
        voice: BTreeMap::new(),
        pending_voice: BTreeMap::new(),
        memberships: BTreeMap::new(),
    }
}
