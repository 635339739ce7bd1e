use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use super::{
    front::{self, Changes},
    ward::{healthy, look, register},
};
use crate::house::{Process, free_port, until};

#[tokio::test(flavor = "multi_thread")]
async fn what_discord_is_not_is_told() {
    let house = healthy(&[]).await;
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let report = look(&house, &[("DISCORD_URL", &nobody)]).await;
    report.assert_found(&["discord"], "can't be reached");
    report.assert_skipped("token", "");
    assert!(report.cure("discord")[0].contains("DISCORD_URL"));
    // The house itself is no Discord.
    let web = house.url("");
    let report = look(&house, &[("DISCORD_URL", &web)]).await;
    report.assert_found(&["discord"], "not as Discord's API does");
    look(&house, &[]).await.assert_healthy();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_apart_from_discords_is_told() {
    let house = healthy(&[]).await;
    let mut running = JoinSet::new();
    for (behind, healthy) in [(300, false), (0, true)] {
        let changes = Changes {
            behind,
            ..Changes::default()
        };
        let url = front::listen(&house.discord.url, changes, &mut running).await;
        let report = look(&house, &[("DISCORD_URL", &url)]).await;
        if healthy {
            // As NTP would have it.
            report.assert_healthy();
        } else {
            report.assert_found(&["clock"], "ahead of Discord's");
            assert!(report.cure("clock")[0].contains("NTP"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_of_sessions_that_is_spent_is_told_until_the_next_day() {
    let mut house = healthy(&[]).await;
    let mut running = JoinSet::new();
    let simulator = house.discord.url.clone();
    let mut left = async |remaining| {
        let changes = Changes {
            remaining: Some(remaining),
            ..Changes::default()
        };
        front::listen(&simulator, changes, &mut running).await
    };
    // The last one that the gateway starts.
    house.gateway.signal("KILL");
    house.gateway.ended().await;
    let journal = house.folder().join("data");
    std::fs::remove_dir_all(journal).expect("it is there");
    house.set("DISCORD_URL", &left(50).await);
    house.restart_gateway();
    house
        .gateway
        .until_logged("[Gateway] Connected (session: ")
        .await;
    house.until_ready(house.ports.web_ops).await;
    let report = look(&house, &[("DISCORD_URL", &left(49).await)]).await;
    report.assert_found(&["sessions-left"], "49 sessions");
    assert!(report.cure("sessions-left")[0].starts_with("wait"));
    let report = look(&house, &[("DISCORD_URL", &left(40).await)]).await;
    let both = ["another-gateway", "sessions-left"];
    report.assert_found(&both, "9 more were started");
    let next_day = left(1_000).await;
    look(&house, &[("DISCORD_URL", &next_day)])
        .await
        .assert_healthy();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_discord_does_not_take_is_told_until_there_is_a_new_one() {
    let mut house = healthy(&[]).await;
    let token = house
        .discord
        .post("/sim/token", &json!({"kind": "reset"}))
        .await;
    let token = token["botToken"].as_str().expect("a token").to_owned();
    let report = look(&house, &[]).await;
    report.assert_found(&["token"], "does not take DISCORD_BOT_TOKEN");
    let cure = report.cure("token").join(" ");
    assert!(cure.contains("restart the gateway"), "{cure}");
    let said = format!("{report:?}");
    assert!(
        !said.contains(&house.discord.bot_token),
        "no secret is printed"
    );
    house.set("DISCORD_BOT_TOKEN", &token);
    house.gateway.ended().await;
    house.restart_gateway();
    house.until_ready(house.ports.web_ops).await;
    look(&house, &[]).await.assert_healthy();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_portal_has_otherwise_than_the_settings_is_told() {
    let house = healthy(&[]).await;
    let discord = &house.discord;
    let report = look(&house, &[("DISCORD_CLIENT_ID", "41771983423143937")]).await;
    report.assert_found(&["application"], "41771983423143937");
    let cure = report.cure("application")[0].clone();
    let id = cure.split("DISCORD_CLIENT_ID=").nth(1).expect("the id");
    let id = id.split(' ').next().expect("its digits");
    let report = look(&house, &[("DISCORD_CLIENT_ID", id)]).await;
    report.assert_healthy();

    let switch = async |on: bool| {
        let edit = json!({"privilegedIntents": {"guildMembers": on}});
        discord.patch("/sim/application", &edit).await;
    };
    switch(false).await;
    look(&house, &[]).await.assert_healthy();
    let members = [("DISCORD_INTENTS", "members")];
    let report = look(&house, &members).await;
    report.assert_found(&["intents"], "DISCORD_INTENTS asks for members");
    assert!(report.cure("intents")[0].contains("Server Members Intent"));
    switch(true).await;
    look(&house, &members).await.assert_healthy();

    register(&house, &["http://localhost:3000/auth/callback"]).await;
    let report = look(&house, &[]).await;
    report.assert_found(&["redirect-uri"], "is not registered");
    let cure = report.cure("redirect-uri")[0].clone();
    let uri = cure.split(' ').nth(1).expect("add URI in …");
    register(&house, &[uri]).await;
    look(&house, &[]).await.assert_healthy();
    assert!(!house.sign_in(&discord.visitor).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_gateway_with_the_same_token_is_noticed_and_put_out() {
    let mut house = healthy(&[]).await;
    look(&house, &[]).await.assert_passed("another-gateway");
    let ports = [free_port(), free_port()].map(|port| port.to_string());
    let mut settings = house.settings().to_vec();
    settings.retain(|(name, _)| name != "GATEWAY_WS_PORT");
    settings.push(("DATA_DIR".to_owned(), "elsewhere".to_owned()));
    let flags = ["--gateway-ws-port", &ports[0], "--ops-port", &ports[1]];
    let mut other = Process::start("gateway", &flags, &settings, house.folder());
    other.until_logged("[Gateway] Connected (session: ").await;
    let report = look(&house, &[]).await;
    report.assert_found(
        &["another-gateway"],
        "1 more were started with the same token",
    );
    let cure = report.cure("another-gateway")[1].clone();
    assert!(
        cure.contains("reset the token") && cure.contains("restart the gateway"),
        "{cure}"
    );
    let token = house
        .discord
        .post("/sim/token", &json!({"kind": "reset"}))
        .await;
    let token = token["botToken"].as_str().expect("a token").to_owned();
    house.set("DISCORD_BOT_TOKEN", &token);
    house.gateway.ended().await;
    assert_eq!(other.ended().await.code(), Some(78), "it is out");
    house.restart_gateway();
    house.until_ready(house.ports.web_ops).await;
    look(&house, &[]).await.assert_healthy();
    // One that goes on with its session does not know how many there were.
    house.gateway.signal("TERM");
    house.gateway.ended().await;
    house.restart_gateway();
    let ops = house.ports.gateway_ops;
    until("it resumed", async || {
        let resumed = "guildhall_gateway_connects_total{how=\"resume\"} 1";
        let asked = tokio::time::timeout(
            Duration::from_secs(1),
            house
                .http
                .get(format!("http://127.0.0.1:{ops}/metrics"))
                .send(),
        );
        match asked.await {
            Ok(Ok(answer)) => answer.text().await.is_ok_and(|text| text.contains(resumed)),
            _ => false,
        }
    })
    .await;
    let report = look(&house, &[]).await;
    report.assert_healthy();
    report.assert_skipped("another-gateway", "went on with an earlier session");
}
