//! Whatever `RUST_LOG` asks for, none of the secrets of a working house is in any log.

use serde_json::json;
use url::Url;

use crate::{
    house::{
        House, cookie_of, location_of,
        secrets::{ADMIN_TOKEN, API_TOKEN, API_TOKENS, JWT_SECRET, Secrets},
    },
    others_come_in::by_another_login::{by_secret, claims, exchange},
    overlays::Link,
};

/// Everything at once; each library that has whole requests in its hands; and what a filter by
/// names would have to know, too.
const DIRECTIVES: [&str; 2] = [
    "trace",
    "info,tungstenite::handshake=trace,tungstenite::handshake::client=trace,tungstenite=trace,\
     tokio_tungstenite=trace,hyper=trace,hyper_util=trace,h2=trace,reqwest=trace,rustls=trace,\
     axum=trace,tower_http=trace,cookie=trace,log=trace,mio=trace,guildhall=trace,guildhall_web=trace,\
     guildhall_gateway=trace,guildhall_simulator=trace",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_log_has_a_secret_whatever_is_asked_for() {
    for directives in DIRECTIVES {
        let settings = [
            ("RUST_LOG", directives),
            ("LOG_FORMAT", "json"),
            ("API_TOKENS", API_TOKENS),
            ("JWT_SECRET", JWT_SECRET),
            ("ADMIN_TOKEN", ADMIN_TOKEN),
        ];
        look_through(&House::with(&settings).await).await;
    }
}

async fn look_through(house: &House) {
    // The sign-in step by step, to know what passes by.
    let login = house.get("/auth/login", None).await;
    let attempt = cookie_of(&login).expect("the login sets a cookie");
    let authorize = format!("{}&sim_user={}", location_of(&login), house.discord.visitor);
    let consent = house.http.get(authorize).send().await;
    let callback = location_of(&consent.expect("Discord answers"));
    let request = house.http.get(&callback).header("cookie", &attempt);
    let signed_in = request.send().await.expect("the callback answers");
    let cookie = cookie_of(&signed_in).expect("the callback sets a cookie");
    let mut stream = house.stream(&cookie, "", None).await;
    stream.until("snapshot").await;
    house.discord.stamp("one").await;
    stream.until("voice.updated").await;
    house.get("/api/me", Some(&cookie)).await;

    let [used, forged, exchanged] = come_in_otherwise(house).await;
    let (overlay, mistyped) = by_an_overlay_link(house, &cookie).await;

    let callback = Url::parse(&callback).expect("a URL");
    let asked = |name: &str| {
        let mut pairs = callback.query_pairs();
        let value = pairs.find(|(known, _)| known == name);
        value.expect("the callback has it").1.into_owned()
    };
    let value = |cookie: &str| cookie.split_once('=').expect("NAME=VALUE").1.to_owned();
    let mut secrets = Secrets::of(house);
    for (what, value) in [
        ("session cookie", value(&cookie)),
        ("cookie of the sign-in", value(&attempt)),
        ("a mistyped token", "mistyped".to_owned()),
        ("a JWT", used),
        ("a forged JWT", forged),
        ("a JWT's id", "of-the-secrets".to_owned()),
        ("cookie of a JWT", value(&exchanged)),
        ("an overlay link", overlay.token),
        ("an overlay link's id", overlay.id),
        ("a mistyped overlay link", mistyped),
        ("code", asked("code")),
        ("state", asked("state")),
    ] {
        secrets.add(what, &value);
    }
    for process in [&house.gateway, &house.web] {
        assert!(process.log().len() > 1_000, "it talks");
    }
    secrets.are_in_no_log_of(house);
}

/// By tokens of programs and of the operator, and by another login. What passed by: a JWT, one that is forged,
/// and a cookie.
async fn come_in_otherwise(house: &House) -> [String; 3] {
    let by_token = |token: &str| format!("Bearer {token}");
    let wrong = format!("{API_TOKEN}-mistyped");
    for (token, status) in [(API_TOKEN, 200), (&*wrong, 401)] {
        let request = house.http.get(house.url("/api/state"));
        let request = request.header("authorization", by_token(token));
        let request = request.header("guildhall-as", &house.discord.visitor);
        let answer = request.send().await.expect("web answers");
        assert_eq!(answer.status(), status);
    }
    for token in [ADMIN_TOKEN, "admin-token-mistyped-0123456789"] {
        let url = format!("http://127.0.0.1:{}/admin/streams", house.ports.web_ops);
        let request = house.http.get(url).header("authorization", by_token(token));
        request.send().await.expect("ops answers");
    }
    let claims = claims(&house.discord.visitor, "of-the-secrets", 300);
    let used = by_secret(&claims);
    let forged = used[..used.len() - 8].to_owned() + "AAAAAAAA";
    let mut exchanged = None;
    for (token, status) in [(&forged, 401), (&used, 200), (&used, 401)] {
        let answer = exchange(house, token).await;
        assert_eq!(answer.status(), status);
        exchanged = exchanged.or(cookie_of(&answer));
    }
    let exchanged = exchanged.expect("a session");
    house.get("/api/me", Some(&exchanged)).await;
    [used, forged, exchanged]
}

/// By a link in all the ways that it is said, made and ended by its maker and by the operator; and one that is
/// mistyped.
async fn by_an_overlay_link(house: &House, cookie: &str) -> (Link, String) {
    let link = house.overlay_link(cookie, &house.discord.rooms[0]).await;
    let mistyped = link.token[..link.token.len() - 9].to_owned() + "-mistyped";
    let mut open = house.overlay(&link).await;
    for (token, status) in [(&link.token, 200), (&mistyped, 401)] {
        let answer = house
            .get(&format!("/api/state?overlay={token}"), None)
            .await;
        assert_eq!(answer.status(), status);
        let request = house.http.get(house.url("/api/state"));
        let request = request.header("authorization", format!("Bearer {token}"));
        assert_eq!(request.send().await.expect("web answers").status(), status);
    }
    for path in ["overlay", "join", "nothing", "api/me", "api/nothing"] {
        house
            .get(&format!("/{path}?overlay={}", link.token), None)
            .await;
    }
    for id in [&mistyped, &link.id] {
        let body = json!({ "id": id });
        house.rpc(cookie, "revokeOverlayLink", &body, None).await;
        let url = format!(
            "http://127.0.0.1:{}/admin/overlay-links/revoke",
            house.ports.web_ops
        );
        house
            .http
            .post(url)
            .json(&body)
            .send()
            .await
            .expect("ops answers");
    }
    open.until("bye").await;
    (link, mistyped)
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
        "...)".to_owned(),
        format!("[Gateway WS] Server listening on port {}", house.ports.link),
        "[Gateway WS] Client connected".to_owned(),
        "[Gateway WS] Broadcast voice.joined: 1 success, 0 failed".to_owned(),
    ] {
        house.gateway.until_logged(&line).await;
    }
    for line in [
        "[Gateway Client Init] Gateway client initialized successfully".to_owned(),
        "[Gateway Client] Connected to Gateway service".to_owned(),
        "[Gateway Client] Event received: voice.joined".to_owned(),
        format!("[SSE] Client connected: {}", house.discord.visitor),
    ] {
        house.web.until_logged(&line).await;
    }
}
