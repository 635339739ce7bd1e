use serde_json::{Value, json};

use super::{
    Harness,
    discord::{ANN, BOB, MOON, SUN, TEXT, member, voice_state, with, without},
    names, story,
};

const KIND: &str = "VOICE_STATE_UPDATE";

#[test]
fn one_kind_of_dispatch_is_joins_moves_flags_and_leaves() {
    let muted = with(voice_state(ANN, Some(SUN)), "self_mute", true);
    let all = json!({
        "mute": true, "deaf": true, "self_mute": true, "self_deaf": true, "self_stream": true,
        "self_video": true, "suppress": true,
    });
    let mut every = voice_state(ANN, Some(SUN));
    for (flag, on) in all.as_object().expect("an object") {
        every = with(every, flag, on.clone());
    }
    let dispatches = [
        (KIND, voice_state(ANN, Some(MOON))),
        (KIND, voice_state(ANN, Some(SUN))),
        (KIND, muted),
        (KIND, every),
        (KIND, voice_state(ANN, None)),
    ];
    insta::assert_snapshot!(story(&mut Harness::built(), &dispatches));
}

#[test]
fn the_same_state_again_says_nothing() {
    let mut harness = Harness::built();
    for state in [voice_state(ANN, Some(MOON)), voice_state(ANN, None)] {
        assert_eq!(harness.hear(KIND, &state).events.len(), 1);
        assert!(harness.hear(KIND, &state).events.is_empty());
        let elsewhere = with(state, "session_id", "another client of the same person");
        assert!(harness.hear(KIND, &elsewhere).events.is_empty());
    }
}

#[test]
fn the_time_in_a_room_goes_on_until_it_is_left() {
    let mut harness = Harness::built();
    harness.hear(KIND, &voice_state(ANN, Some(MOON)));
    let joined = harness.now;
    let since = |harness: &Harness| {
        harness
            .guild()
            .voice
            .values()
            .next()
            .map(|there| there.since)
    };
    harness.hear(KIND, &with(voice_state(ANN, Some(MOON)), "mute", true));
    assert_eq!(since(&harness), Some(joined));
    harness.hear(KIND, &voice_state(ANN, Some(SUN)));
    assert_eq!(since(&harness), Some(harness.now));
}

#[test]
fn a_state_in_no_known_room_is_a_state_in_no_room() {
    let mut harness = Harness::built();
    for nowhere in [TEXT, 999] {
        let early = harness.hear(KIND, &voice_state(ANN, Some(nowhere)));
        assert_eq!(names(&early), ["voice.pending"]);
        harness.hear(KIND, &voice_state(ANN, Some(MOON)));
        let away = harness.hear(KIND, &voice_state(ANN, Some(nowhere)));
        assert_eq!(names(&away), ["voice.left", "voice.pending"]);
        assert!(harness.guild().voice.is_empty());
    }
}

#[test]
fn a_name_or_a_face_that_changed_is_an_update() {
    let mut harness = Harness::built();
    harness.hear(KIND, &voice_state(ANN, Some(MOON)));
    let nick = with(member(ANN), "nick", "Ann");
    let told = harness.hear(KIND, &with(voice_state(ANN, Some(MOON)), "member", nick));
    assert_eq!(names(&told), ["voice.updated"]);
}

#[test]
fn a_state_without_its_member_keeps_the_known_name() {
    let mut harness = Harness::built();
    let nick = with(member(ANN), "nick", "Ann");
    harness.hear(KIND, &with(voice_state(ANN, Some(MOON)), "member", nick));
    let moved = without(voice_state(ANN, Some(SUN)), "member");
    let told = harness.hear(KIND, &moved);
    assert!(told.members.is_empty());
    let there = harness.guild().voice.values().next().expect("somebody");
    assert_eq!(
        (there.display_name.as_str(), there.channel_id.0),
        ("Ann", SUN)
    );
}

#[test]
fn somebody_nobody_named_goes_by_his_id() {
    let mut harness = Harness::built();
    for odd in [
        Value::Null,
        json!([]),
        json!({ "user": { "id": "x" } }),
        member(ANN),
    ] {
        harness.hear(KIND, &with(voice_state(BOB, Some(MOON)), "member", odd));
        let there = harness.guild().voice.values().next().expect("somebody");
        assert_eq!((there.user_id.0, there.display_name.as_str()), (BOB, "10"));
        harness.hear(KIND, &voice_state(BOB, None));
    }
}

#[test]
fn odd_flags_are_off_and_ids_may_be_numbers() {
    let mut harness = Harness::built();
    let mut state = voice_state(BOB, None);
    for (field, value) in [
        ("mute", json!("yes")),
        ("deaf", Value::Null),
        ("self_video", json!(1)),
        ("user_id", json!(BOB)),
        ("guild_id", json!(1)),
        ("channel_id", json!(MOON)),
    ] {
        state = with(state, field, value);
    }
    harness.hear(KIND, &without(state, "suppress"));
    assert_eq!(harness.people(MOON), [BOB]);
    let there = harness.guild().voice.values().next().expect("somebody");
    assert_eq!(there.flags, guildhall_model::guild::VoiceFlags::default());
}

#[test]
fn a_call_outside_guilds_is_not_seen() {
    let mut harness = Harness::built();
    let call = without(voice_state(ANN, Some(MOON)), "guild_id");
    assert!(matches!(
        harness.seen(KIND, &call),
        super::Normalised::Irrelevant
    ));
    let unknown = with(voice_state(ANN, Some(MOON)), "guild_id", "77");
    assert!(matches!(
        harness.seen(KIND, &unknown),
        super::Normalised::Irrelevant
    ));
}
