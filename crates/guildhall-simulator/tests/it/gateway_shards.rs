use std::time::Duration;

use guildhall_simulator::PrivilegedIntents;
use serde_json::{Value, json};

use crate::house::{Client, Failure, House, INTENTS, Outcome};

/// GUILDS, GUILD_VOICE_STATES, GUILD_PRESENCES
const PRESENCES: u64 = INTENTS | 1 << 8;

async fn shard(house: &House, id: u64, count: u64) -> Result<(Client, Value), Failure> {
    let mut client = house.dial("/gateway/?v=10&encoding=json").await?;
    client
        .identify_with(INTENTS, json!({"shard": [id, count]}))
        .await?;
    let ready = client.dispatch("READY").await?;
    Ok((client, ready))
}

fn shard_of(guild: &Value, count: u64) -> u64 {
    let id: u64 = guild.as_str().and_then(|id| id.parse().ok()).unwrap_or(0);
    (id >> 22) % count
}

#[tokio::test]
async fn each_shard_hears_of_its_own_guilds_only() -> Outcome {
    let house = House::open().await?;
    let room = house.channel("The Hearth").await?;
    let mut clients = Vec::new();
    for id in 0..3 {
        let (mut client, ready) = shard(&house, id, 3).await?;
        assert_eq!(ready["shard"], json!([id, 3]));
        let guilds = ready["guilds"].as_array().cloned().unwrap_or_default();
        for guild in &guilds {
            assert_eq!(shard_of(&guild["id"], 3), id);
            client.dispatch("GUILD_CREATE").await?;
        }
        clients.push((client, guilds.len()));
    }
    assert_eq!(clients.iter().map(|(_, guilds)| guilds).sum::<usize>(), 3);
    house.voice(Some(&room)).await?;
    let home = shard_of(&json!(house.application.guild_id), 3);
    for (id, (client, _)) in (0..).zip(&mut clients) {
        let heard = client.names_until_now().await?;
        let wanted: &[&str] = if id == home {
            &["VOICE_STATE_UPDATE"]
        } else {
            &[]
        };
        assert_eq!(heard, wanted, "shard {id}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_of_no_guild_goes_to_shard_0() -> Outcome {
    let house = House::open().await?;
    let bot = house.application.id;
    let (mut zero, _) = shard(&house, 0, 2).await?;
    let (mut one, _) = shard(&house, 1, 2).await?;
    let rename = json!({"username": "Gatekeeper"});
    house
        .act("PATCH", &format!("/sim/users/{bot}"), rename)
        .await?;
    let names = zero.names_until_now().await?;
    assert_eq!(
        names.iter().filter(|name| *name == "USER_UPDATE").count(),
        1
    );
    let names = one.names_until_now().await?;
    assert!(names.iter().all(|name| name != "USER_UPDATE"), "{names:?}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_shard_is_4010_and_too_few_shards_4011() -> Outcome {
    let house = House::with(|config| config.guilds_per_shard = 2).await?;
    for (shard, code) in [
        (json!([0, 1]), 4011),
        (json!([1, 1]), 4010),
        (json!([0, 0]), 4010),
    ] {
        let mut client = house.dial("/gateway?v=10&encoding=json").await?;
        client
            .identify_with(INTENTS, json!({"shard": shard}))
            .await?;
        assert_eq!(client.closed_with().await?, Some(code), "{shard}");
    }
    let mut unsharded = house.dial("/gateway?v=10&encoding=json").await?;
    unsharded.identify(INTENTS).await?;
    assert_eq!(unsharded.closed_with().await?, Some(4011));
    Ok(())
}

#[tokio::test]
async fn identify_slots_are_the_shard_number_modulo_the_concurrency() -> Outcome {
    let house = House::with(|config| {
        config.identify_interval = Duration::from_hours(1);
        config.max_concurrency = 2;
        config.shards = 4;
    })
    .await?;
    let (_, answer) = house.rest("/gateway/bot").await?;
    assert_eq!(answer["shards"], 4);
    assert_eq!(answer["session_start_limit"]["max_concurrency"], 2);
    shard(&house, 0, 4).await?;
    shard(&house, 1, 4).await?;
    for id in [2, 3] {
        let mut client = house.dial("/gateway?v=10&encoding=json").await?;
        client
            .identify_with(INTENTS, json!({"shard": [id, 4]}))
            .await?;
        assert_eq!(client.op(9).await?["d"], false, "shard {id}");
    }
    Ok(())
}

#[tokio::test]
async fn each_privileged_intent_has_its_own_switch() -> Outcome {
    let house = House::with(|config| {
        config.privileged_intents = PrivilegedIntents {
            message_content: true,
            ..PrivilegedIntents::NONE
        };
    })
    .await?;
    let identified = async |intents: u64| -> Result<Option<u16>, Failure> {
        let mut client = house.dial("/gateway?v=10&encoding=json").await?;
        client.identify(intents).await?;
        match client.next().await? {
            Ok(payload) => {
                assert_eq!(payload["t"], "READY");
                Ok(None)
            }
            Err(code) => Ok(code),
        }
    };
    assert_eq!(identified(1 << 1).await?, Some(4014));
    assert_eq!(identified(1 << 8).await?, Some(4014));
    assert_eq!(identified(1 << 15).await?, None);
    let switches = json!({"privilegedIntents": {"guildMembers": true, "messageContent": false}});
    let now = house.act("PATCH", "/sim/application", switches).await?;
    assert_eq!(
        now["privilegedIntents"],
        json!({"guildMembers": true, "guildPresences": false, "messageContent": false})
    );
    assert_eq!(identified(1 << 1).await?, None);
    assert_eq!(identified(1 << 15).await?, Some(4014));
    Ok(())
}

#[tokio::test]
async fn a_large_guild_is_shown_without_who_is_offline_and_has_no_role() -> Outcome {
    let house = House::open().await?;
    let guild = house.application.guild_id;
    for turn in 0..45 {
        let user = json!({"username": format!("visitor{turn}")});
        let user = house.act("POST", "/sim/users", user).await?;
        let member = json!({"userId": user["id"]});
        house
            .act("POST", &format!("/sim/guilds/{guild}/members"), member)
            .await?;
    }
    for (threshold, large, members) in [(50, true, 12), (250, false, 59)] {
        let mut client = house.dial("/gateway?v=10&encoding=json").await?;
        client
            .identify_with(PRESENCES, json!({"large_threshold": threshold}))
            .await?;
        client.dispatch("READY").await?;
        let shown = client.dispatch("GUILD_CREATE").await?;
        assert_eq!(shown["large"], large);
        assert_eq!(shown["member_count"], 59);
        assert_eq!(shown["members"].as_array().map(Vec::len), Some(members));
        // Who is in voice is online, and so is the bot; who has a role stands there all the
        // same.
        assert_eq!(shown["presences"].as_array().map(Vec::len), Some(5));
    }
    Ok(())
}

#[tokio::test]
async fn a_guild_that_is_out_of_service_at_the_start_is_a_stub() -> Outcome {
    let house = House::open().await?;
    let guild = house.application.guild_id;
    let outage = json!({"kind": "outage", "guildId": guild});
    house.act("POST", "/sim/faults", outage).await?;
    let (mut client, _, guilds) = house.bot(INTENTS).await?;
    assert_eq!(guilds[0], json!({"id": guild, "unavailable": true}));
    let over = json!({"kind": "outage", "guildId": guild, "over": true});
    house.act("POST", "/sim/faults", over).await?;
    let shown = client.dispatch("GUILD_CREATE").await?;
    assert_eq!(
        (&shown["id"], &shown["unavailable"]),
        (&json!(guild), &json!(false))
    );
    Ok(())
}

#[tokio::test]
async fn op_7_may_come_in_place_of_hello() -> Outcome {
    let house = House::open().await?;
    let fault = json!({"kind": "reconnect_hello", "times": 1});
    house.act("POST", "/sim/faults", fault).await?;
    let (mut socket, _) =
        tokio_tungstenite::connect_async(format!("ws://{}/gateway/?v=10", house.address)).await?;
    let first = futures_util::StreamExt::next(&mut socket).await;
    let first = first.ok_or("closed")??.into_text()?;
    assert_eq!(serde_json::from_str::<Value>(&first)?["op"], 7);
    house.bot(INTENTS).await?;
    Ok(())
}
