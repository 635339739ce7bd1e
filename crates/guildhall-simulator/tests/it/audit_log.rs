use serde_json::{Value, json};

use crate::{
    house::{Failure, House, Outcome},
    rest_acts::{ADMINISTRATOR, call, empower},
};

/// What the newest entry says, and that a session heard the same.
async fn newest(house: &House) -> Result<Value, Failure> {
    let guild = house.guild().await?;
    let log = guild["auditLog"].as_array().ok_or("no log")?;
    Ok(log.last().ok_or("an empty log")?.clone())
}

fn changed<'a>(entry: &'a Value, key: &str) -> Option<&'a Value> {
    let mut changes = entry["changes"].as_array()?.iter();
    changes.find(|change| change["key"] == key)
}

async fn act(house: &House, method: &str, path: &str, body: Value) -> Result<Value, Failure> {
    let (status, answer) = call(house, method, path, Some(body)).await?;
    assert!((200..300).contains(&status), "{method} {path}: {answer}");
    Ok(answer)
}

#[tokio::test]
async fn a_channels_life_is_told_by_what_changed() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let guild = house.application.guild_id;
    let path = format!("/guilds/{guild}/channels");
    let room = json!({"name": "Room 7", "type": 2, "user_limit": 4});
    let room = act(&house, "POST", &path, room).await?;
    let made = newest(&house).await?;
    assert_eq!(
        (&made["action_type"], &made["target_id"]),
        (&json!(10), &room["id"])
    );
    let name = json!({"key": "name", "new_value": "Room 7"});
    assert_eq!(changed(&made, "name"), Some(&name));
    let limit = json!({"key": "user_limit", "new_value": 4});
    assert_eq!(changed(&made, "user_limit"), Some(&limit));
    assert_eq!(changed(&made, "rtc_region"), None, "null is no value");

    let path = format!("/channels/{}", room["id"].as_str().unwrap_or_default());
    act(
        &house,
        "PATCH",
        &path,
        json!({"name": "Room 8", "user_limit": 4}),
    )
    .await?;
    let edited = newest(&house).await?;
    let name = json!([{"key": "name", "old_value": "Room 7", "new_value": "Room 8"}]);
    assert_eq!(
        (&edited["action_type"], &edited["changes"]),
        (&json!(11), &name)
    );
    act(&house, "PATCH", &path, json!({"name": "Room 8"})).await?;
    assert_eq!(newest(&house).await?["id"], edited["id"], "nothing changed");

    let keeper = house.role("Keeper").await?;
    let overwrite = format!("{path}/permissions/{keeper}");
    act(
        &house,
        "PUT",
        &overwrite,
        json!({"type": 0, "allow": "1024"}),
    )
    .await?;
    let made = newest(&house).await?;
    assert_eq!(made["action_type"], 13);
    let options = json!({"id": keeper, "type": "0", "role_name": "Keeper"});
    assert_eq!(made["options"], options);
    let allow = json!({"key": "allow", "new_value": "1024"});
    assert_eq!(changed(&made, "allow"), Some(&allow));
    act(
        &house,
        "PUT",
        &overwrite,
        json!({"type": 0, "deny": "1024"}),
    )
    .await?;
    let edited = newest(&house).await?;
    assert_eq!(edited["action_type"], 14);
    let deny = json!({"key": "deny", "old_value": "0", "new_value": "1024"});
    assert_eq!(changed(&edited, "deny"), Some(&deny));
    assert_eq!(call(&house, "DELETE", &overwrite, None).await?.0, 204);
    let gone = newest(&house).await?;
    assert_eq!(gone["action_type"], 15);
    let deny = json!({"key": "deny", "old_value": "1024"});
    assert_eq!(changed(&gone, "deny"), Some(&deny));

    act(&house, "DELETE", &path, json!({})).await?;
    let gone = newest(&house).await?;
    let name = json!({"key": "name", "old_value": "Room 8"});
    assert_eq!(
        (&gone["action_type"], changed(&gone, "name")),
        (&json!(12), Some(&name))
    );
    Ok(())
}

#[tokio::test]
async fn roles_and_members_are_told_by_what_changed() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let (guild, user) = (house.application.guild_id, house.application.member_id);
    let roles = format!("/guilds/{guild}/roles");
    let role = act(
        &house,
        "POST",
        &roles,
        json!({"name": "Guest", "permissions": "0"}),
    )
    .await?;
    let made = newest(&house).await?;
    let name = json!({"key": "name", "new_value": "Guest"});
    assert_eq!(
        (&made["action_type"], changed(&made, "name")),
        (&json!(30), Some(&name))
    );
    let id = role["id"].as_str().unwrap_or_default();
    act(
        &house,
        "PATCH",
        &format!("{roles}/{id}"),
        json!({"hoist": true}),
    )
    .await?;
    let hoist = json!([{"key": "hoist", "old_value": false, "new_value": true}]);
    assert_eq!(newest(&house).await?["changes"], hoist);

    let member = format!("/guilds/{guild}/members/{user}");
    let given = format!("{member}/roles/{id}");
    for (method, key) in [("PUT", "$add"), ("DELETE", "$remove")] {
        assert_eq!(call(&house, method, &given, None).await?.0, 204);
        let entry = newest(&house).await?;
        let role = json!([{"key": key, "new_value": [{"id": id, "name": "Guest"}]}]);
        assert_eq!(
            (&entry["action_type"], &entry["changes"]),
            (&json!(25), &role)
        );
        assert_eq!(entry["target_id"], json!(user));
    }
    act(&house, "PATCH", &member, json!({"nick": "Ro"})).await?;
    let named = newest(&house).await?;
    let nick = json!([{"key": "nick", "new_value": "Ro"}]);
    assert_eq!(
        (&named["action_type"], &named["changes"]),
        (&json!(24), &nick)
    );
    act(&house, "PATCH", &member, json!({"nick": null})).await?;
    let nick = json!([{"key": "nick", "old_value": "Ro"}]);
    assert_eq!(newest(&house).await?["changes"], nick);

    let hearth = house.channel("The Hearth").await?;
    house.voice(Some(&hearth)).await?;
    act(&house, "PATCH", &member, json!({"mute": true})).await?;
    let mute = json!([{"key": "mute", "old_value": false, "new_value": true}]);
    assert_eq!(newest(&house).await?["changes"], mute);
    let table = house.channel("Table One").await?;
    act(&house, "PATCH", &member, json!({"channel_id": table})).await?;
    let moved = newest(&house).await?;
    assert_eq!(moved["action_type"], 26);
    assert_eq!(moved["options"], json!({"channel_id": table, "count": "1"}));
    assert!(moved.get("changes").is_none(), "no object changed");

    act(&house, "DELETE", &format!("{roles}/{id}"), json!({})).await?;
    let gone = newest(&house).await?;
    let name = json!({"key": "name", "old_value": "Guest"});
    assert_eq!(
        (&gone["action_type"], changed(&gone, "name")),
        (&json!(32), Some(&name))
    );
    assert_eq!(call(&house, "DELETE", &member, None).await?.0, 204);
    let kicked = newest(&house).await?;
    assert_eq!(kicked["action_type"], 20);
    assert!(kicked.get("changes").is_none());
    Ok(())
}

#[tokio::test]
async fn guilds_invites_and_pins_are_told_too() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let guild = house.application.guild_id;
    let before = house.guild().await?["name"].clone();
    let path = format!("/sim/guilds/{guild}");
    house
        .act("PATCH", &path, json!({"name": "The Inn"}))
        .await?;
    let entry = newest(&house).await?;
    let name = json!([{"key": "name", "old_value": before, "new_value": "The Inn"}]);
    assert_eq!(
        (&entry["action_type"], &entry["changes"]),
        (&json!(1), &name)
    );

    let room = house.channel("game-night").await?;
    let path = format!("/channels/{room}/invites");
    let invite = act(&house, "POST", &path, json!({"max_uses": 3})).await?;
    let entry = newest(&house).await?;
    let channel = json!({"key": "channel_id", "new_value": room});
    assert_eq!(entry["action_type"], 40);
    assert_eq!(changed(&entry, "channel_id"), Some(&channel));
    let code = json!({"key": "code", "old_value": invite["code"]});
    let path = format!("/invites/{}", invite["code"].as_str().unwrap_or_default());
    act(&house, "DELETE", &path, json!({})).await?;
    let entry = newest(&house).await?;
    assert_eq!(
        (&entry["action_type"], changed(&entry, "code")),
        (&json!(42), Some(&code))
    );

    let said = json!({"channelId": room, "authorId": house.application.member_id, "content": "x"});
    let id = house.act("POST", "/sim/messages", said).await?["id"].clone();
    let mut client = house.dial("/gateway/?v=10&encoding=json").await?;
    // GUILDS and GUILD_MODERATION.
    client.identify(1 | 1 << 2).await?;
    client.dispatch("READY").await?;
    for _ in 0..3 {
        client.dispatch("GUILD_CREATE").await?;
    }
    let path = format!("/channels/{room}/pins/{}", id.as_str().unwrap_or_default());
    for (method, action, pinned) in [("PUT", 74, true), ("DELETE", 75, false)] {
        assert_eq!(call(&house, method, &path, None).await?.0, 204);
        let told = client.dispatch("CHANNEL_PINS_UPDATE").await?;
        assert_eq!(told["channel_id"], json!(room));
        assert_eq!(told["last_pin_timestamp"].is_string(), pinned);
        let entry = client.dispatch("GUILD_AUDIT_LOG_ENTRY_CREATE").await?;
        assert_eq!(entry["action_type"], action);
        let options = json!({"channel_id": room, "message_id": id});
        assert_eq!(entry["options"], options);
    }
    Ok(())
}
