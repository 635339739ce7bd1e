//! `GET /api/stream` and `GET /api/state`: text becomes a query, a session and a cursor here.
//!
//! EventSource gives up for ever on any status but 200, so only what no retry cures is an HTTP
//! error; everything else is a stream that says `bye`.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
    routing::get,
};
use guildhall_http::ClientAddress;
use guildhall_model::event::ByeReason;
use guildhall_ports::Clock;
use http::{HeaderMap, HeaderValue, header};
use tokio::time::Instant;
use tracing::info;

use super::{
    admission::{AdmissionError, RequestAdmission, guilds_of},
    body::{CHECKPOINT_EVERY, StreamBody, bye},
    limit::ConcurrencyLimiter,
    open_streams::OpenStreams,
    query::Query,
    replay,
    setup::{StreamSetup, Timing},
    write::state_json,
};
use crate::{
    auth::{Requester, Sessions, Unidentified},
    fanout::{Fanout, StreamRegistration, WantedGuilds},
    http::ApiError,
    replica::ViewerId,
};

/// What these routes hold. Cheap to clone.
#[derive(Clone)]
pub(crate) struct StreamRouteState {
    pub(crate) fanout: Fanout,
    pub(crate) admission: RequestAdmission,
    pub(crate) sessions: Sessions,
    pub(crate) streams: ConcurrencyLimiter,
    pub(crate) open_streams: OpenStreams,
    pub(crate) state_requests: ConcurrencyLimiter,
    pub(crate) clock: Arc<dyn Clock>,
    /// Streams end at a random 80 to 100 % of this age.
    pub(crate) max_age: Duration,
}

/// `/api/stream` and `/api/state`.
pub(crate) fn routes(state: StreamRouteState) -> Router {
    Router::new()
        .route("/api/stream", get(stream).head(head_of_stream))
        .route("/api/state", get(self::state).head(head_of_state))
        .with_state(state)
}

/// `GET /api/stream`.
async fn stream(
    State(app): State<StreamRouteState>,
    Extension(client): Extension<ClientAddress>,
    headers: HeaderMap,
    RawQuery(text): RawQuery,
) -> Result<Response, ApiError> {
    let (requester, query) = match identified(&app, &headers, text.as_deref()) {
        Ok((requester, query)) => (requester, query?),
        Err(Unidentified::Unknown) => return Ok(bye_response(ByeReason::Unavailable, None)),
        Err(why) => return Err(why.into()),
    };
    stream_of(app, requester, client, &headers, query).await
}

/// A stream of whoever was let in.
async fn stream_of(
    app: StreamRouteState,
    requester: Requester,
    client: ClientAddress,
    headers: &HeaderMap,
    query: Query,
) -> Result<Response, ApiError> {
    if app.fanout.is_draining() {
        return Ok(bye_response(
            ByeReason::Draining,
            app.sessions.slide_requester(&requester),
        ));
    }
    let acquired = app
        .streams
        .acquire(requester.account(), client, Instant::now());
    let Ok(permit) = acquired else {
        let cookie = app.sessions.slide_requester(&requester);
        return Ok(bye_response(ByeReason::TooManyStreams, cookie));
    };
    let session_end = app.sessions.watch_requester(&requester);
    let registration = StreamRegistration::new(app.fanout.viewer(requester.viewer()));
    let wanted = wanted_guilds(&requester, &query, &registration, &app.fanout);
    let guilds = wanted.now(&app.fanout.replica().read());
    let viewer = registration.viewer();
    let admission = &app.admission;
    let admitted = admission
        .of_request(&requester, viewer, &guilds, &query)
        .await;
    // Signed out while the gateway was asked: sliding would give the browser its cookie back.
    app.sessions.check_requester(&requester)?;
    let cookie = app.sessions.slide_requester(&requester);
    match admitted {
        Ok(()) => {}
        Err(AdmissionError::Unavailable) => {
            return Ok(bye_response(ByeReason::Unavailable, cookie));
        }
        Err(refused) => return Err(refused.into()),
    }
    log_connected(&requester);
    let header = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok());
    let now = Instant::now();
    let overlay = requester.overlay();
    let now_ms = app.clock.now();
    let listed = match overlay {
        Some(link) => {
            let name = app.sessions.name_of_overlay_link(link);
            app.open_streams.list_overlay(link.clone(), name, now_ms)
        }
        None => app.open_streams.list(requester.viewer(), now_ms, guilds),
    };
    let setup = StreamSetup {
        cursor: query.cursor(header),
        session_end,
        only_room: overlay.map(|link| (link.guild_id, link.channel_id)),
        settled: registration.viewer().settled(&requester.session_id()),
        timing: timing(&app, &requester, now),
        fanout: app.fanout,
        clock: app.clock,
        registration,
        permit: Some(permit),
        listed: Some(listed),
        session_expires: app.sessions.expiry_of(&requester),
        guilds: wanted,
        selector: query.selector,
        heads: requester.into_heads(),
    };
    let mut body = StreamBody::new(setup, now);
    body.view(&query.viewing);
    Ok(stream_response(Body::new(body), cookie))
}

impl StreamRouteState {
    /// A stream for whoever runs this instance, who sees with the eyes of `viewer` and has nothing done. Its
    /// headers say a cursor and nothing of who asks.
    pub(crate) async fn of_operator(
        &self,
        viewer: ViewerId,
        headers: &HeaderMap,
        query: Option<&str>,
    ) -> Response {
        let requester = Requester::operator(viewer);
        // Of no address that is counted: the listener has bounds of its own.
        let client = ClientAddress(Ipv4Addr::LOCALHOST.into());
        let opened = match Query::parse(query.unwrap_or_default()) {
            Ok(query) => stream_of(self.clone(), requester, client, headers, query).await,
            Err(refused) => Err(refused),
        };
        opened.unwrap_or_else(IntoResponse::into_response)
    }
}

/// `HEAD /api/stream`: the head of an answer. No stream is opened, nobody is watched and the
/// session does not slide.
async fn head_of_stream(
    State(app): State<StreamRouteState>,
    headers: HeaderMap,
    RawQuery(text): RawQuery,
) -> Result<Response, ApiError> {
    head(&app, &headers, text.as_deref(), &STREAM_HEADERS)
}

/// `HEAD /api/state`: the same.
async fn head_of_state(
    State(app): State<StreamRouteState>,
    headers: HeaderMap,
    RawQuery(text): RawQuery,
) -> Result<Response, ApiError> {
    head(&app, &headers, text.as_deref(), &STATE_HEADERS)
}

fn head(
    app: &StreamRouteState,
    headers: &HeaderMap,
    text: Option<&str>,
    fixed: &[(header::HeaderName, &'static str)],
) -> Result<Response, ApiError> {
    let (_requester, query) = identified(app, headers, text)?;
    query?;
    let mut response = Response::new(Body::empty());
    put(&mut response, fixed);
    Ok(response)
}

/// `GET /api/state`: the snapshot with its cursor. A stream opened there has no gap after it.
async fn state(
    State(app): State<StreamRouteState>,
    Extension(client): Extension<ClientAddress>,
    headers: HeaderMap,
    RawQuery(text): RawQuery,
) -> Result<Response, ApiError> {
    let (requester, query) = identified(&app, &headers, text.as_deref())?;
    let query = query?;
    let acquired = app
        .state_requests
        .acquire(requester.account(), client, Instant::now());
    let _permit = acquired?;
    let registration = StreamRegistration::new(app.fanout.viewer(requester.viewer()));
    let wanted = wanted_guilds(&requester, &query, &registration, &app.fanout);
    let guilds = wanted.now(&app.fanout.replica().read());
    let viewer = registration.viewer();
    let admission = &app.admission;
    admission
        .of_request(&requester, viewer, &guilds, &query)
        .await?;
    app.sessions.check_requester(&requester)?;
    let state = replay::viewer_state(&app.fanout, &registration, &guilds, &query.selector);
    let state = state.map_err(|_join| AdmissionError::Unavailable)?;
    let json = state_json(&state.cursor, &state.status, &state.guilds);
    let mut response = json.into_response();
    put(&mut response, &STATE_HEADERS);
    Ok(response)
}

/// Who asks, and for what, if that can be read. Who they are is said first.
fn identified(
    app: &StreamRouteState,
    headers: &HeaderMap,
    text: Option<&str>,
) -> Result<(Requester, Result<Query, ApiError>), Unidentified> {
    let query = Query::parse(text.unwrap_or_default());
    let said = query.as_ref().ok().and_then(|query| query.overlay.as_ref());
    let requester = app.sessions.requester_or_overlay(headers, said)?;
    let query = match requester.overlay() {
        Some(link) => query.and_then(|query| query.of_overlay(link)),
        None => query,
    };
    Ok((requester, query))
}

fn log_connected(requester: &Requester) {
    let viewer = requester.viewer();
    match (requester.token(), requester.overlay()) {
        (Some(token), _) => info!(viewer.id = %viewer, %token, "[SSE] Client connected: {viewer}"),
        (None, Some(link)) => {
            let (guild, room) = (link.guild_id, link.channel_id);
            info!(viewer.id = %viewer, guild.id = %guild, channel.id = %room, "[SSE] Overlay connected");
        }
        (None, None) => info!(viewer.id = %viewer, "[SSE] Client connected: {viewer}"),
    }
}

const STREAM_HEADERS: [(header::HeaderName, &str); 3] = [
    (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
    (header::CACHE_CONTROL, "private, no-store, no-transform"),
    (header::HeaderName::from_static("x-accel-buffering"), "no"),
];

const STATE_HEADERS: [(header::HeaderName, &str); 2] = [
    (header::CONTENT_TYPE, "application/json"),
    (header::CACHE_CONTROL, "private, no-store"),
];

fn put(response: &mut Response, fixed: &[(header::HeaderName, &'static str)]) {
    for (name, value) in fixed {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name.clone(), value);
    }
}

/// The guilds that a query is about: those that it names, or all that the viewer is in. Which of them
/// are there is another matter, and of each moment.
fn wanted_guilds(
    requester: &Requester,
    query: &Query,
    registration: &StreamRegistration,
    fanout: &Fanout,
) -> WantedGuilds {
    if query.guilds.is_empty() && requester.viewer() == ViewerId::Bot {
        registration.set_all_guilds();
        return WantedGuilds::All;
    }
    let mut guilds = if query.guilds.is_empty() {
        guilds_of(requester, fanout)
    } else {
        query.guilds.clone()
    };
    guilds.sort_unstable();
    guilds.dedup();
    WantedGuilds::Listed(registration.set_guilds(guilds))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the driver of streams draws the chances that it hands to them"
)]
fn timing(app: &StreamRouteState, requester: &Requester, now: Instant) -> Timing {
    let first: f64 = rand::random();
    let share = 0.8 + 0.2 * rand::random::<f64>();
    let age = now + app.max_age.mul_f64(share);
    let expiry = app.sessions.expiry_of(requester).map(|expiry| {
        let left = expiry.saturating_sub(app.clock.now());
        now + Duration::from_millis(left)
    });
    let ends = match expiry.filter(|expiry| *expiry < age) {
        Some(expiry) => (expiry, ByeReason::SessionExpired),
        None => (age, ByeReason::MaxAge),
    };
    Timing {
        first_checkpoint: now + CHECKPOINT_EVERY.mul_f64(0.5 + 0.5 * first),
        ends,
        chance: rand::random(),
    }
}

#[expect(clippy::disallowed_methods, reason = "spreads reconnects")]
fn bye_response(reason: ByeReason, cookie: Option<HeaderValue>) -> Response {
    stream_response(Body::from(bye(reason, None, rand::random())), cookie)
}

/// A 200 of the stream; each slides the session that is known to be good.
pub(crate) fn stream_response(body: Body, cookie: Option<HeaderValue>) -> Response {
    let mut response = Response::new(body);
    put(&mut response, &STREAM_HEADERS);
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests;
