use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    house::{House, INTENTS, Outcome},
    raw::{Frame, GATEWAY, Raw},
};

async fn faulted(house: &House, fault: Value) -> Outcome {
    house.act("POST", "/sim/faults", fault).await.map(drop)
}

async fn stamp(house: &House, count: usize) -> Outcome {
    let guild = house.application.guild_id;
    for turn in 0..count {
        let stamp = json!({"guildId": guild, "stamp": format!("{turn}:0")});
        house.act("POST", "/sim/stamp", stamp).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_slow_connection_is_not_given_up_while_bytes_flow() -> Outcome {
    let house = House::with(|config| config.write_limit = Duration::from_millis(200)).await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    // Each frame takes longer than the limit, and all of them far longer.
    faulted(&house, json!({"kind": "slow", "bytes": 20, "pauseMs": 10})).await?;
    stamp(&house, 5).await?;
    let began = Instant::now();
    for _ in 0..5 {
        client.dispatch("VOICE_STATE_UPDATE").await?;
    }
    assert!(began.elapsed() > Duration::from_millis(600));
    Ok(())
}

#[tokio::test]
async fn a_slow_connection_answers_heartbeats_before_what_waits() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    faulted(&house, json!({"kind": "slow", "bytes": 20, "pauseMs": 10})).await?;
    stamp(&house, 40).await?;
    // By the second one, all the others are on their way.
    for _ in 0..2 {
        client.dispatch("VOICE_STATE_UPDATE").await?;
    }
    client.beat().await?;
    let mut before = 2;
    while client.next().await?.map_err(|code| format!("{code:?}"))?["op"] != 11 {
        before += 1;
    }
    assert!(before < 20, "{before} of 40 dispatches came first");
    // And nothing is lost by it.
    faulted(&house, json!({"kind": "heal"})).await?;
    for _ in before..40 {
        client.dispatch("VOICE_STATE_UPDATE").await?;
    }
    Ok(())
}

#[tokio::test]
async fn other_orders_reach_a_slow_connection_at_once() -> Outcome {
    let house = House::open().await?;
    for (order, code) in [("drop", None), ("close", Some(4000))] {
        let (mut client, ..) = house.bot(INTENTS).await?;
        faulted(&house, json!({"kind": "slow", "bytes": 1, "pauseMs": 1000})).await?;
        stamp(&house, 1).await?;
        faulted(&house, json!({"kind": order})).await?;
        let began = Instant::now();
        assert_eq!(client.closed_with().await?, code);
        assert!(began.elapsed() < Duration::from_secs(5));
    }
    Ok(())
}

#[tokio::test]
async fn who_takes_nothing_is_torn_off_and_may_resume_what_is_kept() -> Outcome {
    let house = House::with(|config| config.write_limit = Duration::from_millis(300)).await?;
    let mut raw = Raw::dial(&house, GATEWAY).await?;
    let d = json!({"token": house.application.bot_token, "intents": INTENTS, "properties": {}});
    let identify = json!({"op": 2, "d": d}).to_string();
    raw.send(Frame::text(identify.as_bytes())).await?;
    let ready = raw.payload().await?;
    assert_eq!(ready["t"], "READY");
    // About 20 MB that nobody reads: more than the kernel holds for a socket.
    let load = json!({"eventsPerSecond": 40_000, "seconds": 1});
    house.act("POST", "/sim/load", load).await?;
    house
        .until("/sim/load", |load| load["done"] == true)
        .await?;
    let torn = |state: &Value| state["sessions"][0]["attached"] == false;
    house.until("/sim/state", torn).await?;
    let mut client = house.dial(GATEWAY).await?;
    client.seq = 1;
    let session = ready["d"]["session_id"].as_str().unwrap_or_default();
    client.resume(session, 1).await?;
    for _ in 0..1000 {
        client.op(0).await?;
    }
    Ok(())
}

#[tokio::test]
async fn healing_reaches_connections_that_are_silent_or_unanswered() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    for kind in ["stop_acking", "silence", "half_frame"] {
        faulted(&house, json!({"kind": kind})).await?;
        house
            .until("/sim/faults", |log| {
                let last = log["done"].as_array().and_then(|done| done.last());
                last.is_some_and(|last| last["answer"]["connections"] == 1)
            })
            .await?;
        stamp(&house, 3).await?;
        faulted(&house, json!({"kind": "heal"})).await?;
        let heard = client.names_until_now().await?;
        assert_eq!(heard, ["VOICE_STATE_UPDATE"; 3], "{kind}");
    }
    Ok(())
}
