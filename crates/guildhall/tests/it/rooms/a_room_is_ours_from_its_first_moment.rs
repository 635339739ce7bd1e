//! Whoever sees a room of ours sees it as that from the event that brings it to the one that takes it
//! away, whatever is not answered or killed between.

use serde_json::{Value, json};

use super::{stage::Stage, truth};
use crate::house::{Frame, Stream};

const MAKE_CHANNEL: &str = "POST /guilds/{guild_id}/channels";
const DELETE_CHANNEL: &str = "DELETE /channels/{channel_id}";

/// What is told of rooms that were not there before, up to the end of one of them.
async fn life(stream: &mut Stream, stage: &Stage) -> Vec<Frame> {
    let known: Vec<&Value> = truth::list(&stage.before, "channels")
        .iter()
        .map(|one| &one["id"])
        .collect();
    let mut told = Vec::new();
    loop {
        let frame = stream.next_record().await;
        assert_ne!(
            frame.event, "snapshot",
            "the stream begins anew behind {told:#?}"
        );
        if !frame.event.starts_with("room.") || known.contains(&&frame.data["channelId"]) {
            continue;
        }
        let ends = frame.event == "room.deleted";
        told.push(frame);
        if ends {
            return told;
        }
    }
}

fn assert_is_whole(told: &[Frame], room: &str, owner: &str) {
    let names: Vec<&str> = told.iter().map(|frame| frame.event.as_str()).collect();
    assert_eq!(names, ["room.created", "room.deleted"], "{told:#?}");
    let created = &told[0].data;
    assert_eq!(created["channelId"], room);
    assert_eq!(
        (&created["managed"], &created["ownerId"]),
        (&json!(true), &json!(owner))
    );
    assert_eq!(
        (&created["locked"], &created["hidden"]),
        (&json!(false), &json!(true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_once_as_ours_and_once_as_gone_also_where_discord_does_not_answer() {
    let stage = Stage::open(&[]).await;
    let ada = stage.person("ada").await;
    let mut stream = stage.stream(&stage.moderator, "").await;
    let body = json!({"guildId": stage.guild(), "name": "Chess"});
    for tears in [false, true] {
        for (route, name, key) in [
            (MAKE_CHANNEL, "createRoom", "make"),
            (DELETE_CHANNEL, "closeRoom", "end"),
        ] {
            if tears {
                let tear = json!({"kind": "tear", "route": route});
                stage.house.discord.fault(tear).await;
            }
            let (key, mut body) = (format!("{key}-{tears}"), body.clone());
            if name == "closeRoom" {
                body = json!({"channelId": stage.managed().await[0]["channelId"]});
            }
            let answer = stage.insist(&ada, name, &key, &body).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        let told = life(&mut stream, &stage).await;
        let room = truth::text(&told[0].data["channelId"]);
        assert_is_whole(&told, &room, &ada.id);
    }
    let truth = stage.until_tidy().await;
    truth::assert_nothing_is_left(&stage.before, &truth);
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_is_it_anything_else_where_the_gateway_is_killed_in_the_middle() {
    let mut stage = Stage::open(&[]).await;
    let ada = stage.person("ada").await;
    let mut stream = stage.stream(&stage.moderator, "").await;
    let mut body = json!({"guildId": stage.guild(), "name": "Chess"});
    let mut room = String::new();
    for (route, name) in [(MAKE_CHANNEL, "createRoom"), (DELETE_CHANNEL, "closeRoom")] {
        let before = stage.truth().await["requests"][route].as_u64();
        let hang = json!({"kind": "hang", "route": route});
        stage.house.discord.fault(hang).await;
        let given = ada.give(&stage.house, name, Some(name), &body);
        let dies = async {
            let asked = |truth: &Value| truth["requests"][route].as_u64() > before;
            stage.until("Discord is asked", asked).await;
            stage.house.gateway.signal("KILL");
        };
        tokio::join!(given, dies);
        stage.gateway_comes_back().await;
        let answer = stage.insist(&ada, name, name, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        if name == "createRoom" {
            room = truth::text(&answer.body["channelId"]);
            body = json!({"channelId": room});
        }
    }
    let told = life(&mut stream, &stage).await;
    assert_is_whole(&told, &room, &ada.id);
    let truth = stage.until_tidy().await;
    truth::assert_nothing_is_left(&stage.before, &truth);
}
