use std::time::Duration;

use axum::{Json, response::IntoResponse};
use guildhall_http::ClientAddress;
use tokio::time::Instant;

use super::{visit::Answer, *};

fn limited(seconds: &str) -> impl IntoResponse {
    let headers = [(
        header::RETRY_AFTER,
        HeaderValue::from_str(seconds).expect("text"),
    )];
    (
        StatusCode::TOO_MANY_REQUESTS,
        headers,
        Json(json!({"message": "x", "global": false})),
    )
}

fn retry_after(answer: &Answer) -> u64 {
    let value = answer
        .headers
        .get(header::RETRY_AFTER)
        .expect("a Retry-After");
    value
        .to_str()
        .ok()
        .and_then(|it| it.parse().ok())
        .expect("seconds")
}

#[tokio::test]
async fn a_short_limit_of_discords_is_waited_for() {
    for path in ["token", "me", "guilds"] {
        for told in ["0.2", "-1", "0"] {
            let mut visit = Visit::to(BASE).await;
            visit.discord.answer_once(path, limited(told));
            visit.discord.answer_once(path, limited(told));
            let callback = visit.consent("/auth/login").await;
            let answer = visit.get(&callback).await;
            assert_eq!(
                answer.status,
                StatusCode::SEE_OTHER,
                "{path} {told}: {}",
                answer.body
            );
            assert_eq!(visit.discord.asked(path), 3);
            assert!(visit.has("guildhall"));
        }
    }
}

#[tokio::test]
async fn a_limit_beyond_our_patience_is_told_with_its_time() {
    for path in ["token", "me", "guilds"] {
        for (told, wait) in [("30", 30), ("5.5", 6), ("1e300", 900), ("inf", 900)] {
            let mut visit = Visit::to(BASE).await;
            visit.discord.answer_once(path, limited(told));
            let callback = visit.consent("/auth/login?returnTo=/rooms").await;
            let begin = Instant::now();
            let answer = visit.get(&callback).await;
            assert_eq!(
                answer.status,
                StatusCode::SERVICE_UNAVAILABLE,
                "{path} {told}"
            );
            assert_eq!(retry_after(&answer), wait);
            assert!(
                answer.body.contains(&format!("in {wait} s.")),
                "{}",
                answer.body
            );
            assert!(begin.elapsed() < discord::PATIENCE);
            assert_eq!(visit.discord.asked(path), 1);
            assert!(!visit.has("guildhall"));
            let kept = !visit.cookies.is_empty();
            assert_eq!(kept, path == "token", "the code is spent once a token came");
        }
    }
}

#[tokio::test]
async fn a_discord_that_never_stops_limiting_is_asked_a_few_times() {
    let mut visit = Visit::to(BASE).await;
    visit
        .discord
        .answer("guilds", 429, json!({"retry_after": 0.1}));
    let callback = visit.consent("/auth/login").await;
    let answer = visit.get(&callback).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(visit.discord.asked("guilds") <= 4);
}

#[tokio::test]
async fn nobody_asks_while_discord_shuts_us_out() {
    for (status, body) in [(429, "error code: 1015"), (403, "<!doctype html>")] {
        let mut visit = Visit::to(BASE).await;
        let status = StatusCode::from_u16(status).expect("a status");
        visit.discord.answer_once("token", (status, body));
        let callback = visit.consent("/auth/login").await;
        assert_eq!(retry_after(&visit.get(&callback).await), 60);
        for _ in 0..3 {
            let other = visit.consent("/auth/login").await;
            let answer = visit.get(&other).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
            assert!((1..=60).contains(&retry_after(&answer)));
        }
        assert_eq!(visit.discord.asked("token"), 1);
    }
}

#[tokio::test]
async fn a_sign_in_that_was_not_asked_for_goes_on_when_it_may() {
    let mut visit = Visit::to(BASE).await;
    visit.discord.answer_once("token", limited("6"));
    let callback = visit.consent("/auth/login").await;
    assert_eq!(
        visit.get(&callback).await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    // The pause has become short enough to be waited for: the same callback, reloaded.
    tokio::time::timeout(Duration::from_secs(20), async {
        while visit.get(&callback).await.status != StatusCode::SEE_OTHER {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it goes on");
    assert_eq!(visit.discord.asked("token"), 2);
    assert!(visit.has("guildhall"));
}

#[tokio::test]
async fn false_callbacks_are_a_small_part_of_what_discord_allows() {
    let mut visit = Visit::to(BASE).await;
    let mut refused = 0;
    for _ in 0..500 {
        visit.cookies.clear();
        let answer = false_callback(&mut visit).await;
        match answer.status {
            StatusCode::BAD_REQUEST => {}
            StatusCode::TOO_MANY_REQUESTS => {
                refused += 1;
                assert!((1..=60).contains(&retry_after(&answer)));
            }
            other => panic!("{other}"),
        }
    }
    // 60, and what a slow machine's seconds give back.
    let asked = visit.discord.asked("token");
    assert!(asked < 200, "{asked}");
    assert_eq!(asked + refused, 500);

    visit.address = ClientAddress([203, 0, 113, 8].into());
    visit.cookies.clear();
    let callback = visit.consent("/auth/login").await;
    let answer = visit.get(&callback).await;
    assert_eq!(
        answer.status,
        StatusCode::SEE_OTHER,
        "a bystander: {}",
        answer.body
    );
}

#[tokio::test]
async fn one_person_behind_a_proxy_that_is_not_listed_locks_nobody_out() {
    for proxy in ["127.0.0.1", "::1"] {
        let mut visit = Visit::to(BASE).await;
        visit.address = ClientAddress::of(proxy.parse().expect("an address"));
        for _ in 0..100 {
            visit.cookies.clear();
            let answer = false_callback(&mut visit).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        }
        for _ in 0..10 {
            let mut browser = visit.another();
            let callback = browser.consent("/auth/login").await;
            let answer = browser.get(&callback).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn one_person_with_all_of_a_48_locks_nobody_out() {
    let mut visit = Visit::to(BASE).await;
    for n in 0..300 {
        visit.cookies.clear();
        let from = format!("2001:db8:7:{n:x}::1").parse().expect("an address");
        visit.address = ClientAddress::of(from);
        let answer = false_callback(&mut visit).await;
        assert!(
            [400, 429].contains(&answer.status.as_u16()),
            "{}",
            answer.status
        );
    }
    for from in ["203.0.113.8", "2001:db8:8::1"] {
        let mut browser = visit.another();
        browser.address = ClientAddress::of(from.parse().expect("an address"));
        let callback = browser.consent("/auth/login").await;
        let answer = browser.get(&callback).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    }
}

#[tokio::test]
async fn who_spent_the_budget_is_refused_without_waiting_for_a_place() {
    let mut visit = Visit::to(BASE).await;
    let now = Instant::now();
    for _ in 0..60 {
        let address = Some(visit.address.0);
        let mut leave = visit
            .auth
            .budget
            .reserve(address, now)
            .await
            .expect("leave");
        leave.charge(now);
    }
    let auth = Arc::clone(&visit.auth);
    let permits = (0..32).map(|_| auth.permits.acquire(None));
    let _permits = futures_util::future::join_all(permits).await;
    let begin = Instant::now();
    let answer = false_callback(&mut visit).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(begin.elapsed() < Duration::from_secs(4), "it did not wait");
}

#[tokio::test]
async fn many_addresses_together_stay_within_the_processs_budget() {
    let mut visit = Visit::to(BASE).await;
    for n in 0..500_u16 {
        visit.cookies.clear();
        let [high, low] = n.to_be_bytes();
        visit.address = ClientAddress([203, 0, high, low].into());
        let answer = false_callback(&mut visit).await;
        assert!(
            [400, 503].contains(&answer.status.as_u16()),
            "{}",
            answer.status
        );
    }
    let asked = visit.discord.asked("token");
    assert!((200..400).contains(&asked), "{asked}");
}

/// A state of ours with a code that is none of Discord's.
async fn false_callback(visit: &mut Visit) -> Answer {
    let callback = visit.consent("/auth/login").await;
    let state = callback.split("state=").nth(1).expect("a state").to_owned();
    visit
        .get(&format!("/auth/callback?code=junk&state={state}"))
        .await
}

#[tokio::test]
async fn two_hundred_people_of_one_address_sign_in_at_one_moment() {
    let visit = Visit::to(BASE).await;
    let people = (0..200).map(|_| {
        let mut browser = visit.another();
        async move {
            let callback = browser.consent("/auth/login").await;
            browser.get(&callback).await.status
        }
    });
    let answers = futures_util::future::join_all(people).await;
    assert!(
        answers.iter().all(|it| *it == StatusCode::SEE_OTHER),
        "{answers:?}"
    );
    assert_eq!(visit.discord.asked("token"), 200);
}
