use serde_json::json;

use crate::{
    house::{House, Outcome},
    rest_acts::call,
};

/// GUILDS, DIRECT_MESSAGES, _REACTIONS and _TYPING: no MESSAGE_CONTENT.
const INTENTS: u64 = 1 | 1 << 12 | 1 << 13 | 1 << 14;

#[tokio::test]
async fn direct_messages_are_told_whole_and_without_a_guild() -> Outcome {
    let house = House::open().await?;
    let user = house.application.member_id;
    let recipient = json!({"recipient_id": user});
    let (status, direct) = call(
        &house,
        "POST",
        "/users/@me/channels",
        Some(recipient.clone()),
    )
    .await?;
    assert_eq!((status, &direct["type"]), (200, &json!(1)));
    assert_eq!(direct["recipients"][0]["id"], user.to_string());
    let (_, again) = call(&house, "POST", "/users/@me/channels", Some(recipient)).await?;
    assert_eq!(again["id"], direct["id"], "there is one with each person");

    let (mut client, ..) = house.bot(INTENTS).await?;
    let (mut deaf, ..) = house.bot(1 | 1 << 9 | 1 << 15).await?;
    let body = json!({"channelId": direct["id"], "authorId": user, "content": "hello"});
    let said = house.act("POST", "/sim/messages", body).await?;
    let told = client.dispatch("MESSAGE_CREATE").await?;
    assert_eq!(
        (&told["content"], &told["channel_type"]),
        (&json!("hello"), &json!(1))
    );
    assert!(
        told.get("guild_id").is_none() && told.get("member").is_none(),
        "{told}"
    );
    let channel = format!("/channels/{}", direct["id"].as_str().unwrap_or_default());
    let own = format!(
        "{channel}/messages/{}",
        said["id"].as_str().unwrap_or_default()
    );
    call(
        &house,
        "PUT",
        &format!("{own}/reactions/%F0%9F%8E%B2/@me"),
        None,
    )
    .await?;
    let told = client.dispatch("MESSAGE_REACTION_ADD").await?;
    assert!(
        told.get("guild_id").is_none() && told.get("member").is_none(),
        "{told}"
    );
    call(&house, "POST", &format!("{channel}/typing"), None).await?;
    let told = client.dispatch("TYPING_START").await?;
    assert!(
        told.get("guild_id").is_none() && told.get("member").is_none(),
        "{told}"
    );
    assert_eq!(deaf.names_until_now().await?, Vec::<String>::new());

    for (method, path, body) in [
        ("PATCH", channel.clone(), Some(json!({"name": "us"}))),
        ("POST", format!("{channel}/invites"), Some(json!({}))),
        (
            "POST",
            format!("{channel}/webhooks"),
            Some(json!({"name": "Herald"})),
        ),
        (
            "POST",
            format!("{channel}/threads"),
            Some(json!({"name": "more", "type": 11})),
        ),
    ] {
        let (status, told) = call(&house, method, &path, body).await?;
        assert_eq!(
            (status, &told["code"]),
            (400, &json!(50_003)),
            "{method} {path}"
        );
    }
    let (status, closed) = call(&house, "DELETE", &channel, None).await?;
    assert_eq!((status, &closed["id"]), (200, &direct["id"]));
    Ok(())
}

#[tokio::test]
async fn nobody_is_written_to_who_shares_no_guild() -> Outcome {
    let house = House::open().await?;
    let stranger = house
        .act("POST", "/sim/users", json!({"username": "far.away"}))
        .await?;
    let recipient = json!({"recipient_id": stranger["id"]});
    let (_, direct) = call(&house, "POST", "/users/@me/channels", Some(recipient)).await?;
    let messages = format!(
        "/channels/{}/messages",
        direct["id"].as_str().unwrap_or_default()
    );
    let (status, told) = call(&house, "POST", &messages, Some(json!({"content": "hi"}))).await?;
    assert_eq!((status, &told["code"]), (403, &json!(50_278)));
    let own = json!({"recipient_id": house.application.id});
    let (status, told) = call(&house, "POST", "/users/@me/channels", Some(own)).await?;
    assert_eq!((status, &told["code"]), (400, &json!(50_033)));
    let nobody = json!({"recipient_id": "1"});
    let (status, told) = call(&house, "POST", "/users/@me/channels", Some(nobody)).await?;
    assert_eq!((status, &told["code"]), (404, &json!(10_013)));
    Ok(())
}

#[tokio::test]
async fn a_command_is_used_in_direct_messages_too() -> Outcome {
    let house = House::open().await?;
    let (bot, user) = (house.application.id, house.application.member_id);
    let command = json!({"name": "roll", "description": "Rolls"});
    call(
        &house,
        "POST",
        &format!("/applications/{bot}/commands"),
        Some(command),
    )
    .await?;
    let path = format!("/sim/users/{user}/direct-messages");
    let direct = house.act("POST", &path, json!({})).await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let body = json!({"userId": user, "channelId": direct["id"], "command": "roll"});
    let id = house.act("POST", "/sim/interactions", body).await?["id"].clone();
    let asked = client.dispatch("INTERACTION_CREATE").await?;
    assert_eq!(
        (&asked["context"], &asked["user"]["id"]),
        (&json!(1), &json!(user.to_string()))
    );
    assert!(
        asked.get("guild_id").is_none() && asked.get("member").is_none(),
        "{asked}"
    );
    let token = asked["token"].as_str().unwrap_or_default();
    let id = id.as_str().unwrap_or_default();
    let answer = json!({"type": 4, "data": {"content": "six"}});
    let (status, told) = call(
        &house,
        "POST",
        &format!("/interactions/{id}/{token}/callback"),
        Some(answer),
    )
    .await?;
    assert_eq!(status, 204, "{told}");
    let said = client.dispatch("MESSAGE_CREATE").await?;
    assert_eq!(
        (&said["content"], &said["channel_id"]),
        (&json!("six"), &direct["id"])
    );
    Ok(())
}
