//! Streams whose session ends: by a clock that the test moves.

use axum::Router;
use futures_util::StreamExt;
use http::{Method, Request, StatusCode};
use tokio::time::advance;
use tower::ServiceExt;

use super::*;
use crate::{
    auth::EndReason,
    link::tests::played,
    stream::{
        limit::{ConcurrencyLimits, Counted},
        tests::harness::{ANNA, HALL, Harness, begin, here},
        watch::WatchClient,
    },
};

/// The routes, over a replica where the rights of ANNA are known.
fn served(harness: &Harness) -> Router {
    harness.answer(ANNA, &[HALL], &[]);
    let (link, _) = played();
    let watch_client = WatchClient::new(link, harness.fanout.clone());
    let limits = ConcurrencyLimits {
        together: 10,
        per_user: 10,
        per_address: 10,
    };
    routes(StreamRouteState {
        fanout: harness.fanout.clone(),
        admission: RequestAdmission::new(harness.fanout.clone(), watch_client),
        sessions: harness.sessions.clone(),
        streams: harness.limits.clone(),
        open_streams: OpenStreams::default(),
        state_requests: ConcurrencyLimiter::new(Counted::StateRequests, limits),
        clock: harness.clock.clone(),
        max_age: Duration::from_hours(4),
    })
}

async fn ask(router: &Router, path: &str, cookie: &HeaderValue) -> Response {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = path.parse().expect("a path");
    let line = cookie.to_str().ok().and_then(|it| it.split(';').next());
    let line = HeaderValue::from_str(line.expect("a pair")).expect("visible ASCII");
    request.headers_mut().insert(header::COOKIE, line);
    request.extensions_mut().insert(here());
    router.clone().oneshot(request).await.expect("an answer")
}

/// All that a stream says until it ends.
async fn to_the_end(response: Response) -> String {
    assert_eq!(response.status(), StatusCode::OK);
    let pieces = response.into_body().into_data_stream();
    let pieces: Vec<_> = pieces.map(|piece| piece.expect("bytes")).collect().await;
    String::from_utf8(pieces.concat()).expect("UTF-8")
}

fn reason(stream: &str) -> &str {
    let (_, bye) = stream.split_once("event: bye").expect("a bye");
    let (_, reason) = bye.split_once("\"reason\":\"").expect("a reason");
    reason.split('"').next().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_at_the_absolute_end_of_its_session() {
    let harness = Harness::hall();
    let (session, _) = begin(&harness.sessions, ANNA, &[HALL]);
    harness.clock.set(session.ends_at - 90_000);
    let cookie = harness.sessions.slide(&session);
    let opened = Instant::now();
    let router = served(&harness);
    let stream = ask(&router, "/api/stream", &cookie).await;
    // Nothing but time passes: tokio's, since the other clock stands still.
    let stream = to_the_end(stream).await;
    assert_eq!(reason(&stream), "session_expired");
    assert_eq!(opened.elapsed().as_secs(), 90);
    harness.clock.set(session.ends_at);
    let answer = ask(&router, "/api/stream", &cookie).await;
    assert_eq!(
        answer.status(),
        StatusCode::UNAUTHORIZED,
        "and nobody is anonymous"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_the_clock_has_passed_the_end_of_its_session() {
    let harness = Harness::hall();
    let (session, cookie) = begin(&harness.sessions, ANNA, &[HALL]);
    let router = served(&harness);
    let stream = ask(&router, "/api/stream", &cookie).await;
    let opened = Instant::now();
    // The machine slept, or its clock was set: idle for too long all the same.
    harness.clock.set(session.expires_at);
    let stream = to_the_end(stream).await;
    assert_eq!(reason(&stream), "session_expired");
    assert!(
        opened.elapsed() <= CHECKPOINT_EVERY,
        "{:?}",
        opened.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn an_idle_end_counts_from_the_opening_of_the_stream() {
    let harness = Harness::hall();
    let (session, cookie) = begin(&harness.sessions, ANNA, &[HALL]);
    harness.clock.set(session.expires_at - 1_000);
    let router = served(&harness);
    let stream = ask(&router, "/api/stream", &cookie).await;
    let slid = stream.headers()[header::SET_COOKIE].clone();
    harness.clock.set(session.expires_at + 60_000);
    let stream = to_the_end(stream).await;
    assert_eq!(reason(&stream), "max_age", "it is being used");
    let again = ask(&router, "/api/stream", &slid).await;
    assert_eq!(again.status(), StatusCode::OK);
    let with_the_old = ask(&router, "/api/stream", &cookie).await;
    assert_eq!(with_the_old.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(start_paused = true)]
async fn streams_of_a_session_that_is_ended_say_so_and_others_go_on() {
    let harness = Harness::hall();
    let (session, cookie) = begin(&harness.sessions, ANNA, &[HALL]);
    let (other, others_cookie) = begin(&harness.sessions, ANNA, &[HALL]);
    let router = served(&harness);
    let streams = [
        ask(&router, "/api/stream", &cookie).await,
        ask(&router, "/api/stream", &cookie).await,
    ];
    let bystander = ask(&router, "/api/stream", &others_cookie).await;
    let ended = harness
        .sessions
        .revoke_session(&session, EndReason::SignedOut);
    ended.await.expect("kept");
    for stream in streams {
        assert_eq!(reason(&to_the_end(stream).await), "session_revoked");
    }
    for path in ["/api/stream", "/api/state"] {
        let answer = ask(&router, path, &cookie).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    let all = harness.sessions.revoke_all_of(ANNA, EndReason::Operator);
    all.await.expect("kept");
    assert_eq!(reason(&to_the_end(bystander).await), "session_revoked");
    assert!(harness.sessions.check(&other).is_err());
}

#[tokio::test(start_paused = true)]
async fn until_it_is_known_which_sessions_are_over_streams_are_told_to_come_back() {
    let harness = Harness::hall();
    let (_, cookie) = begin(&harness.sessions, ANNA, &[HALL]);
    let router = served(&harness);
    harness.revocations.knows.send_replace(false);
    let stream = ask(&router, "/api/stream", &cookie).await;
    assert_eq!(stream.headers().get(header::SET_COOKIE), None);
    let stream = to_the_end(stream).await;
    assert_eq!(reason(&stream), "unavailable");
    assert!(!stream.contains("snapshot"), "{stream}");
    let state = ask(&router, "/api/state", &cookie).await;
    assert_eq!(state.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(state.headers()[header::RETRY_AFTER], "1");
    let nobody = ask(&router, "/api/stream", &HeaderValue::from_static("a=b")).await;
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
    harness.revocations.knows.send_replace(true);
    advance(Duration::from_secs(1)).await;
    let state = ask(&router, "/api/state", &cookie).await;
    assert_eq!(state.status(), StatusCode::OK);
}

/// What the programs of the operator's see.
mod programs;
/// Who comes by an overlay link.
mod overlays;
