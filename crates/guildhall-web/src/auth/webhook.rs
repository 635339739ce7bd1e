//! `POST /webhooks/discord`: what Discord tells the application over HTTP, signed. One of its events
//! is ours: somebody removed the application, and whatever they have open here ends.
//!
//! Discord tells an event again until it is answered, for ten minutes, and does not say whether it
//! signs anew. So nothing is refused for its age: what an event ends began before the event, whenever
//! it comes and however often.

/// What is told.
mod event;

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Extension,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use guildhall_http::ClientAddress;
use guildhall_model::{Revocation, UnixMs, UserId};
use guildhall_ports::{
    RateLimiter,
    rate_limiter::{Limited, RateBucket},
};
use http::{HeaderMap, StatusCode, header};
use metrics::counter;
use tokio::time::{Instant, timeout};

use super::{Auth, login::counted_address, permits::LoginPermits, session::EndReason};
use crate::{
    http::{ApiError, read_body},
    public_key::DiscordPublicKey,
};
use event::WebhookEvent;

/// Discord waits 3 s for an answer; a later one is none.
const ANSWER_LIMIT: Duration = Duration::from_millis(2_500);

/// More than what Discord tells has: events that nobody here asked for come with a whole guild.
const BODY_BYTES: usize = 256 * 1024;

/// False signatures of one client address: one a second, sixty at once. Discord sends some on
/// purpose, to see them refused.
const FALSE_SHARE: Duration = Duration::from_secs(1);

/// See [`FALSE_SHARE`].
const FALSE_ROOM: Duration = Duration::from_mins(1);

/// What bounds it.
pub(super) struct WebhookLimits {
    /// Requests that are read and checked at one time.
    permits: LoginPermits,
    limiter: Arc<dyn RateLimiter>,
}

impl WebhookLimits {
    pub(super) fn new(limiter: Arc<dyn RateLimiter>) -> Self {
        Self {
            permits: LoginPermits::default(),
            limiter,
        }
    }
}

/// What came of a request that is Discord's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// A test of the address.
    Ping,
    /// Somebody's sessions ended.
    Deauthorized,
    /// Nothing that matters here.
    Ignored,
}

/// `POST /webhooks/discord`.
pub(super) async fn receive(
    State(auth): State<Arc<Auth>>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let Some(key) = &auth.config.discord_public_key else {
        return Err(NOT_SET_UP);
    };
    let address = address.and_then(|Extension(client)| counted_address(client));
    let receiving = timeout(ANSWER_LIMIT, auth.receive(key, address, &headers, body));
    let told = receiving.await.unwrap_or(Err(NOT_IN_TIME));
    let result = told
        .as_ref()
        .map_or_else(|error| error.code, |told| told.word());
    counter!("guildhall_webhook_requests_total", "result" => result).increment(1);
    told.map(|_| acknowledged())
}

impl Auth {
    async fn receive(
        &self,
        key: &DiscordPublicKey,
        address: Option<IpAddr>,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Told, ApiError> {
        let WebhookLimits { permits, limiter } = &self.webhook;
        let buckets: Vec<_> = address.map(false_signatures).into_iter().collect();
        let within = limiter.check(&buckets, Instant::now().into_std()).await;
        within.map_err(|Limited { wait, .. }| TOO_MANY_FALSE.retry_in(wait))?;
        let _permit = permits.acquire(address).await.ok_or(BUSY)?;
        let body = read_body(body, BODY_BYTES).await?;
        if !key.has_signed(headers, &body) {
            limiter.charge(&buckets, Instant::now().into_std());
            return Err(FALSE_SIGNATURE);
        }
        let event = WebhookEvent::read(&body).map_err(|why| {
            self.warn_of_webhook("unreadable", &why);
            ApiError::refused(why)
        })?;
        if event.is_of_another(&self.config.client_id) {
            let names = &self.config.names;
            let why = format!(
                "{} is of another application than {}",
                names.public_key, names.client_id
            );
            self.warn_of_webhook("another", &why);
            return Err(ANOTHER_APPLICATION);
        }
        match event {
            WebhookEvent::Ping { .. } => Ok(Told::Ping),
            WebhookEvent::Other { .. } => Ok(Told::Ignored),
            WebhookEvent::Deauthorized { user_id, at, .. } => {
                self.deauthorize(user_id, at).await?;
                Ok(Told::Deauthorized)
            }
        }
    }

    /// Ends what a person began before they removed the application. It has ended here whatever is
    /// answered; an error has Discord tell it again, until all others know.
    async fn deauthorize(&self, user_id: UserId, at: Option<UnixMs>) -> Result<(), ApiError> {
        let now = self.clock.now();
        // Nothing is known before it: an event that is told again ends nothing that began since.
        let revocation = Revocation::of_user(user_id, at.unwrap_or(now).min(now), 0);
        tracing::info!(viewer.id = %user_id, "[Auth] Somebody removed the application");
        let revoked = self
            .sessions
            .revoke(revocation, EndReason::Deauthorized)
            .await;
        revoked.map_err(|reason| {
            self.warn_of_webhook("unavailable", &reason.to_string());
            NOT_KEPT
        })
    }

    fn warn_of_webhook(&self, kind: &'static str, reason: &str) {
        let mut failed = self.failed.lock();
        let notice = failed.entry(kind).or_default();
        if let Some(times) = notice.happened(Instant::now()) {
            tracing::warn!(%reason, times, "[Auth] An event of Discord's webhook came to nothing");
        }
    }
}

impl Told {
    fn word(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Deauthorized => "deauthorized",
            Self::Ignored => "ignored",
        }
    }
}

/// What Discord asks for: no body, and a type all the same.
fn acknowledged() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

fn false_signatures(address: IpAddr) -> RateBucket {
    RateBucket {
        key: format!("webhook:{address}"),
        share: FALSE_SHARE,
        room: FALSE_ROOM,
    }
}

const NOT_SET_UP: ApiError = ApiError::not_found("There is nothing at this address.");

const FALSE_SIGNATURE: ApiError = ApiError::new(
    StatusCode::UNAUTHORIZED,
    "false_signature",
    "The signature is missing, or is not that of the application's key.",
);

const ANOTHER_APPLICATION: ApiError = ApiError::new(
    StatusCode::BAD_REQUEST,
    "another_application",
    "This is about another application.",
);

const TOO_MANY_FALSE: ApiError =
    ApiError::too_many("Too many requests of this address had a false signature.");

const BUSY: ApiError = ApiError::unavailable("Too many events come at once. Try again later.");

const NOT_IN_TIME: ApiError =
    ApiError::unavailable("It could not be done in time. Try again later.");

const NOT_KEPT: ApiError =
    ApiError::unavailable("It has ended here, and others can't be told now. Try again later.");
