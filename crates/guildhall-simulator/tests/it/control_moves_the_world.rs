use serde_json::{Value, json};

use crate::house::{House, INTENTS, Outcome};

#[tokio::test]
async fn the_standing_world_keeps_its_promises_and_is_the_same_for_a_seed() -> Outcome {
    let (house, same, other) = (
        House::open().await?,
        House::open().await?,
        House::with(|config| config.seed = 2).await?,
    );
    let state = house.state().await?;
    assert_eq!(state, same.state().await?);
    assert_ne!(state["application"], other.state().await?["application"]);
    assert_eq!(state["application"]["id"], house.application.id.to_string());

    let guild = &state["guilds"][0];
    let (first, load) = (&guild["members"][0]["userId"], &guild["loadUserId"]);
    assert_eq!(first, &json!(house.application.member_id));
    let person = state["users"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| &one["id"] == first);
    assert_eq!(person.map(|one| &one["bot"]), Some(&json!(false)));
    assert_ne!(first, load);
    assert_ne!(first, &guild["ownerId"]);
    let rooms: Vec<&Value> = guild["channels"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|one| one["type"] == 2)
        .collect();
    let states = guild["voiceStates"].as_array().cloned().unwrap_or_default();
    assert!(
        states
            .iter()
            .any(|one| &one["userId"] == load && one["channelId"] == rooms[0]["id"])
    );
    let outside = guild["members"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|member| {
            states
                .iter()
                .all(|state| state["userId"] != member["userId"])
        });
    assert!(outside.count() > 4);
    assert_eq!(
        house.guild().await?["members"].as_array().map(Vec::len),
        Some(14)
    );
    Ok(())
}

#[tokio::test]
async fn joining_moving_muting_and_leaving_are_told_once_each() -> Outcome {
    let house = House::open().await?;
    let (hearth, table) = (
        house.channel("The Hearth").await?,
        house.channel("Table One").await?,
    );
    let (mut client, ..) = house.bot(INTENTS).await?;
    house.voice(Some(&hearth)).await?;
    let joined = client.dispatch("VOICE_STATE_UPDATE").await?;
    assert_eq!(joined["member"]["user"]["global_name"], "Rowan");
    assert_eq!(joined["guild_id"], house.application.guild_id.to_string());
    house.voice(Some(&hearth)).await?;
    house.voice(Some(&table)).await?;
    let moved = client.dispatch("VOICE_STATE_UPDATE").await?;
    assert_eq!(moved["channel_id"], table);
    assert_eq!(moved["session_id"], joined["session_id"]);

    let path = format!("/sim/guilds/{}/voice", house.application.guild_id);
    let user = house.application.member_id;
    let muted = house
        .act(
            "POST",
            &path,
            json!({"userId": user, "selfMute": true, "mute": true}),
        )
        .await?;
    assert_eq!(
        (&muted["selfMute"], &muted["mute"]),
        (&json!(true), &json!(true))
    );
    let told = client.dispatch("VOICE_STATE_UPDATE").await?;
    assert_eq!(
        (&told["self_mute"], &told["mute"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(house.voice(None).await?, Value::Null);
    let left = client.dispatch("VOICE_STATE_UPDATE").await?;
    assert_eq!(left["channel_id"], Value::Null);
    house.voice(None).await?;
    assert!(client.names_until_now().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_deleted_channel_disconnects_its_people_first() -> Outcome {
    let house = House::open().await?;
    let table = house.channel("Table One").await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    house
        .act("DELETE", &format!("/sim/channels/{table}"), json!({}))
        .await?;
    assert_eq!(
        client.names_until_now().await?,
        ["VOICE_STATE_UPDATE", "VOICE_STATE_UPDATE", "CHANNEL_DELETE"]
    );
    Ok(())
}

#[tokio::test]
async fn a_world_can_be_built_with_chosen_ids() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS | 2).await?;
    let body = json!({"id": "1001", "username": "newcomer"});
    house.act("POST", "/sim/users", body).await?;
    let body = json!({"id": "2001", "name": "Annex", "ownerId": "1001"});
    house.act("POST", "/sim/guilds", body).await?;
    let guild = client.dispatch("GUILD_CREATE").await?;
    assert_eq!(
        (&guild["id"], &guild["owner_id"]),
        (&json!("2001"), &json!("1001"))
    );
    let body = json!({"guildId": "2001", "id": "3001", "name": "Loft"});
    house.act("POST", "/sim/channels", body).await?;
    assert_eq!(client.dispatch("CHANNEL_CREATE").await?["type"], 2);
    let body = json!({"guildId": "2001", "id": "4001", "name": "Guest"});
    house.act("POST", "/sim/roles", body).await?;
    assert_eq!(
        client.dispatch("GUILD_ROLE_CREATE").await?["role"]["id"],
        "4001"
    );
    let member = house.application.member_id;
    let body = json!({"guildId": "2001", "userId": member, "roles": ["4001"]});
    house.act("POST", "/sim/members", body).await?;
    assert_eq!(
        client.dispatch("GUILD_MEMBER_ADD").await?["roles"],
        json!(["4001"])
    );
    let overwrite = json!({"type": 1, "deny": "1024"});
    let path = format!("/sim/channels/3001/permissions/{member}");
    house.act("PUT", &path, overwrite).await?;
    let update = client.dispatch("CHANNEL_UPDATE").await?;
    assert_eq!(update["permission_overwrites"][0]["deny"], "1024");
    house
        .act("PATCH", "/sim/guilds/2001", json!({"name": "Annexe"}))
        .await?;
    assert_eq!(client.dispatch("GUILD_UPDATE").await?["name"], "Annexe");
    let body = json!({"guildId": "2001", "stamp": "1:1"});
    house.act("POST", "/sim/stamp", body).await?;
    client.dispatch("VOICE_STATE_UPDATE").await?;

    let body = json!({"userId": member, "channelId": "3001"});
    house.act("POST", "/sim/guilds/2001/voice", body).await?;
    let path = format!("/sim/guilds/2001/members/{member}?how=kick");
    house.act("DELETE", &path, json!({})).await?;
    assert_eq!(
        client.names_until_now().await?,
        [
            "VOICE_STATE_UPDATE",
            "VOICE_CHANNEL_START_TIME_UPDATE",
            "VOICE_STATE_UPDATE",
            "GUILD_MEMBER_REMOVE",
            "VOICE_CHANNEL_START_TIME_UPDATE"
        ]
    );
    house.act("DELETE", "/sim/guilds/2001", json!({})).await?;
    assert_eq!(
        client.dispatch("GUILD_DELETE").await?,
        json!({"id": "2001"})
    );
    Ok(())
}

#[tokio::test]
async fn mistakes_are_answered_with_a_code_and_a_sentence() -> Outcome {
    let house = House::open().await?;
    let voice = format!("/sim/guilds/{}/voice", house.application.guild_id);
    let (text, user) = (
        house.channel("game-night").await?,
        house.application.member_id,
    );
    let nobody = json!({"userId": "1"});
    let nowhere = json!({"userId": user, "channelId": "1"});
    let unspoken = json!({"userId": user, "channelId": text});
    let misspelt = json!({"userId": user, "chanelId": null});
    let absent = json!({"userId": user, "mute": true});
    let doubled = json!({"id": user, "username": "x"});
    let no_load = json!({"eventsPerSecond": 0, "seconds": 1});
    let (meteor, no_code) = (
        json!({"kind": "meteor"}),
        json!({"kind": "close", "code": 1005}),
    );
    let cases = [
        ("POST", voice.as_str(), nobody, 404, "unknown"),
        ("POST", &voice, nowhere, 404, "unknown"),
        ("POST", &voice, unspoken, 400, "invalid"),
        ("POST", &voice, misspelt, 400, "invalid"),
        ("POST", &voice, absent, 400, "invalid"),
        ("POST", "/sim/users", doubled, 409, "conflict"),
        ("POST", "/sim/faults", meteor, 400, "invalid"),
        ("POST", "/sim/faults", no_code, 400, "invalid"),
        ("POST", "/sim/load", no_load, 400, "invalid"),
        ("POST", "/sim/nothing", json!({}), 404, "unknown"),
        ("PUT", "/sim/state", json!({}), 405, "method"),
    ];
    for (method, path, body, status, code) in cases {
        let (got, answer) = house.try_act(method, path, body.clone()).await?;
        assert_eq!(
            (got, &answer["error"]["code"]),
            (status, &json!(code)),
            "{method} {path} {body}"
        );
        assert!(answer["error"]["message"].is_string());
    }
    Ok(())
}

#[tokio::test]
async fn other_sites_scripts_are_refused() -> Outcome {
    let house = House::open().await?;
    let call = |name: &'static str, value: String| {
        house
            .http
            .get(house.url("/sim/state"))
            .header(name, value)
            .send()
    };
    assert_eq!(
        call("sec-fetch-site", "cross-site".into()).await?.status(),
        403
    );
    assert_eq!(
        call("sec-fetch-site", "same-site".into()).await?.status(),
        403
    );
    assert_eq!(
        call("origin", "https://example.com".into()).await?.status(),
        403
    );
    assert_eq!(call("origin", "null".into()).await?.status(), 403);
    assert_eq!(
        call("sec-fetch-site", "same-origin".into()).await?.status(),
        200
    );
    assert_eq!(call("origin", house.url("")).await?.status(), 200);
    Ok(())
}

#[tokio::test]
async fn the_page_and_its_live_signal_are_served() -> Outcome {
    let house = House::open().await?;
    let page = house.http.get(house.url("/")).send().await?;
    assert!(
        page.headers()["content-security-policy"]
            .to_str()?
            .contains("default-src 'none'")
    );
    assert!(page.text().await?.contains("simulator, not Discord"));
    for (address, place) in [("/channels/1/2", "/#1/2"), ("/channels/@me/2", "/")] {
        let room = house.http.get(house.url(address)).send().await?;
        assert_eq!(room.status(), 303);
        assert_eq!(room.headers()["location"], place);
    }
    let mut signal = house.http.get(house.url("/sim/events")).send().await?;
    let first = signal.chunk().await?.unwrap_or_default();
    assert!(first.starts_with(b"event: changed\n"), "{first:?}");
    house
        .voice(Some(&house.channel("The Hearth").await?))
        .await?;
    let second = signal.chunk().await?.unwrap_or_default();
    assert!(second.starts_with(b"event: changed\n"), "{second:?}");
    Ok(())
}
