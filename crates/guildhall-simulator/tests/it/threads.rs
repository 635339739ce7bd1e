use serde_json::{Value, json};

use crate::{
    house::{Failure, House, Outcome},
    rest_acts::{ADMINISTRATOR, call, empower},
};

/// GUILDS, GUILD_MEMBERS, GUILD_MESSAGES and MESSAGE_CONTENT.
const INTENTS: u64 = 1 | 1 << 1 | 1 << 9 | 1 << 15;
/// VIEW_CHANNEL, SEND_MESSAGES, READ_MESSAGE_HISTORY, and those for beginning threads.
const BEGINS: u64 = 1 << 10 | 1 << 11 | 1 << 16 | 1 << 35 | 1 << 36;
const SENDS_BELOW: u64 = 1 << 38;

fn id(thing: &Value) -> String {
    thing["id"].as_str().unwrap_or_default().to_owned()
}

async fn begin(house: &House, name: &str, kind: u8) -> Result<Value, Failure> {
    let channel = house.channel("game-night").await?;
    let path = format!("/channels/{channel}/threads");
    let body = json!({"name": name, "type": kind, "auto_archive_duration": 60});
    let (status, thread) = call(house, "POST", &path, Some(body)).await?;
    assert_eq!(status, 201, "{thread}");
    Ok(thread)
}

#[tokio::test]
async fn a_thread_is_whole_and_the_same_everywhere() -> Outcome {
    let house = House::open().await?;
    empower(&house, BEGINS).await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let thread = begin(&house, "Snacks", 11).await?;
    let own = house.application.id.to_string();
    assert_eq!(thread["owner_id"], own);
    assert_eq!(thread["member"]["user_id"], own);
    assert_eq!(thread["thread_metadata"]["auto_archive_duration"], 60);
    for field in [
        "guild_id",
        "parent_id",
        "last_message_id",
        "rate_limit_per_user",
        "message_count",
        "member_count",
        "total_message_sent",
        "flags",
    ] {
        assert!(thread.get(field).is_some(), "{field} is missing");
    }
    for field in [
        "archived",
        "archive_timestamp",
        "locked",
        "create_timestamp",
    ] {
        assert!(
            thread["thread_metadata"].get(field).is_some(),
            "{field} is missing"
        );
    }
    let mut told = client.dispatch("THREAD_CREATE").await?;
    assert_eq!(told["newly_created"].take(), true);
    let came = client.dispatch("THREAD_MEMBERS_UPDATE").await?;
    assert_eq!(came["added_members"][0]["user_id"], own);
    assert_eq!(came["added_members"][0]["member"]["user"]["id"], own);
    let said = client.dispatch("MESSAGE_CREATE").await?;
    assert_eq!(
        (&said["type"], &said["content"]),
        (&json!(18), &json!("Snacks"))
    );
    assert_eq!(said["message_reference"]["channel_id"], thread["id"]);

    let (_, read) = call(&house, "GET", &format!("/channels/{}", id(&thread)), None).await?;
    assert_eq!(read, thread);
    let (_, _, guilds) = house.bot(INTENTS).await?;
    assert_eq!(guilds[0]["threads"][0], thread);
    let guild = house.application.guild_id;
    let (_, active) = call(
        &house,
        "GET",
        &format!("/guilds/{guild}/threads/active"),
        None,
    )
    .await?;
    assert_eq!(active["threads"][0], thread);
    assert_eq!(active["members"][0], thread["member"]);
    Ok(())
}

#[tokio::test]
async fn in_an_archived_thread_nothing_is_changed_until_somebody_speaks() -> Outcome {
    let house = House::open().await?;
    empower(&house, BEGINS | SENDS_BELOW | 1 << 6).await?;
    let thread = begin(&house, "Snacks", 11).await?;
    let path = format!("/channels/{}", id(&thread));
    let messages = format!("{path}/messages");
    let (_, said) = call(
        &house,
        "POST",
        &messages,
        Some(json!({"content": "crisps"})),
    )
    .await?;
    let own = format!("{messages}/{}", id(&said));
    let (status, _) = call(&house, "PATCH", &path, Some(json!({"archived": true}))).await?;
    assert_eq!(status, 200);
    let reaction = format!("{own}/reactions/%F0%9F%8E%B2/@me");
    for (method, path, body) in [
        ("PATCH", &own, Some(json!({"content": "nuts"}))),
        ("PUT", &reaction, None),
        ("PUT", &format!("{path}/thread-members/@me"), None),
        ("PATCH", &path, Some(json!({"name": "Nuts"}))),
    ] {
        let (status, told) = call(&house, method, path, body).await?;
        assert_eq!(
            (status, &told["code"]),
            (400, &json!(50_083)),
            "{method} {path}"
        );
    }
    let (mut client, ..) = house.bot(INTENTS).await?;
    let somebody = house.application.member_id;
    let body = json!({"channelId": thread["id"], "authorId": somebody, "content": "me too"});
    house.act("POST", "/sim/messages", body).await?;
    let heard = client.names_until_now().await?;
    let wanted = [
        "THREAD_UPDATE",
        "THREAD_MEMBER_UPDATE",
        "THREAD_MEMBERS_UPDATE",
        "MESSAGE_CREATE",
    ];
    assert_eq!(heard, wanted);
    let (_, read) = call(&house, "GET", &path, None).await?;
    assert_eq!(read["thread_metadata"]["archived"], false);
    assert_eq!(
        (&read["message_count"], &read["member_count"]),
        (&json!(2), &json!(2))
    );
    call(&house, "DELETE", &own, None).await?;
    let (_, read) = call(&house, "GET", &path, None).await?;
    assert_eq!(
        (&read["message_count"], &read["total_message_sent"]),
        (&json!(1), &json!(2))
    );
    Ok(())
}

#[tokio::test]
async fn sending_below_a_channel_is_a_permission_of_its_own() -> Outcome {
    let house = House::open().await?;
    empower(&house, BEGINS).await?;
    let thread = begin(&house, "Snacks", 11).await?;
    let messages = format!("/channels/{}/messages", id(&thread));
    let body = json!({"content": "crisps"});
    let (status, told) = call(&house, "POST", &messages, Some(body.clone())).await?;
    assert_eq!((status, &told["code"]), (403, &json!(50_013)));
    empower(&house, SENDS_BELOW).await?;
    let (status, _) = call(&house, "POST", &messages, Some(body.clone())).await?;
    assert_eq!(status, 200);
    let path = format!("/sim/threads/{}", id(&thread));
    house.act("PATCH", &path, json!({"locked": true})).await?;
    let (status, told) = call(&house, "POST", &messages, Some(body.clone())).await?;
    assert_eq!((status, &told["code"]), (403, &json!(160_005)));
    empower(&house, SENDS_BELOW | 1 << 34).await?;
    let (status, _) = call(&house, "POST", &messages, Some(body)).await?;
    assert_eq!(status, 200);
    Ok(())
}

#[tokio::test]
async fn a_private_thread_is_hidden_from_a_bot_that_is_not_in_it() -> Outcome {
    let house = House::open().await?;
    empower(&house, BEGINS | SENDS_BELOW).await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let channel = house.channel("game-night").await?;
    let somebody = house.application.member_id;
    let body =
        json!({"channelId": channel, "userId": somebody, "name": "Surprise", "private": true});
    let thread = id(&house.act("POST", "/sim/threads", body).await?);
    let said = json!({"channelId": thread, "authorId": somebody, "content": "shh"});
    house.act("POST", "/sim/messages", said.clone()).await?;
    assert_eq!(client.names_until_now().await?, Vec::<String>::new());
    let path = format!("/channels/{thread}");
    let (status, told) = call(&house, "GET", &path, None).await?;
    assert_eq!((status, &told["code"]), (403, &json!(50_001)));
    let own = house.application.id;
    house
        .act(
            "PUT",
            &format!("/sim/threads/{thread}/members/{own}"),
            json!({}),
        )
        .await?;
    house.act("POST", "/sim/messages", said).await?;
    let heard = client.names_until_now().await?;
    assert_eq!(
        heard,
        ["THREAD_CREATE", "THREAD_MEMBERS_UPDATE", "MESSAGE_CREATE"]
    );
    let (status, read) = call(&house, "GET", &path, None).await?;
    assert_eq!(
        (status, &read["thread_metadata"]["invitable"]),
        (200, &json!(true))
    );
    house
        .act(
            "DELETE",
            &format!("/sim/threads/{thread}/members/{own}"),
            json!({}),
        )
        .await?;
    assert_eq!(client.names_until_now().await?, ["THREAD_MEMBERS_UPDATE"]);
    Ok(())
}

#[tokio::test]
async fn whoever_gains_a_channel_is_told_of_its_threads() -> Outcome {
    let house = House::open().await?;
    empower(&house, BEGINS).await?;
    let (channel, guild) = (
        house.channel("game-night").await?,
        house.application.guild_id,
    );
    let hide = json!({"permissionOverwrites": [{"id": guild, "type": 0, "deny": "1024"}]});
    let thread = begin(&house, "Snacks", 11).await?;
    let path = format!("/sim/channels/{channel}");
    empower(&house, BEGINS & !(1 << 10)).await?;
    house.act("PATCH", &path, hide).await?;
    let (mut client, _, guilds) = house.bot(INTENTS).await?;
    assert_eq!(guilds[0]["threads"], json!([]));
    house
        .act("PATCH", &path, json!({"permissionOverwrites": []}))
        .await?;
    client.dispatch("CHANNEL_UPDATE").await?;
    let told = client.dispatch("THREAD_LIST_SYNC").await?;
    assert_eq!(told["channel_ids"], json!([channel]));
    assert_eq!(
        (&told["threads"][0]["id"], &told["members"][0]["id"]),
        (&thread["id"], &thread["id"])
    );
    Ok(())
}

#[tokio::test]
async fn a_message_begins_one_thread_and_a_forum_begins_each_with_one() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let desk = house.channel("front-desk").await?;
    let messages = format!("/channels/{desk}/messages");
    let (_, said) = call(
        &house,
        "POST",
        &messages,
        Some(json!({"content": "What now?"})),
    )
    .await?;
    let own = format!("{messages}/{}", id(&said));
    let (status, thread) = call(
        &house,
        "POST",
        &format!("{own}/threads"),
        Some(json!({"name": "Now"})),
    )
    .await?;
    assert_eq!((status, &thread["id"]), (201, &said["id"]));
    let (status, told) = call(
        &house,
        "POST",
        &format!("{own}/threads"),
        Some(json!({"name": "Again"})),
    )
    .await?;
    assert_eq!((status, &told["code"]), (400, &json!(160_004)));
    let (_, read) = call(&house, "GET", &own, None).await?;
    assert_eq!(
        (&read["flags"], &read["thread"]["id"]),
        (&json!(32), &said["id"])
    );
    let (_, inside) = call(
        &house,
        "GET",
        &format!("/channels/{}/messages", id(&said)),
        None,
    )
    .await?;
    assert_eq!(
        (&inside[0]["type"], &inside[0]["referenced_message"]["id"]),
        (&json!(21), &said["id"])
    );

    let guild = house.application.guild_id;
    let forum = json!({"name": "questions", "type": 15});
    let forum = id(&house
        .act("POST", &format!("/sim/guilds/{guild}/channels"), forum)
        .await?);
    let path = format!("/channels/{forum}/threads");
    let (status, told) = call(&house, "POST", &path, Some(json!({"name": "Dice?"}))).await?;
    assert_eq!(status, 400, "a post has a message: {told}");
    let body = json!({"name": "Dice?", "message": {"content": "Who has some?"}});
    let (status, post) = call(&house, "POST", &path, Some(body)).await?;
    assert_eq!((status, &post["message"]["id"]), (201, &post["id"]));
    assert_eq!(
        (&post["message"]["content"], &post["applied_tags"]),
        (&json!("Who has some?"), &json!([]))
    );
    let hook = format!("/channels/{forum}/webhooks");
    let (_, hook) = call(&house, "POST", &hook, Some(json!({"name": "Herald"}))).await?;
    let hook = format!(
        "/webhooks/{}/{}",
        id(&hook),
        hook["token"].as_str().unwrap_or_default()
    );
    let (status, told) = call(&house, "POST", &hook, Some(json!({"content": "News"}))).await?;
    assert_eq!((status, &told["code"]), (400, &json!(220_001)));
    let body = json!({"content": "News", "thread_name": "News of today"});
    let (status, said) = call(&house, "POST", &format!("{hook}?wait=true"), Some(body)).await?;
    assert_eq!((status, &said["channel_id"]), (200, &said["id"]));
    Ok(())
}
