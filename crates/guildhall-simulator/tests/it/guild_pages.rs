//! Guilds, pins, bans and lists by REST: what a call changes is what the next one shows.

use serde_json::{Value, json};

use crate::{
    house::{House, INTENTS, Outcome},
    rest_acts::{call, empower},
};

const ADMINISTRATOR: u64 = 1 << 3;

#[tokio::test]
async fn a_guild_is_changed_as_its_event_and_its_object_tell() -> Outcome {
    let house = House::open().await?;
    let path = format!("/guilds/{}", house.application.guild_id);
    let desk = house.channel("front-desk").await?;
    let body = json!({
        "name": "The Silver Swan", "description": "An inn", "verification_level": 3,
        "system_channel_id": desk, "afk_timeout": 900,
    });
    let (status, refusal) = call(&house, "PATCH", &path, Some(body.clone())).await?;
    assert_eq!((status, &refusal["code"]), (403, &json!(50_013)));
    empower(&house, ADMINISTRATOR).await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let (_, changed) = call(&house, "PATCH", &path, Some(body.clone())).await?;
    let told = client.dispatch("GUILD_UPDATE").await?;
    let (_, read) = house.rest(&path).await?;
    for (name, value) in body.as_object().into_iter().flatten() {
        for object in [&changed, &told, &read] {
            assert_eq!(&object[name], value, "{name}");
        }
    }
    let (_, log) = house
        .rest(&format!("{path}/audit-logs?action_type=1"))
        .await?;
    let keys = log["audit_log_entries"][0]["changes"].as_array();
    let keys: Vec<_> = keys.into_iter().flatten().map(|one| &one["key"]).collect();
    assert!(keys.contains(&&json!("verification_level")), "{log}");
    let (_, refusal) = call(
        &house,
        "PATCH",
        &path,
        Some(json!({"verification_level": 5})),
    )
    .await?;
    assert_eq!(refusal["code"], 50_035);
    let elsewhere = json!({"afk_channel_id": "1"});
    let (_, refusal) = call(&house, "PATCH", &path, Some(elsewhere)).await?;
    assert_eq!(refusal["code"], 10_003);
    Ok(())
}

#[tokio::test]
async fn pins_are_listed_in_both_forms_newest_first() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let channel = house.channel("game-night").await?;
    let path = format!("/channels/{channel}");
    let mut pinned = Vec::new();
    for text in ["one", "two", "three"] {
        let said = json!({"content": text});
        let (_, said) = call(&house, "POST", &format!("{path}/messages"), Some(said)).await?;
        let id = said["id"].as_str().unwrap_or_default().to_owned();
        let (status, _) = call(&house, "PUT", &format!("{path}/pins/{id}"), None).await?;
        assert_eq!(status, 204);
        pinned.insert(0, id);
    }
    let ids = |list: &Value, of: &dyn Fn(&Value) -> Value| -> Vec<Value> {
        list.as_array().into_iter().flatten().map(of).collect()
    };
    let (_, all) = house.rest(&format!("{path}/pins")).await?;
    assert_eq!(ids(&all, &|one| one["id"].clone()), pinned);
    let (_, page) = house.rest(&format!("{path}/messages/pins?limit=2")).await?;
    assert_eq!(
        ids(&page["items"], &|one| one["message"]["id"].clone()),
        pinned[..2]
    );
    assert_eq!(page["has_more"], true);
    let last = page["items"][1]["pinned_at"].as_str().unwrap_or_default();
    let last = last.replace('+', "%2B");
    let next = format!("{path}/messages/pins?limit=2&before={last}");
    let (_, page) = house.rest(&next).await?;
    assert_eq!(
        ids(&page["items"], &|one| one["message"]["id"].clone()),
        pinned[2..]
    );
    assert_eq!(page["has_more"], false);
    Ok(())
}

#[tokio::test]
async fn what_is_too_old_is_not_deleted_in_bulk() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let channel = house.channel("game-night").await?;
    let path = format!("/channels/{channel}/messages");
    let mut said = Vec::new();
    for _ in 0..2 {
        let (_, one) = call(&house, "POST", &path, Some(json!({"content": "new"}))).await?;
        said.push(one["id"].clone());
    }
    let author = &house.guild().await?["members"][0]["userId"];
    let old = json!({"id": "700000000000000000", "channelId": channel, "authorId": author, "content": "old"});
    house.act("POST", "/sim/messages", old).await?;
    let bulk = format!("{path}/bulk-delete");
    let with_old = json!({"messages": [said[0], "700000000000000000"]});
    let (status, refusal) = call(&house, "POST", &bulk, Some(with_old)).await?;
    assert_eq!((status, &refusal["code"]), (400, &json!(50_034)));
    let (status, _) = call(&house, "POST", &bulk, Some(json!({"messages": said}))).await?;
    assert_eq!(status, 204);
    Ok(())
}

#[tokio::test]
async fn a_message_may_be_a_file_a_sticker_components_or_a_poll() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let channel = house.channel("game-night").await?;
    let path = format!("/channels/{channel}/messages");
    let button = json!({"type": 2, "style": 1, "label": "Roll", "custom_id": "roll"});
    let row = json!([{"type": 1, "components": [button]}]);
    for (shown, body) in [
        ("components", json!({"components": row})),
        (
            "sticker_items",
            json!({"sticker_ids": ["749054660769218631"]}),
        ),
        (
            "poll",
            json!({"poll": {"question": {"text": "When?"}, "answers": [{"poll_media": {"text": "Now"}}]}}),
        ),
    ] {
        let (status, said) = call(&house, "POST", &path, Some(body)).await?;
        assert_eq!(status, 200, "{said}");
        let read = format!("{path}/{}", said["id"].as_str().unwrap_or_default());
        let (_, read) = house.rest(&read).await?;
        assert!(read[shown].is_array() || read[shown].is_object(), "{read}");
        assert_eq!(read[shown], said[shown]);
    }
    let (_, refusal) = call(&house, "POST", &path, Some(json!({"sticker_ids": ["5"]}))).await?;
    assert_eq!(refusal["code"], 50_035);
    let twice =
        json!([{"type": 1, "components": [row[0]["components"][0], row[0]["components"][0]]}]);
    let (_, refusal) = call(&house, "POST", &path, Some(json!({"components": twice}))).await?;
    let code =
        &refusal["errors"]["components"]["0"]["components"]["1"]["custom_id"]["_errors"][0]["code"];
    assert_eq!(code, "COMPONENT_CUSTOM_ID_DUPLICATED", "{refusal}");

    let body = "--x\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"a.txt\"\r\n\
        Content-Type: text/plain\r\n\r\nhello\r\n--x--\r\n";
    let answer = house
        .http
        .post(house.url(&format!("/api/v10{path}")))
        .header(
            "authorization",
            format!("Bot {}", house.application.bot_token),
        )
        .header("content-type", "multipart/form-data; boundary=x")
        .body(body)
        .send()
        .await?;
    let said: Value = answer.json().await?;
    let file = &said["attachments"][0];
    assert_eq!(
        (&file["filename"], &file["size"]),
        (&json!("a.txt"), &json!(5))
    );
    assert!(file["id"].is_string() && file["url"].is_string());
    Ok(())
}

#[tokio::test]
async fn bans_and_guilds_come_page_by_page() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let at = format!("/guilds/{}", house.application.guild_id);
    let mut banned = Vec::new();
    for name in ["a1", "b2", "c3"] {
        let user = house
            .act("POST", "/sim/users", json!({"username": name}))
            .await?;
        let id = user["id"].as_str().unwrap_or_default().to_owned();
        let path = format!("{at}/bans/{id}");
        assert_eq!(call(&house, "PUT", &path, Some(json!({}))).await?.0, 204);
        banned.push(id);
    }
    let page = async |query: String| {
        let (_, list) = house.rest(&format!("{at}/bans?{query}")).await?;
        let users = list.as_array().into_iter().flatten();
        let ids: Vec<_> = users.map(|one| one["user"]["id"].clone()).collect();
        Ok::<_, crate::house::Failure>(ids)
    };
    assert_eq!(page("limit=2".to_owned()).await?, banned[..2]);
    assert_eq!(page(format!("after={}", banned[0])).await?, banned[1..]);
    assert_eq!(
        page(format!("limit=1&before={}", banned[2])).await?,
        banned[1..2]
    );

    let (_, all) = house.rest("/users/@me/guilds?with_counts=true").await?;
    let count = house.guild().await?["members"].as_array().map(Vec::len);
    assert_eq!(all[0]["approximate_member_count"], json!(count));
    let first = all[0]["id"].as_str().unwrap_or_default();
    let (_, rest) = house
        .rest(&format!("/users/@me/guilds?after={first}&limit=1"))
        .await?;
    assert_eq!(rest.as_array().map(Vec::len), Some(1));
    assert_ne!(rest[0]["id"], all[0]["id"]);
    Ok(())
}

#[tokio::test]
async fn prune_counts_whom_it_then_takes() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let at = format!("/guilds/{}", house.application.guild_id);
    let user = house
        .act("POST", "/sim/users", json!({"username": "lurker"}))
        .await?;
    let joins = json!({"userId": user["id"]});
    house
        .act("POST", &format!("/sim{at}/members"), joins)
        .await?;
    let path = format!("{at}/prune");
    let (_, counted) = house.rest(&path).await?;
    assert!(counted["pruned"].as_u64() >= Some(1), "{counted}");
    let (_, pruned) = call(&house, "POST", &path, Some(json!({"days": 7}))).await?;
    assert_eq!(pruned, counted);
    assert_eq!(house.rest(&path).await?.1["pruned"], 0);
    let log = house.guild().await?["auditLog"].clone();
    let last = log.as_array().and_then(|log| log.last().cloned());
    assert_eq!(last.map(|one| one["action_type"].clone()), Some(json!(21)));
    Ok(())
}

#[tokio::test]
async fn a_guild_just_joined_was_never_unavailable() -> Outcome {
    let house = House::open().await?;
    let (mut client, _, guilds) = house.bot(INTENTS).await?;
    assert!(guilds.iter().all(|guild| guild["unavailable"] == false));
    house
        .act("POST", "/sim/guilds", json!({"name": "New"}))
        .await?;
    let joined = client.dispatch("GUILD_CREATE").await?;
    assert_eq!(joined.get("unavailable"), None);
    Ok(())
}

#[tokio::test]
async fn a_person_is_in_one_voice_room_overall() -> Outcome {
    let house = House::open().await?;
    let state = house.state().await?;
    let (first, user) = (house.application.guild_id, house.application.member_id);
    let other = state["guilds"][1]["id"].as_str().unwrap_or_default();
    let rooms = state["guilds"][1]["channels"]
        .as_array()
        .into_iter()
        .flatten();
    let room = rooms
        .filter(|one| one["type"] == 2)
        .map(|one| &one["id"])
        .next();
    let joins = json!({"userId": user});
    // Who is a member already stays one.
    house
        .act("POST", &format!("/sim/guilds/{other}/members"), joins)
        .await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let hearth = house.channel("The Hearth").await?;
    house.voice(Some(&hearth)).await?;
    client.until_now().await?;
    let there = json!({"userId": user, "channelId": room});
    house
        .act("POST", &format!("/sim/guilds/{other}/voice"), there)
        .await?;
    let told: Vec<_> = client
        .until_now()
        .await?
        .into_iter()
        .filter(|(name, _)| name == "VOICE_STATE_UPDATE")
        .map(|(_, state)| (state["guild_id"].clone(), state["channel_id"].clone()))
        .collect();
    assert_eq!(
        told,
        [(json!(first), Value::Null), (json!(other), json!(room))]
    );
    Ok(())
}
