//! A field that is there and can't be read opens nothing and is never passed over in silence,
//! whichever dispatch it comes by.

use std::collections::BTreeSet;

use guildhall_model::{ChannelId, Event, MemberView, RoleId, guild::Membership};
use serde_json::{Value, json};

use super::{
    Change, GUILD, GuildDelta, Harness, Normalised, UserId,
    discord::{
        ANN, BOB, GATED, MOON, OWNER, category, channel, guild, member, member_update, overwrite,
        partial_voice_state, role, voice_state, with,
    },
};

/// Fields that decide about rights, presence or the names of rooms, by dispatch.
const LOUD: [(&str, &str); 41] = [
    ("GUILD_CREATE", "/name"),
    ("GUILD_CREATE", "/owner_id"),
    ("GUILD_CREATE", "/roles"),
    ("GUILD_CREATE", "/roles/0"),
    ("GUILD_CREATE", "/roles/0/id"),
    ("GUILD_CREATE", "/roles/0/permissions"),
    ("GUILD_CREATE", "/roles/1"),
    ("GUILD_CREATE", "/roles/1/id"),
    ("GUILD_CREATE", "/roles/1/permissions"),
    ("GUILD_CREATE", "/channels/1"),
    ("GUILD_CREATE", "/channels/1/type"),
    ("GUILD_CREATE", "/channels/1/name"),
    ("GUILD_CREATE", "/channels/1/user_limit"),
    ("GUILD_CREATE", "/channels/1/permission_overwrites"),
    ("GUILD_CREATE", "/channels/1/permission_overwrites/0/allow"),
    ("GUILD_CREATE", "/channels/1/permission_overwrites/1/deny"),
    ("GUILD_CREATE", "/channels/1/permission_overwrites/1/type"),
    ("GUILD_CREATE", "/channels/0/name"),
    ("GUILD_CREATE", "/voice_states"),
    ("GUILD_CREATE", "/voice_states/0/user_id"),
    ("GUILD_CREATE", "/voice_states/0/mute"),
    ("GUILD_CREATE", "/members"),
    ("GUILD_CREATE", "/members/0/roles"),
    ("GUILD_CREATE", "/members/0/user"),
    ("GUILD_UPDATE", "/owner_id"),
    ("GUILD_UPDATE", "/name"),
    ("GUILD_ROLE_CREATE", "/role/permissions"),
    ("GUILD_ROLE_UPDATE", "/role/permissions"),
    ("GUILD_ROLE_DELETE", "/role_id"),
    ("CHANNEL_UPDATE", "/type"),
    ("CHANNEL_UPDATE", "/name"),
    ("CHANNEL_UPDATE", "/permission_overwrites"),
    ("CHANNEL_UPDATE", "/permission_overwrites/1/deny"),
    ("CHANNEL_CREATE", "/user_limit"),
    ("CHANNEL_CREATE", "/permission_overwrites/0/id"),
    ("VOICE_STATE_UPDATE", "/user_id"),
    ("VOICE_STATE_UPDATE", "/self_deaf"),
    ("VOICE_STATE_UPDATE", "/member/roles"),
    ("GUILD_MEMBER_UPDATE", "/roles"),
    ("GUILD_MEMBER_ADD", "/roles"),
    ("GUILD_MEMBER_REMOVE", "/user/id"),
];

#[test]
fn an_odd_field_is_said_and_opens_no_room() {
    for (kind, field) in LOUD {
        for odd in odd_values() {
            let sound = sound(kind);
            let mut damaged = sound.clone();
            *damaged.pointer_mut(field).expect("the field is there") = odd;

            let unclear = only_the_sound_is_seen(kind, field, &sound, &damaged);
            let of_somebody = field.ends_with("/roles") && !field.starts_with("/roles");
            assert!(
                unclear || !of_somebody,
                "whoever is watched is looked up again"
            );
        }
    }
}

/// That the damage is said, and that nobody sees a room who would see it neither before nor after
/// the sound dispatch. Returns whether what somebody is was said to be unclear.
fn only_the_sound_is_seen(kind: &str, field: &str, sound: &Value, damaged: &Value) -> bool {
    let (mut harness, mut mended) = (harness(kind), harness(kind));
    let before = all_visible(&harness);
    mended.hear(kind, sound);
    let seen = harness.seen(kind, damaged);
    let (said, unclear) = match &seen {
        Normalised::Unreadable { guild_id, .. } => (guild_id == &Some(GUILD), false),
        Normalised::Guild(GuildDelta {
            oddities,
            unreadable_members,
            ..
        }) => (oddities.stale.is_some(), !unreadable_members.is_empty()),
        _ => (false, false),
    };
    assert!(said, "{kind} {field}: {damaged} was {seen:?}");
    if harness.world.guilds.contains_key(&GUILD) {
        let may = &before | &all_visible(&mended);
        let opened = &all_visible(&harness) - &may;
        assert!(
            opened.is_empty(),
            "{kind} {field}: {damaged} opened {opened:?}"
        );
    }
    unclear
}

fn remove(payload: &mut Value, field: &str) {
    let (holder, name) = field.rsplit_once('/').expect("a path");
    match payload.pointer_mut(holder) {
        Some(Value::Object(fields)) => drop(fields.remove(name)),
        Some(Value::Array(entries)) => drop(entries.remove(name.parse().expect("a number"))),
        _ => panic!("no {field}"),
    }
}

/// What Discord never leaves out, and what decides who sees a room.
const NEEDED: [(&str, &str); 7] = [
    ("GUILD_CREATE", "/roles"),
    ("GUILD_CREATE", "/roles/0"),
    ("GUILD_CREATE", "/channels"),
    ("GUILD_CREATE", "/owner_id"),
    ("GUILD_CREATE", "/channels/1/permission_overwrites"),
    ("GUILD_CREATE", "/channels/2/permission_overwrites"),
    ("CHANNEL_CREATE", "/permission_overwrites"),
];

#[test]
fn what_is_left_out_is_said_and_opens_no_room() {
    for (kind, field) in NEEDED {
        let sound = sound(kind);
        let mut damaged = sound.clone();
        remove(&mut damaged, field);
        only_the_sound_is_seen(kind, field, &sound, &damaged);
    }
}

#[test]
fn how_somebody_looks_is_left_out_and_makes_no_guild_stale() {
    for field in ["avatar", "user.avatar", "user.discriminator", "user.bot"] {
        let mut harness = Harness::built();
        let odd = with(member_update(ANN), field, json!([1]));
        let oddities = harness.hear("GUILD_MEMBER_UPDATE", &odd).oddities;
        assert_eq!(oddities.stale, None, "{field}");
        assert!(oddities.harmless.is_some(), "{field}");
    }
    let mut harness = Harness::built();
    let before = harness.guild().info.icon.clone();
    let told = harness.hear("GUILD_UPDATE", &with(guild(), "icon", 5));
    assert_eq!(
        (told.oddities.stale, told.oddities.harmless),
        (None, Some("icon"))
    );
    assert_eq!(harness.guild().info.icon, before);
}

#[test]
fn everything_that_discord_documents_is_sound() {
    for kind in KINDS {
        let told = harness(kind).hear(kind, &sound(kind));
        assert_eq!(told.oddities, super::Oddities::default(), "{kind}");
    }
}

#[test]
fn a_guild_that_is_gone_or_out_unreadably_is_out() {
    let mut harness = Harness::built();
    let odd = json!({ "id": "1", "unavailable": "perhaps" });
    let told = harness.hear("GUILD_DELETE", &odd);
    assert_eq!(super::names(&told), ["guild.unavailable"]);
    assert_eq!(told.oddities.stale, Some("unavailable"));
}

#[test]
fn numbers_that_no_channel_has_are_odd() {
    for (field, odd) in [
        ("user_limit", json!(4_000_000_000_u64)),
        ("user_limit", json!(-1)),
        ("user_limit", json!(1e300)),
        ("position", json!(i64::MIN)),
        ("position", json!(1.5)),
    ] {
        let mut harness = Harness::built();
        let told = harness.hear(
            "CHANNEL_UPDATE",
            &with(channel(MOON, "The Moon"), field, odd),
        );
        assert_eq!(told.oddities.stale, Some(field));
        assert!(told.events.is_empty(), "it is as it was known");
    }
}

#[test]
fn a_text_longer_than_any_of_discords_is_cut() {
    let mut harness = Harness::built();
    let long = "é".repeat(100_000);
    let told = harness.hear("CHANNEL_UPDATE", &channel(MOON, &long));
    assert_eq!(
        (told.oddities.stale, told.oddities.harmless),
        (None, Some("name"))
    );
    let name = &harness.guild().rooms[&ChannelId(MOON)].info.name;
    assert_eq!(*name, "é".repeat(200));
    let nick = with(member(ANN), "nick", long);
    harness.hear(
        "VOICE_STATE_UPDATE",
        &with(voice_state(ANN, Some(MOON)), "member", nick),
    );
    assert_eq!(
        harness.guild().voice[&UserId(ANN)].display_name,
        "é".repeat(200)
    );
}

const KINDS: [&str; 11] = [
    "GUILD_CREATE",
    "GUILD_UPDATE",
    "GUILD_ROLE_CREATE",
    "GUILD_ROLE_UPDATE",
    "GUILD_ROLE_DELETE",
    "CHANNEL_CREATE",
    "CHANNEL_UPDATE",
    "VOICE_STATE_UPDATE",
    "GUILD_MEMBER_ADD",
    "GUILD_MEMBER_UPDATE",
    "GUILD_MEMBER_REMOVE",
];

/// Neither an id, nor permissions, nor a text, flag, list or object.
fn odd_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(1024.0),
        json!(-1),
        json!(1e300),
        json!([null]),
        json!({}),
        json!({ "id": true }),
        json!([[]]),
    ]
}

/// A dispatch as Discord sends it, with a room that only some may see.
fn sound(kind: &str) -> Value {
    let gated = |id, name| {
        let overwrites = json!([
            overwrite(0, GATED, "1024", "0"),
            overwrite(0, 1, "0", "1024")
        ]);
        with(channel(id, name), "permission_overwrites", overwrites)
    };
    match kind {
        "GUILD_CREATE" => {
            let denied = json!([overwrite(0, GATED, "0", "1024")]);
            let sun = with(channel(402, "Sun"), "permission_overwrites", denied);
            let channels = json!([category(400, "Voice"), gated(MOON, "The Moon"), sun]);
            let states = json!([partial_voice_state(ANN, MOON)]);
            let listed = with(with(guild(), "channels", channels), "voice_states", states);
            with(listed, "members", json!([member(ANN)]))
        }
        "GUILD_UPDATE" => guild(),
        "GUILD_ROLE_CREATE" => json!({ "guild_id": "1", "role": role(9, "1024") }),
        "GUILD_ROLE_UPDATE" => json!({ "guild_id": "1", "role": role(GATED, "8") }),
        "GUILD_ROLE_DELETE" => json!({ "guild_id": "1", "role_id": GATED.to_string() }),
        "CHANNEL_CREATE" => gated(404, "New"),
        "CHANNEL_UPDATE" => gated(MOON, "Renamed"),
        "VOICE_STATE_UPDATE" => voice_state(BOB, Some(MOON)),
        "GUILD_MEMBER_ADD" | "GUILD_MEMBER_UPDATE" => member_update(BOB),
        "GUILD_MEMBER_REMOVE" => json!({ "guild_id": "1", "user": { "id": BOB.to_string() } }),
        other => panic!("no dispatch is called {other}"),
    }
}

/// Where a GUILD_CREATE comes first, and everything else after one.
fn harness(kind: &str) -> Harness {
    let mut harness = Harness::empty();
    if kind != "GUILD_CREATE" {
        harness.hear("GUILD_CREATE", &sound("GUILD_CREATE"));
    }
    harness
}

/// Who would see which room, were they looked up.
fn all_visible(harness: &Harness) -> BTreeSet<(u64, ChannelId)> {
    let mut world = harness.world.clone();
    let users = [(ANN, vec![]), (BOB, vec![RoleId(GATED)]), (OWNER, vec![])];
    for (user, roles) in users {
        world.apply(&Event {
            guild_id: GUILD,
            ts: 0,
            synthetic: false,
            change: Change::Rights {
                user_id: UserId(user),
                membership: Some(Membership::member(roles)),
            },
        });
    }
    let mut seen = BTreeSet::new();
    let Some(guild) = world.guilds.get(&GUILD) else {
        return seen;
    };
    for user in [ANN, BOB, OWNER] {
        let view = MemberView::of(GUILD, guild, UserId(user)).expect("a member");
        let rooms = guild.rooms.keys().filter(|room| view.sees(**room));
        seen.extend(rooms.map(|room| (user, *room)));
    }
    seen
}
