//! Discord moves nobody who is not in voice: they are waited for, through a kill, and moved once they
//! are there.

use serde_json::json;

use super::{
    stage::{Stage, member, requests_of_commands, room_of},
    teller::{Teller, times_done},
};
use crate::house::{House, until};

const CONNECT: &str = "connectUserToVoiceChannel";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_into_voice_after_a_kill_or_while_it_lasts_is_moved_once() {
    let mut people = Vec::new();
    let mut house = House::whose("standing", &[], async |discord| {
        for name in ["before", "meanwhile", "after"] {
            people.push(member(discord, name, &[]).await);
        }
    })
    .await;
    let [from, to] = house.discord.rooms.clone();
    let body = json!({"channelId": to});
    let mut waiting = Vec::new();
    for person in &people {
        let teller = Teller::sign_in(&house, person).await;
        let answer = teller.give(&house, CONNECT, Some("k"), &body).await;
        assert_eq!(answer.told(), (200, "waiting"), "{answer:?}");
        assert!(answer.number("until") > 0);
        let link = answer.body["discordUrl"].as_str().unwrap_or_default();
        assert!(
            link.ends_with(&format!("channels/{}/{to}", house.discord.guild)),
            "{link}"
        );
        let again = teller.give(&house, CONNECT, Some("k"), &body).await;
        assert_eq!(again.text, answer.text, "the same key");
        waiting.push((teller, answer));
    }
    assert_eq!(requests_of_commands(&house.discord.state().await), 0);

    house.discord.voice(&people[0], Some(&from)).await;
    moved(&house, &people[0], &to).await;
    house.gateway.signal("KILL");
    house.gateway.ended().await;
    house.discord.voice(&people[1], Some(&from)).await;
    house.restart_gateway();
    moved(&house, &people[1], &to).await;
    house.until_ready(house.ports.web_ops).await;
    let (teller, answer) = &waiting[2];
    let again = teller.give(&house, CONNECT, Some("k"), &body).await;
    assert_eq!(again.text, answer.text, "a later gateway waits as long");
    house.discord.voice(&people[2], Some(&from)).await;
    moved(&house, &people[2], &to).await;

    for (teller, _) in &waiting {
        until("told as done", async || {
            let told = teller.give(&house, CONNECT, Some("k"), &body).await;
            told.told() == (200, "done")
        })
        .await;
        let truth = house.discord.state().await;
        assert_eq!(times_done(&truth, CONNECT, &teller.id), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_wait_for_one_person_the_newer_is_done() {
    let (mut stages, mut person) = (Vec::new(), String::new());
    let house = House::whose("standing", &[], async |discord| {
        stages = Stage::set_up(discord, 2).await;
        person = member(discord, "late", &[]).await;
    })
    .await;
    let mut tellers = Vec::new();
    for stage in &stages {
        let teller = Teller::sign_in(&house, &stage.moderator).await;
        let body = json!({"channelId": stage.room, "userId": person});
        let answer = teller.give(&house, CONNECT, Some("k"), &body).await;
        assert_eq!(answer.told(), (200, "waiting"), "{answer:?}");
        tellers.push((teller, body));
    }
    let (older, body) = &tellers[0];
    let told = older.give(&house, CONNECT, Some("k"), body).await;
    assert_eq!(told.told(), (409, "superseded"), "{told:?}");
    house
        .discord
        .voice(&person, Some(&house.discord.rooms[0]))
        .await;
    moved(&house, &person, &stages[1].room).await;
    let truth = house.discord.state().await;
    assert_eq!(times_done(&truth, CONNECT, &older.id), 0);
}

async fn moved(house: &House, person: &str, to: &str) {
    until("the move", async || {
        room_of(&house.discord.state().await, person).as_deref() == Some(to)
    })
    .await;
}
