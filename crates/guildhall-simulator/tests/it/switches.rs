use serde_json::{Value, json};

use crate::{
    house::{Failure, House, INTENTS, Outcome},
    raw::GATEWAY,
};

#[tokio::test]
async fn gateway_urls_follow_the_public_url() -> Outcome {
    for (public, gateway) in [
        ("https://discord.example", "wss://discord.example"),
        ("http://localhost:4000", "ws://localhost:4000"),
    ] {
        let house = House::with(|config| config.public_url = Some(public.to_owned())).await?;
        for path in ["/gateway", "/gateway/bot"] {
            let (_, told) = house.rest(path).await?;
            assert_eq!(told["url"], format!("{gateway}/gateway"));
        }
        let (_, ready, _) = house.bot(INTENTS).await?;
        assert_eq!(ready["resume_gateway_url"], format!("{gateway}/resume"));
    }
    Ok(())
}

#[tokio::test]
async fn ids_by_the_clock_tell_when_something_was_made() -> Outcome {
    const EPOCH_MS: u64 = 1_420_070_400_000;
    let house = House::open().await?;
    let table = house.channel("Table One").await?;
    let plain = House::with(|config| config.fixed_ids = true).await?;
    assert_eq!(
        plain.channel("Table One").await?,
        table,
        "of the seed's world"
    );
    let made = async || {
        let room = json!({"guildId": house.application.guild_id, "name": "Nook"});
        let id = house.act("POST", "/sim/channels", room).await?["id"].clone();
        Ok::<u64, Failure>(id.as_str().unwrap_or_default().parse()?)
    };
    let (first, second) = (made().await?, made().await?);
    assert!(second > first);
    let now = std::time::UNIX_EPOCH.elapsed()?.as_millis();
    let of = |id: u64| u128::from((id >> 22) + EPOCH_MS);
    assert!(of(first).abs_diff(now) < 60_000, "{first}");
    Ok(())
}

#[tokio::test]
async fn fixed_ids_are_the_same_whoever_logs_in() -> Outcome {
    let fixed = async || House::with(|config| config.fixed_ids = true).await;
    let (quiet, busy) = (fixed().await?, fixed().await?);
    let (guild, hearth) = (busy.application.guild_id, busy.channel("The Hearth").await?);
    let (mut client, ..) = busy.bot(INTENTS).await?;
    let join =
        json!({"guild_id": guild, "channel_id": hearth, "self_mute": false, "self_deaf": false});
    client.send(json!({"op": 4, "d": join})).await?;
    client.until_now().await?;
    busy.voice(Some(&hearth)).await?;
    busy.dial(GATEWAY).await?.identify(INTENTS).await?;
    busy.act("POST", "/sim/token", json!({"kind": "reset"}))
        .await?;
    let mut made = Vec::new();
    for house in [&quiet, &busy] {
        let user = json!({"username": "visitor"});
        let user = house.act("POST", "/sim/users", user).await?;
        let channel = json!({"guildId": guild, "name": "new", "type": 2});
        let channel = house.act("POST", "/sim/channels", channel).await?;
        made.push([user["id"].clone(), channel["id"].clone()]);
    }
    assert!(made[0].iter().all(Value::is_string));
    assert_eq!(made[0], made[1]);
    Ok(())
}
