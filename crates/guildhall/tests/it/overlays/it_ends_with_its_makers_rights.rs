use std::time::Instant;

use super::*;

/// Where Discord tells at once what somebody may.
async fn house() -> House {
    House::with(&[("DISCORD_INTENTS", "members")]).await
}

async fn is_no_longer(house: &House, link: &Link, status: StatusCode) {
    let now = house.overlay_status(&house.ports, &link.token).await;
    assert_eq!(now, status);
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "the promise is in seconds of the people who wait"
)]
async fn a_role_that_is_taken_ends_it_at_once_and_given_again_it_shows_the_room_again() {
    let house = house().await;
    let discord = &house.discord;
    let (who, gated) = (discord.people[0].as_str(), discord.gated.as_str());
    discord.roles(who, &[&discord.gate_role]).await;
    let cookie = house.sign_in(who).await;
    let link = house.overlay_link(&cookie, gated).await;
    for _ in 0..3 {
        let mut overlay = house.overlay(&link).await;
        let taken = Instant::now();
        discord.roles(who, &[]).await;
        let hidden = overlay.until_within("room.hidden", A_SECOND).await;
        assert_eq!(hidden.data["channelId"], gated, "what is drawn goes first");
        ends(&mut overlay, "session_revoked").await;
        assert!(taken.elapsed() < A_SECOND, "{:?}", taken.elapsed());
        is_no_longer(&house, &link, StatusCode::NOT_FOUND).await;
        discord.roles(who, &[&discord.gate_role]).await;
        until("its maker is let in again", async || {
            house.overlay_status(&house.ports, &link.token).await == StatusCode::OK
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_the_room_goes_or_is_hidden_and_when_its_maker_leaves_or_is_thrown_out() {
    let house = house().await;
    let discord = &house.discord;
    let (guild, [here, there]) = (&discord.guild, &discord.rooms);
    let cookie = house.sign_in(&discord.visitor).await;
    let (first, second) = (
        house.overlay_link(&cookie, here).await,
        house.overlay_link(&cookie, there).await,
    );
    let mut open = house.overlay(&first).await;
    discord
        .change("DELETE", &format!("/sim/channels/{here}"), &Value::Null)
        .await;
    open.until_within("room.deleted", A_SECOND).await;
    ends(&mut open, "session_revoked").await;
    is_no_longer(&house, &first, StatusCode::NOT_FOUND).await;

    let member = format!("/sim/guilds/{guild}/members/{}", discord.visitor);
    for how in ["leave", "kick", "ban"] {
        let mut open = house.overlay(&second).await;
        discord
            .change("DELETE", &format!("{member}?how={how}"), &json!({}))
            .await;
        open.until_within("guild.removed", A_SECOND).await;
        ends(&mut open, "session_revoked").await;
        is_no_longer(&house, &second, StatusCode::NOT_FOUND).await;
        if how == "ban" {
            break;
        }
        let again = json!({ "userId": discord.visitor });
        discord
            .post(&format!("/sim/guilds/{guild}/members"), &again)
            .await;
        until("its maker is there again", async || {
            house.overlay_status(&house.ports, &second.token).await == StatusCode::OK
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_that_leaves_takes_it_along_and_an_overwrite_hides_it() {
    let house = house().await;
    let discord = &house.discord;
    let (guild, [here, there]) = (&discord.guild, &discord.rooms);
    let cookie = house.sign_in(&discord.visitor).await;
    let hidden = house.overlay_link(&cookie, here).await;
    let left = house.overlay_link(&cookie, there).await;
    let mut open = house.overlay(&hidden).await;
    let mut other = house.overlay(&left).await;
    let view_channel = "1024";
    let deny = json!([{ "id": guild, "type": 0, "allow": "0", "deny": view_channel }]);
    discord
        .edit_channel(here, &json!({ "permissionOverwrites": deny }))
        .await;
    open.until_within("room.hidden", A_SECOND).await;
    ends(&mut open, "session_revoked").await;
    discord.remove_guild(guild).await;
    other.until_within("guild.removed", A_SECOND).await;
    ends(&mut other, "session_revoked").await;
    is_no_longer(&house, &left, StatusCode::NOT_FOUND).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_away_ends_nothing_and_lost_sessions_of_discord_s_neither() {
    let mut house = house().await;
    let cookie = house.sign_in(&house.discord.visitor).await;
    let here = house.discord.rooms[0].clone();
    let link = house.overlay_link(&cookie, &here).await;
    let mut open = house.overlay(&link).await;
    house.gateway.signal("KILL");
    house.gateway.ended().await;
    // It is opened by what web itself knows.
    let status = house.overlay_status(&house.ports, &link.token).await;
    assert_eq!(status, StatusCode::OK);
    house.restart_gateway();
    house.until_ready(house.ports.web_ops).await;
    let who = house.discord.people[0].clone();
    house.discord.voice(&who, Some(&here)).await;
    let joined = open.until("voice.joined").await;
    assert_eq!(joined.data["userId"], who.as_str());
    assert!(!open.raw.contains("event: bye"), "{}", open.raw);
}
