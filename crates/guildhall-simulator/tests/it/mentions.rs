use serde_json::{Value, json};

use crate::{
    house::{House, Outcome},
    rest_acts::{ADMINISTRATOR, call, empower},
};

const GUILD_MESSAGES: u64 = 1 << 9;

/// Users, roles and everyone of a message.
fn pinged(message: &Value) -> Value {
    let users: Vec<_> = message["mentions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|user| user["id"].clone())
        .collect();
    json!([users, message["mention_roles"], message["mention_everyone"],])
}

#[tokio::test]
async fn only_what_is_allowed_is_pinged() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let room = house.channel("game-night").await?;
    let (keeper, master) = (
        house.role("Keeper").await?,
        house.role("Game Master").await?,
    );
    let guild = house.guild().await?;
    let (ann, bob) = (
        &guild["members"][0]["userId"],
        &guild["members"][1]["userId"],
    );
    let [ann_id, bob_id] = [ann, bob].map(|id| id.as_str().unwrap_or_default());
    let content = format!("@everyone <@{ann_id}> <@!{bob_id}> <@&{keeper}> <@&{master}>");
    let path = format!("/channels/{room}/messages");
    let both = json!([ann, bob]);
    let roles = json!([keeper, master]);
    let none = json!([]);
    for (allowed, expected) in [
        (Value::Null, json!([both, roles, true])),
        (json!({}), json!([none, none, false])),
        (json!({"parse": []}), json!([none, none, false])),
        (json!({"parse": ["everyone"]}), json!([none, none, true])),
        (
            json!({"parse": ["users", "roles"], "users": []}),
            json!([both, roles, false]),
        ),
        (
            json!({"users": [bob], "roles": [master]}),
            json!([[bob], [master], false]),
        ),
        (
            json!({"parse": ["users"], "roles": [keeper, "1"]}),
            json!([both, [keeper], false]),
        ),
    ] {
        let mut body = json!({"content": content});
        if !allowed.is_null() {
            body["allowed_mentions"] = allowed.clone();
        }
        let (status, message) = call(&house, "POST", &path, Some(body)).await?;
        assert_eq!(status, 200, "{message}");
        assert_eq!(pinged(&message), expected, "{allowed}");
        let id = message["id"].as_str().unwrap_or_default();
        let (_, read) = call(&house, "GET", &format!("{path}/{id}"), None).await?;
        assert_eq!(pinged(&read), expected, "{allowed}");
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_pings_its_author_only_if_allowed_and_an_edit_decides_anew() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let room = house.channel("game-night").await?;
    let ann = house.application.member_id;
    let asked = json!({"channelId": room, "authorId": ann, "content": "who?"});
    let asked = house.act("POST", "/sim/messages", asked).await?["id"].clone();
    let path = format!("/channels/{room}/messages");
    let answer = |allowed: Value| {
        let mut body = json!({"content": "me", "message_reference": {"message_id": asked}});
        if !allowed.is_null() {
            body["allowed_mentions"] = allowed;
        }
        Some(body)
    };
    for (allowed, pings) in [
        (Value::Null, true),
        (json!({"parse": ["users"]}), false),
        (json!({"parse": [], "replied_user": true}), true),
    ] {
        let (_, message) = call(&house, "POST", &path, answer(allowed.clone())).await?;
        let users = if pings { json!([ann]) } else { json!([]) };
        assert_eq!(pinged(&message)[0], users, "{allowed}");
    }

    let quiet = json!({"content": format!("<@{ann}>"), "allowed_mentions": {"parse": []}});
    let (_, message) = call(&house, "POST", &path, Some(quiet)).await?;
    assert_eq!(pinged(&message)[0], json!([]));
    let id = message["id"].as_str().unwrap_or_default();
    let path = format!("{path}/{id}");
    let (_, message) = call(&house, "PATCH", &path, Some(json!({"embeds": []}))).await?;
    assert_eq!(pinged(&message)[0], json!([]), "the text is the same");
    let edit = json!({"content": format!("hello <@{ann}>")});
    let (_, message) = call(&house, "PATCH", &path, Some(edit)).await?;
    assert_eq!(pinged(&message)[0], json!([ann]));
    let edit = json!({"content": format!("<@{ann}>"), "allowed_mentions": {"users": ["1"]}});
    let (_, message) = call(&house, "PATCH", &path, Some(edit)).await?;
    assert_eq!(pinged(&message)[0], json!([]));
    Ok(())
}

#[tokio::test]
async fn a_mention_that_does_not_ping_shows_no_content() -> Outcome {
    let house = House::open().await?;
    let room = house.channel("game-night").await?;
    let (ann, bot) = (house.application.member_id, house.application.id);
    let said = json!({"channelId": room, "authorId": bot, "content": "here I am"});
    let own = house.act("POST", "/sim/messages", said).await?["id"].clone();
    let mut client = house.dial("/gateway/?v=10&encoding=json").await?;
    client.identify(GUILD_MESSAGES).await?;
    client.dispatch("READY").await?;
    for (ping, content) in [(true, "yes"), (false, "")] {
        let body = json!({
            "channelId": room, "authorId": ann, "content": "yes", "replyTo": own, "ping": ping,
        });
        house.act("POST", "/sim/messages", body).await?;
        assert_eq!(client.dispatch("MESSAGE_CREATE").await?["content"], content);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_allowed_mentions_is_told() -> Outcome {
    let house = House::open().await?;
    let room = house.channel("game-night").await?;
    let path = format!("/channels/{room}/messages");
    let many: Vec<_> = (1..=101).map(|id| id.to_string()).collect();
    for (allowed, field, code) in [
        (
            json!({"parse": ["users"], "users": ["1"]}),
            "",
            "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
        ),
        (json!({"parse": ["all"]}), "/parse/0", "BASE_TYPE_CHOICES"),
        (json!({"parse": "users"}), "/parse", "LIST_TYPE_CONVERT"),
        (json!({"users": many}), "/users", "BASE_TYPE_MAX_LENGTH"),
        (json!({"roles": ["x"]}), "/roles/0", "NUMBER_TYPE_COERCE"),
        (json!([]), "", "DICT_TYPE_CONVERT"),
    ] {
        let body = json!({"content": "x", "allowed_mentions": allowed});
        let (status, error) = call(&house, "POST", &path, Some(body)).await?;
        assert_eq!((status, &error["code"]), (400, &json!(50_035)), "{allowed}");
        let place = format!("/errors/allowed_mentions{field}/_errors/0/code");
        assert_eq!(error.pointer(&place), Some(&json!(code)), "{error}");
    }
    Ok(())
}
