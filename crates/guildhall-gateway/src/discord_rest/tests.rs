use axum::{Router, extract::Path, http::HeaderMap as Headers, routing::get};
use tokio::net::TcpListener;

use super::*;
use crate::config::tests::NAMES;

#[tokio::test]
async fn members_guests_and_strangers_are_told_apart() {
    let rest = discord(Router::new().route(
        "/api/v10/guilds/{guild}/members/{user}",
        get(async |Path((_, user)): Path<(String, u64)>| match user {
            1 => (
                StatusCode::OK,
                r#"{"roles":["9","3","9"],"flags":1,"user":{"id":"1"}}"#,
            ),
            2 => (StatusCode::OK, r#"{"roles":[],"flags":16}"#),
            3 => (
                StatusCode::NOT_FOUND,
                r#"{"message":"Unknown Member","code":10007}"#,
            ),
            4 => (
                StatusCode::FORBIDDEN,
                r#"{"message":"Missing Access","code":50001}"#,
            ),
            5 => (StatusCode::BAD_GATEWAY, "<html>"),
            _ => (StatusCode::OK, "[]"),
        }),
    ))
    .await;
    let mut of = Vec::new();
    for user in 1..=6 {
        of.push(rest.membership(GuildId(7), UserId(user)).await);
    }
    let roles = vec![RoleId(3), RoleId(9)];
    assert_eq!(
        of[0],
        Ok(Membership::Member {
            roles,
            guest: false
        })
    );
    assert_eq!(
        of[1],
        Ok(Membership::Member {
            roles: Vec::new(),
            guest: true
        })
    );
    assert_eq!(of[2], Ok(Membership::Stranger));
    assert_eq!(
        of[3],
        Err(RestError::Refused {
            status: 403,
            code: 50_001
        })
    );
    assert!(
        matches!(of[4], Err(RestError::Unreachable(_))),
        "{:?}",
        of[4]
    );
    assert!(
        matches!(of[5], Err(RestError::Unreachable(_))),
        "{:?}",
        of[5]
    );
}

#[tokio::test]
async fn the_bot_says_who_it_is_and_a_401_ends_all_calls() {
    let rest = discord(Router::new().route(
        "/api/v10/gateway/bot",
        get(async |headers: Headers| {
            let right = headers[AUTHORIZATION] == "Bot a-token"
                && headers["user-agent"]
                    .to_str()
                    .is_ok_and(|name| name.starts_with("DiscordBot ("));
            if right {
                StatusCode::UNAUTHORIZED
            } else {
                StatusCode::IM_A_TEAPOT
            }
        }),
    ))
    .await;
    assert_eq!(
        rest.gateway_bot().await.err(),
        Some(RestError::Unauthorised)
    );
    assert!(
        rest.limiter()
            .admit(Route::GatewayBot, Instant::now().into_std())
            == limiter::Admission::Never
    );
}

#[tokio::test]
async fn a_429_is_waited_out_and_the_call_answered() {
    let served = Arc::new(Mutex::new(0));
    let count = Arc::clone(&served);
    let rest = discord(Router::new().route(
        "/api/v10/gateway/bot",
        get(async move || {
            let mut count = count.lock();
            *count += 1;
            if *count == 1 {
                (
                    StatusCode::TOO_MANY_REQUESTS,
                    [("retry-after", "0.05")],
                    "limited".to_owned(),
                )
            } else {
                let limit = r#"{"total":1000,"remaining":999,"reset_after":5,"max_concurrency":1}"#;
                let body =
                    format!(r#"{{"url":"wss://g","shards":1,"session_start_limit":{limit}}}"#);
                (StatusCode::OK, [("x-ratelimit-remaining", "1")], body)
            }
        }),
    ))
    .await;
    let answer = rest
        .gateway_bot()
        .await
        .expect("the second request is answered");
    assert_eq!(
        (answer.url.as_str(), answer.session_start_limit.remaining),
        ("wss://g", 999)
    );
    assert_eq!(*served.lock(), 2);
}

#[tokio::test]
async fn nobody_there_is_said_with_the_cause_and_without_the_token() {
    let rest = client("http://127.0.0.1:1");
    let error = rest
        .gateway_bot()
        .await
        .expect_err("nothing listens on port 1")
        .to_string();
    assert!(error.to_lowercase().contains("refused"), "{error}");
    assert!(!format!("{rest:?}{error}").contains("a-token"));
}

async fn discord(routes: Router) -> DiscordRest {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let origin = format!("http://{}", listener.local_addr().expect("it is bound"));
    let server = async move { axum::serve(listener, routes).await };
    tokio::runtime::Handle::current().spawn(server);
    client(&origin)
}

fn client(origin: &str) -> DiscordRest {
    // A second installation in this process is refused, which is fine.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let origin = origin.parse().expect("an origin");
    DiscordRest::new(
        origin,
        &tls::client_config(None),
        &"a-token".parse().expect("a token"),
        1_000,
        NAMES.root_certificates,
    )
    .expect("a client")
}
