use serde_json::{Value, json};

use crate::house::{Failure, House, Outcome};

const GUILD_MESSAGES: u64 = 1 << 9;
const GUILD_MESSAGE_REACTIONS: u64 = 1 << 10;
const GUILD_MESSAGE_TYPING: u64 = 1 << 11;
const MESSAGE_CONTENT: u64 = 1 << 15;

async fn said(house: &House, room: &str, content: &str, more: Value) -> Result<Value, Failure> {
    let author = house.application.member_id;
    let mut body = json!({"channelId": room, "authorId": author, "content": content});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    Ok(house.act("POST", "/sim/messages", body).await?["id"].clone())
}

async fn session(house: &House, intents: u64) -> Result<crate::house::Client, Failure> {
    let mut client = house.dial("/gateway/?v=10&encoding=json").await?;
    client.identify(intents).await?;
    client.dispatch("READY").await?;
    Ok(client)
}

#[tokio::test]
async fn what_was_said_reaches_those_with_message_content_and_the_exceptions() -> Outcome {
    let house = House::open().await?;
    let room = house.channel("game-night").await?;
    let bot = house.application.id;
    let mut with = session(&house, GUILD_MESSAGES | MESSAGE_CONTENT).await?;
    let mut without = session(&house, GUILD_MESSAGES).await?;

    let embeds = json!([{"title": "Tonight"}]);
    said(&house, &room, "dice at eight", json!({"embeds": embeds})).await?;
    let own = said(&house, &room, "my own words", json!({"authorId": bot})).await?;
    said(&house, &room, &format!("hello <@{bot}>"), json!({})).await?;
    said(&house, &room, "pinged", json!({"replyTo": own})).await?;
    said(
        &house,
        &room,
        "not pinged",
        json!({"replyTo": own, "ping": false}),
    )
    .await?;

    let contents = |heard: &[(String, Value)]| -> Vec<String> {
        assert!(heard.iter().all(|(name, _)| name == "MESSAGE_CREATE"));
        let contents = heard.iter().map(|(_, message)| message["content"].as_str());
        contents
            .map(|content| content.unwrap_or("?").to_owned())
            .collect()
    };
    let hello = format!("hello <@{bot}>");
    let all = with.until_now().await?;
    assert_eq!(
        contents(&all),
        [
            "dice at eight",
            "my own words",
            &hello,
            "pinged",
            "not pinged"
        ]
    );
    let some = without.until_now().await?;
    assert_eq!(contents(&some), ["", "my own words", &hello, "pinged", ""]);

    let (whole, blank) = (&all[0].1, &some[0].1);
    assert_eq!(whole["embeds"], embeds);
    assert_eq!(blank["embeds"], json!([]));
    for message in [whole, blank] {
        assert_eq!(message["channel_id"], room);
        assert_eq!(message["guild_id"], json!(house.application.guild_id));
        assert_eq!(message["author"]["username"], "rowan.ash");
        assert!(message["member"].get("user").is_none());
        assert!(message["member"]["roles"].is_array());
    }
    assert_eq!(some[2].1["mentions"][0]["id"], json!(bot));
    assert_eq!(all[3].1["referenced_message"]["id"], own);
    assert_eq!(all[3].1["type"], 19);
    Ok(())
}

#[tokio::test]
async fn messages_are_changed_and_deleted_one_by_one_and_in_bulk() -> Outcome {
    let house = House::open().await?;
    let room = house.channel("game-night").await?;
    let mut client = session(&house, GUILD_MESSAGES | MESSAGE_CONTENT).await?;
    let id = |id: &Value| id.as_str().unwrap_or_default().to_owned();
    let first = id(&said(&house, &room, "first", json!({})).await?);
    let second = id(&said(&house, &room, "second", json!({})).await?);
    let third = id(&said(&house, &room, "third", json!({})).await?);
    client.until_now().await?;

    let path = format!("/sim/channels/{room}/messages");
    house
        .act(
            "PATCH",
            &format!("{path}/{first}"),
            json!({"content": "1st"}),
        )
        .await?;
    let changed = client.dispatch("MESSAGE_UPDATE").await?;
    assert_eq!(
        (&changed["id"], &changed["content"]),
        (&json!(first), &json!("1st"))
    );
    assert!(changed["edited_timestamp"].is_string());

    house
        .act("DELETE", &format!("{path}/{first}"), json!({}))
        .await?;
    let guild = house.application.guild_id;
    assert_eq!(
        client.dispatch("MESSAGE_DELETE").await?,
        json!({"id": first, "channel_id": room, "guild_id": guild})
    );
    let many = json!({"messageIds": [second, first, third]});
    house
        .act("POST", &format!("{path}/bulk-delete"), many)
        .await?;
    assert_eq!(
        client.dispatch("MESSAGE_DELETE_BULK").await?,
        json!({"ids": [second, third], "channel_id": room, "guild_id": guild})
    );
    let (status, _) = house
        .try_act("DELETE", &format!("{path}/{first}"), json!({}))
        .await?;
    assert_eq!(status, 404);
    Ok(())
}

#[tokio::test]
async fn reactions_and_typing_have_their_own_intents() -> Outcome {
    let house = House::open().await?;
    let room = house.channel("game-night").await?;
    let person = house.application.member_id;
    let mut reactions = session(&house, GUILD_MESSAGE_REACTIONS).await?;
    let mut typing = session(&house, GUILD_MESSAGE_TYPING).await?;
    let mut messages = session(&house, GUILD_MESSAGES).await?;

    let message = said(&house, &room, "who is in?", json!({})).await?;
    let message = message.as_str().unwrap_or_default();
    let path = format!("/sim/channels/{room}/messages/{message}/reactions");
    for body in [
        json!({"userId": person, "emoji": "🎲"}),
        json!({"userId": person, "emoji": "🎲"}),
        json!({"userId": person, "emoji": "griffin:123"}),
        json!({"userId": person, "emoji": "🎲", "over": true}),
    ] {
        house.act("POST", &path, body).await?;
    }
    house
        .act("DELETE", &path, json!({"emoji": "griffin:123"}))
        .await?;
    house
        .act("POST", &path, json!({"userId": person, "emoji": "🎲"}))
        .await?;
    house.act("DELETE", &path, json!({})).await?;
    let typed = format!("/sim/channels/{room}/typing");
    house.act("POST", &typed, json!({"userId": person})).await?;

    let heard = reactions.until_now().await?;
    let names: Vec<_> = heard.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "MESSAGE_REACTION_ADD",
            "MESSAGE_REACTION_ADD",
            "MESSAGE_REACTION_REMOVE",
            "MESSAGE_REACTION_REMOVE_EMOJI",
            "MESSAGE_REACTION_ADD",
            "MESSAGE_REACTION_REMOVE_ALL"
        ]
    );
    assert_eq!(heard[0].1["emoji"], json!({"id": null, "name": "🎲"}));
    assert_eq!(heard[1].1["emoji"], json!({"id": "123", "name": "griffin"}));
    assert_eq!(heard[0].1["member"]["user"]["id"], json!(person));
    assert!(heard[2].1.get("member").is_none());

    let heard = typing.until_now().await?;
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].0, "TYPING_START");
    assert_eq!(heard[0].1["user_id"], json!(person));
    assert!(
        heard[0].1["timestamp"]
            .as_u64()
            .is_some_and(|at| at > 1_700_000_000)
    );
    assert_eq!(messages.names_until_now().await?, ["MESSAGE_CREATE"]);
    Ok(())
}

#[tokio::test]
async fn what_is_said_where_the_bot_may_not_read_is_not_told() -> Outcome {
    let house = House::open().await?;
    let mut client = session(&house, GUILD_MESSAGES | MESSAGE_CONTENT).await?;
    let (cellar, hearth) = (
        house.channel("The Cellar").await?,
        house.channel("The Hearth").await?,
    );
    let finn = house.guild().await?["ownerId"].clone();
    said(&house, &cellar, "a secret", json!({"authorId": finn})).await?;
    said(&house, &hearth, "in the chat of a voice room", json!({})).await?;
    assert_eq!(client.names_until_now().await?, ["MESSAGE_CREATE"]);
    let (status, _) = house
        .try_act(
            "POST",
            "/sim/messages",
            json!({"channelId": house.channel("Welcome").await?, "authorId": finn, "content": "x"}),
        )
        .await?;
    assert_eq!(status, 400, "a category has no messages");
    Ok(())
}
