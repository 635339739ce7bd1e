//! `GET /api/probe`: a stream for `guildhall doctor`, which has the head and the framing of the real
//! one and says what came of the request and when it said what. So whoever reads it at the other
//! end of the operator's proxies sees what these do to a stream.
//!
//! It tells of the request that asks for it alone, and is opened by a token of [`ProbeKey`].

/// Its bytes, each at its time.
mod body;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
    routing::get,
};
use guildhall_http::ClientAddress;
use guildhall_model::UnixMs;
use guildhall_ports::Clock;
use http::{HeaderMap, HeaderName, StatusCode, Version, header};
use serde::{Deserialize, Serialize};
use tokio::{sync::Semaphore, time::Instant};

use crate::{Config, ProbeKey, http::ApiError, stream::route::stream_response};
use body::ProbeBody;

/// Probes open at one time: one operator has two.
const PROBES: usize = 16;

/// Longest silence that may be asked for.
const QUIET_MAX: Duration = Duration::from_hours(1);

/// Longest value of a cookie that may be asked for: with its attributes no browser takes a longer one.
const COOKIE_MAX: usize = 4_000;

/// Headers in which a proxy says whose request it passes on.
const FORWARDED: [HeaderName; 2] = [
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
];

/// What it says of the request: its first event, `echo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbeEcho {
    /// The header `Last-Event-ID`.
    pub last_event_id: Option<String>,
    /// The length of the session cookie's value.
    pub cookie_length: Option<usize>,
    /// The header `Accept-Encoding`.
    pub accept_encoding: Option<String>,
    /// As which HTTP it came here: `HTTP/1.1`.
    pub http_version: String,
    /// The address that the request is counted by.
    pub client_address: String,
    /// Whether a proxy that said whose request it is was believed. None: no proxy said so.
    pub proxy_believed: Option<bool>,
}

/// What it says at a time: its events `tick`, and `quiet`, the first after the silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbeTick {
    /// So long after the beginning it was written.
    pub at_ms: UnixMs,
}

#[derive(Clone)]
struct ProbeState {
    key: ProbeKey,
    clock: Arc<dyn Clock>,
    probes: Arc<Semaphore>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProbeQuery {
    token: String,
    /// A silence after the ticks, in milliseconds.
    #[serde(default)]
    quiet_ms: u64,
    /// How long the cookie is that the answer sets.
    #[serde(default)]
    cookie_length: usize,
}

pub(crate) fn routes(config: &Config, clock: Arc<dyn Clock>) -> Router {
    let state = ProbeState {
        key: ProbeKey::of(config),
        clock,
        probes: Arc::new(Semaphore::new(PROBES)),
    };
    Router::new()
        .route("/api/probe", get(probe))
        .with_state(state)
}

async fn probe(
    State(app): State<ProbeState>,
    Extension(client): Extension<ClientAddress>,
    version: Version,
    headers: HeaderMap,
    asked: Result<Query<ProbeQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Ok(Query(asked)) = asked else {
        return Err(NO_QUERY);
    };
    if !app.key.opens(&asked.token, app.clock.now()) {
        return Err(NO_TOKEN);
    }
    let quiet = Duration::from_millis(asked.quiet_ms);
    if quiet > QUIET_MAX || asked.cookie_length > COOKIE_MAX {
        return Err(NO_QUERY);
    }
    let Ok(permit) = Arc::clone(&app.probes).try_acquire_owned() else {
        return Err(ApiError::too_many(
            "As many probes are open as there may be.",
        ));
    };
    let text = |name: HeaderName| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    let echo = ProbeEcho {
        last_event_id: text(HeaderName::from_static("last-event-id")),
        cookie_length: app.key.session_cookie_length(&headers),
        accept_encoding: text(header::ACCEPT_ENCODING),
        http_version: format!("{version:?}"),
        client_address: client.to_string(),
        proxy_believed: proxy_believed(&headers, client),
    };
    let cookie = app.key.empty_cookie(asked.cookie_length.max(1));
    let body = ProbeBody::new(&echo, quiet, Instant::now(), permit);
    Ok(stream_response(Body::new(body), Some(cookie)))
}

/// Whether the request is counted by an address that a proxy named. Of a client on the proxy's own
/// machine, as which the proxy comes itself, it counts as believed: that one is not counted at all.
fn proxy_believed(headers: &HeaderMap, client: ClientAddress) -> Option<bool> {
    let lines = FORWARDED.map(|name| headers.get_all(name));
    let mut lines = lines.iter().flatten().peekable();
    lines.peek()?;
    let is_of_address = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':');
    Some(lines.any(|line| {
        let words = line.to_str().unwrap_or_default();
        let mut words = words.split(|c| !is_of_address(c));
        words.any(|word| {
            let with_port = || word.parse::<SocketAddr>().ok().map(|hop| hop.ip());
            let named = word.parse::<IpAddr>().ok().or_else(with_port);
            named.is_some_and(|ip| ClientAddress::of(ip) == client)
        })
    }))
}

const NO_TOKEN: ApiError = ApiError::new(
    StatusCode::UNAUTHORIZED,
    "unauthorized",
    "This answers `guildhall doctor`, with the settings of this server and a clock that agrees with its.",
);
const NO_QUERY: ApiError = ApiError::new(
    StatusCode::BAD_REQUEST,
    "invalid",
    "Say ?token=, and quietMs= up to an hour and cookieLength= up to 4000, or nothing else.",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_believed_where_the_client_is_one_that_it_named() {
        let none = HeaderMap::new();
        let client = |text: &str| ClientAddress::of(text.parse().expect("an address"));
        assert_eq!(proxy_believed(&none, client("192.0.2.7")), None);
        for (name, said, counted, believed) in [
            ("x-forwarded-for", "192.0.2.7", "192.0.2.7", true),
            ("x-forwarded-for", "192.0.2.7", "10.0.0.1", false),
            (
                "x-forwarded-for",
                "192.0.2.7:80, 10.0.0.2",
                "192.0.2.7",
                true,
            ),
            ("x-forwarded-for", "2001:db8::1", "2001:db8::2", true),
            ("forwarded", "for=\"[2001:db8::1]:80\"", "2001:db8::1", true),
            ("forwarded", "for=192.0.2.7;proto=https", "192.0.2.7", true),
            ("forwarded", "for=_hidden", "10.0.0.1", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, said.parse().expect("a header"));
            let judged = proxy_believed(&headers, client(counted));
            assert_eq!(judged, Some(believed), "{said} {counted}");
        }
    }
}
