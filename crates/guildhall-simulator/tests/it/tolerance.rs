//! What widely used libraries leave out or write in their own way, and Discord takes.

use serde_json::{Value, json};

use crate::{
    house::{House, INTENTS, Outcome},
    rest_acts::{ADMINISTRATOR, call, empower},
};

/// Presences as libraries send them, in IDENTIFY or with op 3.
fn presences() -> [(&'static str, Value); 7] {
    [
        (
            "eris 0.18.0, dysnomia 0.2.4",
            json!({"activities": null, "afk": false, "since": null, "status": "offline"}),
        ),
        (
            "dysnomia 0.2.4, after a status was set",
            json!({"activities": null, "afk": false, "since": 1_700_000_000_000_u64, "status": "idle"}),
        ),
        (
            "hikari 2.7.0",
            json!({"since": null, "afk": false, "game": null, "status": "online"}),
        ),
        (
            "interactions.py 5.16.0",
            json!({"status": "online", "activities": []}),
        ),
        (
            "serenity 0.12",
            json!({
                "afk": false, "status": "online", "activities": [],
                "since": {"secs_since_epoch": 1, "nanos_since_epoch": 2},
            }),
        ),
        (
            "discord.py 2.7.1, py-cord 2.8.1, with an activity alone",
            json!({"status": null, "game": {"name": "Chess", "type": 0}, "since": 0, "afk": false}),
        ),
        (
            "py-cord 2.8.1, op 3",
            json!({"activities": [{"name": "Chess", "type": 0}], "afk": false, "since": 0.0, "status": "idle"}),
        ),
    ]
}

#[tokio::test]
async fn a_presence_is_taken_in_each_librarys_form() -> Outcome {
    let house = House::open().await?;
    for (library, presence) in presences() {
        let mut client = house.dial("/gateway?v=10&encoding=json").await?;
        let more = json!({"presence": presence});
        client.identify_with(INTENTS, more).await?;
        client
            .dispatch("READY")
            .await
            .map_err(|error| format!("{library}: {error}"))?;
        client.send(json!({"op": 3, "d": presence})).await?;
        client
            .until_now()
            .await
            .map_err(|error| format!("{library}, op 3: {error}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_poll_lasts_hours_with_a_point_and_me_is_escaped() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let channel = house.channel("game-night").await?;
    let poll = |hours: Value| {
        json!({"poll": {
            "question": {"text": "When?"}, "duration": hours,
            "answers": [{"poll_media": {"text": "Now"}}],
        }})
    };
    let path = format!("/channels/{channel}/messages");
    // discord.py 2.7.1
    let (status, told) = call(&house, "POST", &path, Some(poll(json!(1.0)))).await?;
    assert_eq!(status, 200, "{told}");
    for wrong in [json!(1.5), json!(-1.0), json!("soon"), json!(0)] {
        let (status, _) = call(&house, "POST", &path, Some(poll(wrong.clone()))).await?;
        assert_eq!(status, 400, "{wrong}");
    }
    let path = format!("/channels/{channel}/threads");
    let body = json!({"name": "Snacks", "type": 11});
    let (_, thread) = call(&house, "POST", &path, Some(body)).await?;
    let id = thread["id"].as_str().unwrap_or_default();
    // discord.js 14.28.1
    let path = format!("/channels/{id}/thread-members/%40me");
    let (status, told) = call(&house, "DELETE", &path, None).await?;
    assert_eq!(status, 204, "{told}");
    Ok(())
}

#[tokio::test]
async fn a_presence_of_another_kind_is_still_refused() -> Outcome {
    let house = House::open().await?;
    for presence in [
        json!({"status": "asleep"}),
        json!({"status": "online", "activities": ["Chess"]}),
        json!({"status": "online", "activities": [{"type": 0}]}),
        json!({"status": "online", "afk": "no"}),
        json!([null, [], "online", false]),
    ] {
        let (mut client, ..) = house.bot(INTENTS).await?;
        client.send(json!({"op": 3, "d": presence})).await?;
        assert_eq!(client.closed_with().await?, Some(4001), "{presence}");
        let mut client = house.dial("/gateway?v=10&encoding=json").await?;
        let more = json!({"presence": presence});
        client.identify_with(INTENTS, more).await?;
        assert_eq!(client.closed_with().await?, Some(4002), "{presence}");
    }
    Ok(())
}

#[tokio::test]
async fn the_bot_comes_into_voice_without_saying_how() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let (guild, hearth) = (
        house.application.guild_id,
        house.channel("The Hearth").await?,
    );
    let joins = json!({"guild_id": guild, "channel_id": hearth});
    client.send(json!({"op": 4, "d": joins})).await?;
    let state = client.dispatch("VOICE_STATE_UPDATE").await?;
    assert_eq!(
        (
            &state["channel_id"],
            &state["self_mute"],
            &state["self_deaf"]
        ),
        (&json!(hearth), &json!(false), &json!(false))
    );
    Ok(())
}

#[tokio::test]
async fn members_are_asked_for_in_each_librarys_form() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS | 1 << 1 | 1 << 8).await?;
    let guild = house.application.guild_id;
    for (library, asks, with_presences) in [
        (
            "eris 0.18.0",
            json!({"guild_id": [guild], "limit": 1, "query": "r", "nonce": "a"}),
            false,
        ),
        (
            "dysnomia 0.2.4",
            json!({"guild_id": guild, "limit": 1, "query": "r", "nonce": "a", "presences": 256}),
            true,
        ),
        (
            "dysnomia 0.2.4, without the intent",
            json!({"guild_id": guild, "limit": 1, "query": "r", "nonce": "a", "presences": 0}),
            false,
        ),
    ] {
        client.send(json!({"op": 8, "d": asks})).await?;
        let chunk = client.dispatch("GUILD_MEMBERS_CHUNK").await?;
        assert_eq!(chunk["nonce"], "a", "{library}");
        assert_eq!(chunk["presences"].is_array(), with_presences, "{library}");
    }
    Ok(())
}

#[tokio::test]
async fn json_is_read_from_binary_frames_too_and_etf_is_not() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    client
        .send_binary(br#"{"op": 1, "d": null}"#.to_vec())
        .await?;
    client.op(11).await?;
    // ETF of a map with one key, `op`.
    let etf = [131, 116, 0, 0, 0, 1, 109, 0, 0, 0, 2, 111, 112, 97, 1];
    client.send_binary(etf.to_vec()).await?;
    assert_eq!(client.closed_with().await?, Some(4002));
    Ok(())
}
