//! A member without the gated room's role gets none of it: not in the snapshot, not live, not in
//! the replay, not from `/api/state`.

use serde_json::Value;

use crate::house::{House, Stream, until};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_gated_room_reaches_who_lacks_its_role() {
    let house = House::start().await;
    let discord = &house.discord;
    let cookie = house.sign_in(&discord.visitor).await;
    let hidden = |text: &str| !text.contains(&discord.gated);

    let mut stream = house.stream(&cookie, "", None).await;
    stream.until("snapshot").await;
    let cursor = stream.cursor.clone();
    let [in_and_out, from_open, marker] = [0, 1, 2].map(|index| &discord.people[index]);
    discord.voice(in_and_out, Some(&discord.gated)).await;
    discord.voice(in_and_out, None).await;
    discord.voice(from_open, Some(&discord.rooms[0])).await;
    discord.voice(from_open, Some(&discord.gated)).await;
    discord.voice(marker, Some(&discord.rooms[1])).await;
    until_person(&mut stream, marker).await;
    assert!(hidden(&stream.raw), "live:\n{}", stream.raw);
    assert!(
        !stream.raw.contains(in_and_out.as_str()),
        "never seen:\n{}",
        stream.raw
    );
    assert!(
        stream.raw.contains(from_open.as_str()),
        "seen to leave:\n{}",
        stream.raw
    );

    let mut replay = house.stream(&cookie, "", cursor.as_deref()).await;
    assert_eq!(replay.next_record().await.event, "resumed");
    until_person(&mut replay, marker).await;
    assert!(hidden(&replay.raw), "replay:\n{}", replay.raw);
    assert!(hidden(&house.state(&cookie).await.to_string()), "state");
    let narrowed = house
        .get(
            &format!("/api/state?channel={}", discord.gated),
            Some(&cookie),
        )
        .await;
    let body: Value = narrowed.json().await.expect("JSON");
    assert_eq!(body["guilds"][0]["rooms"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_opens_the_room_and_its_loss_closes_it_again() {
    let house = House::with(&[("DISCORD_INTENTS", "members")]).await;
    let discord = &house.discord;
    let before = own_roles(&discord.state().await, &discord.visitor);
    let kept: Vec<&str> = before.iter().map(String::as_str).collect();
    let (cookie, mut stream) = house.visit().await;

    let mut opened = kept.clone();
    opened.push(&discord.gate_role);
    discord.roles(&discord.visitor, &opened).await;
    let shown = stream.until("room.shown").await;
    assert_eq!(shown.data["channelId"], discord.gated);

    discord.roles(&discord.visitor, &kept).await;
    let hidden = stream.until("room.hidden").await;
    assert_eq!(hidden.data["channelId"], discord.gated);
    assert_eq!(stream.raw.matches("event: snapshot").count(), 1);
    until("the state follows", async || {
        !house
            .state(&cookie)
            .await
            .to_string()
            .contains(&discord.gated)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_lost_while_discord_was_away_has_closed_the_room_when_it_is_back() {
    let house = House::with(&[("DISCORD_INTENTS", "members")]).await;
    let discord = &house.discord;
    let kept = own_roles(&discord.state().await, &discord.visitor);
    let kept: Vec<&str> = kept.iter().map(String::as_str).collect();
    let opened = [&kept[..], &[discord.gate_role.as_str()]].concat();
    discord.roles(&discord.visitor, &opened).await;
    let (_, mut stream) = house.visit().await;
    let [inside, marker] = [0, 1].map(|index| &discord.people[index]);
    discord.voice(inside, Some(&discord.gated)).await;
    until_person(&mut stream, inside).await;

    // Nothing more is told in this session, and there will be another one.
    discord
        .fault(serde_json::json!({"kind": "invalid_session", "resumable": false}))
        .await;
    discord.roles(&discord.visitor, &kept).await;
    let mut away = false;
    loop {
        let status = stream.until("status").await.data;
        let live = status["discord"] == "live" && status["guildIds"].is_null();
        if away && live {
            break;
        }
        away |= !live;
    }
    let heard = stream.raw.len();
    discord.voice(inside, None).await;
    discord.voice(marker, Some(&discord.rooms[1])).await;
    until_person(&mut stream, marker).await;
    let since = &stream.raw[heard..];
    assert!(!since.contains(&discord.gated), "shown:\n{since}");
    assert!(!since.contains(inside.as_str()), "shown:\n{since}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guild_without_the_viewer_is_not_found_and_never_shown() {
    let house = House::start().await;
    let discord = &house.discord;
    let state = discord.state().await;
    let foreign = state["guilds"]
        .as_array()
        .expect("guilds")
        .iter()
        .find(|guild| {
            let members = guild["members"].as_array().expect("members");
            members
                .iter()
                .all(|member| member["userId"] != discord.visitor)
        });
    let foreign = foreign.expect("a guild without the visitor")["id"]
        .as_str()
        .expect("an id");
    let cookie = house.sign_in(&discord.visitor).await;
    assert!(!house.state(&cookie).await.to_string().contains(foreign));
    for path in ["/api/stream", "/api/state"] {
        let answer = house
            .get(&format!("{path}?guild={foreign}"), Some(&cookie))
            .await;
        assert_eq!(answer.status(), 404, "{path}");
    }
}

async fn until_person(stream: &mut Stream, person: &str) {
    loop {
        if stream.next_record().await.data["userId"] == person {
            return;
        }
    }
}

fn own_roles(state: &Value, user: &str) -> Vec<String> {
    let members = state["guilds"][0]["members"].as_array().expect("members");
    let own = members.iter().find(|member| member["userId"] == user);
    let roles = own.expect("a member")["roles"].as_array().expect("roles");
    roles
        .iter()
        .map(|role| role.as_str().expect("an id").to_owned())
        .collect()
}
