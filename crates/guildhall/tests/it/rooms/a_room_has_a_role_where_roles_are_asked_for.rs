//! `ROOM_MODE=role`: who has the room's role gets in, and the role goes with the room.

use serde_json::{Value, json};

use super::{stage::Stage, truth};
use crate::commands::{stage::room_of, teller::Teller};

const MAKE_ROLE: &str = "POST /guilds/{guild_id}/roles";

/// Whether somebody has a role.
fn has(truth: &Value, who: &Teller, role: &Value) -> bool {
    let mut members = truth::list(truth, "members").iter();
    let member = members.find(|one| one["userId"] == who.id);
    let roles = member.and_then(|one| one["roles"].as_array());
    roles.is_some_and(|roles| roles.contains(&role["id"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_lets_in_is_taken_from_who_is_blocked_and_goes_with_the_room() {
    let stage = Stage::open(&[("ROOM_MODE", "role")]).await;
    let (ada, ben, cy) = (
        stage.person("ada").await,
        stage.person("ben").await,
        stage.person("cy").await,
    );
    let room = stage.room(&ada, "Chess").await;
    let truth = stage.truth().await;
    let role = match truth::roles(&stage.before, &truth)[..] {
        [role] => role.clone(),
        ref others => panic!("{others:?}"),
    };
    assert!(has(&truth, &ada, &role));
    assert!(truth::gets_in(&truth, &ada.id, &room));
    assert!(!truth::sees(&truth, &ben.id, &room));

    let token = stage.invite(&ada, &room, &json!({})).await;
    let discord = &stage.house.discord;
    for guest in [&ben, &cy] {
        stage.voice(&guest.id, Some(&discord.rooms[0])).await;
        let moved = stage
            .done(guest, "joinRoom", &json!({"token": token}))
            .await;
        assert_eq!(moved.told(), (200, "done"));
        let truth = stage.truth().await;
        assert!(has(&truth, guest, &role));
        assert_eq!(room_of(&truth, &guest.id).as_deref(), Some(room.as_str()));
    }
    let whom = json!({"channelId": room, "userId": ben.id});
    stage.done(&ada, "blockFromRoom", &whom).await;
    let truth = stage.truth().await;
    assert!(!truth::gets_in(&truth, &ben.id, &room));
    assert!(truth::gets_in(&truth, &cy.id, &room));
    let over = json!({"channelId": room, "userId": cy.id});
    stage.done(&ada, "transferRoom", &over).await;
    stage
        .done(&cy, "closeRoom", &json!({"channelId": room}))
        .await;
    let truth = stage.until_tidy().await;
    truth::assert_nothing_is_left(&stage.before, &truth);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_more_roles_are_made_for_days_it_is_said_and_nothing_is_left() {
    let stage = Stage::open(&[("ROOM_MODE", "role")]).await;
    let ada = stage.person("ada").await;
    let days = json!({"kind": "rate_limit", "route": MAKE_ROLE, "retryAfterMs": 172_800_000});
    stage.house.discord.fault(days).await;
    let body = json!({"guildId": stage.guild(), "name": "Chess"});
    let answer = stage.give(&ada, "createRoom", &body).await;
    assert!(answer.status >= 400, "{answer:?}");
    let truth = stage.until_tidy().await;
    truth::assert_nothing_is_left(&stage.before, &truth);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_somebody_deletes_in_discord_takes_its_role_along() {
    let mut stage = Stage::open(&[("ROOM_MODE", "role")]).await;
    let ada = stage.person("ada").await;
    for gone_before in [false, true] {
        let room = stage.room(&ada, "Chess").await;
        if gone_before {
            stage.house.gateway.signal("KILL");
            stage.house.gateway.ended().await;
        }
        stage.delete(&format!("/sim/channels/{room}")).await;
        if gone_before {
            stage.house.restart_gateway();
            stage.ready().await;
        }
        let clean = |truth: &Value| truth::roles(&stage.before, truth).is_empty();
        let truth = stage.until("its role is gone", clean).await;
        truth::assert_nothing_is_left(&stage.before, &truth);
    }
}
