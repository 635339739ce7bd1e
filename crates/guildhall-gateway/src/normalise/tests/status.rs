//! The lines of text below rooms' names.

use serde_json::{Value, json};

use super::{
    Change, ChannelId, Harness, Normalised,
    discord::{MOON, SUN, TEXT, channel, guild, obfuscated, with},
    names, story,
};

const INFO: &str = "CHANNEL_INFO";
const UPDATE: &str = "VOICE_CHANNEL_STATUS_UPDATE";

#[test]
fn the_answer_to_our_question_and_each_change_are_told_as_the_rooms_news() {
    let dispatches = [
        (INFO, info(&[(MOON, json!("chess")), (TEXT, json!("none"))])),
        (UPDATE, update(SUN, json!("go, all evening"))),
        (UPDATE, update(SUN, json!("go, all evening"))),
        (UPDATE, update(MOON, json!(""))),
        (UPDATE, update(499, json!("of no room"))),
        // Who is not listed has nothing to say.
        (INFO, info(&[(MOON, json!(null))])),
    ];
    insta::assert_snapshot!(story(&mut Harness::built(), &dispatches));
}

#[test]
fn no_other_news_of_a_room_or_its_guild_loses_it() {
    let mut harness = Harness::built();
    harness.hear(INFO, &info(&[(MOON, json!("chess")), (SUN, json!("go"))]));
    harness.hear("CHANNEL_UPDATE", &channel(MOON, "Io"));
    harness.hear("GUILD_CREATE", &guild());
    assert_eq!(line(&harness, MOON), Some("chess"));
    // Nor is anything of it said of a room that the bot may not view.
    harness.hear("CHANNEL_UPDATE", &obfuscated(channel(SUN, "The Sun")));
    harness.hear(INFO, &info(&[]));
    assert_eq!(
        (line(&harness, MOON), line(&harness, SUN)),
        (None, Some("go"))
    );
}

#[test]
fn what_is_odd_leaves_the_line_that_was_known_and_makes_nothing_stale() {
    let known = || {
        let mut harness = Harness::built();
        harness.hear(INFO, &info(&[(MOON, json!("chess")), (SUN, json!("go"))]));
        harness
    };
    for (kind, odd) in [
        (UPDATE, update(MOON, json!(7))),
        (INFO, info(&[(MOON, json!({})), (SUN, json!("go"))])),
        (
            INFO,
            with(
                info(&[(SUN, json!("go"))]),
                "channels",
                json!([{"id": "x"}]),
            ),
        ),
        (INFO, with(info(&[]), "channels", json!("all"))),
        (INFO, json!({"guild_id": "1"})),
    ] {
        let mut harness = known();
        let told = harness.hear(kind, &odd);
        assert_eq!(names(&told), [""; 0], "{odd}");
        assert!(
            told.oddities.harmless.is_some() && told.oddities.stale.is_none(),
            "{odd}"
        );
        assert_eq!(line(&harness, MOON), Some("chess"));
    }
    let long = "x".repeat(501);
    let mut harness = known();
    let told = harness.hear(UPDATE, &update(MOON, json!(long)));
    assert_eq!(told.oddities.harmless, Some("status"));
    assert_eq!(line(&harness, MOON), Some(&long[..500]));
}

#[test]
fn it_is_synthetic_where_it_was_found_by_asking() {
    let mut harness = Harness::built();
    let asked = harness.hear(INFO, &info(&[(MOON, json!("chess"))])).events;
    let told = harness.hear(UPDATE, &update(MOON, json!("go"))).events;
    let synthetic = |events: &[super::Event]| events.iter().all(|event| event.synthetic);
    assert!(synthetic(&asked) && !synthetic(&told));
    let is_update = |event: &super::Event| matches!(event.change, Change::RoomUpdated(_));
    assert!(asked.iter().chain(&told).all(is_update));
}

#[test]
fn of_a_guild_that_is_not_there_nothing_is_said() {
    let mut harness = Harness::built();
    let elsewhere = with(info(&[(MOON, json!("chess"))]), "guild_id", "77");
    assert!(matches!(
        harness.seen(INFO, &elsewhere),
        Normalised::Irrelevant
    ));
    // Without a guild it is the channel's.
    let update = json!({"id": MOON.to_string(), "status": "chess"});
    harness.hear(UPDATE, &update);
    assert_eq!(line(&harness, MOON), Some("chess"));
}

fn line(harness: &Harness, room: u64) -> Option<&str> {
    harness.guild().rooms[&ChannelId(room)]
        .info
        .status
        .as_deref()
}

fn info(channels: &[(u64, Value)]) -> Value {
    let channels = channels.iter().map(|(id, status)| {
        json!({"id": id.to_string(), "status": status, "voice_start_time": 1_700_000_000})
    });
    json!({"guild_id": "1", "channels": channels.collect::<Vec<_>>()})
}

fn update(id: u64, status: impl Into<Value>) -> Value {
    json!({"id": id.to_string(), "guild_id": "1", "status": status.into()})
}
