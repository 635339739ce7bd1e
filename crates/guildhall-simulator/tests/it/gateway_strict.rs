use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    house::{Client, Failure, House, INTENTS, Outcome},
    raw::GATEWAY,
};

const GUILD_MEMBERS: u64 = 1 << 1;

fn session_of(ready: &Value) -> String {
    ready["session_id"].as_str().unwrap_or_default().to_owned()
}

async fn faulted(house: &House, fault: Value) -> Outcome {
    house.act("POST", "/sim/faults", fault).await.map(drop)
}

async fn resumed(house: &House, session: &str, seq: u64) -> Result<Client, Failure> {
    let mut client = house.dial("/resume/?v=10&encoding=json").await?;
    client.seq = seq;
    client.resume(session, seq).await?;
    Ok(client)
}

#[tokio::test]
async fn a_url_without_a_version_is_4012() -> Outcome {
    let house = House::open().await?;
    for path in [
        "/gateway",
        "/gateway/?encoding=json",
        "/resume",
        "/resume?v=",
    ] {
        let url = format!("ws://{}{path}", house.address);
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await?;
        let first = futures_util::StreamExt::next(&mut socket).await;
        let first = first.ok_or("torn")??;
        let tokio_tungstenite::tungstenite::Message::Close(Some(frame)) = first else {
            return Err(format!("{first:?} for {path}").into());
        };
        assert_eq!(u16::from(frame.code), 4012, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_session_is_resumed_with_the_query_it_began_with_and_no_other() -> Outcome {
    let house = House::open().await?;
    let (client, ready, _) = house.bot(INTENTS).await?;
    let seq = client.seq;
    client.close(4000).await?;
    let mut other = house.dial("/resume?v=9&encoding=json").await?;
    other.resume(&session_of(&ready), seq).await?;
    assert_eq!(other.op(9).await?["d"], false);
    let mut same = house.dial("/resume?encoding=json&v=10").await?;
    same.seq = seq;
    same.resume(&session_of(&ready), seq).await?;
    same.dispatch("RESUMED").await?;
    Ok(())
}

#[tokio::test]
async fn a_session_whose_heartbeats_stop_is_closed_and_may_be_resumed() -> Outcome {
    let house = House::with(|config| {
        config.heartbeat_interval = Duration::from_millis(100);
        config.heartbeat_grace = Duration::from_millis(100);
    })
    .await?;
    let (mut client, ready, _) = house.bot(INTENTS).await?;
    assert_eq!(client.closed_with().await?, Some(4000));
    let mut client = resumed(&house, &session_of(&ready), client.seq).await?;
    client.dispatch("RESUMED").await?;
    Ok(())
}

#[tokio::test]
async fn who_is_told_to_reconnect_and_stays_is_shown_out() -> Outcome {
    let house = House::with(|config| config.reconnect_grace = Duration::from_millis(50)).await?;
    let (mut client, ready, _) = house.bot(INTENTS).await?;
    faulted(&house, json!({"kind": "reconnect"})).await?;
    client.op(7).await?;
    assert_eq!(client.next().await?, Err(Some(4000)));
    let mut client = resumed(&house, &session_of(&ready), client.seq).await?;
    client.dispatch("RESUMED").await?;
    faulted(&house, json!({"kind": "invalid_session"})).await?;
    assert_eq!(client.op(9).await?["d"], false);
    assert_eq!(client.next().await?, Err(Some(4000)));
    Ok(())
}

#[tokio::test]
async fn after_op_9_true_nothing_is_told_until_the_session_is_resumed() -> Outcome {
    let house = House::open().await?;
    let hearth = house.channel("The Hearth").await?;
    let (mut client, ready, _) = house.bot(INTENTS).await?;
    let invalid = json!({"kind": "invalid_session", "resumable": true});
    faulted(&house, invalid).await?;
    assert_eq!(client.op(9).await?["d"], true);
    house.voice(Some(&hearth)).await?;
    assert!(client.until_now().await?.is_empty());
    let seq = client.seq;
    client.resume(&session_of(&ready), seq).await?;
    client.dispatch("VOICE_STATE_UPDATE").await?;
    client.dispatch("RESUMED").await?;
    Ok(())
}

fn join(guild: &Value, channel: &str) -> Value {
    let d =
        json!({"guild_id": guild, "channel_id": channel, "self_mute": false, "self_deaf": false});
    json!({"op": 4, "d": d})
}

#[tokio::test]
async fn the_bots_own_voice_needs_connect() -> Outcome {
    let house = House::open().await?;
    let (guild, bot) = (json!(house.application.guild_id), house.application.id);
    let hearth = house.channel("The Hearth").await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let path = format!("/sim/channels/{hearth}/permissions/{bot}");
    let denied = json!({"type": 1, "allow": "0", "deny": (1 << 20).to_string()});
    house.act("PUT", &path, denied).await?;
    client.until_now().await?;
    client.send(join(&guild, &hearth)).await?;
    assert_eq!(client.names_until_now().await?, Vec::<String>::new());
    house.act("DELETE", &path, json!({})).await?;
    client.until_now().await?;
    client.send(join(&guild, &hearth)).await?;
    let names = client.names_until_now().await?;
    assert_eq!(names, ["VOICE_STATE_UPDATE", "VOICE_SERVER_UPDATE"]);
    Ok(())
}

/// Whether the bot stands in a voice channel of the first guild.
fn bot_is_in_voice(house: &House, state: &Value) -> bool {
    let bot = json!(house.application.id);
    let states = state["guilds"][0]["voiceStates"].as_array();
    states.into_iter().flatten().any(|one| one["userId"] == bot)
}

#[tokio::test]
async fn a_shard_joins_no_voice_channel_of_another() -> Outcome {
    let house = House::open().await?;
    let guild = house.application.guild_id;
    let hearth = house.channel("The Hearth").await?;
    let own = (guild.get() >> 22) % 2;
    for (shard, joins) in [(1 - own, false), (own, true)] {
        let mut client = house.dial(GATEWAY).await?;
        client
            .identify_with(128, json!({"shard": [shard, 2]}))
            .await?;
        client.dispatch("READY").await?;
        client.send(join(&json!(guild), &hearth)).await?;
        client.names_until_now().await?;
        assert_eq!(bot_is_in_voice(&house, &house.state().await?), joins);
    }
    Ok(())
}

#[tokio::test]
async fn the_bot_leaves_voice_with_its_session_and_sees_hidden_channels_no_more() -> Outcome {
    let house = House::with(|config| config.resume_window = Duration::from_millis(50)).await?;
    let (guild, bot) = (house.application.guild_id, house.application.id);
    let hearth = house.channel("The Hearth").await?;
    let cellar = house.channel("The Cellar").await?;
    let (mut watcher, ..) = house.bot(INTENTS).await?;
    // Closed for good, or left and not resumed in time.
    for code in [1000, 4000] {
        let (mut client, ..) = house.bot(INTENTS).await?;
        client.send(join(&json!(guild), &hearth)).await?;
        client.until_now().await?;
        let path = format!("/sim/guilds/{guild}/voice");
        let there = json!({"userId": bot, "channelId": cellar});
        house.act("POST", &path, there).await?;
        assert_eq!(house.rest(&format!("/channels/{cellar}")).await?.0, 200);
        watcher.until_now().await?;
        client.close(code).await?;
        let gone = |state: &Value| !bot_is_in_voice(&house, state);
        house.until("/sim/state", gone).await?;
        assert_eq!(house.rest(&format!("/channels/{cellar}")).await?.0, 403);
        let heard = watcher.until_now().await?;
        assert_eq!(heard[0].0, "VOICE_STATE_UPDATE");
        assert_eq!(heard[0].1["channel_id"], Value::Null);
        let hidden = |(name, data): &(String, Value)| {
            name == "CHANNEL_UPDATE" && data["id"] == cellar && data["name"] == "___hidden___"
        };
        assert!(heard.iter().any(hidden), "{heard:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_part_of_the_member_list_is_limited_like_the_whole() -> Outcome {
    let house = House::with(|config| config.member_list_interval = Duration::from_hours(1)).await?;
    let guild = house.application.guild_id;
    let (mut client, ..) = house.bot(INTENTS | GUILD_MEMBERS).await?;
    for (limit, answered) in [
        (2, "GUILD_MEMBERS_CHUNK"),
        (3, "RATE_LIMITED"),
        (0, "RATE_LIMITED"),
    ] {
        let d = json!({"guild_id": guild, "query": "", "limit": limit});
        client.send(json!({"op": 8, "d": d})).await?;
        let heard = client.until_now().await?;
        assert_eq!(heard.len(), 1);
        assert_eq!(heard[0].0, answered, "limit {limit}");
        if limit == 2 {
            assert_eq!(heard[0].1["members"].as_array().map(Vec::len), Some(2));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_replay_is_bounded_by_bytes_too() -> Outcome {
    let house = House::with(|config| config.replay_bytes = 2000).await?;
    let guild = house.application.guild_id;
    let (client, ready, _) = house.bot(INTENTS).await?;
    let (session, seq) = (session_of(&ready), client.seq);
    client.close(4000).await?;
    let stamp = async |turn: usize| {
        let stamp = json!({"guildId": guild, "stamp": format!("{turn}:0")});
        house.act("POST", "/sim/stamp", stamp).await.map(drop)
    };
    stamp(0).await?;
    let mut client = resumed(&house, &session, seq).await?;
    client.dispatch("VOICE_STATE_UPDATE").await?;
    client.dispatch("RESUMED").await?;
    client.close(4000).await?;
    for turn in 1..9 {
        stamp(turn).await?;
    }
    let mut client = resumed(&house, &session, seq).await?;
    assert_eq!(client.op(9).await?["d"], false);
    Ok(())
}

#[tokio::test]
async fn bans_and_the_audit_log_are_for_the_moderation_intent_and_right() -> Outcome {
    let house = House::open().await?;
    let guild = house.application.guild_id;
    let bots = house.role("Doorkeeper").await?;
    let (mut with, ..) = house.bot(1 | 1 << 2).await?;
    let (mut without, ..) = house.bot(1).await?;
    let user = house.guild().await?["members"][4]["userId"].clone();
    let user = user.as_str().ok_or("no user")?;
    let member = format!("/sim/guilds/{guild}/members/{user}?how=ban");
    let ban = format!("/api/v10/guilds/{guild}/bans/{user}");
    // VIEW_AUDIT_LOG and BAN_MEMBERS, then the second alone.
    for (rights, logged) in [(1 << 7 | 1 << 2, true), (1 << 2, false)] {
        let rights = json!({"permissions": (rights | 1 << 10).to_string()});
        house
            .act("PATCH", &format!("/sim/roles/{bots}"), rights)
            .await?;
        with.until_now().await?;
        without.until_now().await?;
        house.act("DELETE", &member, json!({})).await?;
        let unban = house.http.delete(house.url(&ban));
        let token = format!("Bot {}", house.application.bot_token);
        let unban = unban.header("authorization", token).send().await?;
        assert_eq!(unban.status(), 204);
        let names = with.names_until_now().await?;
        let count = |name: &str| names.iter().filter(|one| *one == name).count();
        assert_eq!(count("GUILD_BAN_ADD"), 1, "{names:?}");
        assert_eq!(count("GUILD_BAN_REMOVE"), 1, "{names:?}");
        let entries = count("GUILD_AUDIT_LOG_ENTRY_CREATE");
        assert_eq!(entries > 0, logged, "{names:?}");
        let names = without.names_until_now().await?;
        let moderates = |name: &String| name.starts_with("GUILD_BAN") || name.contains("AUDIT");
        assert!(!names.iter().any(moderates), "{names:?}");
        let back = json!({"userId": user});
        house
            .act("POST", &format!("/sim/guilds/{guild}/members"), back)
            .await?;
    }
    Ok(())
}
