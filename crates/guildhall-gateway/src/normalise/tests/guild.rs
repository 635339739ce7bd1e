use guildhall_model::{ChannelId, Permissions, RoleId, UserId};
use serde_json::{Value, json};

use super::{
    Event, GuildDelta, GuildId, GuildTransition, Harness, Normalised,
    discord::{
        ANN, BOB, CATEGORY, GATED, MOON, SUN, category, channel, guild, member, obfuscated, outage,
        overwrite, partial_voice_state, role, voice_state, with, without,
    },
    names, story,
};

const CREATE: &str = "GUILD_CREATE";

#[test]
fn a_new_guild_comes_whole() {
    let nick = with(member(ANN), "nick", "Ann");
    let muted = with(partial_voice_state(BOB, SUN), "self_mute", true);
    let guild = with(guild(), "members", json!([nick, member(BOB)]));
    let states = json!([partial_voice_state(ANN, MOON), muted]);
    let guild = with(guild, "voice_states", states);
    insta::assert_snapshot!(story(&mut Harness::empty(), &[(CREATE, guild)]));
}

#[test]
fn the_same_guild_again_says_nothing() {
    let mut harness = Harness::built();
    harness.hear("VOICE_STATE_UPDATE", &voice_state(ANN, Some(MOON)));
    let guild = with(guild(), "members", json!([member(ANN)]));
    let guild = with(
        guild,
        "voice_states",
        json!([partial_voice_state(ANN, MOON)]),
    );
    let told = harness.hear(CREATE, &guild);
    assert_eq!(
        (names(&told), told.transition),
        (vec![], Some(GuildTransition::Came))
    );
}

#[test]
fn a_guild_back_from_an_outage_says_what_differs_and_that_it_is_back() {
    let moved = with(partial_voice_state(ANN, SUN), "mute", true);
    let changed = [
        ("name", json!("Renamed")),
        ("icon", Value::Null),
        ("owner_id", json!("8")),
        ("roles", json!([role(1, "1024"), role(4, "8")])),
        (
            "channels",
            json!([
                category(406, "Elsewhere"),
                with(channel(SUN, "Noon"), "parent_id", "406"),
                with(
                    channel(404, "New"),
                    "permission_overwrites",
                    json!([overwrite(0, 1, "0", "1024")])
                ),
            ]),
        ),
        ("members", json!([member(ANN), member(11)])),
        ("voice_states", json!([moved, partial_voice_state(11, 404)])),
    ];
    let changed = changed
        .into_iter()
        .fold(guild(), |guild, (field, value)| with(guild, field, value));
    let dispatches = [
        ("VOICE_STATE_UPDATE", voice_state(ANN, Some(MOON))),
        ("VOICE_STATE_UPDATE", voice_state(BOB, Some(MOON))),
        ("GUILD_DELETE", outage()),
        (CREATE, outage()),
        (CREATE, changed),
    ];
    let mut harness = Harness::built();
    insta::assert_snapshot!(story(&mut harness, &dispatches));
    assert_eq!(harness.guild().voice.len(), 2);
}

#[test]
fn an_outage_keeps_the_guild_and_a_removal_does_not() {
    let mut harness = Harness::built();
    harness.hear("VOICE_STATE_UPDATE", &voice_state(ANN, Some(MOON)));
    for kind in ["GUILD_DELETE", CREATE] {
        let told = harness.hear(kind, &outage());
        assert_eq!(told.transition, Some(GuildTransition::Unavailable));
    }
    assert_eq!(harness.people(MOON), [ANN]);
    assert!(!harness.guild().available);

    let told = harness.hear("GUILD_DELETE", &json!({ "id": "1" }));
    assert_eq!(
        (names(&told), told.transition),
        (vec!["guild.removed"], Some(GuildTransition::Gone))
    );
    let told = harness.hear("GUILD_DELETE", &json!({ "id": "1" }));
    assert_eq!(
        (names(&told), told.transition),
        (vec![], Some(GuildTransition::Gone))
    );
    assert!(harness.world.guilds.is_empty());
    let told = harness.hear("GUILD_DELETE", &outage());
    assert_eq!(
        (names(&told), told.transition),
        (vec![], Some(GuildTransition::Unavailable))
    );
}

#[test]
fn an_update_of_a_guild_wipes_nothing() {
    let mut harness = Harness::built();
    harness.hear("VOICE_STATE_UPDATE", &voice_state(ANN, Some(MOON)));
    let lists = ["channels", "voice_states", "members", "roles"];
    let bare = lists.into_iter().fold(guild(), without);
    let before = harness.world.clone();
    assert!(harness.hear("GUILD_UPDATE", &bare).events.is_empty());
    assert!(
        harness
            .hear("GUILD_UPDATE", &json!({ "id": "1" }))
            .events
            .is_empty()
    );
    assert_eq!(harness.world, before);
    for (field, value, expected) in [
        ("name", json!("Renamed"), "guild.updated"),
        ("icon", Value::Null, "guild.updated"),
        ("owner_id", json!("8"), "owner.changed"),
    ] {
        let update = json!({ "id": "1", field: value });
        assert_eq!(names(&harness.hear("GUILD_UPDATE", &update)), [expected]);
    }
    let guild = harness.guild();
    assert_eq!(
        (guild.info.name.as_str(), guild.owner_id),
        ("Renamed", UserId(8))
    );
    assert_eq!(
        (&guild.info.icon, guild.rooms.len(), guild.voice.len()),
        (&None, 2, 1)
    );
    let unknown = json!({ "id": "77", "name": "x" });
    assert!(matches!(
        harness.seen("GUILD_UPDATE", &unknown),
        Normalised::Irrelevant
    ));
}

#[test]
fn one_odd_entry_does_not_lose_the_guild() {
    let odd = [
        json!(null),
        json!("?"),
        json!({ "id": [] }),
        json!({ "user_id": "x" }),
    ];
    let mut damaged = with(
        guild(),
        "voice_states",
        json!([partial_voice_state(ANN, MOON)]),
    );
    for list in ["channels", "roles", "members", "voice_states", "presences"] {
        let entries = damaged[list].as_array_mut().expect("a list");
        entries.extend(odd.clone());
    }
    let mut harness = Harness::empty();
    harness.hear(CREATE, &damaged);
    let guild = harness.guild();
    assert_eq!(
        (guild.rooms.len(), guild.roles.len(), guild.voice.len()),
        (2, 2, 1)
    );
}

#[test]
fn a_guild_without_its_channels_or_roles_is_no_picture_of_it() {
    let mut harness = Harness::built();
    let before = harness.world.clone();
    for list in ["channels", "roles"] {
        for odd in [without(guild(), list), with(guild(), list, Value::Null)] {
            let seen = harness.seen(CREATE, &odd);
            assert!(matches!(
                seen,
                Normalised::Unreadable {
                    guild_id: Some(GuildId(1)),
                    ..
                }
            ));
        }
    }
    assert_eq!(harness.world, before);
}

#[test]
fn a_room_that_comes_with_its_guild_and_says_no_rights_is_shown_to_nobody() {
    let silent = without(channel(MOON, "The Moon"), "permission_overwrites");
    let channels = json!([category(CATEGORY, "Voice"), silent]);
    let listed = with(guild(), "channels", channels);
    let mut harness = Harness::empty();
    for _ in 0..2 {
        let told = harness.hear(CREATE, &listed);
        assert_eq!(told.oddities.stale, Some("permission_overwrites"));
        assert_eq!(told.transition, Some(GuildTransition::CameInPart));
        assert!(harness.guild().rooms[&ChannelId(MOON)].rights.obfuscated);
    }
    let told = Harness::built().hear(CREATE, &listed);
    assert_eq!(told.oddities.stale, None, "what was known goes on");
}

#[test]
fn a_guild_always_has_the_role_of_everybody() {
    let built = Harness::built();
    for roles in [json!([]), json!([role(GATED, "8")])] {
        let listed = with(guild(), "roles", roles.clone());
        let mut first = Harness::empty();
        for harness in [&mut first, &mut Harness::built()] {
            let told = harness.hear(CREATE, &listed);
            assert_eq!(told.oddities.stale, Some("roles"), "{roles}");
            assert_eq!(told.transition, Some(GuildTransition::CameInPart));
        }
        let told = first.hear(CREATE, &guild());
        assert_eq!(
            (told.oddities.stale, told.transition),
            (None, Some(GuildTransition::Came))
        );
        assert_eq!(first.guild().roles, built.guild().roles);
        let mut known = Harness::built();
        known.hear(CREATE, &listed);
        let everyone = RoleId(1);
        assert_eq!(
            known.guild().roles[&everyone],
            built.guild().roles[&everyone]
        );
    }
    let mut harness = Harness::built();
    let gone = json!({ "guild_id": "1", "role_id": "1" });
    let told = harness.hear("GUILD_ROLE_DELETE", &gone);
    assert_eq!(
        (names(&told), told.oddities.stale),
        (vec![], Some("role_id"))
    );
    assert_eq!(harness.world, built.world);
}

#[test]
fn without_voice_states_people_stay_where_they_are_unless_the_room_is_gone() {
    let mut harness = Harness::built();
    harness.hear("VOICE_STATE_UPDATE", &voice_state(ANN, Some(MOON)));
    harness.hear("VOICE_STATE_UPDATE", &voice_state(BOB, Some(SUN)));
    let channels = json!([category(CATEGORY, "Voice"), channel(SUN, "The Sun")]);
    let told = harness.hear(
        CREATE,
        &without(with(guild(), "channels", channels), "voice_states"),
    );
    assert_eq!(names(&told), ["voice.left", "room.deleted"]);
    assert_eq!(harness.people(SUN), [BOB]);
}

#[test]
fn a_role_of_unreadable_permissions_keeps_the_known_ones() {
    let mut harness = Harness::built();
    let odd = with(role(1, ""), "permissions", "lots");
    let unknown = with(role(4, ""), "permissions", json!({}));
    let told = harness.hear(
        CREATE,
        &with(guild(), "roles", json!([odd, role(GATED, "0"), unknown])),
    );
    assert_eq!(names(&told), ["role.set"]);
    assert_eq!(told.oddities.stale, Some("permissions"));
    // It gives nothing, and is there: a deny of it counts.
    let roles = &harness.guild().roles;
    assert_eq!(roles[&RoleId(4)], Permissions::NONE);
    assert_eq!(
        roles[&RoleId(1)],
        Harness::built().guild().roles[&RoleId(1)]
    );
    let again = harness.seen(
        "GUILD_ROLE_UPDATE",
        &json!({
            "guild_id": "1", "role": with(role(1, ""), "permissions", "lots"),
        }),
    );
    assert!(matches!(again, Normalised::Unreadable { .. }));
}

#[test]
fn a_category_that_is_listed_twice_is_no_news_the_second_time() {
    let mut harness = Harness::empty();
    let mine = json!([overwrite(0, 1, "0", "1024")]);
    let gated = with(category(405, "Rooms"), "permission_overwrites", mine);
    for twice in [
        json!([gated, obfuscated(gated.clone())]),
        json!([obfuscated(gated.clone()), gated]),
        json!([gated, without(gated.clone(), "permission_overwrites")]),
        json!([
            gated,
            with(gated.clone(), "permission_overwrites", json!([7]))
        ]),
    ] {
        let create = with(guild(), "channels", twice);
        harness.hear(CREATE, &create);
        assert_eq!(names(&harness.hear(CREATE, &create)), [""; 0], "{create}");
    }
}

#[test]
fn channels_that_the_bot_lost_in_an_outage_keep_their_names() {
    let mut harness = Harness::built();
    let hidden = json!([
        obfuscated(category(CATEGORY, "Voice")),
        obfuscated(channel(MOON, "The Moon")),
        channel(SUN, "The Sun"),
    ]);
    let told = harness.hear(CREATE, &with(guild(), "channels", hidden));
    assert_eq!(names(&told), ["category.set", "room.rights"]);
    let moon = &harness.guild().rooms[&ChannelId(MOON)];
    assert_eq!(moon.info.name, "The Moon");
    assert_eq!(moon.info.parent_name.as_deref(), Some("Voice"));
}

#[test]
fn a_room_regained_is_shown_after_those_who_left_it_have_left() {
    let mut harness = Harness::empty();
    let states = json!([partial_voice_state(ANN, MOON)]);
    let hidden = json!([obfuscated(channel(MOON, "The Moon"))]);
    let first = with(with(guild(), "voice_states", states), "channels", hidden);
    harness.hear(CREATE, &first);
    let regained = json!([channel(MOON, "The Moon")]);
    let told = harness.hear(CREATE, &with(guild(), "channels", regained));
    assert_eq!(names(&told), ["room.updated", "voice.left", "room.rights"]);
}

#[test]
fn a_room_closed_while_roles_change_is_hidden_until_all_is_settled() {
    let mut harness = Harness::built();
    let gated = with(
        channel(MOON, "The Moon"),
        "permission_overwrites",
        json!([overwrite(0, 1, "0", "1024")]),
    );
    let channels = json!([category(CATEGORY, "Voice"), gated, channel(SUN, "The Sun")]);
    let roles = json!([role(1, "1024"), role(GATED, "8")]);
    let next = with(with(guild(), "channels", channels), "roles", roles);
    let told = harness.hear(CREATE, &next);
    assert_eq!(
        names(&told),
        ["room.rights", "role.set", "role.set", "room.rights"]
    );
    assert!(!harness.guild().rooms[&ChannelId(MOON)].rights.obfuscated);
}

#[test]
fn only_what_nobody_told_is_synthetic() {
    let mut harness = Harness::built();
    harness.hear("GUILD_DELETE", &outage());
    let states = json!([partial_voice_state(ANN, MOON)]);
    let GuildDelta { events, .. } = harness.hear(CREATE, &with(guild(), "voice_states", states));
    let synthetic = |event: &Event| (event.change.name(), event.synthetic);
    let events: Vec<_> = events.iter().map(synthetic).collect();
    assert_eq!(events, [("voice.joined", true), ("guild.available", false)]);
}
