//! What is asked for at the same moment: one room for one person, one seat for one guest, and a room
//! that closes while people come is gone.

use futures_util::future::join_all;
use serde_json::json;

use super::{stage::Stage, truth};
use crate::commands::teller::Teller;

async fn people(stage: &Stage, count: usize) -> Vec<Teller> {
    let names: Vec<String> = (0..count).map(|number| format!("person{number}")).collect();
    join_all(names.iter().map(|name| stage.person(name))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_makes_a_room_twice_at_once_has_one() {
    let stage = Stage::open(&[]).await;
    for who in people(&stage, 4).await {
        let body = json!({"guildId": stage.guild(), "name": who.id});
        let given = (0..3).map(|_| stage.give(&who, "createRoom", &body));
        let told = join_all(given).await;
        let mut words: Vec<_> = told.iter().map(|answer| answer.status).collect();
        words.sort_unstable();
        assert_eq!(words, [200, 409, 409], "{told:?}");
        let truth = stage.truth().await;
        assert!(truth::room_named(&stage.before, &truth, &who.id).is_some());
    }
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_makes_one_room_however_often_it_comes() {
    let mut stage = Stage::open(&[]).await;
    let who = stage.person("ada").await;
    let body = json!({"guildId": stage.guild(), "name": "Once"});
    let give = async |stage: &Stage| {
        let given = (0..3).map(|_| who.give(&stage.house, "createRoom", Some("once"), &body));
        join_all(given).await
    };
    let told = give(&stage).await;
    assert_eq!(told[0].status, 200, "{told:?}");
    assert!(
        told.iter().all(|answer| answer.text == told[0].text),
        "{told:?}"
    );
    stage.kill_gateway().await;
    let again = stage.insist(&who, "createRoom", "once", &body).await;
    assert_eq!(again.text, told[0].text);
    let truth = stage.truth().await;
    assert!(truth::room_named(&stage.before, &truth, "Once").is_some());
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_seat_is_one_persons_however_many_come_for_it() {
    let stage = Stage::open(&[]).await;
    let ada = stage.person("ada").await;
    let room = stage.room(&ada, "Table").await;
    let guests = people(&stage, 6).await;
    let token = stage.invite(&ada, &room, &json!({"seats": 2})).await;
    let come = json!({"token": token});
    let told = join_all(guests.iter().map(|who| stage.give(who, "joinRoom", &come))).await;
    let winners = told.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(winners, 2, "{told:?}");
    let late = told
        .iter()
        .filter(|answer| answer.told() == (409, "no_seats_left"));
    assert_eq!(late.count(), 4, "{told:?}");
    let truth = stage.truth().await;
    for (guest, answer) in guests.iter().zip(&told) {
        let gets_in = truth::gets_in(&truth, &guest.id, &room);
        assert_eq!(gets_in, answer.status == 200, "{answer:?}");
    }
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guild_has_no_more_rooms_than_it_may_however_many_ask() {
    let stage = Stage::open(&[("ROOMS_MAX", "3")]).await;
    let people = people(&stage, 7).await;
    let given = people.iter().map(async |who| {
        let body = json!({"guildId": stage.guild(), "name": who.id});
        stage.give(who, "createRoom", &body).await.status
    });
    let told = join_all(given).await;
    let made = told.iter().filter(|status| **status == 200).count();
    assert_eq!(made, 3, "{told:?}");
    let truth = stage.until_tidy().await;
    assert_eq!(truth::rooms(&stage.before, &truth).len(), 3);
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_closes_while_people_come_is_gone_and_nobody_hangs() {
    let stage = Stage::open(&[("ROOMS_PER_USER", "9")]).await;
    let ada = stage.person("ada").await;
    // As many as fit in.
    let guests = people(&stage, 4).await;
    let discord = &stage.house.discord;
    for turn in 0..3 {
        for guest in &guests {
            stage.voice(&guest.id, Some(&discord.rooms[0])).await;
        }
        let room = stage.room(&ada, &format!("Table {turn}")).await;
        let token = stage.invite(&ada, &room, &json!({})).await;
        let come = json!({"token": token});
        let close = json!({"channelId": room});
        let coming = join_all(guests.iter().map(|who| stage.give(who, "joinRoom", &come)));
        let (told, closed) = tokio::join!(coming, stage.give(&ada, "closeRoom", &close));
        assert_eq!(closed.status, 200, "{closed:?}");
        for answer in &told {
            let word = answer.body["error"]["code"].as_str().unwrap_or("done");
            let known = ["done", "invite_invalid", "not_found"];
            assert!(known.contains(&word), "{answer:?}");
        }
        let truth = stage.until_tidy().await;
        truth::assert_nothing_is_left(&stage.before, &truth);
        assert_eq!(truth::times_logged(&truth, truth::CHANNEL_DELETE, &room), 1);
    }
}
