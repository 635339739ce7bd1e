//! What somebody may see changes on Discord's side while their page is open: rooms vanish and come
//! back with their people, guilds go and come, and nothing is sent again.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{a_browser_shows_it::Browser, house::House};

/// Within this a change is obeyed that Discord tells at once.
const PROMISED: Duration = Duration::from_secs(1);

fn roles_of(state: &Value, user: &str) -> Vec<String> {
    let members = state["guilds"][0]["members"].as_array().expect("members");
    let own = members.iter().find(|member| member["userId"] == user);
    serde_json::from_value(own.expect("a member")["roles"].clone()).expect("ids")
}

fn with<'a>(roles: &'a [String], more: &'a [&'a str]) -> Vec<&'a str> {
    let own = roles.iter().map(String::as_str);
    own.chain(more.iter().copied()).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "the promise is in seconds of the people who wait"
)]
async fn a_room_vanishes_from_the_open_page_with_its_role_and_comes_back_with_its_people() {
    let house = House::with(&[("DISCORD_INTENTS", "members")]).await;
    let discord = &house.discord;
    let roles = roles_of(&discord.state().await, &discord.visitor);
    let more = [discord.gate_role.as_str()];
    let opened = with(&roles, &more);
    let inside = &discord.people[0];
    discord.voice(inside, Some(&discord.gated)).await;
    discord.roles(&discord.visitor, &opened).await;

    let mut browser = Browser::start(&house).await;
    browser.step(json!({"step": "open"})).await;
    browser
        .step(json!({"step": "sign_in", "userId": discord.visitor}))
        .await;
    browser.sees(inside, Some(&discord.gated)).await;
    let room = |shown: bool| json!({"step": "expect_room", "channelId": discord.gated, "shown": shown, "withinMs": 10_000});
    for _ in 0..3 {
        let taken = Instant::now();
        discord.roles(&discord.visitor, &with(&roles, &[])).await;
        browser.step(room(false)).await;
        assert!(taken.elapsed() < PROMISED, "{:?}", taken.elapsed());
        let given = Instant::now();
        discord.roles(&discord.visitor, &opened).await;
        browser.sees(inside, Some(&discord.gated)).await;
        assert!(given.elapsed() < PROMISED, "{:?}", given.elapsed());
    }
    browser
        .step(json!({"step": "expect_connection", "state": "live", "began": "snapshot", "snapshots": 1, "withinMs": 10_000}))
        .await;
    browser.step(json!({"step": "close"})).await;
    let metrics = house.metrics(house.ports.web_ops).await;
    let counted = |line: &&str| line.starts_with("guildhall_rights_obeyed_seconds_count");
    let counted = metrics.lines().find(counted).expect("measured");
    assert!(counted.ends_with(" 6"), "{counted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_or_is_thrown_out_loses_the_guild_and_who_joins_gets_it_again() {
    let house = House::with(&[("DISCORD_INTENTS", "members")]).await;
    let discord = &house.discord;
    let guild = &discord.guild;
    let (cookie, mut all) = house.visit().await;
    let mut one = house
        .stream(&cookie, &format!("?guild={guild}"), None)
        .await;
    one.until("snapshot").await;
    let member = format!("/sim/guilds/{guild}/members/{}", discord.visitor);
    let person = &discord.people[0];
    for how in ["leave", "kick", "ban"] {
        discord
            .change("DELETE", &format!("{member}?how={how}"), &json!({}))
            .await;
        for stream in [&mut all, &mut one] {
            let gone = stream.until("guild.removed").await;
            assert_eq!(gone.data["guildId"], **guild, "{how}");
        }
        if how == "ban" {
            break;
        }
        // In the log between their going and their coming.
        discord.voice(person, Some(&discord.rooms[0])).await;
        discord.voice(person, None).await;
        discord
            .post(
                &format!("/sim/guilds/{guild}/members"),
                &json!({"userId": discord.visitor}),
            )
            .await;
        for stream in [&mut all, &mut one] {
            let came = stream.until("guild.available").await;
            assert_eq!(came.data["guild"]["id"], **guild, "after {how}");
            let rooms = came.data["guild"]["rooms"].as_array().expect("a list");
            assert!(
                rooms
                    .iter()
                    .any(|room| room["channelId"] == *discord.rooms[0])
            );
        }
    }
    for stream in [&all, &one] {
        assert_eq!(stream.raw.matches("event: snapshot").count(), 1);
        let mut frames = stream.raw.split("\n\n");
        let told = frames.find(|frame| frame.contains("event: voice.") && frame.contains(person));
        assert_eq!(told, None, "of whom they could not see");
    }
}
