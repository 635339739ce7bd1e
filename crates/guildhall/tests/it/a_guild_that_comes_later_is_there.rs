//! "Not there yet" is not "not there": guilds that come after somebody has signed in.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_guild_that_is_out_when_the_house_starts_comes_to_who_has_signed_in_meanwhile() {
    let house = House::whose("standing", &[], async |discord| {
        let guilds = discord.state().await["guilds"].clone();
        for guild in guilds.as_array().expect("guilds") {
            let outage = json!({"kind": "outage", "guildId": guild["id"]});
            discord.fault(outage).await;
        }
    })
    .await;
    let discord = &house.discord;
    let cookie = house.sign_in(&discord.visitor).await;
    let mut stream = house.stream(&cookie, "", None).await;
    let snapshot = stream.next_record().await;
    assert_eq!(snapshot.event, "snapshot");
    assert_eq!(snapshot.data["guilds"], json!([]));
    assert_ne!(snapshot.data["status"]["discord"], "live");
    let by_id = format!("?guild={}", discord.guild);
    let mut named = house.stream(&cookie, &by_id, None).await;
    assert_eq!(named.until("bye").await.data["reason"], "unavailable");

    let over = json!({"kind": "outage", "guildId": discord.guild, "over": true});
    discord.fault(over).await;
    let came = stream.until("guild.available").await;
    assert_eq!(came.data["guild"]["id"], discord.guild);
    assert!(sees(&came.data["guild"], &discord.rooms[0]));
    assert!(!sees(&came.data["guild"], &discord.gated));
    discord
        .voice(&discord.people[0], Some(&discord.rooms[0]))
        .await;
    stream.until("voice.joined").await;
    assert_eq!(stream.raw.matches("event: snapshot").count(), 1);

    let state = house.state(&cookie).await;
    assert_eq!(state["guilds"][0]["id"], discord.guild, "a reload shows it");
    let me = house.get("/api/me", Some(&cookie)).await;
    let me: Value = me.json().await.expect("JSON");
    assert_eq!(me["guilds"], json!([discord.guild]), "those shared now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guild_that_the_bot_joins_reaches_its_members_without_a_new_sign_in() {
    const ANNEX: &str = "987654321987654321";
    let house = House::start().await;
    let discord = &house.discord;
    let annex = json!({"id": ANNEX, "name": "The Annex", "ownerId": discord.visitor});
    discord.post("/sim/guilds", &annex).await;
    let cookie = house.sign_in(&discord.visitor).await;
    let mut stream = house.stream(&cookie, "", None).await;
    stream.until("snapshot").await;
    discord.remove_guild(ANNEX).await;
    let removed = stream.until("guild.removed").await;
    assert_eq!(removed.data["guildId"], ANNEX);
    let gone = house
        .get(&format!("/api/stream?guild={ANNEX}"), Some(&cookie))
        .await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);

    discord.post("/sim/guilds", &annex).await;
    let came = stream.until("guild.available").await;
    assert_eq!(came.data["guildId"], ANNEX);
    assert_eq!(came.data["guild"]["name"], "The Annex");
    assert_eq!(came.data["guild"]["rooms"][0]["name"], "Lounge");
    assert_eq!(stream.raw.matches("event: snapshot").count(), 1);
    let mut again = house.stream(&cookie, "", None).await;
    let snapshot = again.until("snapshot").await;
    let ids = snapshot.data["guilds"].as_array().expect("guilds").iter();
    assert!(ids.map(|guild| &guild["id"]).any(|id| id == ANNEX));
}

fn sees(guild: &Value, room: &str) -> bool {
    let rooms = guild["rooms"].as_array().expect("rooms");
    rooms.iter().any(|known| known["channelId"] == room)
}
