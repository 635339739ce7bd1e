//! What is said of people before their room is known is kept, and told when it comes.

use serde_json::{Value, json};

use super::{
    Change, Harness, UserId,
    discord::{
        ANN, BOB, MOON, SUN, TEXT, category, channel, guild, member, member_update, obfuscated,
        outage, partial_voice_state, text, user, voice_state, with, without,
    },
    names, story,
};
use crate::normalise::pending::PENDING_PER_GUILD;

const STATE: &str = "VOICE_STATE_UPDATE";
const LATE: u64 = 404;

#[test]
fn people_who_come_before_their_room_join_with_it_once_each() {
    let mut harness = Harness::built();
    let dispatches = [
        (STATE, voice_state(BOB, Some(MOON))),
        (STATE, voice_state(ANN, Some(LATE))),
        (STATE, voice_state(BOB, Some(LATE))),
        ("CHANNEL_CREATE", channel(LATE, "late room")),
        // What a RESUME replays.
        (STATE, voice_state(ANN, Some(LATE))),
        ("CHANNEL_CREATE", channel(LATE, "late room")),
    ];
    insta::assert_snapshot!(story(&mut harness, &dispatches));
    assert_eq!(harness.people(LATE), [BOB, ANN]);
    assert!(harness.guild().pending_voice.is_empty());
}

#[test]
fn whoever_is_gone_before_the_room_comes_is_never_told_of() {
    let gone = [
        (STATE, without(voice_state(ANN, None), "member")),
        (STATE, voice_state(ANN, Some(405))),
        ("CHANNEL_DELETE", channel(LATE, "never made")),
        (
            "GUILD_MEMBER_REMOVE",
            json!({ "guild_id": "1", "user": user(ANN) }),
        ),
        ("GUILD_CREATE", guild()),
    ];
    for (kind, data) in gone {
        let mut harness = Harness::built();
        harness.hear(STATE, &voice_state(ANN, Some(LATE)));
        harness.hear(kind, &data);
        let told = harness.hear("CHANNEL_CREATE", &channel(LATE, "late room"));
        assert_eq!(names(&told), ["room.created"], "{kind} {data}");
    }
    let mut harness = Harness::built();
    harness.hear(STATE, &voice_state(ANN, Some(LATE)));
    harness.hear(STATE, &voice_state(ANN, Some(MOON)));
    assert!(harness.guild().pending_voice.is_empty());
}

#[test]
fn a_guild_may_list_people_in_a_channel_that_it_does_not_list_as_a_room() {
    for (room, becomes) in [(LATE, "CHANNEL_CREATE"), (TEXT, "CHANNEL_UPDATE")] {
        let states = json!([partial_voice_state(ANN, room)]);
        let listed = with(guild(), "voice_states", states);
        let listed = with(
            listed,
            "members",
            json!([with(member(ANN), "nick", "Annie")]),
        );
        let mut first = Harness::empty();
        first.hear("GUILD_CREATE", &listed);
        let mut again = Harness::built();
        let told = again.hear("GUILD_CREATE", &listed);
        assert_eq!(names(&told), ["voice.pending"]);
        assert!(told.events[0].synthetic);
        for harness in [&mut first, &mut again] {
            assert!(harness.guild().voice.is_empty());
            let told = harness.hear(becomes, &channel(room, "late room"));
            assert_eq!(names(&told), ["room.created", "voice.joined"]);
            assert_eq!(harness.guild().voice[&UserId(ANN)].display_name, "Annie");
        }
    }
}

#[test]
fn a_fresh_picture_moves_people_between_rooms_and_what_is_none() {
    let listed = |states: Value, moon: Value| {
        let guild = with(guild(), "voice_states", states);
        with(
            guild,
            "channels",
            json!([category(400, "Voice"), moon, channel(SUN, "The Sun")]),
        )
    };
    let moon = || channel(MOON, "The Moon");
    let both = json!([
        partial_voice_state(ANN, MOON),
        partial_voice_state(BOB, SUN)
    ]);
    let mut harness = Harness::empty();
    harness.hear("GUILD_CREATE", &listed(both.clone(), moon()));
    let told = harness.hear("GUILD_CREATE", &listed(both.clone(), text(MOON)));
    assert_eq!(
        names(&told),
        ["voice.left", "voice.pending", "room.deleted"]
    );
    let told = harness.hear("GUILD_CREATE", &listed(both.clone(), moon()));
    assert_eq!(names(&told), ["room.created", "voice.joined"]);
    // The room comes while nothing else is told.
    harness.hear("GUILD_CREATE", &listed(both.clone(), text(MOON)));
    harness.hear("GUILD_DELETE", &outage());
    let unsaid = without(listed(both, moon()), "voice_states");
    let told = harness.hear("GUILD_CREATE", &unsaid);
    assert_eq!(
        names(&told),
        ["room.created", "voice.joined", "guild.available"]
    );
}

#[test]
fn a_channel_that_comes_hidden_or_as_another_type_has_its_people_when_it_is_revealed() {
    for hidden in [
        obfuscated(text(LATE)),
        obfuscated(channel(LATE, "late room")),
        text(LATE),
        category(LATE, "late room"),
        with(channel(LATE, "late room"), "type", 15),
    ] {
        for update in ["CHANNEL_CREATE", "CHANNEL_UPDATE"] {
            let mut harness = Harness::built();
            harness.hear(STATE, &voice_state(ANN, Some(LATE)));
            harness.hear("CHANNEL_CREATE", &hidden);
            harness.hear(
                STATE,
                &with(voice_state(ANN, Some(LATE)), "self_mute", true),
            );
            let stage = with(channel(LATE, "late room"), "type", 13);
            harness.hear(update, &stage);
            assert_eq!(harness.people(LATE), [ANN], "{hidden}");
            let there = &harness.guild().voice[&UserId(ANN)];
            assert!(there.flags.self_mute, "the latest word counts");
        }
    }
}

#[test]
fn the_latest_name_of_who_waits_is_the_one_they_join_with() {
    let mut harness = Harness::built();
    harness.hear(STATE, &voice_state(ANN, Some(LATE)));
    let since = harness.now;
    let renamed = with(member_update(ANN), "nick", "Annie");
    let told = harness.hear("GUILD_MEMBER_UPDATE", &renamed);
    assert_eq!(names(&told), ["voice.pending"]);
    let unnamed = without(channel(LATE, "late room"), "guild_id");
    let unnamed = with(unnamed, "parent_id", Value::Null);
    let told = harness.hear("CHANNEL_CREATE", &unnamed);
    let Change::VoiceJoined(joined) = &told.events[1].change else {
        panic!("{told:?}");
    };
    assert_eq!(
        (joined.display_name.as_str(), joined.since),
        ("Annie", since)
    );
}

#[test]
fn of_too_many_who_wait_the_oldest_are_dropped() {
    let bound = PENDING_PER_GUILD as u64;
    let listed = |many: u64| {
        let states = (0..many).map(|id| partial_voice_state(1_000 + id, LATE));
        with(guild(), "voice_states", states.collect::<Vec<_>>())
    };
    let mut harness = Harness::empty();
    assert_eq!(
        harness.hear("GUILD_CREATE", &listed(bound)).pending_dropped,
        0
    );
    let mut dropped = 0;
    for id in bound..bound + 3 {
        let state = voice_state(1_000 + id, Some(LATE));
        dropped += harness.hear(STATE, &state).pending_dropped;
    }
    assert_eq!(dropped, 3);
    let pending = &harness.guild().pending_voice;
    assert_eq!(pending.len(), PENDING_PER_GUILD);
    assert!(!pending.contains_key(&UserId(1_002)) && pending.contains_key(&UserId(1_003)));

    let mut harness = Harness::empty();
    let told = harness.hear("GUILD_CREATE", &listed(bound + 3));
    assert_eq!(told.pending_dropped, 3);
    assert_eq!(harness.guild().pending_voice.len(), PENDING_PER_GUILD);
}

#[test]
fn nobody_of_a_full_stage_is_lost_while_its_type_is_another() {
    const FULL: u64 = 10_000;
    let stage = || with(channel(MOON, "The Moon"), "type", 13);
    // As long as Discord lets names be.
    let long = "\u{1f319}".repeat(32);
    let named = |id: u64| {
        let user = with(
            with(user(id), "username", long.as_str()),
            "avatar",
            "a".repeat(34),
        );
        with(with(member(id), "user", user), "nick", long.as_str())
    };
    let ids = 1_000..1_000 + FULL;
    let inside = ids.clone().map(|id| partial_voice_state(id, MOON));
    let inside: Vec<Value> = inside.collect();
    let picture = |moon: Value| {
        let guild = with(guild(), "channels", json!([moon, channel(SUN, "The Sun")]));
        with(guild, "voice_states", inside.clone())
    };
    let members: Vec<Value> = ids.clone().map(named).collect();
    let mut harness = Harness::empty();
    harness.hear("GUILD_CREATE", &with(picture(stage()), "members", members));
    let full: Vec<u64> = ids.clone().collect();
    assert_eq!(harness.people(MOON).len(), full.len());
    for (kind, other, again) in [
        ("CHANNEL_UPDATE", text(MOON), stage()),
        ("GUILD_CREATE", picture(text(MOON)), picture(stage())),
    ] {
        let told = harness.hear(kind, &other);
        assert_eq!(told.pending_dropped, 0, "{kind}");
        // Others wait for rooms of their own meanwhile.
        for id in 0..3 {
            let told = harness.hear(STATE, &voice_state(100 + id, Some(LATE)));
            assert_eq!(told.pending_dropped, 0, "{kind}");
        }
        assert!(harness.people(MOON).is_empty());
        harness.hear(kind, &again);
        let mut people = harness.people(MOON);
        people.sort_unstable();
        assert!(people == full, "{kind}: {} are there", people.len());
    }
}
