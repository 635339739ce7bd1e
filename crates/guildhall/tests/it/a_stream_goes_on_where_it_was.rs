//! Nothing lost across reconnects: a cursor is honoured, by this process and by the next one.

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_meanwhile_is_replayed_once_and_in_order() {
    let house = House::start().await;
    let discord = &house.discord;
    let (cookie, mut stream) = house.visit().await;
    discord.stamp("0").await;
    stream.until("voice.updated").await;
    let cursor = stream.cursor.clone();
    drop(stream);
    for stamp in 1..=50 {
        discord.stamp(&stamp.to_string()).await;
    }
    let mut again = house.stream(&cookie, "", cursor.as_deref()).await;
    let resumed = again.next_record().await;
    assert_eq!(resumed.event, "resumed");
    for stamp in 1..=50 {
        assert_eq!(
            again.next_record().await.data["username"],
            stamp.to_string()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_web_process_comes_back_and_the_stream_resumes_without_a_snapshot() {
    let mut house = House::start().await;
    let (cookie, mut stream) = house.visit().await;
    house.discord.stamp("before").await;
    stream.until("voice.updated").await;

    house.web.signal("KILL");
    house.web.ended().await;
    while stream.next().await.is_some() {}
    let (discord, cursor) = (&house.discord, stream.cursor.clone());
    discord
        .voice(&discord.people[0], Some(&discord.rooms[0]))
        .await;
    discord.stamp("meanwhile").await;
    house.restart_web().await;

    let mut again = house.stream(&cookie, "", cursor.as_deref()).await;
    assert_eq!(again.next_record().await.event, "resumed");
    assert_eq!(again.next_record().await.event, "voice.joined");
    assert_eq!(again.next_record().await.data["username"], "meanwhile");
    house.discord.stamp("after").await;
    assert_eq!(again.next_record().await.data["username"], "after");
    assert!(!again.raw.contains("event: snapshot"), "{}", again.raw);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_is_none_of_ours_gets_a_snapshot() {
    let house = House::start().await;
    let cookie = house.sign_in(&house.discord.visitor).await;
    for cursor in [
        "0.1-1",
        "nonsense",
        "0.99999999999999-7",
        "0.1-1~1.1-1",
        "\u{1}",
    ] {
        let encoded: String = url_encoded(cursor);
        let mut stream = house
            .stream(&cookie, &format!("?lastEventId={encoded}"), None)
            .await;
        assert_eq!(stream.next_record().await.event, "snapshot", "{cursor:?}");
    }
}

fn url_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
