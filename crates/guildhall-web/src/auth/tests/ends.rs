//! Sessions that are ended before their time, here and everywhere.

use std::sync::atomic::Ordering;

use guildhall_ports::Revocation;

use super::{visit::Visit, *};
use crate::auth::session::SessionEnd;

/// The user of the false Discord, as long as nothing else is said.
const ADA: UserId = UserId(80_351_110_224_678_912);

async fn sign_in(visit: &mut Visit) -> SessionEnd {
    let callback = visit.consent("/auth/login").await;
    assert_eq!(visit.get(&callback).await.status, StatusCode::SEE_OTHER);
    let pairs: Vec<_> = visit
        .cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let line = HeaderValue::try_from(pairs.join("; ")).expect("visible ASCII");
    let headers = HeaderMap::from_iter([(header::COOKIE, line)]);
    let sessions = visit.auth.sessions();
    let session = sessions.read(&headers).expect("signed in");
    sessions.watch_end(&session)
}

async fn is_in(visit: &mut Visit) -> bool {
    visit.get("/api/me").await.status == StatusCode::OK
}

/// Somebody else in a browser of theirs.
async fn ben_of(visit: &Visit) -> Visit {
    let mut ben = visit.another();
    let user = json!({"id": "53908099506183680", "username": "ben"});
    visit.discord.answer("me", 200, user);
    sign_in(&mut ben).await;
    visit.discord.recover();
    ben
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_of_a_person_and_nobody_else() {
    let mut here = Visit::to(BASE).await;
    let mut there = here.another();
    let (one, two) = (sign_in(&mut here).await, sign_in(&mut there).await);
    let mut ben = ben_of(&here).await;

    let answer = here.post_body("/auth/logout", r#"{"everywhere":true}"#);
    assert_eq!(answer.await.status, StatusCode::NO_CONTENT);
    assert!(one.is_cancelled() && two.is_cancelled());
    assert!(!is_in(&mut there).await && is_in(&mut ben).await);
    assert_eq!(here.cookies, []);
    let kept = here.revocations.kept.lock().last().cloned();
    assert!(
        matches!(kept, Some(Revocation::User { user_id, .. }) if user_id == ADA),
        "{kept:?}"
    );

    // The clock stands still: this is in the same millisecond.
    let again = sign_in(&mut here).await;
    assert!(is_in(&mut here).await && !again.is_cancelled());
    assert!(!is_in(&mut there).await);
}

#[tokio::test]
async fn a_body_that_says_something_else_ends_nothing() {
    let mut visit = Visit::to(BASE).await;
    let other = sign_in(&mut visit.another()).await;
    let end = sign_in(&mut visit).await;
    for body in [
        r#"{"everywhere":true,"now":1}"#,
        r#"{"Everywhere":true}"#,
        r#"{"everywhere":1}"#,
        r#"{"everywhere":null}"#,
        "[true]",
        "null",
        "true",
        "{",
    ] {
        let answer = visit.post_body("/auth/logout", body).await;
        let said = (answer.status, answer.code());
        assert_eq!(
            said,
            (StatusCode::BAD_REQUEST, "invalid".to_owned()),
            "{body}"
        );
    }
    let long: &'static str = "x".repeat(70_000).leak();
    let answer = visit.post_body("/auth/logout", long).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(!end.is_cancelled());
    for body in ["", " {} ", r#"{"everywhere":false}"#] {
        let answer = visit.post_body("/auth/logout", body).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{body}");
        assert!(end.is_cancelled() && !other.is_cancelled(), "{body}");
    }
}

#[tokio::test]
async fn while_no_gateway_keeps_it_a_session_has_ended_here_and_its_browser_may_try_again() {
    for body in ["{}", r#"{"everywhere":true}"#] {
        let mut visit = Visit::to(BASE).await;
        let end = sign_in(&mut visit).await;
        let cookies = visit.cookies.clone();
        visit.revocations.is_away.store(true, Ordering::Relaxed);
        let answer = visit.post_body("/auth/logout", body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        );
        assert_eq!(answer.headers[header::RETRY_AFTER], "1");
        assert_eq!(visit.cookies, cookies);
        assert!(end.is_cancelled() && !is_in(&mut visit).await);

        visit.revocations.is_away.store(false, Ordering::Relaxed);
        let answer = visit.post_body("/auth/logout", body).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(
            (visit.cookies.len(), visit.revocations.kept.lock().len()),
            (0, 1)
        );
    }
}

#[tokio::test]
async fn a_cookie_that_is_over_ends_no_session_that_began_since() {
    let mut stolen = Visit::to(BASE).await;
    sign_in(&mut stolen).await;
    stolen.revocations.is_away.store(true, Ordering::Relaxed);
    let everywhere = r#"{"everywhere":true}"#;
    stolen.post_body("/auth/logout", everywhere).await;
    stolen.revocations.is_away.store(false, Ordering::Relaxed);
    let mut ada = stolen.another();
    sign_in(&mut ada).await;

    let answer = stolen.post_body("/auth/logout", everywhere).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "told again");
    assert!(is_in(&mut ada).await);

    let mut signed_out = stolen.another();
    sign_in(&mut signed_out).await;
    let cookies = signed_out.cookies.clone();
    signed_out.post("/auth/logout").await;
    signed_out.cookies = cookies;
    signed_out.post_body("/auth/logout", everywhere).await;
    assert!(is_in(&mut ada).await);
}

#[tokio::test(start_paused = true)]
async fn a_cookie_that_is_over_is_told_again_within_bounds_and_hinders_no_sign_out() {
    let mut visit = Visit::to(BASE).await;
    let mut there = visit.another();
    let end = sign_in(&mut there).await;
    sign_in(&mut visit).await;
    let cookies = visit.cookies.clone();
    let told = |visit: &mut Visit| visit.cookies.clone_from(&cookies);
    for _ in 0..=30 {
        told(&mut visit);
        let answer = visit.post("/auth/logout").await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    told(&mut visit);
    let answer = visit.post_body("/auth/logout", r#"{"everywhere":true}"#);
    let answer = answer.await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "too_many_requests")
    );
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");

    let answer = there.post("/auth/logout").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(end.is_cancelled());
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    let answer = visit.post("/auth/logout").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
}

/// A browser may have kept an older cookie for another path.
#[tokio::test(start_paused = true)]
async fn several_cookies_are_signed_out_together() {
    let mut visit = Visit::to(BASE).await;
    let first = sign_in(&mut visit).await;
    let mut there = visit.another();
    let second = sign_in(&mut there).await;
    visit.cookies.append(&mut there.cookies);
    visit.revocations.hangs.store(true, Ordering::Relaxed);
    let mut signing_out = Box::pin(visit.post("/auth/logout"));
    assert!(futures_util::poll!(&mut signing_out).is_pending());
    assert!(first.is_cancelled() && second.is_cancelled());
}

#[tokio::test]
async fn until_it_is_known_which_sessions_are_over_none_is_taken() {
    let mut visit = Visit::to(BASE).await;
    let mut other = visit.another();
    let (end, others) = (sign_in(&mut visit).await, sign_in(&mut other).await);
    visit.revocations.knows.send_replace(false);
    let unknown = (StatusCode::SERVICE_UNAVAILABLE, "unavailable".to_owned());
    let me = visit.get("/api/me").await;
    assert_eq!((me.status, me.code()), unknown);
    assert_eq!(me.headers[header::RETRY_AFTER], "1");
    let refreshed = visit.post("/auth/refresh").await;
    assert_eq!((refreshed.status, refreshed.code()), unknown);
    assert_eq!(refreshed.headers.get(header::SET_COOKIE), None);
    let nobody = visit.another().get("/api/me").await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);

    // It may be over elsewhere: it ends itself and nothing else.
    let answer = visit.post_body("/auth/logout", r#"{"everywhere":true}"#);
    assert_eq!(answer.await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(end.is_cancelled() && !others.is_cancelled());
    visit.revocations.knows.send_replace(true);
    assert!(is_in(&mut other).await && !is_in(&mut visit).await);
}

/// A session that began before it is known would be over with what is told.
#[tokio::test(start_paused = true)]
async fn until_it_is_known_which_sessions_are_over_none_begins() {
    let store = Arc::new(guildhall_ports::memory::CookieSessionStore::default());
    let port = Arc::clone(&store);
    let mut visit = Visit::built(BASE, |_| (), |ports| ports.sessions = port).await;
    visit.revocations.knows.send_replace(false);
    let callback = visit.consent("/auth/login").await;
    let late = visit.get(&callback).await;
    assert_eq!(late.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(late.headers[header::RETRY_AFTER], "5");
    assert!(!is_in(&mut visit).await);

    // The same callback again: this time a gateway tells while it waits.
    let revocations = Arc::clone(&visit.revocations);
    let tell = async {
        let all = Revocation::of_user(ADA, NOW + 5, 0);
        let revoked = guildhall_ports::SessionStore::revoke(&*store, all, NOW).await;
        assert_eq!(revoked, Ok(()));
        revocations.knows.send_replace(true);
    };
    let mut browser = visit.another();
    browser.cookies.clone_from(&visit.cookies);
    let (answer, ()) = tokio::join!(browser.get(&callback), tell);
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(is_in(&mut browser).await, "it began behind what was told");
}

#[tokio::test]
async fn while_no_gateway_keeps_the_end_of_the_old_session_no_new_one_begins() {
    let mut visit = Visit::to(BASE).await;
    let end = sign_in(&mut visit).await;
    let before = visit.cookies.clone();
    visit.revocations.is_away.store(true, Ordering::Relaxed);
    for _ in 0..2 {
        let callback = visit.consent("/auth/login").await;
        let answer = visit.get(&callback).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers[header::RETRY_AFTER], "5");
        assert!(end.is_cancelled() && !is_in(&mut visit).await);
        assert_eq!(visit.cookies, before, "it may try again by the old one");
    }
    // Whose browser has none waits for no gateway.
    let mut other = visit.another();
    sign_in(&mut other).await;
    assert!(is_in(&mut other).await);

    visit.revocations.is_away.store(false, Ordering::Relaxed);
    sign_in(&mut visit).await;
    assert!(is_in(&mut visit).await);
    assert_eq!(visit.revocations.kept.lock().len(), 1);
    visit.cookies = before;
    assert!(!is_in(&mut visit).await);
}

#[tokio::test]
async fn what_is_revoked_elsewhere_ends_what_is_open_here() {
    let store = Arc::new(guildhall_ports::memory::CookieSessionStore::default());
    let port = Arc::clone(&store);
    let mut visit = Visit::built(BASE, |_| (), |ports| ports.sessions = port).await;
    let end = sign_in(&mut visit).await;
    let enforcing = visit.auth.sessions().enforce();
    let revoking = async {
        let all = Revocation::of_user(ADA, NOW, 0);
        let revoked = guildhall_ports::SessionStore::revoke(&*store, all, NOW).await;
        assert_eq!(revoked, Ok(()));
        end.cancelled().await;
    };
    tokio::select! {
        () = enforcing => panic!("it goes on for ever"),
        () = revoking => {}
    }
    assert!(!is_in(&mut visit).await);
}

#[tokio::test]
async fn each_secret_opens_and_a_session_that_is_used_goes_over_to_the_first() {
    let secret = |text: &str| config::tests::strong(text);
    let (old, new) = (
        config::tests::SECRET,
        "a-young-beech-is-to-hold-the-roof-one-day",
    );
    let mut before = Visit::to(BASE).await;
    sign_in(&mut before).await;
    let rotated = |config: &mut AuthConfig| {
        config.session_secrets = guildhall_http::RotatedSecret {
            current: secret(new),
            others: vec![secret(old)],
        };
    };
    let mut during = Visit::with(BASE, rotated).await;
    during.cookies.clone_from(&before.cookies);
    assert!(is_in(&mut during).await);
    let answer = during.post("/auth/refresh").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_ne!(during.cookies, before.cookies);

    let only = |config: &mut AuthConfig| config.session_secrets = secret(new).into();
    let mut after = Visit::with(BASE, only).await;
    after.cookies.clone_from(&before.cookies);
    assert!(!is_in(&mut after).await, "nobody came in time");
    after.cookies.clone_from(&during.cookies);
    assert!(is_in(&mut after).await);
}
