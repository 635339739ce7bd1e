//! Cookies, tokens, JWTs, invites, overlay links and cursors that are not what they say: changed, cut, of another house, or in
//! another's place. Whoever shows one is nobody, and a good one beside it stays good.

use reqwest::{StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use super::{encoded, unharmed};
use crate::{
    house::{
        House, Stream,
        secrets::{API_TOKEN, API_TOKENS, JWT_SECRET, Secrets},
    },
    others_come_in::by_another_login::{by_secret, claims, exchange},
};

const OTHERS_SESSION_SECRET: &str = "session-secret-of-another-house-0123456789abc";
const OTHERS_LINK_TOKEN: &str = "link-token-of-another-house-0123456789abcdefg";

/// What somebody makes of a text without knowing what is in it: each letter changed, the first or the last of
/// it, more of it, all of it twice.
fn tampered(text: &str) -> Vec<String> {
    let changed = |place: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).expect("ASCII")
    };
    let half = text.len() / 2;
    let mut all: Vec<String> = (0..text.len()).map(changed).collect();
    all.extend(
        (0..text.len())
            .step_by(7)
            .map(|length| text[..length].to_owned()),
    );
    all.extend([
        text[1..].to_owned(),
        format!("{text}A"),
        format!("A{text}"),
        format!("{text}{text}"),
        format!("{}{}", &text[half..], &text[..half]),
        text.to_uppercase(),
        text.to_lowercase(),
        text.chars().rev().collect(),
        "A".repeat(text.len()),
    ]);
    all.retain(|one| one != text);
    all
}

/// A house with all ways to come in.
async fn house() -> House {
    House::with(&[("API_TOKENS", API_TOKENS), ("JWT_SECRET", JWT_SECRET)]).await
}

/// Another of the same Discord's shape, whose ids are the same.
async fn another_house() -> House {
    House::with(&[
        ("SESSION_SECRET", OTHERS_SESSION_SECRET),
        ("LINK_TOKEN", OTHERS_LINK_TOKEN),
    ])
    .await
}

/// Nobody: no cookie is given, and nothing of what was shown is told.
async fn is_nobody(house: &House, what: &str, headers: HeaderMap, secrets: &Secrets) {
    for path in ["/api/me", "/api/state", "/api/stream"] {
        let request = house.http.get(house.url(path)).headers(headers.clone());
        let answer = request.send().await.expect("web answers");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path} {what}");
        assert!(
            !answer.headers().contains_key("set-cookie"),
            "{path} {what}"
        );
        let said = answer.text().await.expect("text");
        assert_eq!(secrets.found_in(&said), None, "{path} {what}: {said}");
    }
}

fn header(name: &'static str, value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(name, value.parse().expect("a value"));
    headers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_was_changed_or_is_anothers_is_nobodys() {
    let (house, another) = tokio::join!(house(), another_house());
    let visitor = &house.discord.visitor;
    let cookie = house.sign_in(visitor).await;
    let value = cookie.split_once('=').expect("NAME=VALUE").1.to_owned();
    let mut secrets = Secrets::of(&house);
    secrets.add("the session", &value);
    let changed = tampered(&value);
    for value in &changed {
        is_nobody(
            &house,
            value,
            header("cookie", &format!("guildhall={value}")),
            &secrets,
        )
        .await;
    }
    let foreign = another.sign_in(&another.discord.visitor).await;
    assert_eq!(*visitor, another.discord.visitor, "the same person");
    let jwt = by_secret(&claims(visitor, "as-a-cookie", 300));
    let elsewhere = [
        ("of another house", foreign.clone()),
        ("under another name", format!("guildhall-login-0={value}")),
        (
            "under the name of https",
            format!("__Host-guildhall={value}"),
        ),
        ("a token", format!("guildhall={API_TOKEN}")),
        ("a JWT", format!("guildhall={jwt}")),
    ];
    for (what, cookie) in &elsewhere {
        is_nobody(&house, what, header("cookie", cookie), &secrets).await;
    }
    for (name, value) in [
        ("authorization", format!("Bearer {value}")),
        ("x-session", value.clone()),
    ] {
        is_nobody(&house, name, header(name, &value), &secrets).await;
    }
    // Theirs beside it hides nobody.
    let beside = format!("{foreign}; {cookie}; guildhall={}", changed[0]);
    assert_eq!(
        house.get("/api/me", Some(&beside)).await.status(),
        StatusCode::OK
    );
    println!(
        "cookies: {} that are none",
        changed.len() + elsewhere.len() + 2
    );
    unharmed(&house);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_changed_or_is_in_another_place_is_nobodys() {
    let house = house().await;
    let visitor = house.discord.visitor.clone();
    let secrets = Secrets::of(&house);
    let changed = tampered(API_TOKEN);
    for token in &changed {
        // Of what is longer than it, it is a part.
        let none = Secrets::none();
        let secrets = if token.contains(API_TOKEN) {
            &none
        } else {
            &secrets
        };
        is_nobody(
            &house,
            token,
            header("authorization", &format!("Bearer {token}")),
            secrets,
        )
        .await;
    }
    for scheme in [
        "",
        "Bearer",
        "Bearer  ",
        "Token ",
        "Bearer: ",
        "Bearer\t",
        "Bearer Bearer ",
        "Bearer \"",
    ] {
        let value = format!("{scheme}{API_TOKEN}");
        let request = house
            .http
            .get(house.url("/api/state"))
            .header("authorization", value);
        let request = request.header("guildhall-as", &visitor);
        let status = request.send().await.expect("web answers").status();
        // Blanks between the two are the standard's.
        let is_good = scheme == "Bearer  ";
        assert!(
            status == StatusCode::UNAUTHORIZED || is_good,
            "{scheme:?}: {status}"
        );
    }
    for name in [
        "x-api-key",
        "x-authorization",
        "proxy-authorization",
        "api-key",
        "cookie",
    ] {
        is_nobody(&house, name, header(name, API_TOKEN), &secrets).await;
    }
    for place in [
        "access_token",
        "token",
        "api_token",
        "authorization",
        "bearer",
    ] {
        let answer = house
            .get(&format!("/api/state?{place}={API_TOKEN}"), None)
            .await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{place}");
    }
    println!("tokens: {} that are none", changed.len() + 18);
    unharmed(&house);
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_program_acts_as_is_an_id_or_nobody() {
    let house = house().await;
    for acts_as in [
        "0",
        "-1",
        "+1",
        "1e3",
        "1.0",
        "0x10",
        "18446744073709551616",
        "1,2",
        "1;2",
        "null",
        "*",
        "me",
        "1 2",
    ] {
        let mut headers = header("authorization", &format!("Bearer {API_TOKEN}"));
        headers.insert("guildhall-as", acts_as.parse().expect("a value"));
        let request = house.http.get(house.url("/api/state")).headers(headers);
        let status = request.send().await.expect("web answers").status();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{acts_as}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_that_was_changed_signs_nobody_in_and_leaves_the_right_one_unused() {
    let house = house().await;
    let right = by_secret(&claims(&house.discord.visitor, "once", 300));
    let secrets = Secrets::of(&house);
    let changed = tampered(&right);
    for token in &changed {
        let answer = exchange(&house, token).await;
        // Cut to nothing it is none; the other reasons are told to whoever made it.
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{token}");
        assert!(!answer.headers().contains_key("set-cookie"), "{token}");
        let said = answer.text().await.expect("text");
        assert_eq!(secrets.found_in(&said), None, "{said}");
        assert!(token.is_empty() || !said.contains(token.as_str()), "{said}");
    }
    assert_eq!(exchange(&house, &right).await.status(), StatusCode::OK);
    println!("JWTs: {} that are none", changed.len());
    unharmed(&house);
}

/// Whose invites open which room is kept under a seal of the house that gave them.
#[tokio::test(flavor = "multi_thread")]
async fn an_invite_of_another_house_or_in_anothers_place_opens_nothing() {
    let (house, another) = tokio::join!(house(), another_house());
    let invite = async |house: &House| {
        let owner = house.discord.state().await["guilds"][0]["ownerId"].clone();
        let cookie = house.sign_in(owner.as_str().expect("an id")).await;
        let body = json!({ "guildId": house.discord.guild, "name": "Table" });
        let (status, made) = house.rpc(&cookie, "createRoom", &body, None).await;
        assert_eq!(status, 200, "{made}");
        let body = json!({ "channelId": made["channelId"] });
        let (status, invite) = house.rpc(&cookie, "createInvite", &body, None).await;
        assert_eq!(status, 200, "{invite}");
        invite["token"].as_str().expect("a token").to_owned()
    };
    let (ours, theirs) = tokio::join!(invite(&house), invite(&another));
    let guest = house.sign_in(&house.discord.visitor).await;
    for token in [
        &theirs,
        guest.split_once('=').expect("NAME=VALUE").1,
        API_TOKEN,
    ] {
        let (status, answer) = house
            .rpc(&guest, "joinRoom", &json!({ "token": token }), None)
            .await;
        assert!((400..500).contains(&status), "{token}: {status} {answer}");
        assert!(!answer.to_string().contains(token), "{answer}");
    }
    let secrets = Secrets::of(&house);
    is_nobody(
        &house,
        "an invite",
        header("cookie", &format!("guildhall={ours}")),
        &secrets,
    )
    .await;
    is_nobody(
        &house,
        "an invite",
        header("authorization", &format!("Bearer {ours}")),
        &secrets,
    )
    .await;
    let (status, answer) = house
        .rpc(&guest, "joinRoom", &json!({ "token": ours }), None)
        .await;
    assert_eq!(status, 200, "{answer}");
    unharmed(&house);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_link_that_was_changed_or_is_anothers_shows_nothing() {
    let (house, another) = tokio::join!(house(), another_house());
    let link = async |house: &House| {
        let cookie = house.sign_in(&house.discord.visitor).await;
        house.overlay_link(&cookie, &house.discord.rooms[0]).await
    };
    let (ours, theirs) = tokio::join!(link(&house), link(&another));
    let mut secrets = Secrets::of(&house);
    secrets.add("the link", &ours.token);
    let mut none = tampered(&ours.token);
    let jwt = by_secret(&claims(&house.discord.visitor, "as-a-link", 300));
    none.extend([theirs.token, API_TOKEN.to_owned(), jwt]);
    for token in &none {
        for path in ["/api/state", "/api/stream"] {
            let query = format!("{path}?overlay={}", encoded(token));
            let answer = house.get(&query, None).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path} {token}");
            assert!(!answer.headers().contains_key("set-cookie"), "{token}");
            let said = answer.text().await.expect("text");
            assert_eq!(secrets.found_in(&said), None, "{said}");
        }
    }
    let as_a_session = header("cookie", &format!("guildhall={}", ours.token));
    is_nobody(&house, "an overlay link", as_a_session, &secrets).await;
    let mut stream = house.overlay(&ours).await;
    house
        .discord
        .voice(&house.discord.people[0], Some(&house.discord.rooms[0]))
        .await;
    stream.until("voice.joined").await;
    println!("overlay links: {} that are none", none.len());
    unharmed(&house);
}

/// Cursors are no secret, and whoever shows one is shown what they may see now, whoever had it before.
#[tokio::test(flavor = "multi_thread")]
async fn no_cursor_shows_what_its_bearer_may_not_see() {
    let (house, another) = tokio::join!(house(), another_house());
    let discord = &house.discord;
    let hidden = discord.people[0].as_str();
    let [insider, guest] = [&discord.people[1], &discord.people[2]];
    discord.roles(insider, &[&discord.gate_role]).await;
    let inside = house.sign_in(insider).await;
    let mut seen = house.stream(&inside, "", None).await;
    seen.until("snapshot").await;
    let before = seen.cursor.clone().expect("a cursor");
    for _ in 0..5 {
        discord.voice(hidden, Some(&discord.gated)).await;
        discord.voice(hidden, None).await;
    }
    discord.voice(hidden, Some(&discord.gated)).await;
    for _ in 0..6 {
        let joined = seen.until("voice.joined").await;
        assert_eq!(
            joined.data["channelId"],
            discord.gated.as_str(),
            "the insider sees it"
        );
    }
    let after = seen.cursor.clone().expect("a cursor");
    let (_cookie, foreign) = another.visit().await;
    let foreign = foreign.cursor.expect("a cursor");

    let cookie = house.sign_in(guest).await;
    let mut tried = 0;
    for cursor in forged(&[before, after, foreign]) {
        for by_query in [false, true] {
            let query = format!("?lastEventId={}", encoded(&cursor));
            let query = if by_query { &*query } else { "" };
            let header = (!by_query)
                .then_some(cursor.as_str())
                .filter(|it| !it.is_empty());
            let mut stream = house.stream(&cookie, query, header).await;
            tried += 1;
            shows_nothing_hidden(&mut stream, &house, hidden, &cursor).await;
        }
    }
    println!("cursors: {tried} streams");
    unharmed(&house);
}

/// To the end of what the cursor asked for, which a stamp tells.
async fn shows_nothing_hidden(stream: &mut Stream, house: &House, hidden: &str, cursor: &str) {
    let first = stream.next_record().await;
    assert!(
        ["snapshot", "resumed"].contains(&first.event.as_str()),
        "{cursor}: {first:?}"
    );
    house.discord.stamp("seen").await;
    stream.until("voice.updated").await;
    let gated = house.discord.gated.as_str();
    let shown = stream.raw.contains(gated) || stream.raw.contains(hidden);
    assert!(!shown, "{cursor}:\n{}", stream.raw);
}

/// Cursors made of those that were given: earlier, later, of no time, of other logs, and no cursors.
fn forged(given: &[String]) -> Vec<String> {
    let mut all = given.to_vec();
    for cursor in given {
        let (log, place) = cursor.split_once('.').expect("LOG.EPOCH-SEQ");
        let (epoch, seq) = place.split_once('-').expect("EPOCH-SEQ");
        let number = |text: &str| text.parse::<u64>().expect("a number");
        for seq in [
            0,
            1,
            number(seq) - 1,
            number(seq) + 1,
            number(seq) + 1_000_000,
            u64::MAX,
        ] {
            all.push(format!("{log}.{epoch}-{seq}"));
        }
        for epoch in [0, 1, number(epoch) - 1, number(epoch) + 1, u64::MAX] {
            all.push(format!("{log}.{epoch}-{seq}"));
        }
        for log in ["1", "7", "99999", "-1", "0x0"] {
            all.push(format!("{log}.{place}"));
        }
        all.push(format!("~{cursor}"));
        all.push(format!("{cursor},{cursor}"));
        all.push(cursor.replace('-', ":"));
    }
    all.extend(
        [
            "0",
            "*",
            "$",
            "-",
            "~",
            "~AAAA",
            "null",
            "undefined",
            "0.0-0",
            "../../etc/passwd",
        ]
        .map(str::to_owned),
    );
    all.extend([
        "~".to_owned() + &"A".repeat(1_999),
        "9".repeat(2_500),
        format!("0.{}-1", "9".repeat(30)),
    ]);
    all
}

/// Bodies of JSON where a text is expected.
#[tokio::test(flavor = "multi_thread")]
async fn no_credential_is_read_out_of_anything_but_a_text() {
    let house = house().await;
    let right = by_secret(&claims(&house.discord.visitor, "typed", 300));
    for token in [
        json!([right]),
        json!({ "token": right }),
        json!(1),
        Value::Null,
        json!(true),
        json!(""),
    ] {
        let request = house
            .http
            .post(house.url("/auth/exchange"))
            .json(&json!({ "token": token }));
        let status = request.send().await.expect("web answers").status();
        assert!([400, 401].contains(&status.as_u16()), "{token}: {status}");
    }
    for body in [
        json!([right]),
        json!({ "token": right, "user": "1" }),
        json!(right),
    ] {
        let request = house.http.post(house.url("/auth/exchange")).json(&body);
        assert_eq!(
            request.send().await.expect("web answers").status(),
            StatusCode::BAD_REQUEST,
            "{body}"
        );
    }
    let twice = format!("{{\"token\":\"x\",\"token\":\"{right}\"}}");
    let request = house.http.post(house.url("/auth/exchange"));
    let request = request
        .header("content-type", "application/json")
        .body(twice);
    assert_eq!(
        request.send().await.expect("web answers").status(),
        StatusCode::BAD_REQUEST
    );
    assert_eq!(exchange(&house, &right).await.status(), StatusCode::OK);
}
