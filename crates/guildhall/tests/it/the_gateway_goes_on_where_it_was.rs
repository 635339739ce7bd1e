//! Whatever ends the gateway's process: positions go on, what happened meanwhile is there, once.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::{Value, json};

use crate::house::{Frame, House, Stream, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_resumes_and_streams_go_on_without_a_snapshot() {
    let mut house = House::start().await;
    let (cookie, mut stream) = house.visit().await;
    house.discord.stamp("before").await;
    stream.until("voice.updated").await;
    let older = stream.cursor.clone();
    house.discord.stamp("last").await;
    stream.until("voice.updated").await;
    let starts = session_starts(&house).await;

    house.gateway.signal("KILL");
    house.gateway.ended().await;
    house.discord.stamp("meanwhile").await;
    let [person, room] = [&house.discord.people[0], &house.discord.rooms[1]];
    house.discord.voice(person, Some(room)).await;
    house.restart_gateway();

    let meanwhile = record(&mut stream, "voice.updated").await;
    assert_eq!(meanwhile.data["username"], "meanwhile");
    assert_eq!(stream.next_record().await.event, "voice.joined");
    house.discord.stamp("after").await;
    assert_eq!(
        record(&mut stream, "voice.updated").await.data["username"],
        "after"
    );
    assert_eq!(
        session_starts(&house).await,
        starts,
        "a RESUME, no second IDENTIFY"
    );
    // An older cursor, to web processes that never saw the gateway before.
    house.web.signal("KILL");
    house.web.ended().await;
    house.restart_web().await;
    let mut again = house.stream(&cookie, "", older.as_deref()).await;
    assert_eq!(again.next_record().await.event, "resumed");
    for stamp in ["last", "meanwhile"] {
        assert_eq!(again.next_record().await.data["username"], stamp);
    }
    assert_eq!(snapshots(&stream), 1, "{}", stream.raw);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_in_a_hidden_room_is_there_again_when_a_killed_gateway_sees_it() {
    let mut house = House::start().await;
    let (_cookie, mut stream) = house.visit().await;
    let [person, room] = [&house.discord.people[1], &house.discord.rooms[1]].map(String::clone);
    let hide = |over| json!({"kind": "obfuscate", "channelId": room, "over": over});
    house.discord.voice(&person, Some(&room)).await;
    record(&mut stream, "voice.joined").await;
    house.discord.fault(hide(false)).await;
    let hidden = stream.until("room.hidden").await;
    assert_eq!(hidden.data["channelId"], room);
    house.discord.stamp("written").await;
    stream.until("voice.updated").await;

    house.gateway.signal("KILL");
    house.gateway.ended().await;
    house.restart_gateway();
    house.until_ready(house.ports.gateway_ops).await;
    house.discord.fault(hide(true)).await;
    // Discord does not say a second time who is in it.
    let shown = stream.until("room.shown").await;
    assert_eq!(shown.data["channelId"], room);
    let mut members = shown.data["members"].as_array().into_iter().flatten();
    assert!(members.any(|one| one["userId"] == person), "{shown:?}");
    assert_eq!(snapshots(&stream), 1, "{}", stream.raw);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successor_waits_for_the_one_before_it_and_takes_over_its_session() {
    let mut house = House::start().await;
    let (_cookie, mut stream) = house.visit().await;
    let starts = session_starts(&house).await;
    let mut before = house.start_second_gateway();
    house
        .gateway
        .until_logged("Waiting for the gateway before this one")
        .await;
    house.discord.stamp("still the first").await;
    assert_eq!(
        record(&mut stream, "voice.updated").await.data["username"],
        "still the first"
    );

    before.signal("TERM");
    assert!(before.ended().await.success(), "{}", before.log());
    house.discord.stamp("handed over").await;
    assert_eq!(
        record(&mut stream, "voice.updated").await.data["username"],
        "handed over"
    );
    house.until_ready(house.ports.gateway_ops).await;
    assert_eq!(session_starts(&house).await, starts, "no second IDENTIFY");
    assert_eq!(snapshots(&stream), 1, "{}", stream.raw);
    let log = house.gateway.log();
    assert!(log.contains("[Gateway] Resumed"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_session_after_twenty_moves_shows_the_guild_as_it_is_and_nothing_else() {
    let mut house = House::start().await;
    let (cookie, mut stream) = house.visit().await;
    let guild = house.discord.guild.clone();
    let mut people = Vec::new();
    for number in 0..20 {
        let name = format!("mover{number}");
        let made = house
            .discord
            .post("/sim/users", &json!({"username": name}))
            .await;
        let user = made["id"].as_str().expect("an id").to_owned();
        let member = json!({"guildId": guild, "userId": user});
        house.discord.post("/sim/members", &member).await;
        people.push(user);
    }
    let [first, second] = house.discord.rooms.clone();
    // Five are in the first room and stay, five move, five leave, five come.
    for person in &people[..15] {
        house.discord.voice(person, Some(&first)).await;
    }
    for _ in &people[..15] {
        record(&mut stream, "voice.joined").await;
    }
    house.gateway.signal("KILL");
    house.gateway.ended().await;
    for (index, person) in people.iter().enumerate() {
        match index {
            0..5 => {
                // Away and back: no difference.
                house.discord.voice(person, Some(&second)).await;
                house.discord.voice(person, Some(&first)).await;
            }
            10..15 => house.discord.voice(person, None).await,
            _ => house.discord.voice(person, Some(&second)).await,
        }
    }
    // Another intent: the session before has not brought what this one would.
    house.set("DISCORD_INTENTS", "moderation");
    house.restart_gateway();

    // Whoever is here is looked up again first, and then shown the guild as it is.
    let mut told = Vec::new();
    let back = loop {
        let frame = stream.next_record().await;
        if frame.data["guildId"] != guild {
            continue;
        }
        told.push(frame.event.clone());
        if frame.event == "guild.available" {
            break frame;
        }
    };
    told.sort_unstable();
    assert_eq!(told, ["gap", "guild.available", "guild.unavailable"]);
    let truth = people_in(&house.discord.state().await, &[&first, &second]);
    let shown = json!({"guilds": [back.data["guild"]]});
    assert_eq!(people_of(&shown), truth);
    house.discord.stamp("and on").await;
    let next = loop {
        let frame = stream.next_record().await;
        if frame.data["guildId"] == guild {
            break frame;
        }
    };
    assert_eq!(next.data["username"], "and on", "nothing else is told");
    assert_eq!(people_of(&house.state(&cookie).await), truth);
    assert_eq!(snapshots(&stream), 1, "{}", stream.raw);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_members_intent_takes_effect_between_two_starts_and_no_position_is_lost() {
    let mut house = House::start().await;
    let (cookie, mut stream) = house.visit().await;
    house.discord.stamp("before").await;
    stream.until("voice.updated").await;
    let starts = session_starts(&house).await;
    house.gateway.signal("TERM");
    house.gateway.ended().await;
    house.set("DISCORD_INTENTS", "members");
    house.restart_gateway();
    until("a fresh session", async || {
        session_starts(&house).await == starts - 1
    })
    .await;
    house.until_ready(house.ports.web_ops).await;
    stream.until("guild.available").await;

    let discord = &house.discord;
    let member = |state: &Value| {
        let members = state["guilds"][0]["members"].as_array().cloned();
        let mut members = members.into_iter().flatten();
        let ours = members.find(|member| member["userId"] == discord.visitor);
        ours.expect("the visitor").clone()
    };
    let roles = member(&discord.state().await)["roles"].clone();
    let roles: Vec<String> = serde_json::from_value(roles).expect("ids");
    let mut opened: Vec<&str> = roles.iter().map(String::as_str).collect();
    opened.push(&discord.gate_role);
    assert_eq!(snapshots(&stream), 1, "{}", stream.raw);
    discord.roles(&discord.visitor, &opened).await;
    let shown = stream.until("room.shown").await;
    assert_eq!(shown.data["channelId"], discord.gated);
    assert_eq!(snapshots(&stream), 1, "{}", stream.raw);

    let mut again = house.stream(&cookie, "", stream.cursor.as_deref()).await;
    assert_eq!(again.next_record().await.event, "resumed");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_journal_a_new_log_begins_and_streams_are_told() {
    let mut house = House::start().await;
    let (_cookie, mut stream) = house.visit().await;
    house.gateway.signal("KILL");
    house.gateway.ended().await;
    std::fs::remove_dir_all(house.folder().join("data")).expect("it is there");
    house.restart_gateway();
    // Which sessions had been ended is known no more, so all have: they sign in again.
    let bye = stream.until("bye").await;
    assert_eq!(bye.data["reason"], "session_revoked");
    let cookie = house.sign_in(&house.discord.visitor).await;
    let mut stream = house.stream(&cookie, "", stream.cursor.as_deref()).await;
    let snapshot = stream.until("snapshot").await;
    assert_eq!(snapshot.data["reason"], "epoch_changed");
    house.discord.stamp("on").await;
    assert_eq!(stream.until("voice.updated").await.data["username"], "on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_version_1_is_gone_on_with_and_compared_with_a_fresh_picture() {
    goes_on_with(1, "0.1795923617008").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_version_2_is_gone_on_with_and_compared_with_a_fresh_picture() {
    goes_on_with(2, "0.1795980295681").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_version_3_is_gone_on_with_and_compared_with_a_fresh_picture() {
    goes_on_with(3, "0.1796013961713").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_version_4_is_gone_on_with_and_compared_with_a_fresh_picture() {
    goes_on_with(4, "0.1796041578303").await;
}

/// Its world is of today's format, so its session is resumed. It kept no revocations, and has lost
/// none: nobody is signed out.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_version_5_is_gone_on_with_and_nobody_is_signed_out() {
    let (mut house, cookie) = house_with_the_journal_of(5).await;
    house.restart_gateway();
    house.restart_web().await;
    let me = house.get("/api/me", Some(&cookie)).await;
    assert_eq!(me.status(), 200);
    let mut stream = house.stream(&cookie, "", Some("0.1796061034512-16")).await;
    assert_eq!(record(&mut stream, "resumed").await.event, "resumed");
    for username in ["after the cursor", "meanwhile"] {
        while stream.until("voice.updated").await.data["username"] != username {}
    }
    let raw = &stream.raw;
    assert!(
        !raw.contains("event: gap") && snapshots(&stream) == 0,
        "{raw}"
    );
    house.gateway.signal("TERM");
    assert!(house.gateway.ended().await.success());
    assert_eq!(version_of(&journal_of(&house)), 6);
}

/// Its world is of an earlier format, so a fresh session is begun, and the log goes on with what
/// differs.
async fn goes_on_with(version: u32, epoch: &str) {
    let cursor = format!("{epoch}-13");
    let (mut house, cookie) = house_with_the_journal_of(version).await;
    let starts = session_starts(&house).await;
    house.restart_gateway();
    until("a fresh session", async || {
        session_starts(&house).await == starts - 1
    })
    .await;
    house.restart_web().await;

    let mut stream = house.stream(&cookie, "", Some(&cursor)).await;
    let snapshot = record(&mut stream, "snapshot").await;
    // What everybody is there was asked anew. Were the log another, its epoch would be.
    assert_eq!(snapshot.data["reason"], "authz_changed");
    let is_there = |name: &str, room: &str| {
        let rooms = snapshot.data["guilds"][0]["rooms"].as_array().into_iter();
        let members = rooms.flatten().filter(|one| one["channelId"] == room);
        let mut members = members.flat_map(|one| one["members"].as_array().into_iter().flatten());
        members.any(|one| one["userId"] == name || one["username"] == name)
    };
    let [first, second] = &house.discord.rooms;
    assert!(is_there("meanwhile", first), "{snapshot:?}");
    assert!(is_there(&house.discord.people[0], second), "{snapshot:?}");
    house.discord.stamp("on").await;
    while record(&mut stream, "voice.updated").await.data["username"] != "on" {}
    let after = stream.cursor.as_deref();
    let after = after.and_then(|cursor| cursor.strip_prefix(epoch)?.strip_prefix('-'));
    let after: Option<u64> = after.and_then(|seq| seq.parse().ok());
    assert!(after.is_some_and(|seq| seq > 16), "{:?}", stream.cursor);
    house.gateway.signal("TERM");
    assert!(house.gateway.ended().await.success());
    assert_eq!(version_of(&journal_of(&house)), 6);
}

/// A gateway of a commit whose files have this version wrote the journal, beside a simulator of the
/// same world in which the same happened: so its session is the one that this Discord has. Somebody
/// was stamped since. The simulator runs alone.
async fn house_with_the_journal_of(version: u32) -> (House, String) {
    let mut house = House::start().await;
    let (cookie, mut stream) = house.visit().await;
    let discord = &house.discord;
    for number in 0..6 {
        discord.stamp(&format!("early {number}")).await;
    }
    discord
        .voice(&discord.people[0], Some(&discord.rooms[0]))
        .await;
    discord.stamp("cursor").await;
    discord
        .voice(&discord.people[0], Some(&discord.rooms[1]))
        .await;
    discord.stamp("after the cursor").await;
    while stream.next_record().await.data["username"] != "after the cursor" {}
    for process in [&mut house.web, &mut house.gateway] {
        process.signal("TERM");
        process.ended().await;
    }
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/journals");
    let before = format!("{fixtures}/version-{version}-of-a-gateway.sqlite3");
    let journal = journal_of(&house);
    std::fs::copy(before, &journal).expect("the fixture");
    assert_eq!(version_of(&journal), version);
    house.discord.stamp("meanwhile").await;
    (house, cookie)
}

fn journal_of(house: &House) -> PathBuf {
    house.folder().join("data/gateway.sqlite3")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_damaged_or_of_another_bot_is_refused_and_left_as_it_is() {
    let mut house = House::start().await;
    house.gateway.signal("TERM");
    house.gateway.ended().await;
    let journal = house.folder().join("data/gateway.sqlite3");
    let bytes = std::fs::read(&journal).expect("the journal");

    // The same shape, another id in front.
    house.set("DISCORD_BOT_TOKEN", "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.abc.defghi");
    house.restart_gateway();
    assert_eq!(house.gateway.ended().await.code(), Some(78));
    let log = house.gateway.log();
    assert!(
        log.contains("DATA_DIR") && log.contains("DISCORD_BOT_TOKEN"),
        "{log}"
    );
    assert!(std::fs::read(&journal).expect("the journal") == bytes);

    let mut damaged = bytes.clone();
    damaged.truncate(bytes.len() / 2);
    std::fs::write(&journal, &damaged).expect("written");
    house.restart_gateway();
    assert_eq!(house.gateway.ended().await.code(), Some(78));
    let log = house.gateway.log();
    assert!(log.contains("gateway.sqlite3"), "{log}");
    assert!(std::fs::read(&journal).expect("the journal") == damaged);
}

/// Where SQLite's header has it (`user_version`).
fn version_of(journal: &std::path::Path) -> u32 {
    let header = std::fs::read(journal).expect("the journal");
    u32::from_be_bytes(header[60..64].try_into().expect("four bytes"))
}

/// IDENTIFYs that are left.
async fn session_starts(house: &House) -> u64 {
    let state = house.discord.state().await;
    let left = state["application"]["sessionStarts"]["remaining"].as_u64();
    left.expect("a number")
}

/// The next event of this name, which is the next record.
async fn record(stream: &mut Stream, name: &str) -> Frame {
    let frame = stream.next_record().await;
    assert_eq!(frame.event, name, "{}", stream.raw);
    frame
}

fn snapshots(stream: &Stream) -> usize {
    stream.raw.matches("event: snapshot").count()
}

/// Who is in which room of the first guild, as `/api/state` says.
fn people_of(state: &Value) -> BTreeMap<String, String> {
    let rooms = state["guilds"][0]["rooms"].as_array().into_iter().flatten();
    let people = rooms.flat_map(|room| {
        let members = room["members"].as_array().into_iter().flatten();
        members.map(move |member| pair(&member["userId"], &room["channelId"]))
    });
    people.collect()
}

/// The same, as Discord says.
fn people_in(state: &Value, rooms: &[&str]) -> BTreeMap<String, String> {
    let states = state["guilds"][0]["voiceStates"].as_array();
    let states = states.into_iter().flatten();
    let seen = states.filter(|voice| rooms.iter().any(|room| voice["channelId"] == *room));
    seen.map(|voice| pair(&voice["userId"], &voice["channelId"]))
        .collect()
}

fn pair(user: &Value, room: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    (text(user), text(room))
}
