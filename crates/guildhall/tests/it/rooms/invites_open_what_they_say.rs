//! Invites: as long, for as many, and for that room alone, as they were given; nothing that was not
//! given here opens anything.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{stage::Stage, truth};
use crate::{
    commands::teller::{Teller, unix_ms},
    house::until,
};

/// A room of ada's, and people who may come.
async fn opened(guests: usize) -> (Stage, Teller, String, Vec<Teller>) {
    let stage = Stage::open(&[]).await;
    let ada = stage.person("ada").await;
    let room = stage.room(&ada, "Table").await;
    let names: Vec<String> = (0..guests).map(|number| format!("guest{number}")).collect();
    let guests = join_all(names.iter().map(|name| stage.person(name))).await;
    (stage, ada, room, guests)
}

/// How many of these people get into the room.
fn let_in(truth: &Value, room: &str, people: &[Teller]) -> usize {
    let gets_in = |who: &&Teller| truth::gets_in(truth, &who.id, room);
    people.iter().filter(gets_in).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_are_taken_once_each_and_whoever_has_one_keeps_it() {
    let (stage, ada, room, guests) = opened(4).await;
    let two = stage.invite(&ada, &room, &json!({"seats": 2})).await;
    let once = stage.invite(&ada, &room, &json!({"singleUse": true})).await;
    let (two, once) = (json!({"token": two}), json!({"token": once}));
    for guest in [&guests[0], &guests[1], &guests[0]] {
        stage.done(guest, "joinRoom", &two).await;
    }
    stage
        .refused(&guests[2], "joinRoom", &two, "no_seats_left")
        .await;
    stage.done(&guests[2], "joinRoom", &once).await;
    stage
        .refused(&guests[3], "joinRoom", &once, "no_seats_left")
        .await;
    assert_eq!(let_in(&stage.truth().await, &room, &guests), 3);
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_is_over_when_it_says_and_when_it_is_taken_back() {
    let (stage, ada, room, guests) = opened(3).await;
    let body = json!({"channelId": room, "expiresInSeconds": 2});
    let short = stage.done(&ada, "createInvite", &body).await;
    let ends = short.number("expiresAt");
    assert!(ends.abs_diff(unix_ms() + 2_000) < 2_000, "{short:?}");
    let url = truth::text(&short.body["url"]);
    let token = truth::text(&short.body["token"]);
    assert_eq!(url, stage.house.url(&format!("/join?invite={token}")));
    until("its end", async || unix_ms() > ends).await;
    let short = json!({"token": token});
    stage
        .refused(&guests[0], "joinRoom", &short, "invite_expired")
        .await;

    let [one, other, third] = [(); 3].map(|()| json!({}));
    let one = stage.invite(&ada, &room, &one).await;
    let other = stage.invite(&ada, &room, &other).await;
    stage
        .done(&guests[1], "joinRoom", &json!({"token": one}))
        .await;
    stage
        .done(&ada, "revokeInvite", &json!({"token": one}))
        .await;
    stage
        .refused(
            &guests[0],
            "joinRoom",
            &json!({"token": one}),
            "invite_revoked",
        )
        .await;
    let third = stage.invite(&ada, &room, &third).await;
    stage
        .done(&ada, "revokeInvite", &json!({"channelId": room}))
        .await;
    for token in [&other, &third] {
        let come = json!({"token": token});
        stage
            .refused(&guests[0], "joinRoom", &come, "invite_revoked")
            .await;
    }
    let truth = stage.truth().await;
    assert!(
        truth::gets_in(&truth, &guests[1].id, &room),
        "who came stays let in"
    );
    assert_eq!(let_in(&truth, &room, &guests), 1);
    stage
        .refused(
            &guests[1],
            "createInvite",
            &json!({"channelId": room}),
            "forbidden",
        )
        .await;
    stage.close_all().await;
}

/// A bit of each byte is another: what it is for, whose, where, when, which, and the seal.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_bit_of_an_invite_is_changed_it_opens_nothing() {
    let (stage, ada, room, guests) = opened(10).await;
    let token = stage.invite(&ada, &room, &json!({"seats": 1})).await;
    let bytes = URL_SAFE_NO_PAD.decode(&token).expect("base64url");
    let before = stage.truth().await;
    let mut forged: Vec<String> = (0..bytes.len())
        .map(|place| {
            let mut bytes = bytes.clone();
            bytes[place] ^= 1 << (place % 8);
            URL_SAFE_NO_PAD.encode(bytes)
        })
        .collect();
    forged.push(URL_SAFE_NO_PAD.encode(&bytes[..bytes.len() - 1]));
    forged.push(URL_SAFE_NO_PAD.encode([&bytes[..], b"x"].concat()));
    forged.push(format!("{token}="));
    forged.push(format!("{token} "));
    forged.push(last_letter_changed(&token));
    forged.push("nothing".to_owned());
    let shared = forged.chunks(forged.len().div_ceil(guests.len()));
    let tried = guests.iter().zip(shared).map(async |(guest, tokens)| {
        for token in tokens {
            let answer = stage
                .give(guest, "joinRoom", &json!({"token": token}))
                .await;
            let code = answer.body["error"]["code"].as_str().unwrap_or("taken");
            // Where it is not even of a guild that one is in there is nothing to be found.
            let refused = matches!(
                code,
                "invite_invalid" | "invalid" | "not_found" | "not_member"
            );
            assert!(refused, "{token} of {token}: {answer:?}");
        }
    });
    join_all(tried).await;
    let after = stage.truth().await;
    assert_eq!(let_in(&after, &room, &guests), 0);
    assert_eq!(
        truth::channel(&after, &room),
        truth::channel(&before, &room)
    );
    stage
        .done(&guests[9], "joinRoom", &json!({"token": token}))
        .await;
    stage.close_all().await;
}

/// The same bytes in another spelling, which a lax reader takes.
fn last_letter_changed(token: &str) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (start, last) = token.split_at(token.len() - 1);
    let place = LETTERS.find(last).expect("base64url");
    format!("{start}{}", &LETTERS[place ^ 1..=place ^ 1])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_of_another_house_or_of_a_guild_one_is_not_in_opens_nothing() {
    let ((stage, ada, room, guests), (other, eve, theirs, _)) = tokio::join!(opened(2), opened(0));
    // Both worlds are of one seed: the guild is the same, and so may be the channel.
    assert_eq!(stage.guild(), other.guild());
    let foreign = other.invite(&eve, &theirs, &json!({})).await;
    let come = json!({"token": foreign});
    stage
        .refused(&guests[0], "joinRoom", &come, "invite_invalid")
        .await;

    let token = stage.invite(&ada, &room, &json!({})).await;
    let guilds = stage.before["guilds"].as_array().expect("a list");
    let members = guilds[2]["members"].as_array().expect("a list");
    let stranger = truth::text(&members[1]["userId"]);
    let stranger = Teller::sign_in(&stage.house, &stranger).await;
    let answer = stage
        .give(&stranger, "joinRoom", &json!({"token": token}))
        .await;
    assert!(matches!(answer.status, 403 | 404), "{answer:?}");
    let truth = stage.truth().await;
    let channel = truth::channel(&truth, &room).expect("it is there");
    let named = |one: &Value| one["id"] == stranger.id;
    assert!(!truth::overwrites(channel).iter().any(named));
    stage.close_all().await;
    other.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invites_outlive_the_gateway_and_die_with_their_room() {
    let (mut stage, ada, room, guests) = opened(3).await;
    let token = stage.invite(&ada, &room, &json!({"seats": 2})).await;
    let come = json!({"token": token});
    stage.done(&guests[0], "joinRoom", &come).await;
    stage.kill_gateway().await;
    let answer = stage.insist(&guests[1], "joinRoom", "second", &come).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = stage.insist(&guests[2], "joinRoom", "third", &come).await;
    assert_eq!(answer.told(), (409, "no_seats_left"));
    stage
        .insist(&ada, "closeRoom", "close", &json!({"channelId": room}))
        .await;
    let again = stage.room(&ada, "Table").await;
    assert_ne!(again, room);
    for guest in &guests {
        stage
            .refused(guest, "joinRoom", &come, "invite_invalid")
            .await;
    }
    stage.close_all().await;
}
