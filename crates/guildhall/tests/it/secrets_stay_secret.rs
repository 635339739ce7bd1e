//! At the most talkative log level, none of the secrets of a working house is in any log.

use crate::house::{House, LINK_TOKEN, SESSION_SECRET};

#[tokio::test(flavor = "multi_thread")]
async fn no_log_has_a_secret() {
    let house = House::with(&[("RUST_LOG", "trace"), ("LOG_FORMAT", "json")]).await;
    let (cookie, mut stream) = house.visit().await;
    house.discord.stamp("one").await;
    stream.until("voice.updated").await;
    house.get("/api/me", Some(&cookie)).await;

    let logs = [house.gateway.log(), house.web.log()];
    assert!(logs.iter().all(|log| log.len() > 1_000), "the logs talk");
    let session = cookie.split_once('=').expect("NAME=VALUE").1;
    let secrets = [
        ("bot token", house.discord.bot_token.as_str()),
        ("client secret", &house.discord.client_secret),
        ("link token", LINK_TOKEN),
        ("session secret", SESSION_SECRET),
        ("session cookie", session),
    ];
    for (what, secret) in secrets {
        for log in &logs {
            let line = log.lines().find(|line| line.contains(secret));
            assert!(line.is_none(), "{what}: {}", line.unwrap_or_default());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_logs_have_the_lines_operators_know() {
    let house = House::start().await;
    let (_cookie, mut stream) = house.visit().await;
    house
        .discord
        .voice(&house.discord.people[0], Some(&house.discord.rooms[0]))
        .await;
    stream.until("voice.joined").await;
    for line in [
        "[Gateway Service] Starting Discord Gateway service...".to_owned(),
        "[Gateway] Connected (session: ".to_owned(),
        format!("[Gateway WS] Server listening on port {}", house.ports.link),
        "[Gateway WS] Client connected".to_owned(),
        "[Gateway WS] Broadcast voice.joined: ".to_owned(),
    ] {
        house.gateway.until_logged(&line).await;
    }
    for line in [
        "[Gateway Client] Connected to Gateway service".to_owned(),
        "[Gateway Client] Event received: voice.joined".to_owned(),
        format!("[SSE] Client connected: {}", house.discord.visitor),
    ] {
        house.web.until_logged(&line).await;
    }
}
