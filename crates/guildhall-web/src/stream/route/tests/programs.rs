use std::pin::Pin;

use futures_util::FutureExt;
use guildhall_model::{Change, UserId};

use super::*;
use crate::stream::tests::harness::{
    ANNEX, APP_TOKEN, BEN, BOARD_TOKEN, LOBBY, Sse, VAULT, decode, hall_of, joined, left,
};

const GHOST: UserId = UserId(77);

fn request(path: &str, token: &str, acts_as: Option<UserId>) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = path.parse().expect("a path");
    let headers = request.headers_mut();
    let bearer = HeaderValue::from_str(&format!("Bearer {token}")).expect("visible ASCII");
    headers.insert(header::AUTHORIZATION, bearer);
    if let Some(user) = acts_as {
        headers.insert("guildhall-as", HeaderValue::from(user.0));
    }
    request.extensions_mut().insert(here());
    request
}

pub(super) async fn send(router: &Router, request: Request<Body>) -> Response {
    router.clone().oneshot(request).await.expect("an answer")
}

pub(super) async fn json(response: Response) -> serde_json::Value {
    let body = axum::body::to_bytes(response.into_body(), usize::MAX);
    serde_json::from_slice(&body.await.expect("a body")).expect("JSON")
}

/// A stream, read as far as it is there.
pub(super) struct ProgramReader(
    Pin<Box<dyn futures_util::Stream<Item = Result<bytes::Bytes, axum::Error>>>>,
);

impl ProgramReader {
    pub(super) fn of(response: Response) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        assert!(!response.headers().contains_key(header::SET_COOKIE));
        Self(Box::pin(response.into_body().into_data_stream()))
    }

    pub(super) fn events(&mut self) -> Vec<Sse> {
        let mut text = String::new();
        while let Some(Some(piece)) = self.0.next().now_or_never() {
            text.push_str(std::str::from_utf8(&piece.expect("bytes")).expect("UTF-8"));
        }
        decode(&text)
    }

    pub(super) fn names(&mut self) -> Vec<String> {
        self.events().into_iter().map(|event| event.event).collect()
    }
}

pub(super) fn rooms(picture: &serde_json::Value) -> Vec<&str> {
    let guilds = picture["guilds"].as_array().expect("guilds");
    let rooms = guilds
        .iter()
        .flat_map(|guild| guild["rooms"].as_array().expect("rooms"));
    rooms
        .map(|room| room["name"].as_str().expect("a name"))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_token_sees_what_the_bot_sees() {
    let mut harness = Harness::hall();
    let router = served(&harness);
    let state = json(send(&router, request("/api/state", BOARD_TOKEN, None)).await).await;
    assert_eq!(rooms(&state), ["Lobby", "Vault"]);
    let stream = send(&router, request("/api/stream", BOARD_TOKEN, None)).await;
    let mut board = ProgramReader::of(stream);
    let first = board.events();
    assert_eq!(first[0].event, "snapshot");
    assert_eq!(rooms(&first[0].data), ["Lobby", "Vault"]);
    harness.tell(joined(GHOST, VAULT));
    harness.tell(left(GHOST, VAULT));
    harness.tell(joined(GHOST, LOBBY));
    assert_eq!(
        board.names(),
        ["voice.joined", "voice.left", "voice.joined"]
    );
    // Nobody has to be looked up for it, not even after a break.
    harness.tell(Change::RightsReset);
    harness.tell(left(GHOST, LOBBY));
    assert_eq!(board.names(), ["voice.left"]);
    // What Discord hides from the bot it does not see.
    harness.tell(Change::RoomRights {
        channel_id: VAULT,
        rights: guildhall_model::guild::RoomRights {
            overwrites: Vec::new(),
            obfuscated: true,
        },
    });
    assert_eq!(board.names(), ["room.hidden"]);
    let state = json(send(&router, request("/api/state", BOARD_TOKEN, None)).await).await;
    assert_eq!(rooms(&state), ["Lobby"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_goes_on_where_it_was() {
    let mut harness = Harness::hall();
    let router = served(&harness);
    let state = json(send(&router, request("/api/state", BOARD_TOKEN, None)).await).await;
    let cursor = state["cursor"].as_str().expect("a cursor");
    harness.tell(Change::RightsReset);
    harness.tell(joined(GHOST, VAULT));
    let path = format!("/api/stream?lastEventId={cursor}");
    let mut board = ProgramReader::of(send(&router, request(&path, BOARD_TOKEN, None)).await);
    assert_eq!(board.names(), ["resumed", "voice.joined"]);
}

#[tokio::test(start_paused = true)]
async fn guilds_that_come_and_go_reach_a_stream_about_all() {
    let mut harness = Harness::hall();
    let router = served(&harness);
    let mut board =
        ProgramReader::of(send(&router, request("/api/stream", BOARD_TOKEN, None)).await);
    assert_eq!(board.names(), ["snapshot"]);
    let annex = Change::GuildAvailable(Some(Box::new(hall_of(ANNEX))));
    harness.tell_in(ANNEX, annex);
    let came = board.events();
    assert_eq!(came[0].event, "guild.available", "{came:?}");
    assert_eq!(
        came[0].data["guild"]["rooms"].as_array().map(Vec::len),
        Some(2)
    );
    harness.tell_in(ANNEX, joined(GHOST, VAULT));
    assert_eq!(board.names(), ["voice.joined"]);
    harness.tell_in(ANNEX, Change::GuildRemoved);
    assert_eq!(board.names(), ["guild.removed"]);
    let state = json(send(&router, request("/api/state", BOARD_TOKEN, None)).await).await;
    assert_eq!(state["guilds"].as_array().map(Vec::len), Some(1));
    assert_eq!(state["status"]["discord"], "live");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_acts_as_somebody_sees_what_they_see() {
    let mut harness = Harness::hall();
    let router = served(&harness);
    harness.answer(BEN, &[HALL], &[]);
    for (user, sees) in [(ANNA, &["Lobby"][..]), (BEN, &["Lobby", "Vault"])] {
        let state = json(send(&router, request("/api/state", APP_TOKEN, Some(user))).await).await;
        assert_eq!(rooms(&state), sees, "{user}");
        let named = format!("/api/stream?guild={HALL}");
        for path in ["/api/stream", &named] {
            let stream = send(&router, request(path, APP_TOKEN, Some(user))).await;
            let mut stream = ProgramReader::of(stream);
            assert_eq!(rooms(&stream.events()[0].data), sees, "{user}");
        }
    }
    let mut anna =
        ProgramReader::of(send(&router, request("/api/stream", APP_TOKEN, Some(ANNA))).await);
    assert_eq!(anna.names(), ["snapshot"]);
    harness.tell(joined(GHOST, VAULT));
    assert_eq!(anna.names(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_good_token_is_refused_whatever_cookie_is_there() {
    let harness = Harness::hall();
    let router = served(&harness);
    let (_, cookie) = begin(&harness.sessions, ANNA, &[HALL]);
    for path in ["/api/stream", "/api/state"] {
        for method in [Method::GET, Method::HEAD] {
            let with = |token: &str, acts_as| {
                let mut request = request(path, token, acts_as);
                *request.method_mut() = method.clone();
                request.headers_mut().insert(header::COOKIE, cookie.clone());
                request
            };
            let unknown = with("a-token-that-nobody-gave-to-anybody-here", None);
            let refused = send(&router, unknown).await;
            assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{path}");
            let refused = send(&router, with(BOARD_TOKEN, Some(ANNA))).await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path}");
            let mut from_page = with(APP_TOKEN, None);
            let origin = HeaderValue::from_static("http://localhost:3000");
            from_page.headers_mut().insert(header::ORIGIN, origin);
            let refused = send(&router, from_page).await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn streams_are_counted_by_token_and_person_and_not_by_address() {
    let harness = Harness::hall();
    let (mut router, mut open) = (served(&harness), Vec::new());
    // As many as one may have, and one address.
    router = router.layer(Extension(ClientAddress::of([203, 0, 113, 7].into())));
    for number in 0..101 {
        let stream = send(&router, request("/api/stream", APP_TOKEN, Some(ANNA))).await;
        let mut stream = ProgramReader::of(stream);
        let first = stream.names();
        assert_eq!(first == ["snapshot"], number < 100, "{number}: {first:?}");
        open.push(stream);
    }
    let mut by_itself =
        ProgramReader::of(send(&router, request("/api/stream", APP_TOKEN, None)).await);
    assert_eq!(by_itself.names(), ["snapshot"]);
    let (_, cookie) = begin(&harness.sessions, ANNA, &[HALL]);
    let own = ask(&router, "/api/stream", &cookie).await;
    let mut own = Box::pin(own.into_body().into_data_stream());
    let first = own
        .next()
        .now_or_never()
        .flatten()
        .expect("it begins")
        .expect("bytes");
    assert!(first.starts_with(b"retry"), "{first:?}");
    let text = String::from_utf8_lossy(&first).into_owned();
    assert!(text.contains("event: snapshot"), "{text}");
}
