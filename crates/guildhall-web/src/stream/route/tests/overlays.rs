use guildhall_model::{Change, UserId, guild::Membership};

use super::{
    programs::{ProgramReader, json, rooms, send},
    *,
};
use crate::stream::tests::harness::{BEN, BOARD_TOKEN, LOBBY, VAULT, hidden_but_for, joined, left};

const GHOST: UserId = UserId(77);

/// A link of somebody's to the lobby, as it stands in an address.
fn link_of(harness: &Harness, maker: UserId) -> String {
    let a_day = Duration::from_hours(24);
    let sessions = &harness.sessions;
    let made = sessions.make_overlay_link(maker, (HALL, LOBBY), a_day);
    made.token.expose().to_owned()
}

fn get(path: &str) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = path.parse().expect("a path");
    request.extensions_mut().insert(here());
    request
}

async fn overlay(router: &Router, token: &str) -> ProgramReader {
    let path = format!("/api/stream?overlay={token}");
    ProgramReader::of(send(router, get(&path)).await)
}

async fn status(router: &Router, request: Request<Body>) -> u16 {
    send(router, request).await.status().as_u16()
}

#[tokio::test(start_paused = true)]
async fn an_overlay_sees_one_room_and_what_is_said_of_no_other() {
    let mut harness = Harness::hall();
    let router = served(&harness);
    harness.answer(BEN, &[HALL], &[]);
    let token = link_of(&harness, BEN);
    let mut overlay = overlay(&router, &token).await;
    let first = overlay.events();
    assert_eq!(first[0].event, "snapshot");
    assert_eq!(rooms(&first[0].data), ["Lobby"], "its maker sees two");
    for change in [
        joined(GHOST, VAULT),
        left(GHOST, VAULT),
        joined(GHOST, LOBBY),
        left(GHOST, LOBBY),
    ] {
        harness.tell(change);
    }
    let events = overlay.events();
    let names: Vec<_> = events.iter().map(|event| &*event.event).collect();
    assert_eq!(names, ["voice.joined", "voice.left"]);
    assert!(
        !format!("{events:?}").contains(&VAULT.to_string()),
        "{events:?}"
    );
    // The same as a bearer token, for the picture, and for what only looks.
    for path in ["/api/stream", "/api/state"] {
        let mut request = get(path);
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).expect("ASCII");
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        // It is made for pages.
        let origin = HeaderValue::from_static("https://stream.example");
        request.headers_mut().insert(header::ORIGIN, origin);
        assert_eq!(status(&router, request).await, 200, "{path}");
        let mut head = get(&format!("{path}?overlay={token}"));
        *head.method_mut() = Method::HEAD;
        assert_eq!(status(&router, head).await, 200, "{path}");
    }
    let state = json(send(&router, get(&format!("/api/state?overlay={token}"))).await).await;
    assert_eq!(rooms(&state), ["Lobby"]);
    let cursor = state["cursor"].as_str().expect("a cursor");
    harness.tell(joined(GHOST, LOBBY));
    let path = format!("/api/stream?lastEventId={cursor}&overlay={token}");
    let mut back = ProgramReader::of(send(&router, get(&path)).await);
    assert_eq!(back.names(), ["resumed", "voice.joined"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_to_be_asked_for_beside_a_link() {
    let harness = Harness::hall();
    let router = served(&harness);
    let (token, (_, cookie)) = (
        link_of(&harness, ANNA),
        begin(&harness.sessions, ANNA, &[HALL]),
    );
    for (beside, expected) in [
        ("", 200),
        ("&events=voice,room", 200),
        ("&t=1", 200),
        ("&guild=100", 400),
        ("&guild=900", 400),
        ("&channel=202", 400),
        ("&events=voice", 400),
        ("&viewing=201", 400),
        (&format!("&overlay={token}"), 401),
        ("&guild=x", 401),
    ] {
        for path in ["/api/stream", "/api/state"] {
            let path = format!("{path}?overlay={token}{beside}");
            assert_eq!(status(&router, get(&path)).await, expected, "{path}");
        }
    }
    for path in ["/api/stream", "/api/state"] {
        for (said, expected) in [
            ("overlay=none", 401),
            ("overlay=", 401),
            ("overlays=x", 400),
        ] {
            let mut request = get(&format!("{path}?{said}"));
            request.headers_mut().insert(header::COOKIE, cookie.clone());
            let answered = status(&router, request).await;
            assert_eq!(answered, expected, "{said} with a good cookie");
        }
        let mut both = get(&format!("{path}?overlay={token}"));
        let bearer = HeaderValue::try_from(format!("Bearer {BOARD_TOKEN}")).expect("ASCII");
        both.headers_mut().insert(header::AUTHORIZATION, bearer);
        assert_eq!(status(&router, both).await, 400, "{path}");
    }
}

/// What takes the room away from whoever made the link, with what is said of it before the end.
#[tokio::test(start_paused = true)]
async fn it_ends_with_what_its_maker_sees() {
    let no_member = || Change::Rights {
        user_id: ANNA,
        membership: Some(Membership::Stranger),
    };
    let hidden = || Change::RoomRights {
        channel_id: LOBBY,
        rights: hidden_but_for(crate::stream::tests::harness::VAULT_ROLE),
    };
    for (change, said) in [
        (hidden(), "room.hidden"),
        (Change::RoomDeleted { channel_id: LOBBY }, "room.deleted"),
        (no_member(), "guild.removed"),
        (Change::GuildRemoved, "guild.removed"),
    ] {
        let mut harness = Harness::hall();
        let router = served(&harness);
        let token = link_of(&harness, ANNA);
        let mut stream = overlay(&router, &token).await;
        assert_eq!(stream.names(), ["snapshot"]);
        harness.tell(change);
        let events = stream.events();
        let names: Vec<_> = events.iter().map(|event| &*event.event).collect();
        assert_eq!(names, [said, "bye"], "at once");
        assert_eq!(events[1].data["reason"], "session_revoked");
        let mut again = get(&format!("/api/stream?overlay={token}"));
        assert_eq!(status(&router, again).await, 404, "after {said}");
        again = get(&format!("/api/state?overlay={token}"));
        assert_eq!(status(&router, again).await, 404, "after {said}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_let_in_again_is_shown_it_again() {
    let mut harness = Harness::hall();
    let router = served(&harness);
    let token = link_of(&harness, ANNA);
    let role = crate::stream::tests::harness::VAULT_ROLE;
    let rights = hidden_but_for(role);
    let channel_id = LOBBY;
    harness.tell(Change::RoomRights { channel_id, rights });
    let path = format!("/api/stream?overlay={token}");
    assert_eq!(status(&router, get(&path)).await, 404);
    harness.look_up(ANNA, &[role]);
    let mut stream = overlay(&router, &token).await;
    assert_eq!(rooms(&stream.events()[0].data), ["Lobby"]);
}

#[tokio::test(start_paused = true)]
async fn while_nobody_knows_what_its_maker_is_it_waits() {
    let mut harness = Harness::hall();
    let router = served(&harness);
    let token = link_of(&harness, ANNA);
    let mut stream = overlay(&router, &token).await;
    assert_eq!(stream.names(), ["snapshot"]);
    harness.tell(Change::RightsReset);
    assert_eq!(stream.names(), ["guild.unavailable"]);
    harness.tell(joined(GHOST, LOBBY));
    assert_eq!(stream.names(), [""; 0], "nothing is shown meanwhile");
    harness.look_up(ANNA, &[]);
    let back = stream.events();
    assert_eq!(back[0].event, "guild.available");
    let guild = &back[0].data["guild"];
    assert_eq!(guild["rooms"].as_array().map(Vec::len), Some(1));
    assert_eq!(guild["rooms"][0]["members"][0]["userId"], "77");
    // A guild in an outage at Discord keeps its rooms, and so does the overlay.
    harness.tell(Change::GuildUnavailable);
    assert_eq!(stream.names(), ["guild.unavailable"]);
    harness.tell(Change::RightsReset);
    harness.tell(Change::Rights {
        user_id: ANNA,
        membership: Some(Membership::Stranger),
    });
    let names = stream.names();
    assert_eq!(names.last().map(String::as_str), Some("bye"), "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_taken_back_or_over_ends_what_it_has_open() {
    let harness = Harness::hall();
    let router = served(&harness);
    let made = |seconds| {
        let good_for = Duration::from_secs(seconds);
        let sessions = &harness.sessions;
        sessions.make_overlay_link(ANNA, (HALL, LOBBY), good_for)
    };
    let (revoked, short) = (made(600), made(60));
    let mut streams = Vec::new();
    for link in [&revoked, &short] {
        let mut stream = overlay(&router, link.token.expose()).await;
        assert_eq!(stream.names(), ["snapshot"]);
        streams.push(stream);
    }
    let link = harness.sessions.overlay_link_named(&revoked.name);
    let link = link.expect("a link");
    harness
        .sessions
        .revoke_overlay_link(&link)
        .await
        .expect("kept");
    let end = streams[0].events();
    assert_eq!(
        (&*end[0].event, &end[0].data["reason"]),
        ("bye", &"session_revoked".into())
    );
    assert_eq!(streams[1].names(), [""; 0], "and no other");
    advance(Duration::from_secs(61)).await;
    let end = streams[1].events();
    let bye = end.last().expect("something");
    assert_eq!(
        (&*bye.event, &bye.data["reason"]),
        ("bye", &"session_expired".into())
    );
    let path = format!("/api/stream?overlay={}", revoked.token.expose());
    assert_eq!(status(&router, get(&path)).await, 401);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_goes_round_takes_nothing_of_its_maker_s() {
    let harness = Harness::hall();
    let router = served(&harness);
    let token = link_of(&harness, ANNA);
    let mut open = Vec::new();
    for number in 0..101 {
        let mut stream = overlay(&router, &token).await;
        assert_eq!(stream.names() == ["snapshot"], number < 100, "{number}");
        open.push(stream);
    }
    let mut another = overlay(&router, &link_of(&harness, ANNA)).await;
    assert_eq!(another.names(), ["snapshot"]);
    let (_, cookie) = begin(&harness.sessions, ANNA, &[HALL]);
    let mut own = get("/api/stream");
    own.headers_mut().insert(header::COOKIE, cookie);
    let own = send(&router, own).await;
    assert!(own.headers().contains_key(header::SET_COOKIE));
    let mut own = own.into_body().into_data_stream();
    let first = own.next().await.expect("it begins").expect("bytes");
    assert!(String::from_utf8_lossy(&first).contains("event: snapshot"));
}
