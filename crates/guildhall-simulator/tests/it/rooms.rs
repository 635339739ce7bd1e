use serde_json::{Value, json};

use crate::house::{House, INTENTS, Outcome};

/// `voice_start_time` of a room's event, and the names of all that came.
fn told(heard: &[(String, Value)]) -> (Vec<&str>, Vec<(String, Value)>) {
    let names = heard.iter().map(|(name, _)| name.as_str()).collect();
    let times = heard
        .iter()
        .filter(|(name, _)| name == "VOICE_CHANNEL_START_TIME_UPDATE")
        .map(|(_, data)| {
            let id = data["id"].as_str().unwrap_or_default().to_owned();
            (id, data["voice_start_time"].clone())
        })
        .collect();
    (names, times)
}

const START: &str = "VOICE_CHANNEL_START_TIME_UPDATE";
const STATE: &str = "VOICE_STATE_UPDATE";

#[tokio::test]
async fn a_rooms_time_begins_with_its_first_and_ends_with_its_last() -> Outcome {
    let house = House::open().await?;
    let (table, hearth) = (
        house.channel("Table Two").await?,
        house.channel("The Hearth").await?,
    );
    let (mut client, ..) = house.bot(INTENTS).await?;
    let status = format!("/sim/channels/{table}/voice-status");

    house.voice(Some(&table)).await?;
    house
        .act("PUT", &status, json!({"status": "Chess"}))
        .await?;
    house.voice(Some(&hearth)).await?;
    house.voice(None).await?;
    let heard = client.until_now().await?;
    let (names, times) = told(&heard);
    assert_eq!(
        names,
        [
            STATE,
            START,
            "VOICE_CHANNEL_STATUS_UPDATE",
            STATE,
            START,
            "VOICE_CHANNEL_STATUS_UPDATE",
            STATE,
        ],
        "the Hearth is never empty: its load user stays"
    );
    assert_eq!(times[0].0, table);
    let began = times[0].1.as_i64().ok_or("seconds")?;
    assert!(began > 1_700_000_000, "{began}");
    assert_eq!(times[1], (table.clone(), Value::Null));
    assert_eq!(heard[5].1["status"], Value::Null);
    let guild = house.application.guild_id;
    assert_eq!(heard[1].1["guild_id"], json!(guild));
    Ok(())
}

#[tokio::test]
async fn a_room_empties_with_whoever_leaves_the_guild() -> Outcome {
    let house = House::open().await?;
    let table = house.channel("Table Two").await?;
    let (guild, user) = (house.application.guild_id, house.application.member_id);
    house.voice(Some(&table)).await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let member = format!("/sim/guilds/{guild}/members/{user}?how=kick");
    house.act("DELETE", &member, json!({})).await?;
    let heard = client.until_now().await?;
    assert_eq!(told(&heard).0, [STATE, START]);
    assert_eq!(heard[1].1["voice_start_time"], Value::Null);
    Ok(())
}

#[tokio::test]
async fn a_hidden_rooms_time_is_not_told_and_a_shown_ones_is_asked_for() -> Outcome {
    let house = House::open().await?;
    let cellar = house.channel("The Cellar").await?;
    let hearth = house.channel("The Hearth").await?;
    let guild = house.application.guild_id;
    let (mut client, ..) = house.bot(INTENTS).await?;
    house.voice(Some(&cellar)).await?;
    assert_eq!(client.names_until_now().await?, [STATE]);

    let d = json!({"guild_id": guild, "fields": ["voice_start_time"]});
    client.send(json!({"op": 43, "d": d})).await?;
    let info = client.dispatch("CHANNEL_INFO").await?;
    let channels = info["channels"].as_array().cloned().unwrap_or_default();
    let started = |id: &str| {
        let channel = channels.iter().find(|channel| channel["id"] == id);
        channel.and_then(|channel| channel["voice_start_time"].as_i64())
    };
    assert!(started(&hearth).is_some_and(|at| at > 1_700_000_000));
    assert_eq!(started(&cellar), None);
    assert!(channels.iter().all(|one| one.get("status").is_none()));
    Ok(())
}
