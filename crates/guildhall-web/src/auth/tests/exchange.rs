use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::hmac;
use serde_json::Value;

use super::{
    visit::{Answer, Visit},
    *,
};
use crate::{auth::config::tests::strong, jwt::JwtKey};

const SECRET: &str = "an-app-beside-the-hall-signs-in-people";
const OURS: [(&str, &str); 2] = [
    ("origin", "http://localhost:3000"),
    ("content-type", "application/json"),
];

async fn hall() -> Visit {
    Visit::with(BASE, |config| {
        config.jwt_key = Some(JwtKey::of_secret(&strong(SECRET)));
        config.allowed_origins = vec!["https://app.example".parse().expect("an origin")];
    })
    .await
}

fn token(user: &str, id: &str, seconds: u64) -> String {
    let claims = json!({
        "sub": user, "aud": "guildhall", "jti": id, "exp": NOW / 1_000 + seconds, "name": "Ada L.",
    });
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "HS256" })), part(&claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

async fn exchange(
    visit: &mut Visit,
    token: &str,
    headers: &[(&'static str, &'static str)],
) -> Answer {
    let body = json!({ "token": token }).to_string();
    visit
        .send(Method::POST, "/auth/exchange", headers, body)
        .await
}

#[tokio::test]
async fn a_token_signs_in_once() {
    let mut visit = hall().await;
    let token = token("80351110224678912", "one", 300);
    let answer = exchange(&mut visit, &token, &OURS).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.headers[header::CACHE_CONTROL], "private, no-store");
    assert!(answer.json()["expiresAt"].is_u64());
    let me = visit.get("/api/me").await.json();
    assert_eq!(me["user"]["id"], "80351110224678912");
    assert_eq!(me["user"]["displayName"], "Ada L.");
    assert_eq!(
        me["user"]["avatarUrl"],
        "https://cdn.discordapp.com/embed/avatars/5.png"
    );
    visit.cookies.clear();
    let again = exchange(&mut visit, &token, &OURS).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    assert_eq!(again.code(), "invalid_token");
    assert_eq!(visit.cookies, []);
    let kept = visit.world.kept_once.lock().clone();
    let [guildhall_model::Revocation::Session { id, ends_at, .. }, _] = &kept[..] else {
        panic!("{kept:?}");
    };
    assert!(id.as_str().starts_with("jti:") && !id.as_str().contains("one"));
    assert_eq!(*ends_at, NOW + 360_000, "no longer than the token is good");
}

/// Tabs of one app, each of which begins with a token.
#[tokio::test]
async fn sessions_of_the_same_person_go_on_in_every_tab() {
    let mut visit = hall().await;
    let mut tabs = Vec::new();
    for tab in ["one", "two", "three"] {
        let token = token("7", tab, 300);
        let answer = exchange(&mut visit, &token, &OURS).await;
        assert_eq!(answer.status, StatusCode::OK);
        tabs.push(visit.cookies.clone());
    }
    for cookies in tabs {
        visit.cookies = cookies;
        assert_eq!(visit.get("/api/me").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn it_ends_sessions_of_others_that_the_browser_had() {
    let mut visit = hall().await;
    let callback = visit.consent("/auth/login").await;
    visit.get(&callback).await;
    let before = visit.cookies.clone();
    let token = token("7", "one", 300);
    assert_eq!(
        exchange(&mut visit, &token, &OURS).await.status,
        StatusCode::OK
    );
    assert_eq!(visit.get("/api/me").await.json()["user"]["id"], "7");
    visit.cookies = before;
    assert_eq!(visit.get("/api/me").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_asks_is_ours_or_no_page_at_all() {
    let mut visit = hall().await;
    let kind = ("content-type", "application/json");
    for (number, (headers, status)) in [
        (&[kind][..], StatusCode::OK),
        (&[kind, ("origin", "https://app.example")], StatusCode::OK),
        (
            &[kind, ("origin", "https://evil.example")],
            StatusCode::FORBIDDEN,
        ),
        (&[kind, ("origin", "null")], StatusCode::FORBIDDEN),
        (
            &[("content-type", "text/plain")],
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (&[], StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ]
    .into_iter()
    .enumerate()
    {
        let token = token("7", &number.to_string(), 300);
        let answer = exchange(&mut visit, &token, headers).await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.body);
    }
    assert_eq!(
        visit.world.kept_once.lock().len(),
        2,
        "of those that were good"
    );
}

#[tokio::test]
async fn what_is_no_good_token_is_refused_with_what_is_wrong_and_nothing_of_it() {
    let mut visit = hall().await;
    let good = token("7", "one", 300);
    let (signed, _) = good.rsplit_once('.').expect("a signature");
    for (token, says) in [
        (token("7", "one", 700), "ten minutes"),
        (token("anna", "one", 300), "`sub`"),
        (token("7", "", 300), "`jti`"),
        (format!("{signed}.AAAA"), "not signed by the key"),
        ("nonsense".to_owned(), "no JWT"),
    ] {
        let answer = exchange(&mut visit, &token, &OURS).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{says}");
        assert_eq!(answer.code(), "invalid_token");
        assert!(answer.body.contains(says), "{}", answer.body);
        assert!(!answer.body.contains(&token), "{}", answer.body);
    }
    for body in [
        "",
        "{}",
        "[]",
        "{\"token\":1}",
        "[\"x\"]",
        "{\"token\":\"x\",\"y\":1}",
    ] {
        let answer = visit
            .send(Method::POST, "/auth/exchange", &OURS, body)
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(visit.cookies, []);
    assert!(
        visit.world.kept_once.lock().is_empty(),
        "none of them is used up"
    );
}

#[tokio::test]
async fn without_a_gateway_nobody_is_signed_in_and_without_a_key_there_is_no_such_login() {
    let mut visit = hall().await;
    visit.world.silent.store(true, Ordering::Relaxed);
    let token = token("7", "one", 300);
    let answer = exchange(&mut visit, &token, &OURS).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    assert_eq!(visit.cookies, []);
    let mut visit = Visit::to(BASE).await;
    let answer = exchange(&mut visit, &token, &OURS).await;
    assert_eq!(
        (answer.status, &*answer.code()),
        (StatusCode::NOT_FOUND, "not_set_up")
    );
}

#[tokio::test(start_paused = true)]
async fn until_it_is_known_whose_sessions_are_over_the_token_stays_good() {
    let mut visit = hall().await;
    visit.revocations.knows.send_replace(false);
    let token = token("7", "one", 300);
    let answer = exchange(&mut visit, &token, &OURS).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(visit.cookies, []);
    visit.revocations.knows.send_replace(true);
    let answer = exchange(&mut visit, &token, &OURS).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn one_user_signs_in_so_by_fewer_tokens_than_are_remembered() {
    let mut visit = hall().await;
    for number in 0..30 {
        let token = token("7", &number.to_string(), 300);
        assert_eq!(
            exchange(&mut visit, &token, &OURS).await.status,
            StatusCode::OK
        );
    }
    let more = exchange(&mut visit, &token("7", "30", 300), &OURS).await;
    assert_eq!(more.status, StatusCode::TOO_MANY_REQUESTS);
    let other = exchange(&mut visit, &token("8", "30", 300), &OURS).await;
    assert_eq!(other.status, StatusCode::OK, "others are not held up");
    tokio::time::advance(Duration::from_secs(20)).await;
    let later = exchange(&mut visit, &token("7", "31", 300), &OURS).await;
    assert_eq!(later.status, StatusCode::OK);
}
