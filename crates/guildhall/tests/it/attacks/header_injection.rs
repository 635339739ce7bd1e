//! A line's end in what comes back: it begins no header, no event and no line of a log.

use reqwest::{
    Response,
    header::{HeaderMap, HeaderValue},
};
use serde_json::json;

use super::{encoded, unharmed};
use crate::house::{House, Stream, client_saying, cookie_of, location_of, raw, until};

/// What a header, an event, a script or a line would begin with if it came through.
const MARK: &str = "injected";

/// Line ends, and what readers of other alphabets take for one.
const ENDS: [&str; 12] = [
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "\0",
    "\u{b}",
    "\u{c}",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    // Their last bytes are CR and LF.
    "\u{560d}\u{560a}",
    "\u{10d}\u{10a}",
];

/// What is sent in place of a word.
fn injections() -> Vec<String> {
    let ends = ENDS.iter().flat_map(|end| {
        [
            format!(
                "/x{end}{MARK}: yes{end}Set-Cookie: {MARK}=1{end}{end}<script>{MARK}()</script>"
            ),
            format!("{end}event: {MARK}{end}data: {{}}{end}{end}"),
        ]
    });
    let html = format!("\"><script>{MARK}()</script><a href=\"javascript:{MARK}()");
    ends.chain([html]).collect()
}

/// What is wrong with an answer's head.
fn head_fault(answer: &Response) -> Option<String> {
    let headers = answer.headers();
    let cookies = headers.get_all("set-cookie").iter();
    let mut cookies = cookies.filter_map(|value| value.to_str().ok());
    if headers.contains_key(MARK) || cookies.any(|cookie| cookie.contains(MARK)) {
        return Some(format!("{headers:?}"));
    }
    (answer.status().as_u16() == 500).then(|| "500".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_parameter_begins_a_header_or_a_script() {
    let house = House::start().await;
    let (cookie, _stream) = house.visit().await;
    let mut tried = 0;
    for text in injections() {
        for value in [
            encoded(&text),
            text.replace('%', "%25")
                .replace(['\r', '\n', '\0', ' '], "%0d%0a"),
        ] {
            for path in [
                "/auth/login?returnTo=",
                "/auth/login?invite=",
                "/auth/login?moved=1&returnTo=",
                "/auth/callback?state=",
                "/auth/callback?code=x&state=x&error=",
                "/auth/callback?iss=",
                "/api/stream?lastEventId=",
                "/api/stream?guild=",
                "/api/state?events=",
                "/api/state?",
                "/join?invite=",
                "/?",
                "/",
                "/api/rpc/",
                "/assets/",
            ] {
                // The parser of the client refuses what no browser would send.
                let Ok(url) = url::Url::parse(&house.url(&format!("{path}{value}"))) else {
                    continue;
                };
                let request = house.http.get(url).header("cookie", &cookie);
                let answer = request.send().await.expect("web answers");
                tried += 1;
                let fault = head_fault(&answer);
                assert!(fault.is_none(), "{path} {text:?}: {fault:?}");
                if answer
                    .headers()
                    .get("content-type")
                    .is_some_and(|kind| kind == "text/event-stream; charset=utf-8")
                {
                    continue;
                }
                let is_html = answer
                    .headers()
                    .get("content-type")
                    .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
                let body = answer.text().await.expect("text");
                assert!(!is_html || !body.contains(MARK), "{path} {text:?}: {body}");
            }
        }
    }
    println!("header injection: {tried} requests by parameters");
    unharmed(&house);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_sign_in_returns_to_is_one_header() {
    let house = House::start().await;
    let visitor = &house.discord.visitor;
    for text in injections() {
        let login = house
            .get(&format!("/auth/login?returnTo={}", encoded(&text)), None)
            .await;
        let attempt = cookie_of(&login).expect("an attempt cookie");
        let authorize = format!("{}&sim_user={visitor}", location_of(&login));
        let consent = house.http.get(authorize).send().await;
        let callback = location_of(&consent.expect("Discord answers"));
        let request = house.http.get(callback).header("cookie", attempt);
        let done = request.send().await.expect("web answers");
        let fault = head_fault(&done);
        assert!(fault.is_none(), "{text:?}: {fault:?}");
        assert!(done.status().is_redirection());
        let target = location_of(&done);
        assert!(target.starts_with(&house.url("/")), "{text:?}: {target}");
    }
}

/// What a client library would refuse to send is sent by hand.
#[tokio::test(flavor = "multi_thread")]
async fn no_header_of_a_request_comes_back_as_one_of_the_answer() {
    let house = House::with(&[
        ("TRUSTED_PROXIES", "loopback"),
        ("ALLOWED_ORIGINS", "https://app.example"),
    ])
    .await;
    let (cookie, _stream) = house.visit().await;
    let mut tried = 0;
    for name in [
        "Host",
        "Origin",
        "Referer",
        "Last-Event-ID",
        "Idempotency-Key",
        "Guildhall-As",
        "Authorization",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "Forwarded",
        "Accept-Encoding",
        "If-None-Match",
        "Access-Control-Request-Headers",
        "X-Original-URL",
        "X-Rewrite-URL",
        "Via",
    ] {
        for value in [
            "x\r{mark}: 1",
            "x\n{mark}: 1",
            "x\u{85}{mark}: 1",
            "\u{560d}\u{560a}{mark}: 1",
            "x\0{mark}",
            "localhost/{mark}",
            "{mark}.example",
            "%0d%0a{mark}:1",
        ] {
            for path in ["/api/me", "/auth/login", "/api/state", "/", "/join"] {
                let value = value.replace("{mark}", MARK);
                let host = if name == "Host" {
                    ""
                } else {
                    "Host: localhost\r\n"
                };
                let request = format!(
                    "GET {path} HTTP/1.1\r\n{host}{name}: {value}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
                );
                let heard = raw::answers(house.ports.web, &request).await;
                tried += 1;
                assert_eq!(heard.len(), 1, "{name}: {value:?}");
                assert!(
                    !heard[0].head.to_lowercase().contains(MARK),
                    "{name}: {value:?}: {}",
                    heard[0].head
                );
                assert_ne!(heard[0].status, 500, "{name}: {value:?}");
                assert!(
                    !heard[0].body.contains(MARK),
                    "{name}: {value:?}: {}",
                    heard[0].body
                );
            }
        }
    }
    println!("header injection: {tried} requests by headers");
    unharmed(&house);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_cursor_comes_back_as_it_was_sent() {
    let house = House::start().await;
    let cookie = house.sign_in(&house.discord.visitor).await;
    for cursor in [
        "%0d%0aevent:%20injected",
        "1\u{85}event: injected",
        "..//..",
        "0.1-2;event=injected",
    ] {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(cursor.as_bytes());
        headers.insert("last-event-id", value.expect("a value"));
        let stream = client_saying(headers);
        let mut stream = Stream::open(&stream, &house.url("/api/stream"), &cookie, None).await;
        stream.until("snapshot").await;
        assert!(!stream.raw.contains(cursor), "{cursor}: {}", stream.raw);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_several_lines_is_one_event_and_no_line_of_a_log() {
    let house = House::with(&[("RUST_LOG", "trace")]).await;
    let discord = &house.discord;
    let (cookie, mut stream) = house.visit().await;
    let [room, _] = &discord.rooms;
    let mut names = Vec::new();
    for (number, end) in ENDS.iter().enumerate() {
        let name = format!("{number}{end}event: {MARK}{end}data: {{}}{end}id: 1{end}{end}");
        let user = discord
            .post(
                "/sim/users",
                &json!({ "username": format!("person{number}"), "globalName": name }),
            )
            .await;
        let user = user["id"].as_str().expect("an id").to_owned();
        discord
            .post(
                "/sim/members",
                &json!({ "guildId": discord.guild, "userId": user, "roles": [] }),
            )
            .await;
        discord.voice(&user, Some(room)).await;
        let joined = stream.until("voice.joined").await;
        assert_eq!(joined.data["displayName"], name.as_str());
        let title = format!("room {number}{end}event: {MARK}{end}data: {{}}{end}{end}");
        discord.edit_channel(room, &json!({ "name": title })).await;
        let renamed = stream.until("room.updated").await;
        assert_eq!(renamed.data["name"], title.as_str());
        names.push(title);
    }
    // A browser ends lines at a bare CR, too.
    assert!(!stream.raw.contains(['\r', '\0']), "{:?}", stream.raw);
    let marked = format!("event: {MARK}");
    assert!(!stream.raw.lines().any(|line| line.starts_with(&marked)));
    let state = house.state(&cookie).await.to_string();
    assert!(state.contains(MARK) && !state.contains('\n'));

    for name in &names {
        let body = json!({ "channelId": room, "name": name });
        let (status, answer) = house.rpc(&cookie, "renameRoom", &body, None).await;
        assert!(
            status == 400 || status == 403 || status == 429,
            "{name:?}: {status} {answer}"
        );
    }
    until("the logs are written", async || {
        house.web.log().contains("[SSE] Client connected")
    })
    .await;
    for log in [house.gateway.log(), house.web.log()] {
        let forged = log
            .lines()
            .find(|line| line.starts_with(&marked) || line.contains('\u{1b}'));
        assert!(forged.is_none(), "{forged:?}");
    }
    unharmed(&house);
}
