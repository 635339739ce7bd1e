//! Requests through the role's routes, over a replica that the test writes and to a gateway that
//! it plays.

use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::{Router, body::Body};
use bytes::Bytes;
use guildhall_http::ClientAddress;
use guildhall_model::{
    ChannelId, GuildId, UserId,
    command::{InviteClaims, InviteToken},
};
use guildhall_ports::Clock;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::{RpcState, routes};
use crate::{
    auth::{Auth, AuthConfig, PlayedRevocations, Session},
    config::tests::ports,
    http::PublicLinks,
    link::tests::{PlayedGateway, played},
    stream::{
        admission::RequestAdmission,
        limit::{ConcurrencyLimiter, ConcurrencyLimits, Counted},
        tests::harness::{ANNA, BEN, HALL, Harness, begin, config, here},
        watch::WatchClient,
    },
};

/// What is refused before anybody looks at who may what.
mod attacks;
/// How often one may ask.
mod often;
/// What is asked of the world.
mod questions;
/// What goes to the gateway.
mod commands;
/// Rooms that Guildhall makes, and invites into them.
mod rooms;
/// Programs of the operator's.
mod programs;
/// Links for stream software.
mod overlays;
/// Sessions that end meanwhile.
mod ends;
/// What must not be told from what is not there.
mod hidden;
/// What the document says of inputs.
#[cfg(feature = "schema")]
mod document;

/// The routes, and everything behind them.
struct Desk {
    harness: Harness,
    gateway: PlayedGateway,
    auth: Arc<Auth>,
    revocations: Arc<PlayedRevocations>,
    router: Router,
    tracker: TaskTracker,
    /// Of ANNA's session, which is that of every stream that the harness opens.
    cookie: HeaderValue,
}

/// What a request is answered.
#[derive(Debug)]
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Bytes,
    /// The bytes as JSON; null if they are none.
    body: Value,
}

impl Desk {
    /// Of the hall, in which the rights of ANNA and BEN are known.
    fn open() -> Self {
        let harness = Harness::hall();
        harness.answer(ANNA, &[HALL], &[]);
        harness.answer(BEN, &[HALL], &[]);
        Self::over(harness)
    }

    fn over(mut harness: Harness) -> Self {
        // What the binary does in `main`; tests of one process do it once.
        let _again = rustls::crypto::ring::default_provider()
            .install_default()
            .is_err();
        let (link, gateway) = played();
        let clock: Arc<dyn Clock> = harness.clock.clone();
        let ports = ports(Arc::clone(&clock));
        let watch_client = WatchClient::new(link.clone(), harness.fanout.clone());
        let world =
            crate::role::world_access(harness.fanout.clone(), watch_client.clone(), link.clone());
        let revocations = PlayedRevocations::there();
        let auth = Auth::new(
            AuthConfig::of(&config()),
            world,
            Arc::clone(&revocations) as _,
            &ports,
        )
        .expect("TLS");
        let (session, cookie) = begin(&auth.sessions(), ANNA, &[HALL]);
        harness.session = session;
        let limits = ConcurrencyLimits {
            together: 1_000,
            per_user: 100,
            per_address: 1_000,
        };
        let router = routes(RpcState {
            auth: Arc::clone(&auth),
            fanout: harness.fanout.clone(),
            admission: RequestAdmission::new(harness.fanout.clone(), watch_client),
            link,
            requests: ConcurrencyLimiter::new(Counted::RpcRequests, limits),
            rate_limiter: ports.rate_limiter,
            clock,
            links: PublicLinks {
                base_url: config().base_url,
                discord_url: config().oauth.public_url,
            },
            guilds_join: true,
        });
        Self {
            harness,
            gateway,
            auth,
            revocations,
            router,
            tracker: TaskTracker::new(),
            cookie,
        }
    }

    /// A session of somebody, and its cookie.
    fn sign_in(&self, user: UserId, guilds: &[GuildId]) -> (Session, HeaderValue) {
        begin(&self.auth.sessions(), user, guilds)
    }

    /// What a page of ours sends for ANNA.
    fn request(&self, name: &str, body: impl Into<Body>) -> Request<Body> {
        let mut request = Request::new(body.into());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = format!("/api/rpc/{name}").parse().expect("a path");
        let headers = [
            (header::COOKIE, self.cookie.clone()),
            (
                header::ORIGIN,
                HeaderValue::from_static("http://localhost:3000"),
            ),
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            ),
        ];
        request.headers_mut().extend(headers);
        request.extensions_mut().insert(here());
        request
    }

    /// The answer, to be awaited while the test plays the gateway.
    fn send(&self, request: Request<Body>) -> impl Future<Output = Answered> + Send + 'static {
        let router = self.router.clone();
        async move {
            let answer = router.oneshot(request).await.expect("it always answers");
            let (head, body) = answer.into_parts();
            let bytes = axum::body::to_bytes(body, usize::MAX)
                .await
                .expect("a body");
            Answered {
                status: head.status,
                headers: head.headers,
                body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
                bytes,
            }
        }
    }

    /// The same, begun at once.
    fn begin(&self, request: Request<Body>) -> JoinHandle<Answered> {
        self.tracker.spawn(self.send(request))
    }

    /// ANNA asks.
    async fn ask(&self, name: &str, body: &Value) -> Answered {
        self.send(self.request(name, body.to_string())).await
    }

    /// Somebody else asks.
    async fn ask_as(&self, cookie: &HeaderValue, name: &str, body: &Value) -> Answered {
        let mut request = self.request(name, body.to_string());
        request.headers_mut().insert(header::COOKIE, cookie.clone());
        self.send(request).await
    }
}

/// From another address.
fn from(mut request: Request<Body>, address: [u8; 4]) -> Request<Body> {
    let client = ClientAddress::of(address.into());
    request.extensions_mut().insert(client);
    request
}

fn with_key(mut request: Request<Body>, key: &'static str) -> Request<Body> {
    let name = HeaderName::from_static("idempotency-key");
    let key = HeaderValue::from_static(key);
    request.headers_mut().append(name, key);
    request
}

impl Answered {
    /// Status and code of an error.
    fn error(&self) -> (u16, &str) {
        let code = self.body["error"]["code"].as_str();
        (self.status.as_u16(), code.unwrap_or_default())
    }

    /// All that a client sees of it.
    fn whole(&self) -> (StatusCode, &HeaderMap, &Bytes) {
        (self.status, &self.headers, &self.bytes)
    }

    /// The names of the fields that are wrong.
    fn fields(&self) -> Vec<&str> {
        let fields = self.body["error"]["fields"].as_object();
        fields.map_or_else(Vec::new, |fields| {
            fields.keys().map(String::as_str).collect()
        })
    }
}

/// A command that needs nothing of the gateway: ANNA may not.
fn refused_rename() -> Value {
    json!({ "channelId": "201", "name": "Den" })
}

/// Into a room, as nobody signed it: only the gateway would know.
fn invite(guild_id: GuildId, channel_id: ChannelId) -> InviteToken {
    let claims = InviteClaims {
        guild_id,
        channel_id,
        room: 3,
        expires_at: 1_763_086_400_000,
        id: [5; 16],
    };
    InviteToken::new(claims, [6; 32])
}
