use std::time::Duration;

use serde_json::{Value, json};

use crate::house::{Client, Failure, House, INTENTS, Outcome};

fn session_of(ready: &Value) -> String {
    ready["session_id"].as_str().unwrap_or_default().to_owned()
}

async fn faulted(house: &House, fault: Value) -> Outcome {
    house.act("POST", "/sim/faults", fault).await.map(|_| ())
}

async fn resumed(house: &House, session: &str, seq: u64) -> Result<Client, Failure> {
    let mut client = house.dial("/resume/?v=10&encoding=json").await?;
    client.seq = seq;
    client.resume(session, seq).await?;
    Ok(client)
}

#[tokio::test]
async fn what_happened_while_away_is_replayed_in_order_and_ends_with_resumed() -> Outcome {
    let house = House::open().await?;
    let (hearth, table) = (
        house.channel("The Hearth").await?,
        house.channel("Table One").await?,
    );
    let (mut client, ready, _) = house.bot(INTENTS).await?;
    faulted(&house, json!({"kind": "drop"})).await?;
    assert_eq!(client.closed_with().await?, None);
    for room in [Some(hearth.as_str()), Some(table.as_str()), None] {
        house.voice(room).await?;
    }
    let mut client = resumed(&house, &session_of(&ready), client.seq).await?;
    for room in [json!(hearth), json!(table), json!(null)] {
        let state = client.dispatch("VOICE_STATE_UPDATE").await?;
        assert_eq!(state["channel_id"], room);
        assert_eq!(state["user_id"], house.application.member_id.to_string());
    }
    client.dispatch("RESUMED").await?;
    house.voice(Some(&hearth)).await?;
    assert_eq!(
        client.dispatch("VOICE_STATE_UPDATE").await?["channel_id"],
        hearth
    );
    Ok(())
}

#[tokio::test]
async fn replay_reaches_further_back_than_the_last_heartbeat() -> Outcome {
    let house = House::open().await?;
    let hearth = house.channel("The Hearth").await?;
    let (mut client, ready, _) = house.bot(INTENTS).await?;
    let committed = client.seq;
    for room in [Some(hearth.as_str()), None, Some(hearth.as_str())] {
        house.voice(room).await?;
        client.dispatch("VOICE_STATE_UPDATE").await?;
    }
    // The heartbeat says that all was read; the client then comes back from before it.
    client.beat().await?;
    client.op(11).await?;
    client.close(4000).await?;
    let mut client = resumed(&house, &session_of(&ready), committed).await?;
    assert_eq!(
        client.names_until_now().await?,
        [
            "VOICE_STATE_UPDATE",
            "VOICE_STATE_UPDATE",
            "VOICE_STATE_UPDATE",
            "RESUMED"
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_rewound_replay_tells_again_what_was_heard_but_never_ready() -> Outcome {
    let house = House::open().await?;
    let hearth = house.channel("The Hearth").await?;
    let (mut client, ready, guilds) = house.bot(INTENTS).await?;
    house.voice(Some(&hearth)).await?;
    client.dispatch("VOICE_STATE_UPDATE").await?;
    let (session, heard) = (session_of(&ready), client.seq);
    for (dispatches, again) in [(1_u64, 1), (1_000, 1 + guilds.len())] {
        let rewind = json!({"kind": "rewind", "dispatches": dispatches});
        faulted(&house, rewind).await?;
        client.close(4000).await?;
        client = resumed(&house, &session, heard).await?;
        // This client knows that its numbers go back.
        client.seq = heard.saturating_sub(dispatches).max(1);
        client.replayed_before = true;
        let names = client.names_until_now().await?;
        assert_eq!(names.len(), again + 1, "{names:?}");
        assert_eq!(names[again - 1..], ["VOICE_STATE_UPDATE", "RESUMED"]);
        assert!(!names.contains(&"READY".to_owned()), "{names:?}");
    }
    // Once, if it does not say otherwise.
    client.close(4000).await?;
    let mut client = resumed(&house, &session, heard).await?;
    client.replayed_before = true;
    assert_eq!(client.names_until_now().await?, ["RESUMED"]);
    Ok(())
}

#[tokio::test]
async fn a_second_replay_leaves_out_the_resumed_of_the_first() -> Outcome {
    let house = House::open().await?;
    let hearth = house.channel("The Hearth").await?;
    let (client, ready, _) = house.bot(INTENTS).await?;
    let committed = client.seq;
    client.close(4000).await?;
    house.voice(Some(&hearth)).await?;
    for turn in 0..3 {
        let mut client = resumed(&house, &session_of(&ready), committed).await?;
        client.replayed_before = turn > 0;
        assert_eq!(
            client.names_until_now().await?,
            ["VOICE_STATE_UPDATE", "RESUMED"]
        );
        client.close(4000).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_session_closed_with_1000_or_1001_is_over() -> Outcome {
    let house = House::open().await?;
    for code in [1000, 1001] {
        let (client, ready, _) = house.bot(INTENTS).await?;
        let seq = client.seq;
        client.close(code).await?;
        let mut client = resumed(&house, &session_of(&ready), seq).await?;
        assert_eq!(client.op(9).await?["d"], false);
        // The same connection may start afresh.
        client.seq = 0;
        client.identify(INTENTS).await?;
        client.dispatch("READY").await?;
    }
    Ok(())
}

#[tokio::test]
async fn unknown_and_expired_sessions_get_op_9_and_a_future_sequence_4007() -> Outcome {
    let house = House::with(|config| config.resume_window = Duration::ZERO).await?;
    let mut client = resumed(&house, "nobody", 1).await?;
    assert_eq!(client.op(9).await?["d"], false);

    let (client, ready, _) = house.bot(INTENTS).await?;
    let seq = client.seq;
    client.close(4000).await?;
    let mut client = resumed(&house, &session_of(&ready), seq).await?;
    assert_eq!(client.op(9).await?["d"], false);

    let (client, ready, _) = house.bot(INTENTS).await?;
    let mut ahead = resumed(&house, &session_of(&ready), client.seq + 1).await?;
    assert_eq!(ahead.closed_with().await?, Some(4007));
    Ok(())
}

#[tokio::test]
async fn what_the_replay_no_longer_holds_is_op_9() -> Outcome {
    let house = House::with(|config| config.replay_events = 8).await?;
    let guild = house.application.guild_id;
    let (client, ready, _) = house.bot(INTENTS).await?;
    let seq = client.seq;
    client.close(4000).await?;
    for turn in 0..9 {
        house
            .act(
                "POST",
                "/sim/stamp",
                json!({"guildId": guild, "stamp": format!("{turn}:0")}),
            )
            .await?;
    }
    let mut client = resumed(&house, &session_of(&ready), seq).await?;
    assert_eq!(client.op(9).await?["d"], false);
    Ok(())
}

#[tokio::test]
async fn a_resumption_takes_the_session_from_the_connection_that_held_it() -> Outcome {
    let house = House::open().await?;
    let (mut old, ready, _) = house.bot(INTENTS).await?;
    let mut new = resumed(&house, &session_of(&ready), old.seq).await?;
    new.dispatch("RESUMED").await?;
    old.closed_with().await?;
    house
        .voice(Some(&house.channel("The Hearth").await?))
        .await?;
    new.dispatch("VOICE_STATE_UPDATE").await?;
    Ok(())
}

#[tokio::test]
async fn faults_reach_the_connections_of_a_session() -> Outcome {
    let house = House::open().await?;
    let (mut client, ready, _) = house.bot(INTENTS).await?;
    faulted(&house, json!({"kind": "ask_heartbeat"})).await?;
    client.op(1).await?;
    faulted(&house, json!({"kind": "reconnect"})).await?;
    client.op(7).await?;
    faulted(
        &house,
        json!({"kind": "invalid_session", "resumable": true}),
    )
    .await?;
    assert_eq!(client.op(9).await?["d"], true);
    let seq = client.seq;
    client.resume(&session_of(&ready), seq).await?;
    client.dispatch("RESUMED").await?;
    faulted(&house, json!({"kind": "stop_acking"})).await?;
    client.beat().await?;
    faulted(&house, json!({"kind": "close", "code": 4000})).await?;
    // Had the heartbeat been answered, op 11 would stand before the close.
    assert_eq!(client.next().await?, Err(Some(4000)));

    faulted(&house, json!({"kind": "resume_503", "times": 2})).await?;
    for _ in 0..2 {
        assert!(house.dial("/resume?v=10&encoding=json").await.is_err());
    }
    let mut client = resumed(&house, &session_of(&ready), client.seq).await?;
    client.dispatch("RESUMED").await?;
    client.beat().await?;
    client.op(11).await?;

    faulted(&house, json!({"kind": "invalid_session"})).await?;
    assert_eq!(client.op(9).await?["d"], false);
    let mut late = resumed(&house, &session_of(&ready), client.seq).await?;
    assert_eq!(late.op(9).await?["d"], false);
    Ok(())
}

#[tokio::test]
async fn guilds_that_ready_named_come_after_a_resumption_too() -> Outcome {
    let house = House::with(|config| config.guild_create_delay = Duration::from_millis(50)).await?;
    let mut client = house.dial("/gateway?v=10&encoding=json").await?;
    client.identify(INTENTS).await?;
    let ready = client.dispatch("READY").await?;
    client.close(4000).await?;
    let mut client = resumed(&house, &session_of(&ready), 1).await?;
    let mut names = Vec::new();
    for _ in 0..4 {
        names.push(client.op(0).await?["t"].clone());
    }
    names.sort_by_key(ToString::to_string);
    assert_eq!(
        json!(names),
        json!(["GUILD_CREATE", "GUILD_CREATE", "GUILD_CREATE", "RESUMED"])
    );
    Ok(())
}

#[tokio::test]
async fn of_a_guild_not_shown_yet_only_its_outage_is_told() -> Outcome {
    let house = House::with(|config| config.guild_create_delay = Duration::from_hours(1)).await?;
    let mut client = house.dial("/gateway?v=10&encoding=json").await?;
    client.identify(INTENTS).await?;
    client.dispatch("READY").await?;
    house
        .voice(Some(&house.channel("The Hearth").await?))
        .await?;
    let guild = house.application.guild_id;
    faulted(&house, json!({"kind": "outage", "guildId": guild})).await?;
    let gone = client.dispatch("GUILD_DELETE").await?;
    assert_eq!(gone, json!({"id": guild, "unavailable": true}));
    // Out of service a guild changes silently; what became of it is shown at the end.
    house.voice(None).await?;
    faulted(
        &house,
        json!({"kind": "outage", "guildId": guild, "over": true}),
    )
    .await?;
    let back = client.dispatch("GUILD_CREATE").await?;
    assert_eq!(back["voice_states"].as_array().map(Vec::len), Some(4));
    Ok(())
}
