//! The road: what people do in Discord is on the stream, in order, in the shapes of
//! docs/protocol/sse.md.

use reqwest::StatusCode;

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_join_a_move_and_a_leave_in_discord_are_on_the_stream() {
    let house = House::start().await;
    let discord = &house.discord;
    let cookie = house.sign_in(&discord.visitor).await;
    let mut stream = house.stream(&cookie, "", None).await;
    assert_eq!(
        stream.header("content-type"),
        "text/event-stream; charset=utf-8"
    );
    assert_eq!(
        stream.header("cache-control"),
        "private, no-store, no-transform"
    );
    assert_eq!(stream.header("x-accel-buffering"), "no");

    let snapshot = stream.next_record().await;
    assert_eq!(snapshot.event, "snapshot");
    assert_eq!(snapshot.data["reason"], "no_cursor");
    assert_eq!(snapshot.data["status"]["discord"], "live");
    assert_eq!(snapshot.data["status"]["link"], "up");
    let ours = |guild: &&serde_json::Value| guild["id"] == discord.guild;
    let guilds = snapshot.data["guilds"].as_array().expect("guilds");
    let rooms = guilds.iter().find(ours).expect("our guild")["rooms"].as_array();
    let first = rooms
        .expect("rooms")
        .iter()
        .find(|room| room["channelId"] == discord.rooms[0]);
    let members = first.expect("the first room")["members"]
        .as_array()
        .expect("members");
    assert!(
        members
            .iter()
            .any(|member| member["userId"] == discord.load_user)
    );

    let (person, [here, there]) = (&discord.people[0], &discord.rooms);
    discord.voice(person, Some(here)).await;
    let joined = stream.next_record().await;
    assert_eq!(joined.event, "voice.joined");
    assert_eq!(joined.data["guildId"], discord.guild);
    assert_eq!(joined.data["channelId"], *here);
    assert_eq!(joined.data["userId"], *person);
    assert_is_an_occupant(&joined.data, &discord.url);

    discord.voice(person, Some(there)).await;
    let (left, joined) = (stream.next_record().await, stream.next_record().await);
    assert_eq!(
        (left.event.as_str(), joined.event.as_str()),
        ("voice.left", "voice.joined")
    );
    assert_eq!(left.data["previousChannelId"], *here);
    assert!(left.data["channelId"].is_null());
    assert_eq!(joined.data["channelId"], *there);
    assert!(
        !left.data.to_string().contains(there.as_str()),
        "a leave never names the new room"
    );

    discord.voice(person, None).await;
    let left = stream.next_record().await;
    assert_eq!(
        (left.event.as_str(), &left.data["previousChannelId"]),
        ("voice.left", &serde_json::json!(there))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_stamps_arrive_once_each_and_in_order() {
    let house = House::start().await;
    let (_cookie, mut stream) = house.visit().await;
    for stamp in 0..200 {
        house.discord.stamp(&stamp.to_string()).await;
    }
    for stamp in 0..200 {
        let updated = stream.next_record().await;
        assert_eq!(updated.event, "voice.updated");
        assert_eq!(updated.data["username"], stamp.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_has_a_cursor_after_which_a_stream_has_no_gap() {
    let house = House::start().await;
    let discord = &house.discord;
    let cookie = house.sign_in(&discord.visitor).await;
    let state = house.state(&cookie).await;
    let cursor = state["cursor"].as_str().expect("a cursor");
    discord
        .voice(&discord.people[0], Some(&discord.rooms[0]))
        .await;
    let mut stream = house
        .stream(&cookie, &format!("?lastEventId={cursor}"), None)
        .await;
    assert_eq!(stream.next_record().await.event, "resumed");
    assert_eq!(stream.next_record().await.event, "voice.joined");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_and_metrics_answer_where_they_should() {
    let house = House::start().await;
    let text = async |url: String| {
        let answer = house.http.get(url).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        answer.text().await.expect("text")
    };
    for ops in [house.ports.gateway_ops, house.ports.web_ops] {
        text(format!("http://127.0.0.1:{ops}/healthz")).await;
        assert!(
            text(format!("http://127.0.0.1:{ops}/readyz"))
                .await
                .contains(": ok: ")
        );
        assert!(
            text(format!("http://127.0.0.1:{ops}/metrics"))
                .await
                .contains("\nguildhall_")
        );
    }
    text(format!("http://127.0.0.1:{}/health", house.ports.link)).await;
    text(house.url("/api/health")).await;
}

/// All that a browser is told of somebody in a room, of whom nothing is special.
fn assert_is_an_occupant(data: &serde_json::Value, discord_url: &str) {
    assert!(data["ts"].is_u64() && data["since"].is_u64());
    assert!(
        data["avatarUrl"]
            .as_str()
            .is_some_and(|url| url.starts_with(discord_url))
    );
    for text in ["username", "displayName"] {
        assert!(
            data[text].as_str().is_some_and(|name| !name.is_empty()),
            "{text}"
        );
    }
    for flag in [
        "bot",
        "mute",
        "deaf",
        "selfMute",
        "selfDeaf",
        "streaming",
        "video",
        "suppressed",
    ] {
        assert_eq!(data[flag], false, "{flag}");
    }
}
