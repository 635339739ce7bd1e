//! As much of Discord as a login meets, checking what it is sent.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{net::TcpListener, task::JoinSet};
use url::Url;

const TOKEN: &str = "Bearer a-token-nobody-keeps";

/// Serves until it is dropped.
pub(super) struct FakeDiscord {
    pub(super) url: Url,
    state: Arc<Mutex<Inner>>,
    tasks: tokio::sync::Mutex<JoinSet<()>>,
}

#[derive(Default)]
struct Inner {
    /// Challenge and redirect URI of each code not yet used.
    codes: HashMap<String, (String, String)>,
    /// Answers to give instead of the true ones.
    answers: HashMap<&'static str, (u16, Value)>,
    /// Whole answers to give first, raw.
    first: HashMap<&'static str, VecDeque<Response>>,
    /// Requests so far.
    asked: HashMap<&'static str, usize>,
    count: usize,
}

type Shared = State<Arc<Mutex<Inner>>>;

impl FakeDiscord {
    pub(super) async fn start() -> Self {
        let state = Arc::new(Mutex::new(Inner::default()));
        let app = Router::new()
            .route("/api/oauth2/token", post(token))
            .route("/api/v10/users/@me", get(me))
            .route("/api/v10/users/@me/guilds", get(guilds))
            .with_state(Arc::clone(&state));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, app).await.expect("it serves") });
        let url = format!("http://{address}").parse().expect("a URL");
        let tasks = tasks.into();
        Self { url, state, tasks }
    }

    /// Nobody answers any more.
    pub(super) async fn stop(&self) {
        self.tasks.lock().await.shutdown().await;
    }

    /// From now on `token`, `me` or `guilds` answers so.
    pub(super) fn answer(&self, path: &'static str, status: u16, body: Value) {
        self.lock().answers.insert(path, (status, body));
    }

    /// The next answer of `token`, `me` or `guilds` that is not yet set is this one.
    pub(super) fn answer_once(&self, path: &'static str, answer: impl IntoResponse) {
        let mut inner = self.lock();
        let first = inner.first.entry(path).or_default();
        first.push_back(answer.into_response());
    }

    /// How often `token`, `me` or `guilds` was asked.
    pub(super) fn asked(&self, path: &str) -> usize {
        self.lock().asked.get(path).copied().unwrap_or_default()
    }

    /// Answers truly again.
    pub(super) fn recover(&self) {
        self.lock().answers.clear();
    }

    /// The user agrees: the path and query that the browser is sent back to.
    pub(super) fn consent(&self, authorize: &Url) -> String {
        let asked: HashMap<_, _> = authorize.query_pairs().into_owned().collect();
        let mut inner = self.lock();
        inner.count += 1;
        let code = format!("code-{}", inner.count);
        let kept = (
            asked["code_challenge"].clone(),
            asked["redirect_uri"].clone(),
        );
        inner.codes.insert(code.clone(), kept);
        format!("/auth/callback?code={code}&state={}", asked["state"])
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().expect("not poisoned")
    }
}

fn set_answer(inner: &Mutex<Inner>, path: &'static str) -> Option<Response> {
    let mut inner = inner.lock().expect("not poisoned");
    *inner.asked.entry(path).or_default() += 1;
    let first = inner.first.get_mut(path).and_then(VecDeque::pop_front);
    if first.is_some() {
        return first;
    }
    let (status, body) = inner.answers.get(path)?;
    let status = StatusCode::from_u16(*status).expect("a status");
    // Where a redirect is followed, the test would succeed.
    let location = [(header::LOCATION, "/api/v10/users/@me")];
    Some((status, location, Json(body.clone())).into_response())
}

async fn token(
    State(inner): Shared,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    if let Some(answer) = set_answer(&inner, "token") {
        return answer;
    }
    let basic = BASE64_STANDARD.encode("41771983423143937:a-client-secret");
    let client = headers[header::AUTHORIZATION] == format!("Basic {basic}");
    let kept = inner
        .lock()
        .expect("not poisoned")
        .codes
        .remove(&form["code"]);
    let good = kept.is_some_and(|(challenge, redirect_uri)| {
        let hash = Sha256::digest(form["code_verifier"].as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(hash) == challenge
            && form["redirect_uri"] == redirect_uri
            && form["grant_type"] == "authorization_code"
    });
    if !client || !good {
        let body = json!({"error": "invalid_grant", "error_description": "Invalid \"code\""});
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    Json(json!({
        "access_token": TOKEN.trim_start_matches("Bearer "),
        "token_type": "Bearer",
        "expires_in": 604_800,
        "refresh_token": "another-nobody-keeps",
        "scope": "identify guilds",
    }))
    .into_response()
}

async fn me(State(inner): Shared, headers: HeaderMap) -> Response {
    let body = json!({
        "id": "80351110224678912", "username": "ada", "discriminator": "0",
        "global_name": "Ada L.", "avatar": null, "locale": "en-GB",
    });
    owned(&inner, &headers, "me", body)
}

async fn guilds(State(inner): Shared, headers: HeaderMap) -> Response {
    let guild = |id: &str| json!({"id": id, "name": id, "owner": false, "permissions": "0", "features": []});
    let body = json!([guild("1"), guild("20"), guild("3"), guild("1")]);
    owned(&inner, &headers, "guilds", body)
}

fn owned(inner: &Mutex<Inner>, headers: &HeaderMap, path: &'static str, body: Value) -> Response {
    if let Some(answer) = set_answer(inner, path) {
        return answer;
    }
    if headers
        .get(header::AUTHORIZATION)
        .is_none_or(|token| token != TOKEN)
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(body).into_response()
}
