//! Whole logins through the router, against a false Discord on loopback.

use std::sync::atomic::Ordering;

use guildhall_model::{GuildId, LogId, Position, UserId};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::json;

use self::visit::Visit;
use super::*;

/// Discord's side of a login.
mod fake_discord;
/// Sessions that are ended before their time.
mod ends;
/// Discord's webhook events.
mod webhook;
/// A session store that does not answer.
mod session_store;
/// Discord that wants us to wait, and people that try to make it.
mod limits;
/// Requests that are no visit of anybody.
mod looks;
/// Answers of Discord's that are not as they are documented.
mod odd;
/// Sign-ins by an invite.
mod invites;
/// Sign-ins by a token of another login.
mod exchange;
/// A hall, a Discord, and one browser that keeps its cookies.
mod visit;

pub(super) use invites::invite;

const NOW: u64 = 1_700_000_000_000;
const BASE: &str = "http://localhost:3000/hall";

#[tokio::test]
async fn a_login_leads_from_the_page_back_to_the_page() {
    let mut visit = Visit::to(BASE).await;
    assert_eq!(visit.get("/api/me").await.status, StatusCode::UNAUTHORIZED);

    let to_discord = visit
        .get("/auth/login?returnTo=%2Fhall%2Frooms%3Fguild%3D1")
        .await
        .location();
    assert!(
        to_discord
            .as_str()
            .starts_with("https://discord.example/oauth2/authorize?")
    );
    let asked: HashMap<_, _> = to_discord.query_pairs().into_owned().collect();
    assert_eq!(asked["response_type"], "code");
    assert_eq!(asked["scope"], "identify guilds");
    assert_eq!(asked["client_id"], "41771983423143937");
    assert_eq!(
        asked["redirect_uri"],
        "http://localhost:3000/hall/auth/callback"
    );
    assert_eq!(asked["code_challenge_method"], "S256");

    let callback = visit.discord.consent(&to_discord);
    let back = visit.get(&callback).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.body);
    assert_eq!(
        back.location().as_str(),
        "http://localhost:3000/hall/rooms?guild=1"
    );
    assert_eq!(back.headers[header::CACHE_CONTROL], "private, no-store");
    assert_eq!(back.headers[header::REFERRER_POLICY], "no-referrer");
    assert!(visit.has("guildhall"));
    assert_eq!(visit.cookies.len(), 1, "the attempt's cookie is gone");

    let me = visit.get("/api/me").await;
    assert_eq!(me.status, StatusCode::OK);
    let week = 7 * 24 * 60 * 60 * 1000;
    let expected = json!({
        "user": {
            "id": "80351110224678912",
            "username": "ada",
            "displayName": "Ada L.",
            "avatarUrl": "https://cdn.discordapp.com/embed/avatars/5.png",
        },
        "guilds": ["1", "3"],
        "expiresAt": NOW + week,
        "discordUrl": "https://discord.example",
    });
    assert_eq!(me.json(), expected);

    let watched = visit.world.watched.lock().clone();
    let user = UserId(80_351_110_224_678_912);
    assert_eq!(watched, [(user, vec![GuildId(1), GuildId(3)])]);
}

#[tokio::test]
async fn a_silent_gateway_holds_up_no_login() {
    let mut visit = Visit::to(BASE).await;
    visit.world.silent.store(true, Ordering::Relaxed);
    let callback = visit.consent("/auth/login").await;
    let back = visit.get(&callback);
    let back = tokio::time::timeout(2 * login::WATCH_WAIT, back).await;
    assert_eq!(back.expect("in time").status, StatusCode::SEE_OTHER);
    assert!(visit.has("guildhall"));
}

#[tokio::test]
async fn a_state_works_once_in_the_browser_that_began() {
    let mut visit = Visit::to(BASE).await;
    let to_discord = visit.get("/auth/login").await.location();
    let callback = visit.discord.consent(&to_discord);
    let before = std::mem::take(&mut visit.cookies);
    let elsewhere = visit.get(&callback).await;
    assert_eq!(elsewhere.status, StatusCode::BAD_REQUEST, "no cookie");

    visit.cookies.clone_from(&before);
    assert_eq!(visit.get(&callback).await.status, StatusCode::SEE_OTHER);

    // With codes that Discord would take: what refuses them is us.
    let fresh = visit.discord.consent(&to_discord);
    let again = visit.get(&fresh).await;
    assert_eq!(
        again.status,
        StatusCode::BAD_REQUEST,
        "the cookie is deleted"
    );
    let link = "<a href=\"http://localhost:3000/hall/auth/login?returnTo=";
    assert!(again.body.contains(link), "{}", again.body);

    visit.cookies = before;
    let again = visit.get(&fresh).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "the cookie is used");
    assert!(!visit.has("guildhall"));
}

#[tokio::test]
async fn several_tabs_may_log_in_at_once() {
    let mut visit = Visit::to(BASE).await;
    let one = visit.consent("/auth/login?returnTo=/one").await;
    let two = visit.consent("/auth/login?returnTo=/two").await;
    assert_eq!(visit.cookies.len(), 2);
    assert_eq!(visit.get(&two).await.location().path(), "/two");
    assert_eq!(visit.get(&one).await.location().path(), "/one");
    assert_eq!(visit.cookies.len(), 1);
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused() {
    let mut visit = Visit::to(BASE).await;
    let url = visit.discord.url.origin().ascii_serialization();
    for (issuer, status) in [
        (url.as_str(), StatusCode::SEE_OTHER),
        ("https://discord.example", StatusCode::SEE_OTHER),
        ("https://discord.com", StatusCode::BAD_REQUEST),
        ("https://discord.example/", StatusCode::BAD_REQUEST),
        ("", StatusCode::BAD_REQUEST),
    ] {
        let callback = visit.consent("/auth/login").await;
        let answer = visit.get(&format!("{callback}&iss={issuer}")).await;
        assert_eq!(answer.status, status, "{issuer}");
    }
}

#[tokio::test]
async fn who_says_no_is_returned_with_a_word() {
    let mut visit = Visit::to(BASE).await;
    let callback = visit.consent("/auth/login?returnTo=/rooms?a=b").await;
    let state = callback.split("state=").nth(1).expect("a state").to_owned();
    let denied = format!("/auth/callback?error=access_denied&state={state}");
    let answer = visit.get(&denied).await;
    assert_eq!(
        answer.location().as_str(),
        "http://localhost:3000/rooms?a=b&login=denied"
    );
    assert_eq!(visit.cookies, []);
    assert_eq!(visit.get(&callback).await.status, StatusCode::BAD_REQUEST);

    // Who then tries again from that very page comes back without the word.
    for (page, back) in [
        ("/rooms?a=b%26login=denied", "/rooms?a=b"),
        ("/rooms?login=denied%26login=denied", "/rooms"),
        ("/rooms?login=other", "/rooms?login=other"),
    ] {
        let login = format!("/auth/login?returnTo={page}");
        let callback = visit.consent(&login).await;
        let location = visit.get(&callback).await.location();
        assert_eq!(location.as_str(), format!("http://localhost:3000{back}"));
    }
}

#[tokio::test]
async fn broken_callbacks_get_a_page_and_nothing_of_theirs_is_shown() {
    let mut visit = Visit::to(BASE).await;
    for query in [
        "",
        "?",
        "?state=",
        "?state=x&code=y",
        "?code=%00",
        "?error=%3Cscript%3E",
        "?%FF=%FF&&&==",
        "?state=..%2F",
    ] {
        let answer = visit.get(&format!("/auth/callback{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.body.starts_with("<!doctype html>") && !answer.body.contains("<script"));
    }
    let long = "x".repeat(600);
    for end in [
        "",
        "&code=",
        &format!("&code={long}"),
        "&error=server_error",
        "&error=%3Cscript%3E",
    ] {
        let callback = visit.consent("/auth/login").await;
        let state = callback.split("state=").nth(1).expect("a state").to_owned();
        let answer = visit
            .get(&format!("/auth/callback?state={state}{end}"))
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{end}");
        assert!(!answer.body.contains(&state) && !answer.body.contains("<script"));
    }
    assert_eq!(visit.cookies, []);
}

#[tokio::test]
async fn an_attempt_is_over_after_ten_minutes() {
    let mut visit = Visit::to(BASE).await;
    let callback = visit.consent("/auth/login").await;
    visit.clock.set(NOW + 600_000);
    assert_eq!(visit.get(&callback).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_failing_discord_is_said_on_a_page() {
    let mut visit = Visit::to(BASE).await;
    let huge = json!([{"id": "1", "name": "x".repeat(2 << 20)}]);
    for (path, status, body, expected) in [
        ("token", 500, json!({"code": 0}), 502),
        ("token", 302, json!({}), 502),
        ("token", 401, json!({"error": "invalid_client"}), 502),
        ("token", 400, json!({"error": "invalid_client"}), 502),
        ("token", 400, json!({"error": "invalid_grant"}), 400),
        ("token", 200, json!({"access_token": 1}), 502),
        ("token", 200, json!("nonsense"), 502),
        ("me", 401, json!({}), 502),
        ("me", 200, json!({"id": "x"}), 502),
        ("me", 301, json!({}), 502),
        ("guilds", 200, json!({}), 502),
        ("guilds", 200, huge, 502),
    ] {
        visit.discord.answer(path, status, body);
        let callback = visit.consent("/auth/login?returnTo=/rooms").await;
        let answer = visit.get(&callback).await;
        assert_eq!(answer.status.as_u16(), expected, "{path} {status}");
        assert!(
            answer
                .body
                .contains("returnTo=http%3A%2F%2Flocalhost%3A3000%2Frooms")
        );
        assert_eq!(
            visit.cookies,
            [],
            "nobody is signed in and the attempt is gone"
        );
        visit.discord.recover();
    }
    visit.discord.stop().await;
    let callback = visit.consent("/auth/login").await;
    assert_eq!(visit.get(&callback).await.status, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn a_login_at_another_host_is_first_sent_to_ours() {
    let mut visit = Visit::to(BASE).await;
    let elsewhere = [("host", "127.0.0.1:3000")];
    let answer = visit
        .request(Method::GET, "/auth/login?returnTo=/rooms", &elsewhere)
        .await;
    assert_eq!(
        answer.location().as_str(),
        "http://localhost:3000/hall/auth/login?returnTo=http%3A%2F%2Flocalhost%3A3000%2Frooms&moved=1"
    );
    assert_eq!(visit.cookies, []);

    // Behind a proxy that renames the host it comes again, and goes on.
    let query = answer.location().query().unwrap_or_default().to_owned();
    let answer = visit
        .request(Method::GET, &format!("/auth/login?{query}"), &elsewhere)
        .await;
    assert_eq!(answer.location().host_str(), Some("discord.example"));
}

#[tokio::test]
async fn logout_ends_the_session_here_even_for_a_copied_cookie() {
    let mut visit = Visit::to(BASE).await;
    let callback = visit.consent("/auth/login").await;
    visit.get(&callback).await;
    let copied = visit.cookies.clone();
    let line = format!("{}={}", copied[0].0, copied[0].1);
    let line = HeaderValue::try_from(line).expect("visible ASCII");
    let headers = HeaderMap::from_iter([(header::COOKIE, line)]);
    let session = visit.auth.sessions().read(&headers).expect("signed in");
    let stream = visit.auth.sessions().watch_end(&session);

    let foreign = [
        ("origin", "https://evil.example"),
        ("content-type", "application/json"),
    ];
    let answer = visit.request(Method::POST, "/auth/logout", &foreign).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::FORBIDDEN, "forbidden")
    );
    let form = [
        ("origin", "http://localhost:3000"),
        ("content-type", "text/plain"),
    ];
    let answer = visit.request(Method::POST, "/auth/logout", &form).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(!stream.is_cancelled());

    assert_eq!(
        visit.post("/auth/logout").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(visit.cookies, []);
    assert!(stream.is_cancelled());
    visit.cookies = copied;
    let answer = visit.get("/api/me").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::UNAUTHORIZED, "unauthorized")
    );
    assert_eq!(
        visit.post("/auth/refresh").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        visit.post("/auth/logout").await.status,
        StatusCode::NO_CONTENT,
        "once more"
    );
}

#[tokio::test]
async fn refresh_slides_the_session() {
    let mut visit = Visit::to(BASE).await;
    assert_eq!(
        visit.post("/auth/refresh").await.status,
        StatusCode::UNAUTHORIZED
    );
    let callback = visit.consent("/auth/login").await;
    visit.get(&callback).await;
    let day = 24 * 60 * 60 * 1000;
    visit.clock.set(NOW + 6 * day);
    let answer = visit.post("/auth/refresh").await;
    assert_eq!(answer.json(), json!({"expiresAt": NOW + 13 * day}));
    visit.clock.set(NOW + 12 * day);
    assert_eq!(
        visit.get("/api/me").await.json()["expiresAt"],
        json!(NOW + 13 * day)
    );
    visit.clock.set(NOW + 13 * day);
    assert_eq!(visit.get("/api/me").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn each_login_has_an_id_of_its_own_and_ends_the_session_before_it() {
    let mut visit = Visit::to("https://hall.example").await;
    let sessions = visit.auth.sessions();
    let mut signed_in = Vec::new();
    for user in [
        "80351110224678912",
        "80351110224678912",
        "53908099506183680",
    ] {
        visit
            .discord
            .answer("me", 200, json!({"id": user, "username": "x"}));
        let callback = visit.consent("/auth/login").await;
        visit.get(&callback).await;
        let (name, value) = visit.cookies[0].clone();
        assert_eq!(name, "__Host-guildhall");
        let line = HeaderValue::try_from(format!("{name}={value}")).expect("visible ASCII");
        let headers = HeaderMap::from_iter([(header::COOKIE, line)]);
        let session = sessions.read(&headers).expect("signed in");
        let head = Vec::from(session.heads.clone())[0].seq;
        let elsewhere = Position {
            log: LogId(9),
            epoch: NOW,
            seq: 7,
        };
        let precedes = session.heads.precede(elsewhere);
        signed_in.push((sessions.watch_end(&session), session.id, head, precedes));
    }
    let [
        (one, a, 41, false),
        (two, b, 41, false),
        (three, c, 42, true),
    ] = &signed_in[..]
    else {
        panic!("three logins, the last above any cursor of the other user's");
    };
    assert!(a != b && b != c);
    assert!(
        one.is_cancelled(),
        "its cookie is in no browser of theirs any more"
    );
    assert!(two.is_cancelled(), "somebody else signed in over it");
    assert!(!three.is_cancelled());
}

#[tokio::test]
async fn half_surrogates_in_discords_answers_are_readable() {
    let mut visit = Visit::to(BASE).await;
    let json = |body: &'static str| ([(header::CONTENT_TYPE, "application/json")], body);
    visit.discord.answer_once(
        "me",
        json(r#"{"id":"80351110224678912","username":"ad\ude00","global_name":"a\ud83d"}"#),
    );
    visit.discord.answer_once(
        "guilds",
        json(r#"[{"id":"1","name":"\ud83d"},{"id":"3","name":"x"}]"#),
    );
    let callback = visit.consent("/auth/login").await;
    let answer = visit.get(&callback).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let me = visit.get("/api/me").await.json();
    assert_eq!(me["user"]["displayName"], "a\u{fffd}");
    assert_eq!(me["user"]["username"], "ad\u{fffd}");
    assert_eq!(me["guilds"], json!(["1", "3"]));
}

#[tokio::test]
async fn a_session_keeps_guilds_that_the_bot_is_not_in_yet() {
    let mut visit = Visit::to(BASE).await;
    let callback = visit.consent("/auth/login").await;
    visit.get(&callback).await;
    let (name, value) = visit.cookies[0].clone();
    let line = HeaderValue::try_from(format!("{name}={value}")).expect("visible ASCII");
    let headers = HeaderMap::from_iter([(header::COOKIE, line)]);
    let session = visit.auth.sessions().read(&headers).expect("signed in");
    assert_eq!(session.guilds, [GuildId(1), GuildId(20), GuildId(3)]);
    assert_eq!(
        visit.get("/api/me").await.json()["guilds"],
        json!(["1", "3"])
    );
}
