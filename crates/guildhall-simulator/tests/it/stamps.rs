use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::house::{Client, Failure, House, INTENTS, Outcome};

async fn stamped(client: &mut Client) -> Result<(String, bool), Failure> {
    let state = client.dispatch("VOICE_STATE_UPDATE").await?;
    let name = state["member"]["user"]["username"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    Ok((name, state["self_mute"] == true))
}

#[tokio::test]
async fn a_stamp_is_one_voice_state_update_in_every_session_attached_or_not() -> Outcome {
    let house = House::open().await?;
    let guild = house.application.guild_id;
    let (mut here, ..) = house.bot(INTENTS).await?;
    let (away, ready, _) = house.bot(INTENTS).await?;
    let seq = away.seq;
    away.close(4000).await?;
    for stamp in ["1:11", "2:22"] {
        house
            .act(
                "POST",
                "/sim/stamp",
                json!({"guildId": guild, "stamp": stamp}),
            )
            .await?;
    }
    assert_eq!(stamped(&mut here).await?, ("1:11".to_owned(), true));
    assert_eq!(stamped(&mut here).await?, ("2:22".to_owned(), false));
    assert!(here.names_until_now().await?.is_empty());

    let mut away = house.dial("/resume?v=10&encoding=json").await?;
    away.seq = seq;
    away.resume(ready["session_id"].as_str().unwrap_or_default(), seq)
        .await?;
    assert_eq!(stamped(&mut away).await?.0, "1:11");
    assert_eq!(stamped(&mut away).await?.0, "2:22");
    away.dispatch("RESUMED").await?;
    Ok(())
}

#[tokio::test]
async fn a_load_sends_every_stamp_once_and_in_order() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let load = json!({"eventsPerSecond": 500, "seconds": 1, "guilds": 2});
    let (status, _) = house.try_act("POST", "/sim/load", load.clone()).await?;
    assert_eq!(status, 202);
    let (status, _) = house.try_act("POST", "/sim/load", load).await?;
    assert_eq!(status, 409);
    for expected in 1..=500_u64 {
        let (name, _) = stamped(&mut client).await?;
        let (seq, micros) = name.split_once(':').ok_or("a stamp has two parts")?;
        assert_eq!(seq.parse::<u64>()?, expected);
        assert!(micros.parse::<u64>()? > 1_600_000_000_000_000);
    }
    let done = timeout(Duration::from_secs(5), finished(&house)).await??;
    assert_eq!(done["sent"], 500);
    assert!(client.names_until_now().await?.is_empty());
    Ok(())
}

async fn finished(house: &House) -> Result<Value, Failure> {
    loop {
        let progress: Value = house
            .http
            .get(house.url("/sim/load"))
            .send()
            .await?
            .json()
            .await?;
        if progress["done"] == true {
            return Ok(progress);
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_load_of_twenty_thousand_a_second_loses_nothing() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    house
        .act(
            "POST",
            "/sim/load",
            json!({"eventsPerSecond": 20_000, "seconds": 1}),
        )
        .await?;
    let first = client.seq;
    for expected in 1..=20_000_u64 {
        let state = client.op(0).await?;
        assert_eq!(state["s"], first + expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_client_that_reads_too_slowly_is_closed_and_its_session_is_gone() -> Outcome {
    let house = House::with(|config| {
        config.replay_events = 64;
        config.write_limit = Duration::from_hours(1);
    })
    .await?;
    let (mut client, ready, _) = house.bot(INTENTS).await?;
    // About 100 MB that nobody reads: more than the kernel holds for a socket.
    let load = json!({"eventsPerSecond": 100_000, "seconds": 1});
    house.act("POST", "/sim/load", load).await?;
    timeout(Duration::from_mins(1), finished(&house)).await??;
    assert_eq!(client.closed_with().await?, Some(4000));
    let mut late = house.dial("/resume?v=10&encoding=json").await?;
    late.resume(ready["session_id"].as_str().unwrap_or_default(), client.seq)
        .await?;
    assert_eq!(late.op(9).await?["d"], false);
    Ok(())
}
