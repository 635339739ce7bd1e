//! What Discord tells the application, and what others say in its place.

use std::{convert::Infallible, sync::atomic::Ordering};

use axum::body::Body;
use futures_util::future::join_all;
use ring::signature::{Ed25519KeyPair, KeyPair};
use tokio::time::Instant;

use super::{visit::Visit, *};
use crate::public_key::tests::hex;

const WEBHOOK: &str = "/webhooks/discord";
/// Of the settings.
const APPLICATION: &str = "41771983423143937";
const ADA: &str = "80351110224678912";

fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[3; 32]).expect("a seed")
}

async fn hall() -> Visit {
    let public = hex(key().public_key().as_ref());
    let set = |config: &mut AuthConfig| {
        config.discord_public_key = Some(public.parse().expect("a key"));
    };
    Visit::with(BASE, set).await
}

/// Sends it as Discord does.
async fn tell(visit: &mut Visit, body: &str) -> visit::Answer {
    let signature = hex(key().sign(format!("1700000000{body}").as_bytes()).as_ref());
    tell_with(visit, body, &signature).await
}

async fn tell_with(visit: &mut Visit, body: &str, signature: &str) -> visit::Answer {
    let headers = [
        ("content-type", "application/json"),
        ("x-signature-ed25519", signature),
        ("x-signature-timestamp", "1700000000"),
    ];
    let cookies = std::mem::take(&mut visit.cookies);
    let answer = visit
        .send(Method::POST, WEBHOOK, &headers, body.to_owned())
        .await;
    visit.cookies = cookies;
    answer
}

/// That somebody removed the application when the clock of the test stood at `NOW`.
fn deauthorized(user: &str) -> String {
    let at = "2023-11-14T22:13:20.000000";
    let event = json!({
        "type": "APPLICATION_DEAUTHORIZED",
        "timestamp": at,
        "data": {"user": {"id": user, "username": "x"}},
    });
    json!({"version": 1, "application_id": APPLICATION, "type": 1, "event": event}).to_string()
}

async fn sign_in(visit: &mut Visit) {
    let callback = visit.consent("/auth/login").await;
    assert_eq!(visit.get(&callback).await.status, StatusCode::SEE_OTHER);
}

/// The same, when Discord's clock says so.
async fn sign_in_at(visit: &mut Visit, date: &'static str) {
    let date = [(header::DATE, date)];
    let user = axum::Json(json!({"id": ADA, "username": "ada"}));
    visit.discord.answer_once("me", (date.clone(), user));
    visit
        .discord
        .answer_once("guilds", (date, axum::Json(json!([]))));
    sign_in(visit).await;
}

async fn is_in(visit: &mut Visit) -> bool {
    visit.get("/api/me").await.status == StatusCode::OK
}

#[tokio::test]
async fn without_a_key_there_is_nothing() {
    let mut visit = Visit::to(BASE).await;
    let answer = tell(&mut visit, r#"{"type": 0}"#).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::NOT_FOUND, "not_found")
    );
}

#[tokio::test]
async fn a_ping_and_what_matters_to_nobody_here_are_acknowledged_as_discord_asks() {
    let mut visit = hall().await;
    for body in [
        r#"{"version": 1, "application_id": "41771983423143937", "type": 0}"#,
        r#"{"type": 1, "event": {"type": "ENTITLEMENT_CREATE", "timestamp": "", "data": []}}"#,
        r#"{"type": 7}"#,
    ] {
        let answer = tell(&mut visit, body).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{body}");
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
        assert_eq!(answer.body, "");
    }
    assert_eq!(*visit.revocations.kept.lock(), []);
}

#[tokio::test]
async fn who_removes_the_application_is_signed_out_everywhere() {
    let mut visit = hall().await;
    let mut there = visit.another();
    sign_in(&mut visit).await;
    sign_in(&mut there).await;
    let mut ben = visit.another();
    let user = json!({"id": "53908099506183680", "username": "ben"});
    visit.discord.answer("me", 200, user);
    sign_in(&mut ben).await;
    visit.discord.recover();

    let answer = tell(&mut visit, &deauthorized(ADA)).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::NO_CONTENT, ""));
    assert!(!is_in(&mut visit).await && !is_in(&mut there).await);
    assert!(is_in(&mut ben).await);

    // They come back, and the same event comes again: by Discord, or by who recorded it.
    visit.clock.set(NOW + 1_000);
    sign_in(&mut visit).await;
    for minutes in [0, 1, 10, 60] {
        visit.clock.set(NOW + 1_000 + minutes * 60_000);
        let answer = tell(&mut visit, &deauthorized(ADA)).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert!(is_in(&mut visit).await, "{minutes}");
    }
}

/// Sessions say when they began by our clock, and events by Discord's.
#[tokio::test]
async fn also_where_our_clock_is_ahead_of_discords() {
    let mut visit = hall().await;
    for minutes in [2, 10, 600] {
        visit.clock.set(NOW + minutes * 60_000);
        sign_in_at(&mut visit, "Tue, 14 Nov 2023 22:13:20 GMT").await;
        let answer = tell(&mut visit, &deauthorized(ADA)).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert!(!is_in(&mut visit).await, "{minutes}");
        sign_in_at(&mut visit, "Tue, 14 Nov 2023 22:13:20 GMT").await;
        tell(&mut visit, &deauthorized(ADA)).await;
        assert!(is_in(&mut visit).await, "{minutes}, and told again");
    }
}

#[tokio::test]
async fn an_event_of_the_future_ends_what_began_until_now() {
    let mut visit = hall().await;
    sign_in(&mut visit).await;
    let later = deauthorized(ADA).replace("2023-11", "2033-11");
    assert_eq!(
        tell(&mut visit, &later).await.status,
        StatusCode::NO_CONTENT
    );
    assert!(!is_in(&mut visit).await);
    let day = 24 * 60 * 60 * 1000;
    visit.clock.set(NOW + day);
    sign_in(&mut visit).await;
    assert!(is_in(&mut visit).await);
}

#[tokio::test]
async fn what_discord_did_not_sign_is_refused_and_ends_nothing() {
    let mut visit = hall().await;
    sign_in(&mut visit).await;
    let body = deauthorized(ADA);
    let of_another = Ed25519KeyPair::from_seed_unchecked(&[4; 32]).expect("a seed");
    let of_another = hex(of_another
        .sign(format!("1700000000{body}").as_bytes())
        .as_ref());
    let of_another_body = hex(key().sign(b"1700000000{\"type\": 0}").as_ref());
    for signature in ["", "no", &"0".repeat(128), &of_another, &of_another_body] {
        let answer = tell_with(&mut visit, &body, signature).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::UNAUTHORIZED, "false_signature")
        );
    }
    let bare = visit.send(Method::POST, WEBHOOK, &[], body).await;
    assert_eq!(bare.status, StatusCode::UNAUTHORIZED);
    assert!(is_in(&mut visit).await);
    assert_eq!(
        visit.get(WEBHOOK).await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[tokio::test]
async fn what_can_t_be_read_or_is_of_another_application_is_refused() {
    let mut visit = hall().await;
    sign_in(&mut visit).await;
    let of_another = deauthorized(ADA).replace(APPLICATION, "7");
    let no_user = deauthorized("nobody");
    for (body, code) in [
        (&*of_another, "another_application"),
        (&*no_user, "invalid"),
        ("", "invalid"),
        ("[]", "invalid"),
    ] {
        let answer = tell(&mut visit, body).await;
        let said = (answer.status, answer.code());
        assert_eq!(said, (StatusCode::BAD_REQUEST, code.to_owned()), "{body}");
    }
    let answer = tell(&mut visit, &" ".repeat(256 * 1024 + 1)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(is_in(&mut visit).await);
}

#[tokio::test]
async fn while_no_gateway_keeps_it_discord_is_asked_to_tell_again() {
    let mut visit = hall().await;
    sign_in(&mut visit).await;
    visit.revocations.is_away.store(true, Ordering::Relaxed);
    let answer = tell(&mut visit, &deauthorized(ADA)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    assert!(!is_in(&mut visit).await, "it has ended here");
    visit.revocations.is_away.store(false, Ordering::Relaxed);
    let answer = tell(&mut visit, &deauthorized(ADA)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(visit.revocations.kept.lock().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_sends_false_signatures_is_bounded_and_discord_is_heard_at_the_same_address() {
    let mut visit = hall().await;
    let ping = r#"{"type": 0}"#;
    let false_one = "0".repeat(128);
    let too_many = (
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests".to_owned(),
    );
    for _ in 0..60 {
        let answer = tell_with(&mut visit, ping, &false_one).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let long = format!("{ping}{}", " ".repeat(16 * 1024));
    for signature in [&*false_one, "no"] {
        for body in [ping, &long] {
            let answer = tell_with(&mut visit, body, signature).await;
            assert_eq!((answer.status, answer.code()), too_many);
        }
    }
    assert_eq!(tell(&mut visit, ping).await.status, StatusCode::NO_CONTENT);
    let answer = tell(&mut visit, &long).await;
    assert_eq!((answer.status, answer.code()), too_many);

    let mut elsewhere = visit.another();
    elsewhere.address = guildhall_http::ClientAddress([203, 0, 113, 8].into());
    let answer = tell_with(&mut elsewhere, ping, &false_one).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        tell(&mut elsewhere, &long).await.status,
        StatusCode::NO_CONTENT
    );
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    let answer = tell_with(&mut visit, ping, &false_one).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(start_paused = true)]
async fn bodies_that_do_not_come_hold_up_nobody_and_are_counted_as_false() {
    let mut visit = hall().await;
    sign_in(&mut visit).await;
    let false_one = "0".repeat(128);
    let headers = [
        ("x-signature-ed25519", &*false_one),
        ("x-signature-timestamp", "1700000000"),
    ];
    let mut slow: Vec<_> = (0..100).map(|_| visit.another()).collect();
    let never = || Body::from_stream(futures_util::stream::pending::<Result<&str, Infallible>>());
    let waiting = slow
        .iter_mut()
        .map(|it| it.send(Method::POST, WEBHOOK, &headers, never()));
    let mut waiting = Box::pin(join_all(waiting));
    assert!(futures_util::poll!(&mut waiting).is_pending());

    let begin = Instant::now();
    let event = deauthorized(ADA);
    let answer = tell(&mut visit, &event).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(begin.elapsed().is_zero() && !is_in(&mut visit).await);

    for answer in waiting.await {
        let said = (answer.status, answer.code());
        let not_in_time = (StatusCode::SERVICE_UNAVAILABLE, "unavailable".to_owned());
        assert_eq!(said, not_in_time);
    }
    let answer = tell_with(&mut visit, &event, &false_one).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(start_paused = true)]
async fn discord_is_answered_in_time_whatever_the_gateway_does() {
    let mut visit = hall().await;
    sign_in(&mut visit).await;
    visit.revocations.hangs.store(true, Ordering::Relaxed);
    let begin = Instant::now();
    let answer = tell(&mut visit, &deauthorized(ADA)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(begin.elapsed() < std::time::Duration::from_secs(3));
    assert!(!is_in(&mut visit).await, "it has ended here");
}
