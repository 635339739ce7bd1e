//! A session that was ended is over at every web process and for good, whichever process is killed;
//! and nobody is let in by a process that does not know which sessions are over.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use crate::house::{AnotherWeb, House, Ports, until};

const A_SECOND: Duration = Duration::from_secs(1);

const SIGNED_OUT: Option<StatusCode> = Some(StatusCode::UNAUTHORIZED);
const SIGNED_IN: Option<StatusCode> = Some(StatusCode::OK);
const NOT_KNOWN: Option<StatusCode> = Some(StatusCode::SERVICE_UNAVAILABLE);

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_at_one_process_holds_at_the_other_within_a_second() {
    let house = House::start().await;
    let other = house.another_web().await;
    let cookie = house.sign_in(&house.discord.visitor).await;
    let bystander = house.sign_in(&house.discord.people[0]).await;
    let mut streams = [
        house.stream_at(&house.ports, &cookie).await,
        house.stream_at(&other.ports, &cookie).await,
    ];
    for stream in &mut streams {
        stream.until("snapshot").await;
    }
    let mut others = house.stream_at(&other.ports, &bystander).await;
    others.until("snapshot").await;

    let ended = house.sign_out(&house.ports, &cookie, false).await;
    assert_eq!(ended.status(), StatusCode::NO_CONTENT);
    let answered = Instant::now();
    for stream in &mut streams {
        let bye = stream.until_within("bye", A_SECOND).await;
        assert_eq!(bye.data["reason"], "session_revoked");
    }
    refused_everywhere(&house, &other.ports, &cookie, answered + A_SECOND).await;
    assert_eq!(house.who_am_i(&other.ports, &bystander).await, SIGNED_IN);
    house.discord.stamp("goes on").await;
    others.until("voice.updated").await;
}

/// Streams, pictures, calls, and who one is.
async fn refused_everywhere(house: &House, web: &Ports, cookie: &str, by: Instant) {
    let base = format!("http://localhost:{}", web.web);
    for path in ["/api/me", "/api/state", "/api/stream"] {
        let request = house.http.get(format!("{base}{path}"));
        let answer = request.header("cookie", cookie).send().await;
        let status = answer.expect("web answers").status();
        assert_eq!(Some(status), SIGNED_OUT, "{path}");
    }
    let call = house.http.post(format!("{base}/api/rpc/checkRoomExists"));
    let call = call
        .header("cookie", cookie)
        .header("origin", house.url(""));
    let body = json!({ "channelId": house.discord.rooms[0] });
    let answer = call.json(&body).send().await.expect("web answers");
    assert_eq!(Some(answer.status()), SIGNED_OUT);
    assert!(Instant::now() < by, "within a second");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_everywhere_ends_what_began_elsewhere_and_nothing_that_begins_later() {
    let house = House::start().await;
    let other = house.another_web().await;
    let (first, second) = (
        house.sign_in(&house.discord.visitor).await,
        house.sign_in(&house.discord.visitor).await,
    );
    let bystander = house.sign_in(&house.discord.people[0]).await;
    let mut stream = house.stream_at(&other.ports, &second).await;
    stream.until("snapshot").await;
    let ended = house.sign_out(&house.ports, &first, true).await;
    assert_eq!(ended.status(), StatusCode::NO_CONTENT);
    let bye = stream.until_within("bye", A_SECOND).await;
    assert_eq!(bye.data["reason"], "session_revoked");
    // At once, and by the clock of a moment ago.
    let again = house.sign_in(&house.discord.visitor).await;
    for web in [&house.ports, &other.ports] {
        assert_eq!(house.who_am_i(web, &first).await, SIGNED_OUT);
        assert_eq!(house.who_am_i(web, &second).await, SIGNED_OUT);
        assert_eq!(house.who_am_i(web, &again).await, SIGNED_IN);
        assert_eq!(house.who_am_i(web, &bystander).await, SIGNED_IN);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_holds_whichever_process_is_killed() {
    let mut house = House::start().await;
    let mut other = house.another_web().await;
    let good = house.sign_in(&house.discord.people[0]).await;
    let ended = house.sign_in(&house.discord.visitor).await;
    let answer = house.sign_out(&house.ports, &ended, false).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);

    kill_gateway(&mut house).await;
    assert_eq!(house.who_am_i(&other.ports, &ended).await, SIGNED_OUT);
    let told = house.who_am_i(&other.ports, &good).await;
    assert_eq!(told, SIGNED_IN, "what was told stays in force");
    house.restart_gateway();
    house.until_ready(other.ports.web_ops).await;
    assert_eq!(house.who_am_i(&other.ports, &ended).await, SIGNED_OUT);

    kill(&mut other).await;
    house.restart(&mut other);
    lets_in_the_one_and_never_the_other(&house, &other, (&good, &ended)).await;

    // All of them, and web is the first that is back: it knows of nobody whether they are over.
    kill_gateway(&mut house).await;
    kill(&mut other).await;
    kill_web(&mut house).await;
    house.restart(&mut other);
    until("it answers", async || {
        house.who_am_i(&other.ports, &good).await == NOT_KNOWN
    })
    .await;
    let told = house.who_am_i(&other.ports, &ended).await;
    assert_eq!(told, NOT_KNOWN);
    house.restart_gateway();
    lets_in_the_one_and_never_the_other(&house, &other, (&good, &ended)).await;
}

/// Asks from the first moment on.
async fn lets_in_the_one_and_never_the_other(
    house: &House,
    web: &AnotherWeb,
    (good, ended): (&str, &str),
) {
    until("the good one is let in", async || {
        let told = house.who_am_i(&web.ports, ended).await;
        assert!(told.is_none_or(|told| told != StatusCode::OK));
        house.who_am_i(&web.ports, good).await == SIGNED_IN
    })
    .await;
    assert_eq!(house.who_am_i(&web.ports, ended).await, SIGNED_OUT);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_gateway_is_away_it_ends_here_and_elsewhere_once_that_is_back() {
    let mut house = House::start().await;
    let other = house.another_web().await;
    let cookie = house.sign_in(&house.discord.visitor).await;
    let mut stream = house.stream_at(&house.ports, &cookie).await;
    stream.until("snapshot").await;
    kill_gateway(&mut house).await;
    until("both have noticed", async || {
        let first = house.metrics(house.ports.web_ops).await;
        let second = house.metrics(other.ports.web_ops).await;
        [first, second]
            .iter()
            .all(|it| it.contains("guildhall_link_up 0"))
    })
    .await;

    let answer = house.sign_out(&house.ports, &cookie, false).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    let bye = stream.until_within("bye", A_SECOND).await;
    assert_eq!(bye.data["reason"], "session_revoked");
    assert_eq!(house.who_am_i(&house.ports, &cookie).await, SIGNED_OUT);
    assert_eq!(house.who_am_i(&other.ports, &cookie).await, SIGNED_IN);

    house.restart_gateway();
    until("it is over there, too", async || {
        house.who_am_i(&other.ports, &cookie).await == SIGNED_OUT
    })
    .await;
    // It was kept, so it is over for those who come later.
    kill_web(&mut house).await;
    house.restart_web().await;
    assert_eq!(house.who_am_i(&house.ports, &cookie).await, SIGNED_OUT);
    let answer = house.sign_out(&house.ports, &cookie, false).await;
    assert_eq!(
        answer.status(),
        StatusCode::NO_CONTENT,
        "as often as one likes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_file_the_gateway_lets_nobody_in_who_signed_in_before() {
    let mut house = House::start().await;
    let (before, mut stream) = house.visit().await;
    kill_gateway(&mut house).await;
    std::fs::remove_dir_all(house.folder().join("data")).expect("it is there");
    house.restart_gateway();
    let bye = stream.until("bye").await;
    assert_eq!(bye.data["reason"], "session_revoked");
    assert_eq!(house.who_am_i(&house.ports, &before).await, SIGNED_OUT);
    let again = house.sign_in(&house.discord.visitor).await;
    assert_eq!(house.who_am_i(&house.ports, &again).await, SIGNED_IN);
    // The file has begun, and stays that old.
    kill_gateway(&mut house).await;
    house.restart_gateway();
    kill_web(&mut house).await;
    house.restart_web().await;
    assert_eq!(house.who_am_i(&house.ports, &before).await, SIGNED_OUT);
    assert_eq!(house.who_am_i(&house.ports, &again).await, SIGNED_IN);
}

/// What was revoked since the copy was made is lost with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_file_that_is_brought_back_lets_in_nobody_of_before() {
    let mut house = House::start().await;
    let (before, mut stream) = house.visit().await;
    house.gateway.signal("TERM");
    house.gateway.ended().await;
    let file = house.folder().join("data/gateway.sqlite3");
    let copy = std::fs::read(&file).expect("the file");
    until("the link is down", async || {
        let metrics = house.metrics(house.ports.web_ops).await;
        metrics.contains("guildhall_link_up 0")
    })
    .await;
    house.restart_gateway();
    until("it is attached", async || {
        let metrics = house.metrics(house.ports.web_ops).await;
        metrics.contains("guildhall_link_up 1")
    })
    .await;
    house.until_ready(house.ports.web_ops).await;
    // Somebody is looked up since the copy was made, which no RESUME tells again.
    let other = house.sign_in(&house.discord.people[0]).await;
    let mut others = house.stream_at(&house.ports, &other).await;
    others.until("snapshot").await;
    kill_gateway(&mut house).await;
    std::fs::write(&file, copy).expect("is brought back");
    std::fs::remove_file(file.with_extension("sqlite3-wal")).expect("it was killed");
    house.restart_gateway();
    // A web process has seen more than the copy knows: it ends, and the next one begins anew.
    assert_eq!(house.gateway.ended().await.code(), Some(1));
    house.restart_gateway();
    let bye = stream.until("bye").await;
    assert_eq!(bye.data["reason"], "session_revoked");
    assert_eq!(house.who_am_i(&house.ports, &before).await, SIGNED_OUT);
    let again = house.sign_in(&house.discord.visitor).await;
    assert_eq!(house.who_am_i(&house.ports, &again).await, SIGNED_IN);
}

async fn kill_gateway(house: &mut House) {
    house.gateway.signal("KILL");
    house.gateway.ended().await;
}

async fn kill_web(house: &mut House) {
    house.web.signal("KILL");
    house.web.ended().await;
}

async fn kill(another: &mut AnotherWeb) {
    another.process.signal("KILL");
    another.process.ended().await;
}
