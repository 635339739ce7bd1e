//! Who is moved, from where and to where, and who is timed out.

use serde_json::{Value, json};

use crate::{
    house::{Failure, House, INTENTS, Outcome},
    rest_acts::{call, empower},
};

const VIEW_CHANNEL: u64 = 1 << 10;
const CONNECT: u64 = 1 << 20;
const MOVE_MEMBERS: u64 = 1 << 24;
const GUILD_MEMBERS: u64 = 1 << 1;

/// Moves the first member, or disconnects them: status and code.
async fn moved(house: &House, channel: Option<&str>) -> Result<(u16, Value), Failure> {
    let (guild, user) = (house.application.guild_id, house.application.member_id);
    let path = format!("/guilds/{guild}/members/{user}");
    let body = json!({"channel_id": channel});
    let (status, answer) = call(house, "PATCH", &path, Some(body)).await?;
    Ok((status, answer["code"].clone()))
}

/// Denies the bot's own role something in a channel.
async fn deny(house: &House, channel: &str, deny: u64) -> Outcome {
    let path = format!(
        "/sim/channels/{channel}/permissions/{}",
        house.role("Doorkeeper").await?
    );
    let body = json!({"type": 0, "deny": deny.to_string()});
    house.act("PUT", &path, body).await.map(drop)
}

#[tokio::test]
async fn a_full_room_takes_whoever_is_moved_there() -> Outcome {
    let house = House::open().await?;
    let (hearth, table) = (
        house.channel("The Hearth").await?,
        house.channel("Table One").await?,
    );
    let path = format!("/sim/channels/{table}");
    house.act("PATCH", &path, json!({"userLimit": 2})).await?;
    house.voice(Some(&hearth)).await?;
    assert_eq!(moved(&house, Some(&table)).await?.0, 200);
    let guild = house.guild().await?;
    let inside = guild["voiceStates"].as_array().into_iter().flatten();
    let inside = inside.filter(|state| state["channelId"] == table.as_str());
    assert_eq!(inside.count(), 3);
    Ok(())
}

#[tokio::test]
async fn moving_takes_the_right_at_both_ends() -> Outcome {
    let house = House::open().await?;
    let (hearth, table) = (
        house.channel("The Hearth").await?,
        house.channel("Table One").await?,
    );
    let refused = |code: u64| (403, json!(code));
    empower(&house, VIEW_CHANNEL | CONNECT | MOVE_MEMBERS).await?;
    house.voice(Some(&hearth)).await?;

    deny(&house, &table, MOVE_MEMBERS).await?;
    assert_eq!(moved(&house, Some(&table)).await?, refused(50_013));
    deny(&house, &table, CONNECT).await?;
    assert_eq!(moved(&house, Some(&table)).await?, refused(50_001));
    deny(&house, &table, 0).await?;
    deny(&house, &hearth, MOVE_MEMBERS).await?;
    assert_eq!(moved(&house, Some(&table)).await?, refused(50_013));
    assert_eq!(moved(&house, None).await?, refused(50_013));
    deny(&house, &hearth, 0).await?;
    assert_eq!(moved(&house, Some(&table)).await?.0, 200);
    assert_eq!(moved(&house, None).await?.0, 200);
    assert_eq!(moved(&house, None).await?, (400, json!(40_032)));
    Ok(())
}

#[tokio::test]
async fn somebody_is_timed_out_from_discords_side_and_it_is_told() -> Outcome {
    let house = House::open().await?;
    let (guild, user) = (house.application.guild_id, house.application.member_id);
    let path = format!("/sim/guilds/{guild}/members/{user}");
    let (mut client, ..) = house.bot(INTENTS | GUILD_MEMBERS).await?;
    let until = "2099-01-31T12:00:00Z";
    house
        .act("PATCH", &path, json!({"timeoutUntil": until}))
        .await?;
    let told = client.dispatch("GUILD_MEMBER_UPDATE").await?;
    let ends = &told["communication_disabled_until"];
    assert_eq!(ends, "2099-01-31T12:00:00.000000+00:00");
    let members = house.guild().await?["members"].clone();
    let shown = members.as_array().into_iter().flatten();
    let shown: Vec<_> = shown.filter(|one| &one["timeoutUntil"] == ends).collect();
    assert_eq!(shown.len(), 1);

    let both = json!({"timeoutUntil": null, "nick": "Ro"});
    house.act("PATCH", &path, both).await?;
    let heard = client.until_now().await?;
    let (_, last) = heard.last().ok_or("nothing was told")?;
    assert_eq!(last["nick"], "Ro");
    assert!(last["communication_disabled_until"].is_null());
    for wrong in [json!("tomorrow"), json!(5)] {
        let body = json!({"timeoutUntil": wrong});
        assert_eq!(house.try_act("PATCH", &path, body).await?.0, 400);
    }
    Ok(())
}
