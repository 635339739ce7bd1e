//! What people may have done is done in Discord, once, and told to who gave it; what they may not is
//! refused, and nothing happens.

use std::{path::Path, process::Stdio};

use serde_json::{Value, json};
use tokio::{process::Command, time::timeout};

use crate::house::{House, SOON, retry, until};

#[tokio::test(flavor = "multi_thread")]
async fn one_moves_oneself_and_not_another_and_a_moderator_may() {
    let house = House::start().await;
    let discord = &house.discord;
    let [here, there] = &discord.rooms;
    let other = &discord.people[0];
    discord.voice(&discord.visitor, Some(here)).await;
    discord.voice(other, Some(here)).await;
    let (cookie, mut stream) = house.visit().await;

    let (status, body) = house
        .rpc(
            &cookie,
            "connectUserToVoiceChannel",
            &json!({"channelId": there}),
            Some("mine"),
        )
        .await;
    assert_eq!((status, &body["outcome"]), (200, &json!("done")), "{body}");
    assert_eq!(room_of(&house, &discord.visitor).await, json!(there));
    let asked = json!({"guildId": discord.guild});
    let (_, seen) = house
        .rpc(&cookie, "checkUserInVoiceChannel", &asked, None)
        .await;
    assert_eq!(
        seen,
        json!({"channelId": there}),
        "the answer waits for the replica"
    );
    let joined = stream.until("voice.joined").await;
    assert_eq!(joined.data["userId"], discord.visitor.as_str());
    // Behind what it did; a heartbeat may come between.
    let settled = loop {
        let checkpoint = stream.until("checkpoint").await;
        if !checkpoint.data["settled"].is_null() {
            break checkpoint;
        }
    };
    assert_eq!(settled.data["settled"], json!(["mine"]));

    let move_other = json!({"channelId": there, "userId": other});
    for key in [None, Some("theirs")] {
        let (status, body) = house
            .rpc(&cookie, "connectUserToVoiceChannel", &move_other, key)
            .await;
        assert_eq!(status, 403, "{body}");
        assert_eq!(body["error"]["missing"], json!(["MOVE_MEMBERS"]));
    }
    assert_eq!(room_of(&house, other).await, json!(here));

    let moderator = house.sign_in(&owner(&house).await).await;
    let (status, body) = house
        .rpc(
            &moderator,
            "connectUserToVoiceChannel",
            &move_other,
            Some("moderated"),
        )
        .await;
    assert_eq!((status, &body["outcome"]), (200, &json!("done")), "{body}");
    assert_eq!(room_of(&house, other).await, json!(there));
    let kick = json!({"channelId": there, "userId": other, "allowReturn": true});
    let (status, body) = house.rpc(&moderator, "kickFromRoom", &kick, None).await;
    assert_eq!((status, &body["outcome"]), (200, &json!("done")), "{body}");
    assert_eq!(room_of(&house, other).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_answered_as_the_first_was_and_does_nothing() {
    let house = House::start().await;
    let discord = &house.discord;
    let owner = house.sign_in(&owner(&house).await).await;
    let rename = json!({"channelId": discord.rooms[0], "name": "The Den"});
    let (status, first) = house.rpc(&owner, "renameRoom", &rename, Some("once")).await;
    assert_eq!(
        (status, &first["outcome"]),
        (200, &json!("done")),
        "{first}"
    );
    discord
        .edit_channel(&discord.rooms[0], &json!({"name": "The Hearth"}))
        .await;
    let again = house.rpc(&owner, "renameRoom", &rename, Some("once")).await;
    assert_eq!(again, (200, first));
    assert_eq!(name_of(&house, &discord.rooms[0]).await, "The Hearth");
    let other = json!({"channelId": discord.rooms[0], "name": "The Lair"});
    let (status, body) = house.rpc(&owner, "renameRoom", &other, Some("once")).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (409, &json!("key_reused"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_in_no_room_is_moved_once_they_are() {
    let house = House::start().await;
    let discord = &house.discord;
    let [here, there] = &discord.rooms;
    let cookie = house.sign_in(&discord.visitor).await;
    let go = json!({"channelId": there});
    let (status, body) = house
        .rpc(&cookie, "connectUserToVoiceChannel", &go, Some("later"))
        .await;
    assert_eq!(
        (status, &body["outcome"]),
        (200, &json!("waiting")),
        "{body}"
    );
    assert!(body["until"].is_u64(), "{body}");
    let url = format!("{}/channels/{}/{there}", discord.url, discord.guild);
    assert_eq!(body["discordUrl"], url);
    discord.voice(&discord.visitor, Some(here)).await;
    until("they are moved", async || {
        room_of(&house, &discord.visitor).await == json!(there)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_right_changes_nothing_anywhere() {
    let house = House::start().await;
    let discord = &house.discord;
    let other = &discord.people[0];
    discord.voice(other, Some(&discord.rooms[0])).await;
    let cookie = house.sign_in(&discord.visitor).await;
    let before = discord.state().await;
    let elsewhere = before["guilds"][2]["channels"][1]["id"].clone();
    let commands = |room: &Value| {
        [
            (
                "connectUserToVoiceChannel",
                json!({"channelId": room, "userId": other}),
            ),
            ("kickFromRoom", json!({"channelId": room, "userId": other})),
            ("renameRoom", json!({"channelId": room, "name": "Mine"})),
            (
                "setRoomStatus",
                json!({"channelId": room, "status": "mine"}),
            ),
            ("setRoomLimit", json!({"channelId": room, "limit": 1})),
        ]
    };
    for (room, expected) in [
        (json!(discord.rooms[0]), 403),
        (json!(discord.gated), 404),
        (elsewhere, 404),
        (json!("1"), 404),
    ] {
        for (name, body) in commands(&room) {
            let key = format!("{name}-{room}");
            let (status, answer) = in_time(&house, &cookie, name, &body, &key).await;
            assert_eq!(status, expected, "{name} {body}: {answer}");
        }
    }
    let foreign = json!({"guildId": before["guilds"][2]["id"]});
    let (status, _) = in_time(&house, &cookie, "disconnect", &foreign, "foreign").await;
    assert_eq!(status, 404);
    let after = discord.state().await;
    for part in ["channels", "voiceStates"] {
        assert_eq!(before["guilds"][0][part], after["guilds"][0][part]);
        assert_eq!(before["guilds"][2][part], after["guilds"][2][part]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_was_generated_from_the_document_asks_and_gives_commands() {
    let house = House::start().await;
    let discord = &house.discord;
    let [here, there] = &discord.rooms;
    discord.voice(&discord.visitor, Some(here)).await;
    let cookie = house.sign_in(&discord.visitor).await;
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let told = json!({
        "document": root.join("docs/openapi.json"),
        "web": house.url(""),
        "cookie": cookie,
        "guildId": discord.guild,
        "here": here,
        "there": there,
        "hidden": discord.gated,
    });
    let python = root.join("target/python/bin/python");
    let running = Command::new(&python)
        .arg(root.join("tests/libraries/openapi/generated.py"))
        .arg(told.to_string())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    let ended = timeout(2 * SOON, running.wait_with_output()).await;
    let ended = ended.expect("in time").expect("it ends");
    assert!(ended.status.success(), "{}", ended.status);
    let said: Vec<Value> = String::from_utf8(ended.stdout)
        .expect("UTF-8")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let expected = [
        json!({"checkUserInVoiceChannel": here}),
        json!({"connectUserToVoiceChannel": "done"}),
        json!({"getVoiceChannelMembers": [discord.visitor]}),
        json!({"renameRoom": "not_found"}),
        json!({"setRoomLimit": ["limit"]}),
    ];
    assert_eq!(said[..2], expected[..2]);
    assert!(
        said[2]["getVoiceChannelMembers"]
            .as_array()
            .is_some_and(|members| members.contains(&json!(discord.visitor)))
    );
    assert_eq!(said[3..], expected[3..]);
    assert_eq!(room_of(&house, &discord.visitor).await, json!(there));
}

/// A command's answer once it is within the budget, which is not the matter here.
async fn in_time(house: &House, cookie: &str, name: &str, body: &Value, key: &str) -> (u16, Value) {
    loop {
        let (status, answer) = house.rpc(cookie, name, body, Some(key)).await;
        if status != 429 {
            return (status, answer);
        }
        retry().await;
    }
}

/// Where somebody is in the first guild, as Discord knows it.
async fn room_of(house: &House, user: &str) -> Value {
    let state = house.discord.state().await;
    let voice = state["guilds"][0]["voiceStates"].as_array();
    let there = voice.and_then(|voice| voice.iter().find(|there| there["userId"] == user));
    there.map_or(Value::Null, |there| there["channelId"].clone())
}

async fn name_of(house: &House, channel: &str) -> String {
    let state = house.discord.state().await;
    let channels = state["guilds"][0]["channels"].as_array();
    let found = channels.and_then(|all| all.iter().find(|it| it["id"] == channel));
    let name = found.and_then(|found| found["name"].as_str());
    name.expect("a channel with a name").to_owned()
}

async fn owner(house: &House) -> String {
    let state = house.discord.state().await;
    let owner = state["guilds"][0]["ownerId"].as_str();
    owner.expect("an owner").to_owned()
}
