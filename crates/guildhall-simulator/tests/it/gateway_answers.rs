use std::time::Duration;

use serde_json::{Value, json};

use crate::house::{Client, Failure, House, INTENTS, Outcome};

const GUILD_MEMBERS: u64 = 1 << 1;
const GUILD_PRESENCES: u64 = 1 << 8;

async fn ask(client: &mut Client, op: u64, d: Value) -> Result<Vec<(String, Value)>, Failure> {
    client.send(json!({"op": op, "d": d})).await?;
    client.until_now().await
}

/// The one answer of an op, which must be this dispatch.
async fn answer(client: &mut Client, op: u64, d: Value, name: &str) -> Result<Value, Failure> {
    let mut heard = ask(client, op, d).await?;
    match (heard.pop(), heard.is_empty()) {
        (Some((heard, data)), true) if heard == name => Ok(data),
        (last, _) => Err(format!("wanted {name}, got {heard:?} and {last:?}").into()),
    }
}

fn names_of(members: &Value) -> Vec<&str> {
    let members = members.as_array().into_iter().flatten();
    members
        .filter_map(|member| member["user"]["username"].as_str())
        .collect()
}

#[tokio::test]
async fn members_are_found_by_prefix_and_by_id() -> Outcome {
    let house = House::open().await?;
    let guild = house.application.guild_id;
    let (mut client, ..) = house.bot(INTENTS).await?;
    // A global name begins so, whatever its case; no privileged intent is needed.
    let request = json!({"guild_id": guild, "query": "CAPTAIN", "limit": 0, "nonce": "n1"});
    let chunk = answer(&mut client, 8, request, "GUILD_MEMBERS_CHUNK").await?;
    assert_eq!(names_of(&chunk["members"]), ["captain_dov"]);
    assert_eq!(chunk["nonce"], "n1");
    assert_eq!(
        (&chunk["chunk_index"], &chunk["chunk_count"]),
        (&json!(0), &json!(1))
    );

    let request = json!({"guild_id": guild, "query": "nobody", "limit": 5});
    let chunk = answer(&mut client, 8, request, "GUILD_MEMBERS_CHUNK").await?;
    assert_eq!(chunk["members"], json!([]));

    let ids = json!([house.application.member_id, "1", 2, "no id"]);
    let request = json!({"guild_id": guild, "user_ids": ids, "nonce": "n".repeat(33)});
    let chunk = answer(&mut client, 8, request, "GUILD_MEMBERS_CHUNK").await?;
    assert_eq!(names_of(&chunk["members"]), ["rowan.ash"]);
    assert_eq!(chunk["not_found"], json!(["1", 2, "no id"]));
    assert!(chunk.get("nonce").is_none(), "33 bytes are one too many");
    Ok(())
}

#[tokio::test]
async fn the_whole_list_needs_guild_members_and_comes_once_per_interval() -> Outcome {
    let house = House::with(|config| config.member_list_interval = Duration::from_hours(1)).await?;
    let guild = house.application.guild_id;
    let whole =
        json!({"guild_id": guild, "query": "", "limit": 0, "presences": true, "nonce": "x"});
    let (mut without, ..) = house.bot(INTENTS).await?;
    assert_eq!(ask(&mut without, 8, whole.clone()).await?, []);

    let (mut client, ..) = house.bot(INTENTS | GUILD_MEMBERS).await?;
    let chunk = answer(&mut client, 8, whole.clone(), "GUILD_MEMBERS_CHUNK").await?;
    assert_eq!(names_of(&chunk["members"]).len(), 14);
    assert!(
        chunk.get("presences").is_none(),
        "GUILD_PRESENCES was not asked for"
    );
    let limited = answer(&mut client, 8, whole.clone(), "RATE_LIMITED").await?;
    assert_eq!(limited["opcode"], 8);
    assert_eq!(limited["meta"], json!({"guild_id": guild, "nonce": "x"}));
    assert!(
        limited["retry_after"]
            .as_f64()
            .is_some_and(|wait| wait > 3000.0)
    );

    // Another guild has its own interval, and a prefix has none.
    let other = house.state().await?["guilds"][1]["id"].clone();
    let (mut client, ..) = house.bot(INTENTS | GUILD_MEMBERS | GUILD_PRESENCES).await?;
    let request = json!({"guild_id": other, "query": "", "limit": 0, "presences": true});
    let chunk = answer(&mut client, 8, request, "GUILD_MEMBERS_CHUNK").await?;
    // The load user, and the bot itself.
    assert_eq!(chunk["presences"].as_array().map(Vec::len), Some(2));
    let request = json!({"guild_id": guild, "query": "r", "limit": 1});
    answer(&mut client, 8, request, "GUILD_MEMBERS_CHUNK").await?;
    Ok(())
}

#[tokio::test]
async fn a_chunk_has_at_most_a_thousand_members() -> Outcome {
    let house = House::open().await?;
    let guild = house.application.guild_id;
    let before = house.guild().await?["members"]
        .as_array()
        .map_or(0, Vec::len);
    for turn in before..1001 {
        let user = json!({"username": format!("visitor{turn}")});
        let user = house.act("POST", "/sim/users", user).await?;
        let member = json!({"userId": user["id"]});
        house
            .act("POST", &format!("/sim/guilds/{guild}/members"), member)
            .await?;
    }
    let (mut client, ..) = house.bot(INTENTS | GUILD_MEMBERS).await?;
    let heard = ask(
        &mut client,
        8,
        json!({"guild_id": guild, "query": "", "limit": 0}),
    )
    .await?;
    let sizes: Vec<_> = heard
        .iter()
        .map(|(_, chunk)| {
            assert_eq!(chunk["chunk_count"], 2);
            (
                chunk["chunk_index"].clone(),
                names_of(&chunk["members"]).len(),
            )
        })
        .collect();
    assert_eq!(sizes, [(json!(0), 1000), (json!(1), 1)]);
    Ok(())
}

#[tokio::test]
async fn a_payload_that_does_not_fit_its_op_is_4001() -> Outcome {
    let house = House::open().await?;
    let guild = house.application.guild_id;
    for (op, d) in [
        (3, json!({"status": "online", "activities": 5})),
        (
            3,
            json!({"since": null, "activities": [], "status": "busy", "afk": false}),
        ),
        (4, json!({"channel_id": null})),
        (8, json!({"guild_id": guild})),
        (8, json!({"guild_id": guild, "query": "r"})),
        (8, json!({"guild_id": guild, "query": "r", "limit": -1})),
        (
            8,
            json!({"guild_id": [guild, "1"], "query": "r", "limit": 1}),
        ),
        (31, json!({})),
        (43, json!({"guild_id": guild, "fields": ["name"]})),
        (43, json!({"guild_id": guild})),
        (44, json!({})),
    ] {
        let (mut client, ..) = house.bot(INTENTS).await?;
        client.send(json!({"op": op, "d": d})).await?;
        assert_eq!(client.closed_with().await?, Some(4001), "op {op} {d}");
    }
    Ok(())
}

#[tokio::test]
async fn questions_about_a_guild_the_bot_is_not_in_get_no_answer() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    for (op, d) in [
        (
            4,
            json!({"guild_id": "1", "channel_id": null, "self_mute": false, "self_deaf": false}),
        ),
        (8, json!({"guild_id": "1", "user_ids": "2"})),
        (31, json!({"guild_ids": ["1"]})),
        (43, json!({"guild_id": "1", "fields": ["status"]})),
    ] {
        assert_eq!(ask(&mut client, op, d).await?, [], "op {op}");
    }
    Ok(())
}

#[tokio::test]
async fn sounds_and_channel_info_are_answered() -> Outcome {
    let house = House::open().await?;
    let guild = house.application.guild_id;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let sounds = json!({"guild_ids": [guild]});
    let sounds = answer(&mut client, 31, sounds, "SOUNDBOARD_SOUNDS").await?;
    assert_eq!(sounds, json!({"guild_id": guild, "soundboard_sounds": []}));

    let hearth = house.channel("Table One").await?;
    let path = format!("/sim/channels/{hearth}/voice-status");
    house.act("PUT", &path, json!({"status": "Chess"})).await?;
    let told = client.dispatch("VOICE_CHANNEL_STATUS_UPDATE").await?;
    let status = json!({"id": hearth, "guild_id": guild, "status": "Chess"});
    assert_eq!(told, status);
    let fields = json!({"guild_id": guild, "fields": ["status", "voice_start_time"]});
    let info = answer(&mut client, 43, fields, "CHANNEL_INFO").await?;
    assert_eq!(info["guild_id"], json!(guild));
    let channels = info["channels"].as_array().cloned().unwrap_or_default();
    let table = channels
        .iter()
        .find(|one| one["id"] == hearth)
        .ok_or("no channel")?;
    assert_eq!(table["status"], "Chess");
    Ok(())
}

#[tokio::test]
async fn the_bots_own_voice_joins_where_it_may_and_leaves() -> Outcome {
    let house = House::open().await?;
    let guild = house.application.guild_id;
    let hearth = house.channel("The Hearth").await?;
    let cellar = house.channel("The Cellar").await?;
    let voice = |channel: Option<&str>| json!({"guild_id": guild, "channel_id": channel, "self_mute": true, "self_deaf": false});
    let (mut client, ..) = house.bot(INTENTS).await?;
    assert_eq!(
        ask(&mut client, 4, voice(Some(&cellar))).await?,
        [],
        "hidden"
    );
    let heard = ask(&mut client, 4, voice(Some(&hearth))).await?;
    let names: Vec<_> = heard.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["VOICE_STATE_UPDATE", "VOICE_SERVER_UPDATE"]);
    assert_eq!(heard[0].1["user_id"], json!(house.application.id));
    assert_eq!(heard[0].1["self_mute"], true);
    assert_eq!(heard[1].1["guild_id"], json!(guild));
    let left = answer(&mut client, 4, voice(None), "VOICE_STATE_UPDATE").await?;
    assert_eq!(left["channel_id"], Value::Null);
    Ok(())
}

#[tokio::test]
async fn being_moved_into_a_hidden_room_shows_it_until_the_bot_leaves() -> Outcome {
    let house = House::open().await?;
    let (guild, bot) = (house.application.guild_id, house.application.id);
    let cellar = house.channel("The Cellar").await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let path = format!("/sim/guilds/{guild}/voice");
    for (channel, name) in [(json!(cellar), "The Cellar"), (json!(null), "___hidden___")] {
        let there = json!({"userId": bot, "channelId": channel});
        house.act("POST", &path, there).await?;
        let heard = client.until_now().await?;
        let told: Vec<_> = heard
            .iter()
            .filter(|(event, data)| event == "CHANNEL_UPDATE" && data["id"] == cellar)
            .map(|(_, data)| data["name"].clone())
            .collect();
        assert_eq!(told, [name]);
    }
    Ok(())
}

#[tokio::test]
async fn a_session_that_was_invalidated_may_ask_nothing_more() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let fault = json!({"kind": "invalid_session", "resumable": false});
    house.act("POST", "/sim/faults", fault).await?;
    assert_eq!(client.op(9).await?["d"], false);
    client
        .send(json!({"op": 31, "d": {"guild_ids": []}}))
        .await?;
    assert_eq!(client.closed_with().await?, Some(4003));
    Ok(())
}
