use std::time::Duration;

use guildhall_simulator::PrivilegedIntents;
use serde_json::json;

use crate::house::{House, INTENTS, Outcome};

#[tokio::test]
async fn a_bot_gets_hello_ready_and_its_guilds() -> Outcome {
    let house = House::open().await?;
    let (mut client, ready, guilds) = house.bot(INTENTS).await?;
    let application = house.application.id.to_string();
    assert_eq!(ready["user"]["id"], application);
    assert_eq!(ready["application"]["id"], application);
    assert_eq!(
        ready["resume_gateway_url"],
        format!("ws://{}/resume", house.address)
    );
    assert_eq!(ready["guilds"].as_array().map(Vec::len), Some(3));
    assert!(
        ready["guilds"]
            .as_array()
            .into_iter()
            .flatten()
            .all(|one| one["unavailable"] == true)
    );

    let first = &guilds[0];
    assert_eq!(first["id"], house.application.guild_id.to_string());
    assert_eq!(first["voice_states"].as_array().map(Vec::len), Some(4));
    // The bot and whoever is in voice, without GUILD_PRESENCES.
    assert_eq!(first["members"].as_array().map(Vec::len), Some(5));
    assert!(first["voice_states"][0].get("guild_id").is_none());

    client.beat().await?;
    client.op(11).await?;
    house.close().await
}

#[tokio::test]
async fn the_gateway_is_found_under_each_of_its_paths() -> Outcome {
    let house = House::open().await?;
    for path in [
        "/gateway?v=10",
        "/gateway/?v=9&encoding=json",
        "/?v=10&encoding=json",
        "/resume/?v=10",
    ] {
        house.dial(path).await?;
    }
    Ok(())
}

#[tokio::test]
async fn intents_decide_what_a_session_hears() -> Outcome {
    let house = House::open().await?;
    let room = house.channel("Table One").await?;
    let role = house.role("Keeper").await?;
    let (mut guilds_only, _, shown) = house.bot(1).await?;
    let (mut voice_only, ..) = {
        let mut client = house.dial("/gateway?v=10&encoding=json").await?;
        client.identify(128).await?;
        client.dispatch("READY").await?;
        (client, ())
    };
    let (mut members, ..) = house.bot(1 | 2 | 4).await?;
    assert_eq!(shown[0]["voice_states"], json!([]));

    house.voice(Some(&room)).await?;
    let member = format!(
        "/sim/guilds/{}/members/{}",
        house.application.guild_id, house.application.member_id
    );
    house
        .act("PUT", &format!("{member}/roles/{role}"), json!({}))
        .await?;
    house
        .act(
            "PATCH",
            &format!("/sim/channels/{room}"),
            json!({"name": "Table 1"}),
        )
        .await?;

    assert_eq!(guilds_only.names_until_now().await?, ["CHANNEL_UPDATE"]);
    assert_eq!(voice_only.names_until_now().await?, ["VOICE_STATE_UPDATE"]);
    assert_eq!(
        members.names_until_now().await?,
        [
            "GUILD_MEMBER_UPDATE",
            "GUILD_AUDIT_LOG_ENTRY_CREATE",
            "CHANNEL_UPDATE",
            "GUILD_AUDIT_LOG_ENTRY_CREATE"
        ]
    );
    Ok(())
}

#[tokio::test]
async fn each_mistake_has_its_close_code() -> Outcome {
    let house = House::with(|config| config.privileged_intents = PrivilegedIntents::NONE).await?;
    let token = &house.application.bot_token;
    let before = [
        (json!({"op": 99}).to_string(), 4001),
        ("no json".to_owned(), 4002),
        (
            json!({"op": 2, "d": {"token": "x".repeat(5000)}}).to_string(),
            4002,
        ),
        (json!({"op": 2, "d": {"intents": 1}}).to_string(), 4002),
        (json!({"op": 31, "d": {"guild_ids": []}}).to_string(), 4003),
        (identify("wrong.token", &json!(129)), 4004),
        (identify(token, &json!(1_u64 << 40)), 4013),
        (identify(token, &json!(-1)), 4013),
        (identify(token, &json!(2)), 4014),
        (
            json!({"op": 6, "d": {"token": "x", "session_id": "y", "seq": 1}}).to_string(),
            4004,
        ),
    ];
    for (frame, code) in before {
        let mut client = house.dial("/gateway?v=10&encoding=json").await?;
        client.send_text(&frame).await?;
        assert_eq!(client.closed_with().await?, Some(code), "{frame}");
    }
    let (mut client, ..) = house.bot(INTENTS).await?;
    client.identify(INTENTS).await?;
    assert_eq!(client.closed_with().await?, Some(4005));
    let mut client = house
        .dial("/gateway?v=6")
        .await
        .map_err(|_| "no HELLO")
        .err();
    assert!(client.take().is_some(), "version 6 is closed without HELLO");
    Ok(())
}

fn identify(token: &str, intents: &serde_json::Value) -> String {
    json!({"op": 2, "d": {"token": token, "intents": intents, "properties": {}}}).to_string()
}

#[tokio::test]
async fn the_121st_payload_of_a_minute_is_one_too_many() -> Outcome {
    let house = House::open().await?;
    let mut client = house.dial("/gateway?v=10&encoding=json").await?;
    for _ in 0..121 {
        client.beat().await?;
    }
    assert_eq!(client.closed_with().await?, Some(4008));
    Ok(())
}

#[tokio::test]
async fn a_client_that_does_nothing_is_closed_with_4009() -> Outcome {
    let house = House::with(|config| {
        config.heartbeat_interval = Duration::from_millis(60);
        config.heartbeat_grace = Duration::from_millis(60);
    })
    .await?;
    let mut client = house.dial("/gateway?v=10&encoding=json").await?;
    assert_eq!(client.closed_with().await?, Some(4009));
    Ok(())
}

#[tokio::test]
async fn one_session_start_too_many_kills_the_token_and_every_session() -> Outcome {
    let house = House::with(|config| config.session_starts = 2).await?;
    let (mut first, ready, _) = house.bot(INTENTS).await?;
    let (_, answer) = house.rest("/gateway/bot").await?;
    assert_eq!(answer["session_start_limit"]["remaining"], 1);
    assert_eq!(answer["session_start_limit"]["total"], 2);
    assert_eq!(answer["url"], format!("ws://{}/gateway", house.address));
    house.bot(INTENTS).await?;
    let mut third = house.dial("/gateway?v=10&encoding=json").await?;
    third.identify(INTENTS).await?;
    assert_eq!(third.closed_with().await?, Some(4004));
    assert_eq!(first.closed_with().await?, Some(4004));
    assert_eq!(house.rest("/gateway/bot").await?.0, 401);
    let state = house.state().await?;
    assert_eq!(state["sessions"], json!([]));
    assert_eq!(state["application"]["tokenResets"], 1);
    assert_ne!(
        state["application"]["botToken"],
        house.application.bot_token
    );

    let mut dead = house.dial("/resume/?v=10&encoding=json").await?;
    dead.resume(ready["session_id"].as_str().unwrap_or_default(), 1)
        .await?;
    assert_eq!(dead.closed_with().await?, Some(4004));
    house
        .act("POST", "/sim/token", json!({"kind": "restore"}))
        .await?;
    assert_eq!(house.rest("/gateway/bot").await?.0, 200);
    house.bot(INTENTS).await?;
    Ok(())
}

#[tokio::test]
async fn a_second_identify_that_comes_too_soon_gets_op_9() -> Outcome {
    let house = House::with(|config| config.identify_interval = Duration::from_mins(1)).await?;
    house.bot(INTENTS).await?;
    let mut second = house.dial("/gateway?v=10&encoding=json").await?;
    second.identify(INTENTS).await?;
    assert_eq!(second.op(9).await?["d"], false);
    Ok(())
}

#[tokio::test]
async fn a_stopping_simulator_says_going_away() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let closing = tokio::join!(house.close(), client.closed_with());
    closing.0?;
    assert_eq!(closing.1?, Some(1001));
    Ok(())
}
