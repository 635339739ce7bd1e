//! The simulated Discord with another clock, or another number of sessions that are left.

use std::time::{Duration, UNIX_EPOCH};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, Uri},
    response::{IntoResponse, Response},
};
use guildhall_ports::{Clock, SystemClock};
use reqwest::Client;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};

use crate::house::client;

/// What is changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    /// Seconds that its clock is behind.
    pub(super) behind: u64,
    /// How many sessions it says are left.
    pub(super) remaining: Option<u64>,
}

#[derive(Clone)]
struct Front {
    http: Client,
    discord: String,
    changes: Changes,
}

/// Listens as long as `running` is there; answers with its origin.
pub(super) async fn listen(discord: &str, changes: Changes, running: &mut JoinSet<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let front = Front {
        http: client(),
        discord: discord.to_owned(),
        changes,
    };
    let router = Router::new().fallback(pass_on).with_state(front);
    running.spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    format!("http://127.0.0.1:{port}")
}

async fn pass_on(State(front): State<Front>, uri: Uri, headers: HeaderMap) -> Response {
    let mut request = front.http.get(format!("{}{uri}", front.discord));
    if let Some(token) = headers.get("authorization") {
        request = request.header("authorization", token);
    }
    let answer = request.send().await.expect("the simulator answers");
    let status = answer.status();
    let mut body: Value = answer.json().await.expect("JSON");
    if let Some(remaining) = front.changes.remaining
        && uri.path().ends_with("/gateway/bot")
    {
        body["session_start_limit"]["remaining"] = remaining.into();
    }
    let now = SystemClock
        .now()
        .saturating_sub(1_000 * front.changes.behind);
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(now));
    (status, [("date", date)], axum::Json(body)).into_response()
}
