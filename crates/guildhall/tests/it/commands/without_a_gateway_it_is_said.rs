//! The gateway is away, is silent, or takes longer than a command may: that is said in time, and the key
//! tells later what came of it.

use serde_json::json;

use super::{
    stage::{Act, CHANNELS, Stage},
    teller::{Teller, requests},
};
use crate::house::{House, until};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_gateway_commands_are_refused_with_a_time_and_done_once_it_is_back() {
    let mut stages = Vec::new();
    let mut house = House::whose("standing", &[], async |discord| {
        stages = Stage::set_up(discord, 1).await;
    })
    .await;
    let stage = &stages[0];
    let moderator = Teller::sign_in(&house, &stage.moderator).await;
    // A first one, so that the moderator's rights are known.
    let answer = stage.act(&house, &moderator, Act::Limit).await;
    assert_eq!(answer.told(), (200, "done"), "{answer:?}");
    house.gateway.signal("TERM");
    assert!(house.gateway.ended().await.success());
    for act in [Act::Rename, Act::Connect] {
        let answer = stage.act(&house, &moderator, act).await;
        assert_eq!(answer.told(), (503, "unavailable"), "{answer:?}");
        let seconds = answer.retry_after.expect("a time");
        assert_eq!(answer.body["error"]["retryAfter"], seconds);
        assert!((1..=30).contains(&seconds), "{answer:?}");
    }
    // What is seen needs no gateway.
    let members = json!({"channelId": stage.room});
    let seen = moderator
        .give(&house, "getVoiceChannelMembers", None, &members)
        .await;
    assert_eq!(seen.status, 200, "{seen:?}");
    house.restart_gateway();
    house.until_ready(house.ports.gateway_ops).await;
    house.until_ready(house.ports.web_ops).await;
    for act in [Act::Rename, Act::Connect, Act::Limit] {
        let answer = stage.act(&house, &moderator, act).await;
        assert_eq!(answer.told(), (200, "done"), "{answer:?}");
        let truth = house.discord.state().await;
        assert_eq!(stage.times_done(&truth, act), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_gateway_is_cut_off_and_the_key_tells_what_it_did_when_it_goes_on() {
    let mut stages = Vec::new();
    let house = House::whose("standing", &[], async |discord| {
        stages = Stage::set_up(discord, 1).await;
    })
    .await;
    let stage = &stages[0];
    let moderator = Teller::sign_in(&house, &stage.moderator).await;
    house.gateway.signal("STOP");
    let answer = stage.act(&house, &moderator, Act::Rename).await;
    assert_eq!(answer.told(), (503, "unavailable"), "{answer:?}");
    assert!(answer.retry_after.is_some());
    house.gateway.signal("CONT");
    house.until_ready(house.ports.web_ops).await;
    until("told as done", async || {
        let told = stage.act(&house, &moderator, Act::Rename).await;
        told.told() == (200, "done")
    })
    .await;
    let truth = house.discord.state().await;
    assert_eq!(stage.times_done(&truth, Act::Rename), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_takes_too_long_is_said_to_and_its_key_tells_how_it_ended() {
    let mut stages = Vec::new();
    let house = House::whose("standing", &[], async |discord| {
        stages = Stage::set_up(discord, 1).await;
    })
    .await;
    let stage = &stages[0];
    let moderator = Teller::sign_in(&house, &stage.moderator).await;
    // Both tries of the first command, and both of the one that waits for it.
    let hang = json!({"kind": "hang", "undone": true, "route": CHANNELS, "times": 4});
    house.discord.fault(hang).await;
    let first = stage.act(&house, &moderator, Act::Limit);
    let second = async {
        until("the first at Discord", async || {
            requests(&house.discord.state().await, CHANNELS) == 1
        })
        .await;
        stage.act(&house, &moderator, Act::Rename).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.told(), (502, "unknown"), "{first:?}");
    assert_eq!(second.told(), (504, "deadline"), "{second:?}");
    // It is under way, and whoever asks waits for its end.
    let ended = stage.act(&house, &moderator, Act::Rename).await;
    assert_eq!(ended.told(), (502, "unknown"), "{ended:?}");
    let truth = house.discord.state().await;
    assert_eq!(stage.times_done(&truth, Act::Rename), 0);
}
