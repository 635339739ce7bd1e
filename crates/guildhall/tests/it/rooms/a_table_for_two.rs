//! One makes a room, another comes by an invite, a third does not: each stream tells its own truth.

use serde_json::{Value, json};

use super::{
    stage::{PARENT, SECOND_PARENT, Stage},
    truth::{self, CONNECT, VIEW},
};
use crate::{
    commands::{stage::room_of, teller::Teller},
    house::Stream,
};

#[tokio::test(flavor = "multi_thread")]
async fn one_makes_a_room_another_comes_by_invite_and_a_third_is_refused() {
    let stage = Stage::open(&[]).await;
    let (ada, ben, cy) = (
        stage.person("ada").await,
        stage.person("ben").await,
        stage.person("cy").await,
    );
    let mut streams = Vec::new();
    for who in [&ada, &ben, &cy] {
        streams.push(stage.stream(who, "").await);
    }
    let body = json!({"guildId": stage.guild(), "name": "Chess", "limit": 3});
    let made = stage.done(&ada, "createRoom", &body).await;
    let room = truth::text(&made.body["channelId"]);
    let link = format!(
        "{}/channels/{}/{room}",
        stage.house.discord.url,
        stage.guild()
    );
    assert_eq!(made.body["discordUrl"], link);

    let told = known(&mut streams[0], &room).await;
    assert_eq!(told["channelId"], room);
    assert_eq!(told["name"], "Chess");
    assert_eq!(told["parentId"], PARENT);
    assert_eq!(told["userLimit"], 3);
    assert_eq!(told["managed"], true);
    assert_eq!(told["ownerId"], ada.id);
    let truth = stage.truth().await;
    let channel = truth::channel(&truth, &room).expect("it is there");
    assert_eq!(channel["botSees"], true, "the bot did not shut itself out");
    assert_eq!(
        truth::rights(&truth, &ben.id, channel) & (VIEW | CONNECT),
        0
    );
    assert!(truth::gets_in(&truth, &ada.id, &room));

    nothing_is_found(&stage, &cy, &room).await;
    let token = stage.invite(&ada, &room, &json!({})).await;
    let come = json!({"token": token});
    let waits = stage.done(&ben, "joinRoom", &come).await;
    assert_eq!(waits.told(), (200, "waiting"));
    assert_eq!(waits.body["channelId"], room);
    assert_eq!(waits.body["discordUrl"], link);
    let shown = let_in(&mut streams[1], &room).await;
    assert_eq!(
        (&shown["channelId"], &shown["ownerId"]),
        (&json!(room), &json!(ada.id))
    );

    let discord = &stage.house.discord;
    discord.voice(&ben.id, Some(&discord.rooms[0])).await;
    let inside = |truth: &Value| room_of(truth, &ben.id).as_ref() == Some(&room);
    let truth = stage.until("ben is moved", inside).await;
    assert!(truth::gets_in(&truth, &ben.id, &room));
    assert!(!truth::sees(&truth, &cy.id, &room));
    for stream in &mut streams[..2] {
        joined(stream, &room, &ben.id).await;
    }

    // What everybody sees comes last, so that whatever was to be told has been.
    let room_of_all = json!({"name": "The Great Hearth"});
    discord.edit_channel(&discord.rooms[0], &room_of_all).await;
    streams[2].until("room.updated").await;
    assert!(!streams[2].raw.contains(&room), "{}", streams[2].raw);
    assert!(!streams[2].raw.contains("Chess"), "{}", streams[2].raw);
    assert!(
        stage
            .shown(&cy)
            .await
            .iter()
            .all(|one| one["channelId"] != room)
    );

    stage
        .done(&ada, "closeRoom", &json!({"channelId": room}))
        .await;
    for stream in &mut streams[..2] {
        assert_eq!(stream.until("room.deleted").await.data["channelId"], room);
    }
    name_as_before(&stage, &discord.rooms[0]).await;
    let truth = stage.until_tidy().await;
    truth::assert_nothing_is_left(&stage.before, &truth);
    assert_eq!(truth::times_logged(&truth, truth::CHANNEL_DELETE, &room), 1);
    stage
        .refused(&ben, "joinRoom", &come, "invite_invalid")
        .await;
}

async fn name_as_before(stage: &Stage, room: &str) {
    let was = truth::channel(&stage.before, room).expect("it was there");
    let name = json!({"name": was["name"]});
    stage.house.discord.edit_channel(room, &name).await;
}

/// A room as it is told to somebody who sees it from now on.
async fn let_in(stream: &mut Stream, room: &str) -> Value {
    loop {
        let shown = stream.until("room.shown").await.data;
        if shown["channelId"] == room {
            return shown;
        }
    }
}

/// Somebody who has no invite knows nothing of it, and learns nothing by asking.
async fn nothing_is_found(stage: &Stage, who: &Teller, room: &str) {
    for (name, more) in [
        ("connectUserToVoiceChannel", json!({})),
        ("createInvite", json!({})),
        ("closeRoom", json!({})),
        ("lockRoom", json!({"locked": true})),
        ("claimRoom", json!({})),
    ] {
        let mut body = more;
        body["channelId"] = json!(room);
        stage.refused(who, name, &body, "not_found").await;
    }
}

/// What is told first of a room.
async fn known(stream: &mut Stream, room: &str) -> Value {
    loop {
        let told = stream.next_record().await;
        if told.data["channelId"] == room {
            assert_eq!(told.event, "room.created");
            return told.data;
        }
    }
}

async fn joined(stream: &mut Stream, room: &str, who: &str) {
    loop {
        let joined = stream.until("voice.joined").await.data;
        if joined["channelId"] == room && joined["userId"] == who {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_in_voice_is_moved_at_once_and_an_open_room_is_seen_by_all() {
    let stage = Stage::open(&[]).await;
    let (ada, ben) = (stage.person("ada").await, stage.person("ben").await);
    let discord = &stage.house.discord;
    stage.voice(&ben.id, Some(&discord.rooms[1])).await;
    let room = stage.room(&ada, "Go").await;
    let token = stage.invite(&ada, &room, &json!({})).await;
    let moved = stage.done(&ben, "joinRoom", &json!({"token": token})).await;
    assert_eq!(moved.told(), (200, "done"));
    let truth = stage.truth().await;
    assert_eq!(room_of(&truth, &ben.id), Some(room));

    let eve = stage.person("eve").await;
    let mut stream = stage.stream(&ben, "").await;
    let body =
        json!({"guildId": stage.guild(), "name": "Open house", "private": false, "limit": 0});
    let made = stage.done(&eve, "createRoom", &body).await;
    let told = known(&mut stream, &truth::text(&made.body["channelId"])).await;
    assert_eq!(
        (&told["userLimit"], &told["hidden"]),
        (&json!(0), &json!(false))
    );
    stage.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_category_makes_way_for_the_next_and_a_guild_without_room_says_so() {
    let parents = format!("{PARENT},{SECOND_PARENT}");
    let settings = [("ROOM_PARENTS", parents.as_str())];
    let stage = Stage::with(&settings, async |discord| {
        for number in 0..49 {
            let one = json!({"guildId": discord.guild, "name": format!("Old {number}"),
                "parentId": PARENT, "type": 0});
            discord.post("/sim/channels", &one).await;
        }
    })
    .await;
    let mut parents = Vec::new();
    for name in ["ada", "ben", "cy"] {
        let person = stage.person(name).await;
        let room = stage.room(&person, name).await;
        let truth = stage.truth().await;
        let channel = truth::channel(&truth, &room).expect("it is there");
        parents.push(truth::text(&channel["parentId"]));
    }
    assert_eq!(parents, [PARENT, SECOND_PARENT, SECOND_PARENT]);
    stage.close_all().await;
}
