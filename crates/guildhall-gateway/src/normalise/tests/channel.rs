use guildhall_model::{
    ChannelId, Permissions, RoleId,
    guild::{Overwrite, OverwriteTarget},
};
use serde_json::{Value, json};

use super::{
    Harness,
    discord::{
        ANN, BOB, CATEGORY, GATED, MOON, SUN, TEXT, category, channel, obfuscated, overwrite, text,
        voice_state, with, without,
    },
    names, story,
};

const UPDATE: &str = "CHANNEL_UPDATE";

#[test]
fn rooms_come_change_and_go() {
    let stage = with(
        with(channel(404, "Stage"), "type", 13),
        "user_limit",
        10_000,
    );
    let out = with(with(stage.clone(), "parent_id", Value::Null), "position", 9);
    let gated = json!([
        overwrite(0, 1, "0", "1024"),
        overwrite(0, GATED, "1049600", "0")
    ]);
    let gated = with(
        with(out.clone(), "name", "Secret"),
        "permission_overwrites",
        gated,
    );
    let dispatches = [
        ("CHANNEL_CREATE", stage),
        (UPDATE, out),
        (UPDATE, gated.clone()),
        ("CHANNEL_DELETE", gated),
    ];
    insta::assert_snapshot!(story(&mut Harness::built(), &dispatches));
}

#[test]
fn a_room_with_people_in_it_goes_after_them_and_each_leaves_once() {
    let joined = [
        ("VOICE_STATE_UPDATE", voice_state(ANN, Some(MOON))),
        ("VOICE_STATE_UPDATE", voice_state(BOB, Some(MOON))),
    ];
    let gone = ("CHANNEL_DELETE", channel(MOON, "The Moon"));
    let left = [
        ("VOICE_STATE_UPDATE", voice_state(ANN, None)),
        ("VOICE_STATE_UPDATE", voice_state(BOB, None)),
    ];
    let first = [&joined[..], std::slice::from_ref(&gone), &left].concat();
    insta::assert_snapshot!("deleted_then_left", story(&mut Harness::built(), &first));
    let last = [&joined[..], &left, &[gone]].concat();
    insta::assert_snapshot!("left_then_deleted", story(&mut Harness::built(), &last));
}

#[test]
fn other_channels_are_no_rooms() {
    let mut harness = Harness::built();
    let before = harness.world.clone();
    for kind in [0, 1, 3, 5, 10, 11, 12, 14, 15, 16, 99] {
        let other = with(text(410), "type", kind);
        for dispatch in ["CHANNEL_CREATE", UPDATE, "CHANNEL_DELETE"] {
            assert!(
                harness.hear(dispatch, &other).events.is_empty(),
                "{dispatch} of {kind}"
            );
        }
    }
    assert_eq!(harness.world, before);
}

#[test]
fn a_room_that_becomes_something_else_goes_and_may_come_back() {
    let mut harness = Harness::built();
    harness.hear("VOICE_STATE_UPDATE", &voice_state(ANN, Some(MOON)));
    let told = harness.hear(UPDATE, &text(MOON));
    assert_eq!(
        names(&told),
        ["voice.left", "room.deleted", "voice.pending"]
    );
    assert_eq!(
        names(&harness.hear(UPDATE, &channel(MOON, "The Moon"))),
        ["room.created", "voice.joined"]
    );
    let stage = with(channel(MOON, "The Moon"), "type", 13);
    assert_eq!(names(&harness.hear(UPDATE, &stage)), ["room.updated"]);
    let told = harness.hear(UPDATE, &category(MOON, "Moons"));
    assert_eq!(
        names(&told),
        [
            "voice.left",
            "room.deleted",
            "voice.pending",
            "category.set"
        ]
    );
    let told = harness.hear(UPDATE, &channel(MOON, "The Moon"));
    assert_eq!(
        names(&told),
        ["category.removed", "room.created", "voice.joined"]
    );
}

#[test]
fn an_update_of_what_we_do_not_keep_says_nothing() {
    let mut harness = Harness::built();
    let moon = channel(MOON, "The Moon");
    for (field, value) in [
        ("bitrate", json!(8_000)),
        ("topic", json!("quiet")),
        ("last_message_id", json!("1")),
        ("flags", json!(16)),
        ("something_new", json!({ "a": [1] })),
    ] {
        assert!(
            harness
                .hear(UPDATE, &with(moon.clone(), field, value))
                .events
                .is_empty()
        );
    }
    let both = [overwrite(0, 1, "0", "1"), overwrite(1, ANN, "1", "0")];
    let listed = with(moon.clone(), "permission_overwrites", json!(both));
    assert_eq!(names(&harness.hear(UPDATE, &listed)), ["room.rights"]);
    let reordered = with(moon, "permission_overwrites", json!([both[1], both[0]]));
    assert!(harness.hear(UPDATE, &reordered).events.is_empty());
}

#[test]
fn a_category_names_its_rooms() {
    let dispatches = [
        (UPDATE, category(CATEGORY, "Rooms")),
        (UPDATE, obfuscated(category(CATEGORY, "Rooms"))),
        ("CHANNEL_CREATE", obfuscated(category(405, "never told"))),
        ("CHANNEL_DELETE", category(CATEGORY, "Rooms")),
        (
            UPDATE,
            with(channel(MOON, "The Moon"), "parent_id", Value::Null),
        ),
    ];
    insta::assert_snapshot!(story(&mut Harness::built(), &dispatches));
}

#[test]
fn who_may_make_rooms_in_a_category_is_known_and_where_it_is_not_nobody_may() {
    let mut harness = Harness::built();
    let mine = json!([
        overwrite(0, 1, "0", "1048576"),
        overwrite(1, ANN, "1048576", "0")
    ]);
    let gated = with(category(CATEGORY, "Voice"), "permission_overwrites", mine);
    assert_eq!(
        names(&harness.hear(UPDATE, &gated)),
        ["category.set"],
        "of no news to its rooms"
    );
    assert_eq!(names(&harness.hear(UPDATE, &gated)), [""; 0]);
    let rights = |harness: &Harness| {
        harness.guild().categories[&ChannelId(CATEGORY)]
            .rights
            .clone()
    };
    let known = rights(&harness);
    assert_eq!((known.overwrites.len(), known.obfuscated), (2, false));
    // What is not said stays as it was known; what cannot be read is not known.
    let told = harness.hear(UPDATE, &without(gated.clone(), "permission_overwrites"));
    assert_eq!((names(&told), told.oddities.stale), (vec![], None));
    let told = harness.hear(
        UPDATE,
        &with(gated.clone(), "permission_overwrites", json!([7])),
    );
    assert_eq!(told.oddities.stale, Some("permission_overwrites"));
    assert!(rights(&harness).obfuscated);
    let told = harness.hear(UPDATE, &without(gated.clone(), "permission_overwrites"));
    assert_eq!(told.oddities.stale, Some("permission_overwrites"));
    harness.hear(UPDATE, &gated);
    assert_eq!(rights(&harness), known);
    harness.hear(UPDATE, &obfuscated(gated));
    assert!(
        rights(&harness).obfuscated,
        "what Discord sends of it is false"
    );
}

#[test]
fn a_category_may_come_after_its_rooms() {
    let mut harness = Harness::built();
    let early = with(channel(404, "Early"), "parent_id", "405");
    harness.hear("CHANNEL_CREATE", &early);
    let told = harness.hear("CHANNEL_CREATE", &category(405, "Late"));
    assert_eq!(names(&told), ["category.set", "room.updated"]);
    let info = &harness.guild().rooms[&ChannelId(404)].info;
    assert_eq!(info.parent_name.as_deref(), Some("Late"));
}

#[test]
fn a_channel_that_the_bot_may_not_view_keeps_what_was_known_and_its_people() {
    let gated = json!([overwrite(0, 1, "0", "1024"), overwrite(1, ANN, "1024", "0")]);
    let gated = with(channel(MOON, "The Moon"), "permission_overwrites", gated);
    let dispatches = [
        (UPDATE, gated.clone()),
        ("VOICE_STATE_UPDATE", voice_state(ANN, Some(MOON))),
        (UPDATE, obfuscated(gated.clone())),
        ("VOICE_STATE_UPDATE", voice_state(BOB, Some(MOON))),
        (UPDATE, obfuscated(gated.clone())),
        (UPDATE, with(gated, "name", "The Full Moon")),
        ("CHANNEL_CREATE", obfuscated(channel(404, "never told"))),
        (UPDATE, channel(404, "told at last")),
    ];
    insta::assert_snapshot!(story(&mut Harness::built(), &dispatches));
}

#[test]
fn only_the_flag_hides_a_channel() {
    let mut harness = Harness::built();
    harness.hear(UPDATE, &channel(MOON, "___hidden___"));
    assert!(!harness.guild().rooms[&ChannelId(MOON)].rights.obfuscated);
    for flags in [json!("131072"), json!(131_073), json!({}), json!(-1)] {
        harness.hear(UPDATE, &channel(MOON, "The Moon"));
        harness.hear(
            UPDATE,
            &with(channel(MOON, "The Moon"), "flags", flags.clone()),
        );
        assert!(
            harness.guild().rooms[&ChannelId(MOON)].rights.obfuscated,
            "{flags}"
        );
    }
}

#[test]
fn a_room_of_which_the_rights_are_not_known_is_shown_to_nobody() {
    let mut harness = Harness::built();
    let moon = channel(MOON, "The Moon");
    for odd in [
        json!([{ "id": "1", "type": 7, "allow": "0", "deny": "1024" }]),
        json!([overwrite(0, 1, "0", "1024"), "?"]),
        json!([{ "id": "1", "type": 0, "allow": "0" }]),
        json!("none"),
    ] {
        harness.hear(UPDATE, &moon);
        harness.hear(
            UPDATE,
            &with(moon.clone(), "permission_overwrites", odd.clone()),
        );
        assert!(
            harness.guild().rooms[&ChannelId(MOON)].rights.obfuscated,
            "{odd}"
        );
    }
}

#[test]
fn a_channel_that_says_nothing_of_its_rights_keeps_them() {
    let mut harness = Harness::built();
    let gated = json!([overwrite(0, 1, "0", "1024")]);
    let moon = channel(MOON, "The Moon");
    harness.hear(UPDATE, &with(moon.clone(), "permission_overwrites", gated));
    assert!(
        harness
            .hear(UPDATE, &without(moon, "permission_overwrites"))
            .events
            .is_empty()
    );
    let expected = Overwrite {
        target: OverwriteTarget::Role(RoleId(1)),
        allow: Permissions::NONE,
        deny: Permissions::VIEW_CHANNEL,
    };
    assert_eq!(
        harness.guild().rooms[&ChannelId(MOON)].rights.overwrites,
        [expected]
    );
}

#[test]
fn a_room_that_never_said_its_rights_is_shown_to_nobody_until_it_does() {
    let new = channel(404, "New");
    let silent = without(new.clone(), "permission_overwrites");
    for (first, second) in [
        (None, ("CHANNEL_CREATE", silent.clone())),
        (None, (UPDATE, silent.clone())),
        (Some(obfuscated(new.clone())), (UPDATE, silent.clone())),
        (Some(text(404)), (UPDATE, silent.clone())),
    ] {
        let mut harness = Harness::built();
        if let Some(first) = first {
            harness.hear("CHANNEL_CREATE", &first);
        }
        let (kind, silent) = second;
        let told = harness.hear(kind, &silent);
        assert_eq!(told.oddities.stale, Some("permission_overwrites"));
        let hidden = |harness: &Harness| harness.guild().rooms[&ChannelId(404)].rights.obfuscated;
        assert!(hidden(&harness), "{kind} {silent}");
        let told = harness.hear(UPDATE, &new);
        assert_eq!(told.oddities.stale, None);
        assert!(!hidden(&harness), "{kind} {silent}");
    }
}

#[test]
fn rights_from_before_a_room_was_hidden_are_not_its_rights() {
    let mut harness = Harness::built();
    let moon = channel(MOON, "The Moon");
    assert_eq!(
        harness
            .hear(UPDATE, &obfuscated(moon.clone()))
            .oddities
            .stale,
        None
    );
    let told = harness.hear(UPDATE, &without(moon, "permission_overwrites"));
    assert_eq!(told.oddities.stale, Some("permission_overwrites"));
    assert!(harness.guild().rooms[&ChannelId(MOON)].rights.obfuscated);
}

#[test]
fn a_channel_object_may_leave_out_its_guild() {
    let mut harness = Harness::built();
    let renamed = without(channel(SUN, "Noon"), "guild_id");
    assert_eq!(names(&harness.hear(UPDATE, &renamed)), ["room.updated"]);
    let new = without(channel(404, "New"), "guild_id");
    assert_eq!(
        names(&harness.hear("CHANNEL_CREATE", &new)),
        ["room.created"]
    );
    assert_eq!(
        names(&harness.hear("CHANNEL_DELETE", &new)),
        ["room.deleted"]
    );
    let nowhere = with(without(text(TEXT), "guild_id"), "parent_id", Value::Null);
    assert!(matches!(
        harness.seen(UPDATE, &nowhere),
        super::Normalised::Irrelevant
    ));
}
