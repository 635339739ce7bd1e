//! An overlay link shows one room to whoever has it, as its maker sees it, for as long as they do, until it is
//! over or taken back; and nothing else to anybody.

/// What takes it away, and how soon.
mod it_ends_with_its_makers_rights;
/// What stays over.
mod what_was_revoked_stays_revoked;
/// The page in a browser.
mod the_page_shows_the_room;
/// From the operator's shell.
mod the_operator_makes_them;

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::house::{House, Ports, Stream, until};

/// Within this a link that is over, and a right that was taken, is obeyed.
pub(crate) const A_SECOND: Duration = Duration::from_secs(1);

/// A link as its maker is told of it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) url: String,
}

impl Link {
    fn of(answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().expect("text").to_owned();
        Self {
            id: text("id"),
            token: text("token"),
            url: text("url"),
        }
    }
}

impl House {
    /// Has a link made as a page of ours does.
    pub(crate) async fn overlay_link(&self, cookie: &str, room: &str) -> Link {
        let body = json!({ "channelId": room });
        let (status, answer) = self.rpc(cookie, "createOverlayLink", &body, None).await;
        assert_eq!(status, 200, "{answer}");
        Link::of(&answer)
    }

    /// Opens it as stream software does, past its first snapshot.
    pub(crate) async fn overlay(&self, link: &Link) -> Stream {
        self.overlay_at(&self.ports, link).await
    }

    async fn overlay_at(&self, web: &Ports, link: &Link) -> Stream {
        let url = format!(
            "http://localhost:{}/api/stream?overlay={}",
            web.web, link.token
        );
        let mut stream = Stream::open(&self.http, &url, "", None).await;
        stream.until("snapshot").await;
        stream
    }

    /// What a request with this token is answered.
    async fn overlay_status(&self, web: &Ports, token: &str) -> StatusCode {
        let url = format!("http://localhost:{}/api/state?overlay={token}", web.web);
        let answer = self.http.get(url).send().await;
        answer.expect("web answers").status()
    }
}

/// It says so within a second, and is over.
async fn ends(stream: &mut Stream, reason: &str) {
    let bye = stream.until_within("bye", A_SECOND).await;
    assert_eq!(bye.data["reason"], reason, "{}", stream.raw);
    assert!(stream.next().await.is_none(), "nothing comes after it");
}

fn rooms(picture: &Value) -> Vec<&str> {
    let guilds = picture["guilds"].as_array().expect("guilds");
    let rooms = guilds
        .iter()
        .flat_map(|guild| guild["rooms"].as_array().expect("rooms"));
    rooms
        .map(|room| room["channelId"].as_str().expect("an id"))
        .collect()
}

/// It opens what it shows, and nothing more.
async fn nothing_else_opens(house: &House, link: &Link) {
    let bearer = format!("Bearer {}", link.token);
    for path in [
        "/api/me",
        "/auth/refresh",
        "/api/rpc/checkRoomExists",
        "/api/rpc/disconnect",
    ] {
        for (query, headers) in [
            (format!("?overlay={}", link.token), vec![]),
            (String::new(), vec![("authorization", bearer.as_str())]),
            (
                String::new(),
                vec![("cookie", &*format!("guildhall={}", link.token))],
            ),
        ] {
            let url = house.url(&format!("{path}{query}"));
            let request = if path == "/api/me" {
                house.http.get(url)
            } else {
                house.http.post(url)
            };
            let request = request.header("origin", house.url("")).json(&json!({}));
            let request = headers
                .iter()
                .fold(request, |it, (name, value)| it.header(*name, *value));
            let answer = request.send().await.expect("web answers");
            assert_eq!(
                answer.status(),
                StatusCode::UNAUTHORIZED,
                "{path} {headers:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_shows_one_room_while_nobody_is_signed_in_and_nothing_else() {
    let house = House::start().await;
    let discord = &house.discord;
    let [here, there] = &discord.rooms;
    let cookie = house.sign_in(&discord.visitor).await;
    let link = house.overlay_link(&cookie, here).await;
    let out = house.sign_out(&house.ports, &cookie, false).await;
    assert_eq!(out.status(), StatusCode::NO_CONTENT);

    let mut overlay = house.overlay(&link).await;
    assert_eq!(overlay.header("set-cookie"), "");
    let [one, two] = [0, 1].map(|number| discord.people[number].as_str());
    // What is told of others would come before what is told of this room.
    discord.voice(two, Some(there)).await;
    discord.voice(two, Some(&discord.gated)).await;
    discord.voice(one, Some(here)).await;
    let joined = overlay.next_record().await;
    assert_eq!(
        (&*joined.event, joined.data["userId"].as_str()),
        ("voice.joined", Some(one))
    );
    discord.voice(one, Some(there)).await;
    let left = overlay.next_record().await;
    assert_eq!(left.event, "voice.left");
    assert_eq!(
        left.data["channelId"],
        Value::Null,
        "where they went is not told"
    );
    for hidden in [there, &discord.gated, &discord.visitor, &discord.gate_role] {
        assert!(
            !overlay.raw.contains(&**hidden),
            "{hidden}:\n{}",
            overlay.raw
        );
    }
    assert!(!overlay.raw.contains(two), "{}", overlay.raw);

    let state = house
        .get(&format!("/api/state?overlay={}", link.token), None)
        .await;
    let state: Value = state.json().await.expect("JSON");
    assert_eq!(rooms(&state), [here.as_str()]);
    nothing_else_opens(&house, &link).await;
    let streams = format!("http://127.0.0.1:{}/admin/streams", house.ports.web_ops);
    let told = house.http.get(streams).send().await.expect("it answers");
    let told: Value = told.json().await.expect("JSON");
    let counted = ["streams", "overlayStreams", "users"].map(|name| told[name].as_u64());
    assert_eq!(counted, [Some(1), Some(1), Some(0)], "{told}");
    let listed = &told["overlays"][0];
    assert_eq!(listed["userId"], json!(discord.visitor));
    assert_eq!(listed["channelId"], json!(here));
    assert!(!told.to_string().contains(&link.token));
    let measured = house.metrics(house.ports.web_ops).await;
    for line in [
        "guildhall_overlay_streams 1",
        "guildhall_overlay_links_total{what=\"made\"} 1",
    ] {
        assert!(measured.contains(line), "{line}");
    }
    assert!(!measured.contains(&link.token));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_link_of_this_house_opens_nothing() {
    let mut house = House::start().await;
    let discord = &house.discord;
    let cookie = house.sign_in(&discord.visitor).await;
    let link = house.overlay_link(&cookie, &discord.rooms[0]).await;
    let body = json!({ "guildId": discord.guild, "name": "Den" });
    let (status, room) = house.rpc(&cookie, "createRoom", &body, None).await;
    assert_eq!(status, 200, "{room}");
    let body = json!({ "channelId": room["channelId"] });
    let (status, invite) = house.rpc(&cookie, "createInvite", &body, None).await;
    assert_eq!(status, 200, "{invite}");
    let invite = invite["token"].as_str().expect("a token");
    let session = cookie.split_once('=').expect("NAME=VALUE").1;
    let changed = |at: usize| {
        let mut text = link.token.clone().into_bytes();
        text[at] = if text[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(text).expect("ASCII")
    };
    let last = link.token.len() - 1;
    for (what, token) in [
        ("nothing", String::new()),
        ("forged", "A".repeat(link.token.len())),
        ("changed at first", changed(0)),
        ("changed within", changed(40)),
        ("changed at last", changed(last)),
        ("cut", link.token[..last].to_owned()),
        ("longer", format!("{}A", link.token)),
        ("its own name", link.id.clone()),
        ("an invite", invite.to_owned()),
        ("a session", session.to_owned()),
    ] {
        for (path, with) in [("/api/stream", None), ("/api/state", Some(&*cookie))] {
            let answer = house.get(&format!("{path}?overlay={token}"), with).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{what}");
        }
    }
    // And the reverse: it is no invite, and no session.
    let body = json!({ "token": link.token });
    for call in ["joinRoom", "revokeInvite"] {
        let (status, answer) = house.rpc(&cookie, call, &body, None).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (400, &json!("invalid")),
            "{call}"
        );
    }
    let as_cookie = format!("guildhall={}", link.token);
    let who = house.get("/api/me", Some(&as_cookie)).await;
    assert_eq!(who.status(), StatusCode::UNAUTHORIZED);
    // About another guild, another room.
    for beside in ["guild=1", "channel=1", "viewing=1", "events=voice"] {
        let path = format!("/api/state?overlay={}&{beside}", link.token);
        assert_eq!(
            house.get(&path, None).await.status(),
            StatusCode::BAD_REQUEST,
            "{beside}"
        );
    }
    // One that is over by its time, with what it has open.
    let body = json!({ "channelId": discord.rooms[0], "expiresInSeconds": 2 });
    let (_, short) = house.rpc(&cookie, "createOverlayLink", &body, None).await;
    let short = Link::of(&short);
    let mut open = house.overlay(&short).await;
    let bye = open.until("bye").await;
    assert_eq!(bye.data["reason"], "session_expired");
    let status = house.overlay_status(&house.ports, &short.token).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    // Of a house with another secret.
    assert_eq!(
        house.overlay_status(&house.ports, &link.token).await,
        StatusCode::OK
    );
    house.web.signal("TERM");
    house.web.ended().await;
    house.set(
        "SESSION_SECRET",
        "another-secret-of-the-test-house-0123456789ab",
    );
    house.restart_web().await;
    until("it is known what is over", async || {
        let status = house.overlay_status(&house.ports, &link.token).await;
        status == StatusCode::UNAUTHORIZED
    })
    .await;
}
