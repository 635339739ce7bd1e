//! A hall, a Discord, and one browser that keeps its cookies.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
};

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header},
};
use futures_util::future::BoxFuture;
use guildhall_http::ClientAddress;
use guildhall_link::frame::{AdmitRequestBody, Admitted};
use guildhall_link::receiver::Unanswered;
use guildhall_model::{GuildId, LogId, Position, Revocation, UserId};
use guildhall_ports::ManualClock;
use serde_json::Value;
use tower::ServiceExt;
use url::Url;

use super::{super::*, NOW, fake_discord::FakeDiscord};
use crate::auth::shared_revocations::tests::PlayedRevocations;
use crate::{WebPorts, config::tests::ports};

/// The rest of the role: the bot is in guilds 1 to 9.
#[derive(Default)]
pub(super) struct FakeWorld {
    /// A gateway that never answers.
    pub(super) silent: AtomicBool,
    pub(super) watched: Mutex<Vec<(UserId, Vec<GuildId>)>>,
    /// What was to be kept once.
    pub(super) kept_once: Mutex<Vec<Revocation>>,
    /// What was asked about invites, in order.
    pub(super) admissions: Mutex<Vec<AdmitRequestBody>>,
    /// What is answered to that, in order; then that all is well.
    pub(super) admitted: Mutex<VecDeque<Result<Admitted, NotAdmitted>>>,
}

impl WorldAccess for FakeWorld {
    fn shared(&self, mut guilds: Vec<GuildId>) -> Vec<GuildId> {
        guilds.retain(|id| (1..10).contains(&id.0));
        guilds
    }

    fn heads(&self, _: &[GuildId]) -> Vec<Position> {
        vec![Position {
            log: LogId(0),
            epoch: NOW,
            seq: 41,
        }]
    }

    fn watch(&self, user: UserId, guilds: Vec<GuildId>) -> BoxFuture<'_, ()> {
        self.watched.lock().push((user, guilds));
        if self.silent.load(Ordering::Relaxed) {
            Box::pin(std::future::pending())
        } else {
            Box::pin(std::future::ready(()))
        }
    }

    fn keep_once(&self, revocation: Revocation) -> BoxFuture<'_, Result<bool, Unanswered>> {
        if self.silent.load(Ordering::Relaxed) {
            return Box::pin(std::future::ready(Err(Unanswered::Down)));
        }
        let mut kept = self.kept_once.lock();
        let is_first = !kept.contains(&revocation);
        kept.push(revocation);
        Box::pin(std::future::ready(Ok(is_first)))
    }

    fn admit(&self, request: AdmitRequestBody) -> BoxFuture<'_, Result<Admitted, NotAdmitted>> {
        let well = match &request.newcomer {
            Some(_) => Admitted::Added,
            None => Admitted::Valid,
        };
        self.admissions.lock().push(request);
        let answer = self.admitted.lock().pop_front().unwrap_or(Ok(well));
        Box::pin(std::future::ready(answer))
    }
}

/// A hall, a Discord, and one browser with its cookies.
pub(super) struct Visit {
    pub(super) auth: Arc<Auth>,
    pub(super) discord: Arc<FakeDiscord>,
    pub(super) world: Arc<FakeWorld>,
    pub(super) revocations: Arc<PlayedRevocations>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) cookies: Vec<(String, String)>,
    pub(super) address: ClientAddress,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn location(&self) -> Url {
        let location = self.headers.get(header::LOCATION).expect("a Location");
        let location = location.to_str().expect("visible ASCII");
        location.parse().expect("an absolute URL")
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    pub(super) fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

impl Visit {
    pub(super) async fn to(base_url: &str) -> Self {
        Self::with(base_url, |_| ()).await
    }

    pub(super) async fn with(base_url: &str, change: impl FnOnce(&mut AuthConfig)) -> Self {
        Self::built(base_url, change, |_| ()).await
    }

    /// With other ports than those in memory.
    pub(super) async fn built(
        base_url: &str,
        change: impl FnOnce(&mut AuthConfig),
        change_ports: impl FnOnce(&mut WebPorts),
    ) -> Self {
        // Whichever test comes first installs it for all.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let discord = Arc::new(FakeDiscord::start().await);
        let mut config = config::tests::auth_config(base_url);
        config.discord_url = discord.url.clone().try_into().expect("an origin");
        config.discord_public_url = "https://discord.example".parse().expect("an origin");
        config.allowed_origins = vec!["https://app.example".parse().expect("a URL")];
        change(&mut config);
        let world = Arc::new(FakeWorld::default());
        let clock = Arc::new(ManualClock::at(NOW));
        let (house, time) = (Arc::clone(&world) as _, Arc::clone(&clock) as _);
        let mut ports = ports(time);
        change_ports(&mut ports);
        let revocations = PlayedRevocations::there();
        let auth = Auth::new(config, house, Arc::clone(&revocations) as _, &ports).expect("TLS");
        Self {
            auth,
            discord,
            world,
            revocations,
            clock,
            cookies: Vec::new(),
            address: ClientAddress([203, 0, 113, 7].into()),
        }
    }

    pub(super) async fn request(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send(method, path, headers, Body::empty()).await
    }

    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = Request::builder().method(method).uri(path);
        if !pairs.is_empty() {
            request = request.header(header::COOKIE, pairs.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body.into()).expect("a request");
        request.extensions_mut().insert(self.address);
        let response = Arc::clone(&self.auth)
            .router()
            .oneshot(request)
            .await
            .expect("an answer");
        let (parts, body) = response.into_parts();
        for line in parts.headers.get_all(header::SET_COOKIE) {
            self.keep(line);
        }
        let body = to_bytes(body, 1 << 20).await.expect("a body");
        let body = String::from_utf8(body.into()).expect("UTF-8");
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// Another browser at the same hall.
    pub(super) fn another(&self) -> Self {
        Self {
            auth: Arc::clone(&self.auth),
            discord: Arc::clone(&self.discord),
            world: Arc::clone(&self.world),
            revocations: Arc::clone(&self.revocations),
            clock: Arc::clone(&self.clock),
            address: self.address,
            cookies: Vec::new(),
        }
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.request(Method::GET, path, &[]).await
    }

    pub(super) async fn post(&mut self, path: &str) -> Answer {
        let ours = [
            ("origin", "http://localhost:3000"),
            ("content-type", "application/json"),
        ];
        self.request(Method::POST, path, &ours).await
    }

    pub(super) async fn post_body(&mut self, path: &str, body: &'static str) -> Answer {
        let ours = [
            ("origin", "http://localhost:3000"),
            ("content-type", "application/json"),
        ];
        self.send(Method::POST, path, &ours, body).await
    }

    /// As a browser keeps it.
    pub(super) fn keep(&mut self, line: &HeaderValue) {
        let line = line.to_str().expect("visible ASCII");
        assert!(line.len() <= jar::COOKIE_MAX, "{line}");
        assert!(
            line.contains("; HttpOnly; SameSite=Lax;") && line.contains("; Path=/;"),
            "{line}"
        );
        let pair = line.split(';').next().unwrap_or_default();
        let (name, value) = pair.split_once('=').expect("a pair");
        self.cookies.retain(|(kept, _)| kept != name);
        if !line.ends_with("Max-Age=0") {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Begins, and lets Discord's user agree: the path of the callback.
    pub(super) async fn consent(&mut self, login: &str) -> String {
        let answer = self.get(login).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        self.discord.consent(&answer.location())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.cookies.iter().any(|(kept, _)| kept == name)
    }
}
