//! Who has no session of Discord's: the operator's programs by their tokens, and people of the operator's
//! own login, each of whose tokens signs in once.

/// People of another login.
pub(crate) mod by_another_login;

use reqwest::{Method, Response, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use crate::house::{House, Stream, client_saying};

const BOARD: &str = "board-token-of-the-test-house-0123456789abcdef";
const APP: &str = "app-token-of-the-test-house-0123456789abcdefgh";

async fn house() -> House {
    let tokens = format!("board:{BOARD},app+as+write:{APP}");
    House::with(&[("API_TOKENS", &tokens)]).await
}

/// What a program sends, acting as somebody or as nobody.
fn saying(token: &str, acts_as: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let bearer = format!("Bearer {token}").parse().expect("a value");
    headers.insert("authorization", bearer);
    if let Some(user) = acts_as {
        headers.insert("guildhall-as", user.parse().expect("a value"));
    }
    headers
}

async fn follow(house: &House, headers: HeaderMap, after: Option<&str>) -> Stream {
    let url = house.url("/api/stream");
    Stream::open(&client_saying(headers), &url, "", after).await
}

async fn state(house: &House, headers: HeaderMap) -> Value {
    let request = house.http.get(house.url("/api/state")).headers(headers);
    let answer = request.send().await.expect("web answers");
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.expect("state is JSON")
}

async fn rpc(house: &House, headers: HeaderMap, name: &str, body: &Value) -> (u16, Value) {
    let url = house.url(&format!("/api/rpc/{name}"));
    let request = house.http.post(url).headers(headers).json(body);
    let answer = request.send().await.expect("web answers");
    let status = answer.status().as_u16();
    (status, answer.json().await.expect("an answer is JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_follows_what_the_bot_sees_over_any_break() {
    let mut house = house().await;
    let gated = house.discord.gated.clone();
    let [one, two] = [0, 1].map(|number| house.discord.people[number].clone());
    let mut stream = follow(&house, saying(BOARD, None), None).await;
    stream.until("snapshot").await;
    assert!(
        stream.raw.contains(&gated),
        "the bot sees it:\n{}",
        stream.raw
    );
    house.discord.voice(&one, Some(&gated)).await;
    let joined = stream.until("voice.joined").await;
    assert_eq!(joined.data["userId"], one.as_str());
    let cursor = stream.cursor.clone();
    drop(stream);
    house.discord.voice(&two, Some(&gated)).await;
    house.restart_web().await;
    let mut stream = follow(&house, saying(BOARD, None), cursor.as_deref()).await;
    let joined = stream.until("voice.joined").await;
    assert_eq!(joined.data["userId"], two.as_str());
    assert!(
        !stream.raw.contains("event: snapshot"),
        "it goes on where it was:\n{}",
        stream.raw
    );
    let seen = state(&house, saying(BOARD, None)).await.to_string();
    assert!(seen.contains(&gated) && seen.contains(&two), "{seen}");
    let body = json!({ "channelId": gated });
    let (status, answer) = rpc(&house, saying(BOARD, None), "getVoiceChannelMembers", &body).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer.to_string().contains(&two), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_acts_as_somebody_sees_and_may_what_they_do() {
    let house = house().await;
    let discord = &house.discord;
    let visitor = discord.visitor.as_str();
    let [here, there] = &discord.rooms;
    discord.voice(visitor, Some(here)).await;
    let mut stream = follow(&house, saying(APP, Some(visitor)), None).await;
    stream.until("snapshot").await;
    assert!(stream.raw.contains(here), "{}", stream.raw);
    let (cookie, mut own) = house.visit().await;
    // Somebody in the hidden room first, then one where both look: what is told of the first would come before.
    discord
        .voice(&discord.people[0], Some(&discord.gated))
        .await;
    discord.voice(&discord.people[1], Some(there)).await;
    for stream in [&mut stream, &mut own] {
        let joined = stream.until("voice.joined").await;
        assert_eq!(joined.data["userId"], discord.people[1].as_str());
        assert!(!stream.raw.contains(&discord.gated), "{}", stream.raw);
    }
    let theirs = state(&house, saying(APP, Some(visitor))).await;
    let own = house.state(&cookie).await;
    assert_eq!(theirs["guilds"], own["guilds"]);
    assert!(theirs["guilds"].is_array());

    let body = json!({ "channelId": there });
    let headers = saying(APP, Some(visitor));
    let (status, answer) = rpc(&house, headers, "connectUserToVoiceChannel", &body).await;
    assert_eq!(
        (status, &answer["outcome"]),
        (200, &json!("done")),
        "{answer}"
    );
    let moved = stream.until("voice.joined").await;
    assert_eq!(moved.data["userId"], visitor);
    // Neither may move others, the person's rights being what counts.
    let body = json!({ "channelId": here, "userId": discord.people[1] });
    let headers = saying(APP, Some(visitor));
    let (status, answer) = rpc(&house, headers, "connectUserToVoiceChannel", &body).await;
    assert_eq!(
        (status, &answer["error"]["missing"]),
        (403, &json!(["MOVE_MEMBERS"])),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_good_token_is_nobody_whatever_cookie_comes_along() {
    let house = house().await;
    let visitor = house.discord.visitor.clone();
    let cookie = house.sign_in(&visitor).await;
    let with = |mut headers: HeaderMap, more: &[(&'static str, &str)]| {
        headers.append("cookie", cookie.parse().expect("a value"));
        for (name, value) in more {
            headers.append(*name, value.parse().expect("a value"));
        }
        headers
    };
    let origin = house.url("");
    let wrong = format!("{}X", &BOARD[..BOARD.len() - 1]);
    let cases = [
        ("another's", with(saying(&wrong, None), &[]), 401),
        ("none", with(saying("", None), &[]), 401),
        ("as prefix", with(saying(&BOARD[..40], None), &[]), 401),
        (
            "two",
            with(
                saying(BOARD, None),
                &[("authorization", &format!("Bearer {APP}"))],
            ),
            401,
        ),
        (
            "of a page",
            with(saying(BOARD, None), &[("origin", &origin)]),
            403,
        ),
        (
            "of another page",
            with(saying(APP, Some(&visitor)), &[("origin", "null")]),
            403,
        ),
        (
            "acting without the right",
            with(saying(BOARD, Some(&visitor)), &[]),
            403,
        ),
        ("as no id", with(saying(APP, Some("0")), &[]), 400),
        ("as a name", with(saying(APP, Some("anna")), &[]), 400),
        (
            "as two",
            with(saying(APP, Some(&visitor)), &[("guildhall-as", &visitor)]),
            400,
        ),
    ];
    for (what, headers, status) in cases {
        for (method, path) in [
            (Method::GET, "/api/stream"),
            (Method::GET, "/api/state"),
            (Method::POST, "/api/rpc/ensureUserInGuild"),
        ] {
            let request = house.http.request(method, house.url(path));
            let body = json!({ "guildId": house.discord.guild });
            let answer = request.headers(headers.clone()).json(&body).send().await;
            let answer = answer.expect("web answers");
            assert_eq!(answer.status().as_u16(), status, "{what} {path}");
            is_refusal(answer, &[BOARD, APP, &wrong]).await;
        }
    }
    let body = json!({ "channelId": house.discord.rooms[0] });
    for headers in [saying(BOARD, None), saying(APP, None)] {
        let (status, answer) = rpc(&house, headers, "connectUserToVoiceChannel", &body).await;
        assert_eq!(status, 403, "nobody's command: {answer}");
    }
    // A proxy's own login is no token, and the cookie counts.
    let headers = with(HeaderMap::new(), &[("authorization", "Basic YTpi")]);
    let seen = state(&house, headers).await;
    assert_eq!(seen["guilds"], house.state(&cookie).await["guilds"]);
}

/// It has our shape, sets no cookie, and says nothing of what was sent.
async fn is_refusal(answer: Response, secrets: &[&str]) {
    assert!(answer.headers().get("set-cookie").is_none());
    let text = answer.text().await.expect("text");
    let body: Value = serde_json::from_str(&text).expect("JSON");
    assert!(body["error"]["code"].is_string(), "{text}");
    for secret in secrets {
        assert!(!text.contains(secret), "{text}");
    }
}
