//! SIGTERM: streams end with `bye`, Discord's session stays resumable, the process ends in time.

use std::time::Duration;

use tokio::time::Instant;

use crate::house::House;

/// An orchestrator's patience.
const LIMIT: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_web_process_says_bye_to_its_streams() {
    let mut house = House::start().await;
    let (_cookie, mut stream) = house.visit().await;
    let began = Instant::now();
    house.web.signal("TERM");
    let bye = stream.until("bye").await;
    assert_eq!(bye.data["reason"], "draining");
    assert!(bye.data["retryMs"].is_u64());
    assert!(stream.next().await.is_none());
    assert!(house.web.ended().await.success());
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_gateway_leaves_discord_with_a_session_to_resume() {
    let mut house = House::start().await;
    let began = Instant::now();
    house.gateway.signal("TERM");
    assert!(
        house.gateway.ended().await.success(),
        "{}",
        house.gateway.log()
    );
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    let state = house.discord.state().await;
    let sessions = state["sessions"].as_array().expect("sessions").clone();
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    assert_eq!(
        sessions[0]["attached"], false,
        "detached, and kept for a resume: {sessions:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_ends_the_streams_of_that_session_alone() {
    let house = House::start().await;
    let cookie = house.sign_in(&house.discord.visitor).await;
    let other = house.sign_in(&house.discord.visitor).await;
    let mut stream = house.stream(&cookie, "", None).await;
    let mut kept = house.stream(&other, "", None).await;
    stream.until("snapshot").await;
    kept.until("snapshot").await;
    let logout = house.http.post(house.url("/auth/logout"));
    let logout = logout
        .header("cookie", &cookie)
        .header("origin", house.url(""))
        .header("content-type", "application/json");
    let answer = logout.send().await.expect("web answers");
    assert!(answer.status().is_success(), "{}", answer.status());
    assert_eq!(stream.until("bye").await.data["reason"], "session_revoked");
    assert_eq!(house.get("/api/state", Some(&cookie)).await.status(), 401);
    house.discord.stamp("still here").await;
    assert_eq!(
        kept.until("voice.updated").await.data["username"],
        "still here"
    );
}
