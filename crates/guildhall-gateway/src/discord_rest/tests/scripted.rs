use std::collections::VecDeque;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::HeaderMap,
    response::{IntoResponse, Response as Answer},
};
use parking_lot::Mutex;
use serde_json::json;
use tokio::{net::TcpListener, sync::Notify, task::JoinSet};

use super::*;

/// One answer.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Json(u16, Value),
    Text(u16, &'static str),
    /// A 429 of Discord's own, with its headers.
    Throttled(&'static str, f64),
    /// A 429 of whoever stands before Discord.
    Edge(f64),
    /// The head of a success, and then nothing but the end of the connection.
    Cut,
    /// None.
    Hang,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    method: String,
    path: String,
    headers: HeaderMap,
    pub(super) body: Value,
}

impl Seen {
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// "": it has none.
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("ASCII"))
    }
}

/// Answers in the order it is told to, and by a success where it is told nothing.
pub(super) struct Scripted {
    origin: String,
    script: Arc<Script>,
    _server: JoinSet<()>,
}

#[derive(Default)]
struct Script {
    replies: Mutex<VecDeque<Reply>>,
    /// Beyond those.
    always: Mutex<Option<Reply>>,
    seen: Mutex<Vec<Seen>>,
    came: Notify,
}

impl Scripted {
    pub(super) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("it is bound"));
        let script = Arc::new(Script::default());
        let routes = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&script));
        let mut server = JoinSet::new();
        server.spawn(async move {
            let ended = axum::serve(listener, routes).await;
            ended.expect("it serves until it is dropped");
        });
        Self {
            origin,
            script,
            _server: server,
        }
    }

    pub(super) fn client(&self) -> DiscordRest {
        client(&self.origin)
    }

    /// The next request that has no answer yet gets this one.
    pub(super) fn reply(&self, reply: Reply) {
        self.script.replies.lock().push_back(reply);
    }

    /// All requests get this one.
    pub(super) fn always(&self, reply: Reply) {
        *self.script.always.lock() = Some(reply);
    }

    pub(super) fn requests(&self) -> Vec<Seen> {
        self.script.seen.lock().clone()
    }

    /// Until so many requests came.
    pub(super) async fn wait_for(&self, count: usize) {
        while self.script.seen.lock().len() < count {
            self.script.came.notified().await;
        }
    }
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Answer {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    script.seen.lock().push(Seen {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    });
    script.came.notify_one();
    let next = script.replies.lock().pop_front();
    let reply = next.or_else(|| script.always.lock().clone());
    respond(reply.unwrap_or(Reply::Json(200, json!({})))).await
}

async fn respond(reply: Reply) -> Answer {
    let status = |status| StatusCode::from_u16(status).expect("a status");
    match reply {
        Reply::Json(of, body) => {
            let bucket = [
                ("x-ratelimit-bucket", "b"),
                ("x-ratelimit-limit", "5"),
                ("x-ratelimit-remaining", "4"),
                ("x-ratelimit-reset-after", "0.05"),
            ];
            (status(of), bucket, body.to_string()).into_response()
        }
        Reply::Text(of, body) => (status(of), body).into_response(),
        Reply::Throttled(scope, seconds) => {
            let headers = [
                ("x-ratelimit-bucket", "b".to_owned()),
                ("x-ratelimit-scope", scope.to_owned()),
                ("x-ratelimit-remaining", "0".to_owned()),
                ("x-ratelimit-reset-after", seconds.to_string()),
                ("retry-after", seconds.ceil().to_string()),
            ];
            let body = json!({"retry_after": seconds, "global": scope == "global"});
            (status(429), headers, body.to_string()).into_response()
        }
        Reply::Edge(seconds) => {
            let wait = [("retry-after", seconds.to_string())];
            (status(429), wait, "error code: 1015").into_response()
        }
        Reply::Cut => {
            let cut = futures_util::stream::iter([
                Ok(Bytes::from_static(b"{\"na")),
                Err(std::io::Error::other("cut")),
            ]);
            Body::from_stream(cut).into_response()
        }
        Reply::Hang => std::future::pending().await,
    }
}

pub(super) fn client(origin: &str) -> DiscordRest {
    // A second installation in this process is refused, which is fine.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let origin = origin.parse().expect("an origin");
    let budget = RestBudget {
        look_ups: 1_000,
        commands: 1_000,
    };
    DiscordRest::new(
        origin,
        &tls::client_config(None),
        &"a-token".parse().expect("a token"),
        budget,
        NAMES.root_certificates,
    )
    .expect("a client")
}
