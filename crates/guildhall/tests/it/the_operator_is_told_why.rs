//! `guildhall explain` says of a running house who is shown what, and why: the same that the person
//! is shown.

use serde_json::{Value, json};

use crate::house::{House, Process, until};

/// What the command prints, and its exit code.
async fn explain(house: &House, user: &str, room: &str, more: &[&str]) -> (String, i32) {
    let ops = format!("http://127.0.0.1:{}", house.ports.web_ops);
    let asked = ["--user", user, "--channel", room, "--ops", &ops];
    let mut process = Process::start("explain", &[&asked, more].concat(), &[], house.folder());
    let code = process.ended().await.code().expect("an exit code");
    (process.printed() + &process.log(), code)
}

async fn explained(house: &House, user: &str, room: &str) -> Value {
    let (printed, code) = explain(house, user, room, &["-o", "json"]).await;
    assert_eq!(code, 0, "{printed}");
    serde_json::from_str(&printed).expect("JSON")
}

/// The rooms of the first guild in somebody's own picture.
async fn shown(house: &House, user: &str) -> Vec<String> {
    let cookie = house.sign_in(user).await;
    let state = house.state(&cookie).await;
    let rooms = state["guilds"][0]["rooms"].as_array().expect("rooms");
    let ids = rooms.iter().map(|room| room["channelId"].as_str());
    ids.map(|id| id.expect("an id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_explained_is_what_is_shown() {
    let house = House::start().await;
    let discord = &house.discord;
    let state = discord.state().await;
    let channels = state["guilds"][0]["channels"].as_array().expect("channels");
    let voice = channels.iter().filter(|channel| channel["type"] == 2);
    let rooms: Vec<&str> = voice.filter_map(|channel| channel["id"].as_str()).collect();
    for user in [&discord.visitor, &discord.people[0], &discord.people[1]] {
        let shown = shown(&house, user).await;
        for room in &rooms {
            let why = explained(&house, user, room).await;
            let is_shown = shown.iter().any(|id| id == room);
            assert_eq!(why["shown"], is_shown, "{why}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overwrite_and_the_role_that_decide_are_named() {
    // Or the gateway asks for rights once a minute.
    let house = House::with(&[("DISCORD_INTENTS", "members")]).await;
    let discord = &house.discord;
    let (who, room) = (discord.people[0].as_str(), discord.gated.as_str());
    // Nobody had to sign in for it.
    let why = explained(&house, who, room).await;
    assert_eq!(why["shown"], false);
    assert_eq!(why["rights"]["known"], true);
    assert_eq!(why["seesBy"]["rule"], "overwrites");
    assert_eq!(why["seesBy"]["stage"], "everyone");
    let (text, code) = explain(&house, who, room, &[]).await;
    assert_eq!(code, 0);
    for part in [
        "Is shown the room: no",
        "the room's overwrite for @everyone says so",
        "The bot itself sees the room: yes",
        "Their rights: known",
        "after the overwrite of @everyone",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    discord.roles(who, &[&discord.gate_role]).await;
    until("the role shows the room", async || {
        explained(&house, who, room).await["shown"] == true
    })
    .await;
    let why = explained(&house, who, room).await;
    let target = json!({"type": "role", "id": discord.gate_role});
    assert_eq!(why["seesBy"]["stage"], "roles");
    assert_eq!(why["seesBy"]["targets"], json!([target]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_the_bot_cannot_view_is_told_as_that() {
    let house = House::start().await;
    let discord = &house.discord;
    let room = discord.rooms[0].as_str();
    discord
        .fault(json!({"kind": "obfuscate", "channelId": room}))
        .await;
    until("the bot sees it no more", async || {
        explained(&house, &discord.visitor, room).await["botSees"] == false
    })
    .await;
    let (text, _) = explain(&house, &discord.visitor, room, &[]).await;
    for part in [
        "Is shown the room: no",
        "the bot itself can't view the room",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_explained_is_a_sentence() {
    let house = House::start().await;
    let (text, code) = explain(&house, &house.discord.visitor, "404", &[]).await;
    assert_eq!(code, 1);
    assert!(
        text.contains("No bridged guild has such a voice channel"),
        "{text}"
    );
    let gateway = format!("http://127.0.0.1:{}", house.ports.gateway_ops);
    let asked = ["--user", "1", "--channel", "2", "--ops", &gateway];
    let mut process = Process::start("explain", &asked, &[], house.folder());
    assert_eq!(process.ended().await.code(), Some(1));
    assert!(
        process.log().contains("a gateway alone"),
        "{}",
        process.log()
    );
}
