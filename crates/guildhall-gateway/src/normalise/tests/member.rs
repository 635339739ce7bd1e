use guildhall_model::{RoleId, guild::Membership};
use serde_json::{Value, json};

use super::{
    Change, Harness, MemberSeen, UserId,
    discord::{
        ANN, BOB, BOT, GATED, MOON, member, member_update, role, user, voice_state, with, without,
    },
    names, story,
};

const UPDATE: &str = "GUILD_MEMBER_UPDATE";

#[test]
fn a_member_in_a_room_is_renamed_and_leaves_with_the_guild() {
    let removed = json!({ "guild_id": "1", "user": user(ANN) });
    let roles = json!([GATED.to_string(), "4"]);
    let dispatches = [
        ("VOICE_STATE_UPDATE", voice_state(ANN, Some(MOON))),
        (UPDATE, with(member_update(ANN), "nick", "Ann")),
        (
            UPDATE,
            with(with(member_update(ANN), "nick", "Ann"), "roles", roles),
        ),
        ("GUILD_MEMBER_ADD", with(member_update(BOB), "flags", 16)),
        ("GUILD_MEMBER_REMOVE", removed.clone()),
        (
            "VOICE_STATE_UPDATE",
            without(voice_state(ANN, None), "member"),
        ),
        ("GUILD_MEMBER_REMOVE", removed),
    ];
    insta::assert_snapshot!(story(&mut Harness::built(), &dispatches));
}

#[test]
fn a_name_is_the_nickname_else_the_global_name_else_the_username() {
    let mut harness = Harness::built();
    harness.hear("VOICE_STATE_UPDATE", &voice_state(ANN, Some(MOON)));
    for (nick, global, expected) in [
        (json!("Nick"), json!("Global"), "Nick"),
        (Value::Null, json!("Global"), "Global"),
        (json!(""), json!("Global"), "Global"),
        (Value::Null, Value::Null, "user912"),
        (json!(7), json!(""), "user912"),
    ] {
        let update = with(member_update(ANN), "nick", nick);
        harness.hear(UPDATE, &with(update, "user.global_name", global));
        assert_eq!(shown(&harness), expected);
    }
    harness.hear(UPDATE, &with(member_update(ANN), "nick", "Nick"));
    harness.hear(UPDATE, &without(member_update(ANN), "nick"));
    assert_eq!(
        shown(&harness),
        "Nick",
        "an absent nickname is no news of it"
    );
}

#[test]
fn a_face_is_this_guilds_else_the_users_else_a_default_one() {
    let mut harness = Harness::built();
    harness.hear("VOICE_STATE_UPDATE", &voice_state(ANN, Some(MOON)));
    for (here, everywhere, discriminator, hash, path) in [
        (
            json!("a_1f"),
            json!("2e"),
            "0",
            Some("a_1f"),
            "/guilds/1/users/80351110224678912/avatars/a_1f.png?size=128",
        ),
        (
            Value::Null,
            json!("a_2e"),
            "0",
            Some("a_2e"),
            "/avatars/80351110224678912/a_2e.png?size=128",
        ),
        (
            json!("../../x?"),
            json!("2e\"><"),
            "0",
            None,
            "/embed/avatars/5.png",
        ),
        (json!(""), Value::Null, "0", None, "/embed/avatars/5.png"),
        (
            Value::Null,
            Value::Null,
            "1337",
            None,
            "/embed/avatars/2.png",
        ),
        (
            Value::Null,
            Value::Null,
            "0004",
            None,
            "/embed/avatars/4.png",
        ),
    ] {
        let update = with(member_update(ANN), "avatar", here);
        let update = with(update, "user.avatar", everywhere);
        harness.hear(UPDATE, &with(update, "user.discriminator", discriminator));
        let there = harness.guild().voice.values().next().expect("Ann");
        assert_eq!(there.avatar.as_deref(), hash);
        assert_eq!(there.avatar_url, format!("https://cdn.example{path}"));
    }
}

#[test]
fn a_bot_is_said_to_be_one() {
    let mut harness = Harness::built();
    harness.hear("VOICE_STATE_UPDATE", &voice_state(BOT, Some(MOON)));
    assert!(harness.guild().voice[&UserId(BOT)].bot);
    harness.hear("VOICE_STATE_UPDATE", &voice_state(ANN, Some(MOON)));
    assert!(!harness.guild().voice[&UserId(ANN)].bot);
}

#[test]
fn rights_are_seen_on_every_member_object_with_roles() {
    let mut harness = Harness::built();
    let base = with(member_update(ANN), "roles", json!(["4", 3, "4"]));
    let roles = |roles: &[u64]| roles.iter().copied().map(RoleId).collect();
    let member_of = |ids: &[u64]| Some(Membership::member(roles(ids)));
    let guest_of = |ids: &[u64]| Some(Membership::guest(roles(ids)));
    for (what, data, expected) in [
        ("documented", base.clone(), member_of(&[3, 4])),
        (
            "guest by flag",
            with(base.clone(), "flags", 16),
            guest_of(&[3, 4]),
        ),
        (
            "other flags",
            with(base.clone(), "flags", 11),
            member_of(&[3, 4]),
        ),
        (
            "odd flags",
            with(base.clone(), "flags", json!([])),
            guest_of(&[3, 4]),
        ),
        (
            "never joined",
            with(base.clone(), "joined_at", Value::Null),
            guest_of(&[3, 4]),
        ),
        ("without roles", without(base.clone(), "roles"), None),
        ("odd roles", with(base, "roles", json!(["x"])), None),
    ] {
        let told = harness.hear(UPDATE, &data);
        assert!(told.events.is_empty(), "{what}");
        let expected = expected.map(|membership| MemberSeen {
            user_id: UserId(ANN),
            membership,
        });
        assert_eq!(told.members, Vec::from_iter(expected), "{what}");
    }
    let state = with(
        voice_state(ANN, None),
        "member",
        with(member(ANN), "roles", json!(["3"])),
    );
    assert_eq!(harness.hear("VOICE_STATE_UPDATE", &state).members.len(), 1);
}

#[test]
fn a_timeout_is_read_kept_and_lifted() {
    const FIELD: &str = "communication_disabled_until";
    let mut harness = Harness::built();
    let watched = Change::Rights {
        user_id: UserId(ANN),
        membership: Some(Membership::member(vec![])),
    };
    harness.apply(watched);
    let in_one = with(member(ANN), FIELD, "2022-01-01T00:00:00.000000+00:00");
    let until = Some(1_640_995_200_000);
    let update = |member: Value| with(member, "guild_id", "1");
    let state = |member| with(voice_state(ANN, Some(MOON)), "member", member);
    for (what, kind, data, expected) in [
        ("comes", UPDATE, update(in_one.clone()), until),
        (
            "is no news",
            UPDATE,
            update(without(member(ANN), FIELD)),
            until,
        ),
        (
            "is no news in voice",
            "VOICE_STATE_UPDATE",
            state(without(member(ANN), FIELD)),
            until,
        ),
        (
            "is odd",
            UPDATE,
            update(with(member(ANN), FIELD, "soon")),
            until,
        ),
        ("is lifted", UPDATE, update(member(ANN)), None),
        ("comes in voice", "VOICE_STATE_UPDATE", state(in_one), until),
        (
            "is lifted in voice",
            "VOICE_STATE_UPDATE",
            state(member(ANN)),
            None,
        ),
    ] {
        let told = harness.hear(kind, &data);
        let [seen] = &told.members[..] else {
            panic!("{what}: {told:?}");
        };
        assert_eq!(seen.membership.timeout_until(), expected, "{what}");
        let is_odd = what == "is odd";
        assert_eq!(told.oddities.stale.is_some(), is_odd, "{what}");
        assert_eq!(!told.unreadable_members.is_empty(), is_odd, "{what}");
        harness.apply(Change::Rights {
            user_id: UserId(ANN),
            membership: Some(seen.membership.clone()),
        });
    }
}

#[test]
fn roles_are_set_when_their_permissions_change_and_removed_once() {
    let named = |role: Value| json!({ "guild_id": "1", "role": role });
    let mut harness = Harness::built();
    let renamed = with(role(GATED, "0"), "name", "Gatekeepers");
    for (kind, data, expected) in [
        ("GUILD_ROLE_UPDATE", named(renamed), &[][..]),
        (
            "GUILD_ROLE_UPDATE",
            named(role(GATED, "1024")),
            &["role.set"],
        ),
        ("GUILD_ROLE_UPDATE", named(role(GATED, "1024")), &[]),
        (
            "GUILD_ROLE_CREATE",
            named(with(role(4, "0"), "permissions", 8)),
            &["role.set"],
        ),
        (
            "GUILD_ROLE_DELETE",
            json!({ "guild_id": "1", "role_id": "4" }),
            &["role.removed"],
        ),
        (
            "GUILD_ROLE_DELETE",
            json!({ "guild_id": "1", "role_id": "4" }),
            &[],
        ),
    ] {
        assert_eq!(names(&harness.hear(kind, &data)), expected, "{kind} {data}");
    }
}

fn shown(harness: &Harness) -> &str {
    let there = harness.guild().voice.values().next();
    there
        .map(|there| there.display_name.as_str())
        .expect("somebody")
}
