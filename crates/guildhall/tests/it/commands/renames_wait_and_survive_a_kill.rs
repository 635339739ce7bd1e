//! Discord takes two names for a room in a while. A third waits for its time, through a kill, unless a
//! newer one takes its place.

use serde_json::{Value, json};

use super::{
    stage::{CHANNELS, Stage, channel},
    teller::{Answer, Teller, requests, times_done, unix_ms},
};
use crate::house::{House, until};

const RENAME: &str = "renameRoom";

#[tokio::test(flavor = "multi_thread")]
async fn a_third_name_waits_survives_a_kill_gives_way_to_a_newer_one_and_that_is_done_once() {
    let mut stages = Vec::new();
    let flags = ["--interval", "rename=15s"];
    let mut house = House::simulated(&flags, &[], async |discord| {
        stages = Stage::set_up(discord, 2).await;
    })
    .await;
    let room = stages[0].room.clone();
    let first = Teller::sign_in(&house, &stages[0].moderator).await;
    let second = Teller::sign_in(&house, &stages[1].moderator).await;
    for name in ["one", "two"] {
        let answer = rename(&house, &first, &room, name).await;
        assert_eq!(answer.told(), (200, "done"), "{answer:?}");
    }
    let third = rename(&house, &first, &room, "three").await;
    assert_eq!(third.told(), (200, "queued"), "{third:?}");
    let limit = json!({"channelId": room, "limit": 5});
    let limited = first.give(&house, "setRoomLimit", Some("5"), &limit).await;
    assert_eq!(limited.told(), (200, "done"), "it is the name that waits");

    kill(&mut house).await;
    let again = rename(&house, &first, &room, "three").await;
    assert_eq!(again.text, third.text, "it waits as before");
    let fourth = rename(&house, &second, &room, "four").await;
    assert_eq!(fourth.told(), (200, "queued"), "{fourth:?}");
    assert!(
        fourth.number("doneAt") + 1_000 >= third.number("doneAt"),
        "{fourth:?}"
    );
    let superseded = rename(&house, &first, &room, "three").await;
    assert_eq!(superseded.told(), (409, "superseded"), "{superseded:?}");
    assert_eq!(named(&house.discord.state().await, &room), "two");

    kill(&mut house).await;
    let again = rename(&house, &first, &room, "three").await;
    assert_eq!(again.text, superseded.text, "so it stays");
    until("the fourth name", async || {
        named(&house.discord.state().await, &room) == "four"
    })
    .await;
    until("the fourth told as done", async || {
        rename(&house, &second, &room, "four").await.told() == (200, "done")
    })
    .await;
    let truth = house.discord.state().await;
    assert_eq!(times_done(&truth, RENAME, &first.id), 2, "one and two");
    assert_eq!(times_done(&truth, RENAME, &second.id), 1);
    assert!(
        requests(&truth, CHANNELS) <= 8,
        "it was not asked for over and over"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_done_at_its_time_by_a_gateway_that_was_away_then() {
    let mut stages = Vec::new();
    let flags = ["--interval", "rename=4s"];
    let mut house = House::simulated(&flags, &[], async |discord| {
        stages = Stage::set_up(discord, 1).await;
    })
    .await;
    let room = stages[0].room.clone();
    let moderator = Teller::sign_in(&house, &stages[0].moderator).await;
    for name in ["one", "two"] {
        rename(&house, &moderator, &room, name).await;
    }
    let third = rename(&house, &moderator, &room, "three").await;
    // A machine that was busy for seconds has nothing to wait for.
    if third.told() == (200, "queued") {
        let due = third.number("doneAt");
        house.gateway.signal("KILL");
        house.gateway.ended().await;
        until("its time", async || unix_ms() > due).await;
        assert_eq!(named(&house.discord.state().await, &room), "two");
        house.restart_gateway();
    }

    until("the third name", async || {
        named(&house.discord.state().await, &room) == "three"
    })
    .await;
    let truth = house.discord.state().await;
    assert_eq!(times_done(&truth, RENAME, &moderator.id), 3);
}

/// Its key is the name.
async fn rename(house: &House, who: &Teller, room: &str, name: &str) -> Answer {
    let body = json!({"channelId": room, "name": name});
    who.give(house, RENAME, Some(name), &body).await
}

fn named(truth: &Value, room: &str) -> String {
    channel(truth, room)["name"]
        .as_str()
        .expect("a name")
        .to_owned()
}

async fn kill(house: &mut House) {
    house.gateway.signal("KILL");
    house.gateway.ended().await;
    house.restart_gateway();
    house.until_ready(house.ports.gateway_ops).await;
    house.until_ready(house.ports.web_ops).await;
}
