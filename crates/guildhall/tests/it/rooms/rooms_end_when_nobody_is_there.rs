//! A room in which nobody is and at which nobody looks is told of and then deleted, once; as long as it
//! is not certain that it is so, it stays.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    stage::Stage,
    truth::{self, CHANNEL_DELETE},
};
use crate::{
    commands::teller::{Teller, unix_ms},
    house::{SOON, Stream, until},
};

/// How long a room stays although nobody is there.
const IDLE: (&str, &str) = ("ROOM_IDLE", "2s");
/// Longer than that, several times.
const LONGER: u64 = 6_000;

async fn opened() -> (Stage, Teller) {
    let stage = Stage::open(&[IDLE, ("ROOMS_PER_USER", "5")]).await;
    let ada = stage.person("ada").await;
    (stage, ada)
}

/// When it is to be deleted, as streams are told; `None`: it stays.
async fn idle(stream: &mut Stream, room: &str) -> Option<u64> {
    loop {
        let told = stream.until("room.idle").await.data;
        if told["channelId"] == room {
            return told["deletesAt"].as_u64();
        }
    }
}

/// All of them, in whatever order they end.
async fn deleted(stream: &mut Stream, mut rooms: Vec<&str>) {
    while !rooms.is_empty() {
        let told = stream.until("room.deleted").await.data;
        rooms.retain(|room| told["channelId"] != **room);
    }
}

fn is_there(truth: &Value, room: &str) -> bool {
    truth::channel(truth, room).is_some()
}

/// Looks all the while that the room stays.
async fn stays(stage: &Stage, room: &str) {
    let ends = unix_ms() + LONGER;
    until("the time is over", async || {
        let truth = stage.truth().await;
        assert!(is_there(&truth, room), "{}", stage.house.gateway.log());
        unix_ms() > ends
    })
    .await;
}

async fn ends_once(stage: &Stage, room: &str) {
    let truth = stage
        .until_within("it is deleted", 3 * SOON, |truth| !is_there(truth, room))
        .await;
    truth::assert_nothing_is_left(&stage.before, &truth);
    assert_eq!(truth::times_logged(&truth, CHANNEL_DELETE, room), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_room_is_told_of_and_deleted_once_and_people_and_lookers_keep_it() {
    let (stage, ada) = opened().await;
    let mut stream = stage.stream(&ada, "").await;
    let (empty, looked_at, full) = (
        stage.room(&ada, "Empty").await,
        stage.room(&ada, "Looked at").await,
        stage.room(&ada, "Full").await,
    );
    let looks = stage.stream(&ada, &format!("?viewing={looked_at}")).await;
    stage.house.discord.voice(&ada.id, Some(&full)).await;
    let at = idle(&mut stream, &empty).await.expect("a time");
    assert!(at < unix_ms() + 30_000, "{at}");
    deleted(&mut stream, vec![&empty]).await;
    assert!(unix_ms() + 50 > at, "not before it was said");
    let others = async || {
        let truth = stage.truth().await;
        [&looked_at, &full].map(|room| is_there(&truth, room))
    };
    assert_eq!(others().await, [true, true]);
    tokio::join!(stays(&stage, &looked_at), stays(&stage, &full));
    drop(looks);
    stage.house.discord.voice(&ada.id, None).await;
    deleted(&mut stream, vec![&looked_at, &full]).await;
    let truth = stage.until_tidy().await;
    truth::assert_nothing_is_left(&stage.before, &truth);
    for room in [&empty, &looked_at, &full] {
        assert_eq!(truth::times_logged(&truth, CHANNEL_DELETE, room), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_takes_the_end_back() {
    let settings = [("ROOM_IDLE", "5s")];
    let stage = Stage::open(&settings).await;
    let ada = stage.person("ada").await;
    let mut stream = stage.stream(&ada, "").await;
    let room = stage.room(&ada, "Table").await;
    assert!(idle(&mut stream, &room).await.is_some());
    stage.house.discord.voice(&ada.id, Some(&room)).await;
    assert_eq!(idle(&mut stream, &room).await, None);
    stays(&stage, &room).await;
    stage.house.discord.voice(&ada.id, None).await;
    assert!(idle(&mut stream, &room).await.is_some());
    ends_once(&stage, &room).await;
}

/// Side by side: all of it is waiting.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_certain_deletes_nothing() {
    tokio::join!(
        without_web_nothing_is_deleted(),
        while_discord_is_away_nothing_is_deleted(),
        an_unreadable_room_is_not_deleted(),
        in_an_outage_nothing_is_deleted(),
    );
}

async fn without_web_nothing_is_deleted() {
    let (mut stage, ada) = opened().await;
    let room = stage.room(&ada, "Table").await;
    stage.house.web.signal("KILL");
    stage.house.web.ended().await;
    stays(&stage, &room).await;
    stage.house.restart_web().await;
    ends_once(&stage, &room).await;
}

async fn while_discord_is_away_nothing_is_deleted() {
    let (stage, ada) = opened().await;
    let room = stage.room(&ada, "Table").await;
    let discord = &stage.house.discord;
    discord
        .fault(json!({"kind": "reconnect_hello", "times": 10_000}))
        .await;
    discord.fault(json!({"kind": "drop"})).await;
    stays(&stage, &room).await;
    discord.fault(json!({"kind": "heal"})).await;
    ends_once(&stage, &room).await;
}

async fn an_unreadable_room_is_not_deleted() {
    let (stage, ada) = opened().await;
    let room = stage.room(&ada, "Table").await;
    let fault = |over: bool| json!({"kind": "obfuscate", "channelId": room, "over": over});
    stage.house.discord.fault(fault(false)).await;
    stays(&stage, &room).await;
    let truth = stage.truth().await;
    let channel = truth::channel(&truth, &room).expect("it is there");
    let mut left = truth::overwrites(channel).iter();
    assert!(left.any(|one| one["id"] == stage.house.discord.application_id.as_str()));
    stage.house.discord.fault(fault(true)).await;
    // The bot's own overwrite went with the fault's: it may still see nothing then.
    let own = format!(
        "/sim/channels/{room}/permissions/{}",
        stage.house.discord.application_id
    );
    let allow = (truth::VIEW | truth::CONNECT).to_string();
    stage.put(&own, &json!({"type": 1, "allow": allow})).await;
    ends_once(&stage, &room).await;
}

async fn in_an_outage_nothing_is_deleted() {
    let (stage, ada) = opened().await;
    let room = stage.room(&ada, "Table").await;
    let fault = |over: bool| json!({"kind": "outage", "guildId": stage.guild(), "over": over});
    stage.house.discord.fault(fault(false)).await;
    stays(&stage, &room).await;
    stage.house.discord.fault(fault(true)).await;
    ends_once(&stage, &room).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_before_during_and_after_the_end_deletes_once() {
    tokio::join!(
        killed_once_it_is_told(),
        killed_while_it_deletes(true),
        killed_while_it_deletes(false),
    );
}

async fn killed_once_it_is_told() {
    let settings = [("ROOM_IDLE", "4s")];
    let mut stage = Stage::open(&settings).await;
    let ada = stage.person("ada").await;
    let mut stream = stage.stream(&ada, "").await;
    let room = stage.room(&ada, "Table").await;
    assert!(idle(&mut stream, &room).await.is_some());
    stage.kill_gateway().await;
    ends_once(&stage, &room).await;
}

async fn killed_while_it_deletes(undone: bool) {
    const DELETE: &str = "DELETE /channels/{channel_id}";
    let (mut stage, ada) = opened().await;
    let hang = json!({"kind": "hang", "undone": undone, "route": DELETE});
    stage.house.discord.fault(hang).await;
    let room = stage.room(&ada, "Table").await;
    let asked = |truth: &Value| truth["requests"][DELETE] == 1;
    stage
        .until_within("it is being deleted", SOON + Duration::from_secs(10), asked)
        .await;
    stage.kill_gateway().await;
    ends_once(&stage, &room).await;
    let again = stage.room(&ada, "Table").await;
    assert_ne!(again, room, "whose room is gone has none");
}
