//! Single steps that fail, one test for each promise: what was done before is taken back, what was made
//! without an answer is found again, and what somebody else made is left alone.

use serde_json::{Value, json};

use super::{
    stage::{PARENT, Stage},
    truth,
};
use crate::{
    commands::{stage::room_of, teller::Teller},
    house::SOON,
};

const MAKE_CHANNEL: &str = "POST /guilds/{guild_id}/channels";
const MOVE: &str = "PATCH /guilds/{guild_id}/members/{user_id}";
const GIVE_ROLE: &str = "PUT /guilds/{guild_id}/members/{user_id}/roles/{role_id}";

/// Discord refuses one request of a route.
fn refusal(route: &str) -> Value {
    json!({"kind": "status", "status": 403, "code": 50_013, "undone": true, "route": route})
}

async fn fails_to_make(stage: &Stage, who: &Teller, fault: Value) {
    stage.house.discord.fault(fault).await;
    let body = json!({"guildId": stage.guild(), "name": "Chess"});
    let answer = stage.give(who, "createRoom", &body).await;
    assert!(answer.status >= 400, "{answer:?}");
    let truth = stage.until_tidy().await;
    truth::assert_nothing_is_left(&stage.before, &truth);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_goes_when_its_room_cannot_be_made() {
    let stage = Stage::open(&[("ROOM_MODE", "role")]).await;
    let ada = stage.person("ada").await;
    fails_to_make(&stage, &ada, refusal(MAKE_CHANNEL)).await;
    fails_to_make(&stage, &ada, refusal(GIVE_ROLE)).await;
    // Nor does it count as a room of theirs.
    stage.room(&ada, "Chess").await;
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_be_moved_is_not_let_in_and_takes_no_seat() {
    let stage = Stage::open(&[]).await;
    let (ada, ben, cy) = (
        stage.person("ada").await,
        stage.person("ben").await,
        stage.person("cy").await,
    );
    let room = stage.room(&ada, "Table").await;
    let token = stage.invite(&ada, &room, &json!({"singleUse": true})).await;
    let come = json!({"token": token});
    let discord = &stage.house.discord;
    stage.voice(&ben.id, Some(&discord.rooms[0])).await;
    discord.fault(refusal(MOVE)).await;
    let answer = stage.give(&ben, "joinRoom", &come).await;
    assert!(answer.status >= 400, "{answer:?}");
    let truth = stage.truth().await;
    assert!(!truth::gets_in(&truth, &ben.id, &room));
    stage.done(&cy, "joinRoom", &come).await;
    stage
        .refused(&ben, "joinRoom", &come, "no_seats_left")
        .await;
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_was_made_without_an_answer_is_found_and_is_the_only_one() {
    let stage = Stage::open(&[]).await;
    let ada = stage.person("ada").await;
    let tear = json!({"kind": "tear", "route": MAKE_CHANNEL});
    stage.house.discord.fault(tear).await;
    let room = stage.room(&ada, "Chess").await;
    let truth = stage.until_tidy().await;
    let found = truth::room_named(&stage.before, &truth, "Chess");
    assert_eq!(found, Some(room));
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_while_a_room_is_made_has_that_room_or_none() {
    for undone in [false, true] {
        let mut stage = Stage::open(&[("ROOM_MODE", "role")]).await;
        let ada = stage.person("ada").await;
        let hang = json!({"kind": "hang", "undone": undone, "route": MAKE_CHANNEL});
        stage.house.discord.fault(hang).await;
        let body = json!({"guildId": stage.guild(), "name": "Chess"});
        let given = ada.give(&stage.house, "createRoom", Some("once"), &body);
        let dies = async {
            let asked = |truth: &Value| truth["requests"][MAKE_CHANNEL] == 1;
            stage.until("Discord is asked", asked).await;
            stage.house.gateway.signal("KILL");
        };
        tokio::join!(given, dies);
        stage.gateway_comes_back().await;
        let answer = stage.insist(&ada, "createRoom", "once", &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let truth = stage.until_tidy().await;
        let room = truth::room_named(&stage.before, &truth, "Chess");
        assert_eq!(room.as_deref(), answer.body["channelId"].as_str());
        assert_eq!(truth::roles(&stage.before, &truth).len(), 1);
        stage.close_all().await;
    }
}

/// It has the same name, is in the same category, and was made while ours was not answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_somebody_else_made_is_never_taken_for_ours() {
    let stage = Stage::open(&[("ROOM_IDLE", "1s")]).await;
    let ada = stage.person("ada").await;
    let discord = &stage.house.discord;
    let theirs = json!({"guildId": discord.guild, "name": "Chess", "parentId": PARENT});
    let theirs = truth::text(&discord.post("/sim/channels", &theirs).await["id"]);
    let tear = json!({"kind": "tear", "undone": true, "route": MAKE_CHANNEL});
    discord.fault(tear).await;
    let body = json!({"guildId": stage.guild(), "name": "Chess"});
    stage.give(&ada, "createRoom", &body).await;
    let made = stage.give(&ada, "createRoom", &body).await;
    if made.status == 200 {
        assert_ne!(made.body["channelId"], theirs);
    }
    let gone = |truth: &Value| truth::rooms(&stage.before, truth) == [theirs.clone()];
    stage
        .until_within("only theirs is left", 2 * SOON, gone)
        .await;
    assert_eq!(room_of(&stage.truth().await, &ada.id), None);
}
