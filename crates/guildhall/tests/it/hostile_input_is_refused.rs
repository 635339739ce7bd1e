//! What anybody on the network can send: refused by the protocol's rule, and nobody else notices.

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use crate::house::{House, LINK_TOKEN};

#[tokio::test(flavor = "multi_thread")]
async fn no_session_or_a_forged_one_is_never_a_stream() {
    let house = House::start().await;
    let cookie = house.sign_in(&house.discord.visitor).await;
    let mut forged = cookie.clone().into_bytes();
    let last = forged.len() - 3;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).expect("ASCII");
    for cookie in [
        None,
        Some("guildhall=x"),
        Some("guildhall="),
        Some(forged.as_str()),
    ] {
        for path in ["/api/stream", "/api/state", "/api/me"] {
            let answer = house.get(path, cookie).await;
            assert_eq!(answer.status(), 401, "{path} {cookie:?}");
            let body: serde_json::Value = answer.json().await.expect("JSON");
            assert!(body["error"]["code"].is_string());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_queries_are_told_in_json() {
    let house = House::start().await;
    let cookie = house.sign_in(&house.discord.visitor).await;
    for query in ["?guild=x", "?guild=-1", "?channel=", "?events=everything"] {
        for path in ["/api/stream", "/api/state"] {
            let answer = house.get(&format!("{path}{query}"), Some(&cookie)).await;
            assert_eq!(answer.status(), 400, "{path}{query}");
            let body: serde_json::Value = answer.json().await.expect("JSON");
            assert_eq!(body["error"]["code"], "invalid", "{path}{query}");
        }
    }
    let nowhere = house.get("/api/nowhere", Some(&cookie)).await;
    assert_eq!(nowhere.status(), 404);
    assert!(
        nowhere.headers()["content-type"]
            .to_str()
            .is_ok_and(|it| it.starts_with("application/json"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_return_address_is_ignored() {
    let house = House::start().await;
    for hostile in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(hostile.as_bytes()).collect();
        let login = house
            .get(&format!("/auth/login?returnTo={encoded}"), None)
            .await;
        let attempt = crate::house::cookie_of(&login).expect("an attempt cookie");
        let authorize = crate::house::location_of(&login);
        let visitor = &house.discord.visitor;
        let consent = house
            .http
            .get(format!("{authorize}&sim_user={visitor}"))
            .send()
            .await;
        let callback = crate::house::location_of(&consent.expect("Discord answers"));
        let request = house.http.get(callback).header("cookie", attempt);
        let done = request.send().await.expect("web answers");
        let target = crate::house::location_of(&done);
        assert!(target.starts_with(&house.url("/")), "{hostile}: {target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_is_for_those_with_its_token_and_survives_nonsense() {
    let house = House::start().await;
    let url = format!("ws://127.0.0.1:{}/link", house.ports.link);
    for token in [
        None,
        Some("Bearer x".to_owned()),
        Some(format!("Bearer {LINK_TOKEN}x")),
        Some(LINK_TOKEN.to_owned()),
    ] {
        let mut request = url.as_str().into_client_request().expect("a request");
        if let Some(token) = &token {
            request
                .headers_mut()
                .insert("authorization", token.parse().expect("a header"));
        }
        match connect_async(request).await {
            Err(Error::Http(answer)) => assert_eq!(answer.status(), 401),
            other => panic!("{token:?}: {other:?}"),
        }
    }
    let (_cookie, mut stream) = house.visit().await;
    for nonsense in [
        "",
        "{",
        "[]",
        "{\"type\":\"watch\"}",
        "{\"type\":\"subscribe\",\"data\":{\"after\":\"x\"}}",
        "\u{0}",
    ] {
        let mut request = url.as_str().into_client_request().expect("a request");
        let token = format!("Bearer {LINK_TOKEN}").parse().expect("a header");
        request.headers_mut().insert("authorization", token);
        let (mut socket, _) = connect_async(request).await.expect("the right token");
        let hello = socket.next().await.expect("a hello").expect("a frame");
        assert!(hello.to_text().is_ok_and(|text| text.contains("\"hello\"")));
        for message in [Message::text(nonsense), Message::binary(vec![0xff, 0])] {
            // The gateway may have closed already; that is its good right.
            drop(socket.send(message).await);
        }
    }
    house.discord.stamp("unharmed").await;
    assert_eq!(
        stream.until("voice.updated").await.data["username"],
        "unharmed"
    );
    assert!(
        !house.gateway.log().contains("panicked"),
        "{}",
        house.gateway.log()
    );
}
