//! What people do to rooms in Discord itself: the room follows, and ends cleanly when it is deleted.

use serde_json::{Value, json};

use super::{stage::Stage, truth};
use crate::commands::teller::Teller;

/// A room, and an invite into it.
async fn opened() -> (Stage, Teller, Teller, String, Value) {
    let stage = Stage::open(&[]).await;
    let (ada, ben) = (stage.person("ada").await, stage.person("ben").await);
    let room = stage.room(&ada, "Table").await;
    let token = stage.invite(&ada, &room, &json!({})).await;
    (stage, ada, ben, room, json!({"token": token}))
}

async fn is_over(stage: &Stage, ada: &Teller, ben: &Teller, room: &str, come: &Value) {
    let truth = stage.until_tidy().await;
    truth::assert_nothing_is_left(&stage.before, &truth);
    stage.refused(ben, "joinRoom", come, "invite_invalid").await;
    let closed = json!({"channelId": room});
    stage.refused(ada, "closeRoom", &closed, "not_found").await;
    // One room at once is allowed, and the old one does not count any more.
    let again = stage.room(ada, "Table").await;
    assert_ne!(again, room);
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_deleted_in_discord_is_over() {
    let (stage, ada, ben, room, come) = opened().await;
    let mut stream = stage.stream(&ada, "").await;
    stage.delete(&format!("/sim/channels/{room}")).await;
    assert_eq!(stream.until("room.deleted").await.data["channelId"], room);
    is_over(&stage, &ada, &ben, &room, &come).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_deleted_while_the_gateway_was_away_is_over_when_it_is_back() {
    let (mut stage, ada, ben, room, come) = opened().await;
    stage.house.gateway.signal("KILL");
    stage.house.gateway.ended().await;
    stage.delete(&format!("/sim/channels/{room}")).await;
    stage.house.restart_gateway();
    stage.ready().await;
    is_over(&stage, &ada, &ben, &room, &come).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_session_loses_no_room_and_finds_those_that_are_gone() {
    let (stage, ada, ben, room, come) = opened().await;
    let cy = stage.person("cy").await;
    let other = stage.room(&cy, "Other").await;
    let discord = &stage.house.discord;
    discord
        .fault(json!({"kind": "reconnect_hello", "times": 10_000}))
        .await;
    discord
        .fault(json!({"kind": "invalid_session", "resumable": false}))
        .await;
    stage.delete(&format!("/sim/channels/{room}")).await;
    discord.fault(json!({"kind": "heal"})).await;
    stage
        .until("a session", |truth| {
            truth["sessions"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
        })
        .await;
    stage.ready().await;
    let managed = stage.managed().await;
    let left = managed.iter().find(|one| one["channelId"] == other);
    assert_eq!(left.map(|one| &one["ownerId"]), Some(&json!(cy.id)));
    stage
        .insist(
            &cy,
            "lockRoom",
            "lock",
            &json!({"channelId": other, "locked": true}),
        )
        .await;
    stage
        .insist(&cy, "closeRoom", "close", &json!({"channelId": other}))
        .await;
    is_over(&stage, &ada, &ben, &room, &come).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_managed_stays_so_across_a_kill_with_its_lock_and_its_owner() {
    let (mut stage, ada, ben, room, come) = opened().await;
    stage
        .done(
            &ada,
            "lockRoom",
            &json!({"channelId": room, "locked": true}),
        )
        .await;
    stage
        .done(
            &ada,
            "hideRoom",
            &json!({"channelId": room, "hidden": false}),
        )
        .await;
    let before = stage.truth().await;
    stage.kill_gateway().await;
    let managed = stage.managed().await;
    let told = ["channelId", "ownerId", "locked", "hidden"].map(|field| managed[0][field].clone());
    assert_eq!(
        told,
        [json!(room), json!(ada.id), json!(true), json!(false)]
    );
    let after = stage.truth().await;
    assert_eq!(
        truth::channel(&after, &room),
        truth::channel(&before, &room)
    );
    let answer = stage.insist(&ben, "joinRoom", "join", &come).await;
    assert_eq!(answer.told(), (409, "room_locked"));
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_limits_that_people_set_in_discord_are_kept() {
    let (mut stage, ada, _, room, _) = opened().await;
    let edit = json!({"name": "Their own", "userLimit": 11});
    stage.house.discord.edit_channel(&room, &edit).await;
    stage.kill_gateway().await;
    stage
        .done(
            &ada,
            "lockRoom",
            &json!({"channelId": room, "locked": true}),
        )
        .await;
    let truth = stage.truth().await;
    let channel = truth::channel(&truth, &room).expect("it is there");
    assert_eq!(
        (&channel["name"], &channel["userLimit"]),
        (&json!("Their own"), &json!(11))
    );
    stage.close_all().await;
}
