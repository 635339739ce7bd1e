//! When something breaks on the way, `status` says so, and afterwards nothing is missing.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::house::{Frame, House, Stream, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_gateway_shows_within_fifteen_seconds_and_so_does_its_return() {
    let house = House::start().await;
    let (_cookie, mut stream) = house.visit().await;
    house.gateway.signal("STOP");
    let limit = Duration::from_secs(15);
    let down = stream.until_within("status", limit).await;
    assert_eq!(down.data["link"], "down");
    assert_eq!(down.data["discord"], "unknown");
    house.discord.stamp("meanwhile").await;
    house.gateway.signal("CONT");
    status(&mut stream, |frame| {
        frame.data["link"] == "up" && frame.data["discord"] == "live"
    })
    .await;
    house.discord.stamp("after").await;
    let mut seen = String::new();
    while seen != "after" {
        let name = stream.until("voice.updated").await.data["username"].clone();
        name.as_str().expect("a stamp").clone_into(&mut seen);
    }
    assert!(stream.raw.contains("meanwhile"), "{}", stream.raw);
    assert_eq!(
        stream.raw.matches("event: snapshot").count(),
        1,
        "{}",
        stream.raw
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_discord_connection_is_resumed_and_nothing_is_lost() {
    let house = House::start().await;
    let (_cookie, mut stream) = house.visit().await;
    for (index, fault) in [
        json!({"kind": "drop"}),
        json!({"kind": "close", "code": 4000}),
        json!({"kind": "reconnect"}),
    ]
    .into_iter()
    .enumerate()
    {
        house.discord.fault(fault.clone()).await;
        let stamp = format!("kept-{index}");
        house.discord.stamp(&stamp).await;
        let updated = stream.until("voice.updated").await;
        assert_eq!(updated.data["username"], stamp, "{fault}");
    }
    until("an alert ends with the trouble", async || {
        let metrics = house.metrics(house.ports.gateway_ops).await;
        let mut lines = metrics.lines();
        lines.any(|line| line == "guildhall_gateway_failed_tries 0")
    })
    .await;
    assert_eq!(
        stream.raw.matches("event: snapshot").count(),
        1,
        "{}",
        stream.raw
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_lost_session_the_rooms_are_right_again() {
    let house = House::start().await;
    let discord = &house.discord;
    let (_cookie, mut stream) = house.visit().await;
    discord
        .voice(&discord.people[0], Some(&discord.rooms[0]))
        .await;
    stream.until("voice.joined").await;
    discord
        .fault(json!({"kind": "invalid_session", "resumable": false}))
        .await;
    discord.voice(&discord.people[0], None).await;
    discord
        .voice(&discord.people[1], Some(&discord.rooms[1]))
        .await;
    stream.until("guild.unavailable").await;
    // The viewer is in another guild as well, which may be back before this one.
    let is_ours = |data: &Value| data["guildId"] == discord.guild;
    let mut back = stream.until("guild.available").await;
    while !is_ours(&back.data) {
        back = stream.until("guild.available").await;
    }
    let rooms = back.data["guild"]["rooms"].as_array().expect("rooms");
    let people = rooms
        .iter()
        .flat_map(|room| room["members"].as_array().expect("members"))
        .map(|person| (person["userId"].clone(), person["channelId"].clone()));
    let mut people: BTreeMap<String, Value> = people
        .map(|(user, room)| (user.as_str().expect("an id").to_owned(), room))
        .collect();
    // The new session may have begun before both had moved; then the rest is told.
    let come = json!(discord.rooms[1]);
    while people.contains_key(&discord.people[0]) || people.get(&discord.people[1]) != Some(&come) {
        let next = stream.next_record().await;
        if !is_ours(&next.data) {
            continue;
        }
        let user = next.data["userId"].as_str().expect("an id").to_owned();
        match next.event.as_str() {
            "voice.joined" => people.insert(user, next.data["channelId"].clone()),
            "voice.left" => people.remove(&user),
            other => panic!("{other}: {}", stream.raw),
        };
    }
    assert_eq!(
        stream.raw.matches("event: snapshot").count(),
        1,
        "{}",
        stream.raw
    );
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "the promise is in seconds of the people who wait"
)]
async fn guilds_are_back_within_a_second_although_connections_of_look_ups_break() {
    let house = House::start().await;
    let discord = &house.discord;
    let (_cookie, mut stream) = house.visit().await;
    // As where Discord closes an idle connection just when a look-up takes it.
    let route = "GET /guilds/{guild_id}/members/{user_id}";
    discord
        .fault(json!({"kind": "tear", "route": route, "times": 2}))
        .await;
    discord
        .fault(json!({"kind": "invalid_session", "resumable": false}))
        .await;
    let mut away = BTreeMap::new();
    loop {
        let frame = stream.next_record().await;
        let guild = frame.data["guildId"].to_string();
        match frame.event.as_str() {
            "guild.unavailable" => _ = away.insert(guild, Instant::now()),
            "guild.available" => {
                let since = away.remove(&guild).expect("it was away");
                let took = since.elapsed();
                assert!(took < Duration::from_secs(1), "{took:?}");
            }
            _ => continue,
        }
        if away.is_empty() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guild_in_an_outage_keeps_its_rooms_and_says_so() {
    let house = House::start().await;
    let discord = &house.discord;
    let (cookie, mut stream) = house.visit().await;
    discord
        .fault(json!({"kind": "outage", "guildId": discord.guild}))
        .await;
    stream.until("guild.unavailable").await;
    let state = house.state(&cookie).await;
    let guilds = state["guilds"].as_array().expect("guilds");
    let ours = guilds
        .iter()
        .find(|guild| guild["id"] == discord.guild)
        .expect("our guild");
    assert_eq!(ours["available"], false);
    assert!(!ours["rooms"].as_array().expect("rooms").is_empty());
    discord
        .fault(json!({"kind": "outage", "guildId": discord.guild, "over": true}))
        .await;
    stream.until("guild.available").await;
    assert_eq!(
        stream.raw.matches("event: snapshot").count(),
        1,
        "{}",
        stream.raw
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_taken_in_turns_and_nothing_of_it_is_lost_or_doubled() {
    const BURST: u64 = 20_000;
    let house = House::with(&[("LOG_WINDOW", "50000"), ("RUST_LOG", "info")]).await;
    let (_cookie, mut stream) = house.visit().await;
    let load = json!({"eventsPerSecond": BURST, "seconds": 1, "guilds": [house.discord.guild]});
    house.discord.post("/sim/load", &load).await;
    let mut expected = 1;
    while expected <= BURST {
        let frame = stream
            .until_within("voice.updated", Duration::from_mins(1))
            .await;
        let stamp = frame.data["username"].as_str().expect("a stamp");
        let (sequence, _micros) = stamp.split_once(':').expect("SEQ:MICROS");
        assert_eq!(sequence, expected.to_string());
        expected += 1;
    }
    assert_eq!(stream.raw.matches("event: snapshot").count(), 1);
}

async fn status(stream: &mut Stream, holds: impl Fn(&Frame) -> bool) {
    loop {
        let frame = stream.until("status").await;
        if holds(&frame) {
            return;
        }
    }
}
