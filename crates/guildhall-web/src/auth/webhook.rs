//! `POST /webhooks/discord`: what Discord tells the application over HTTP, signed. One of its events
//! is ours: somebody removed the application, and whatever they have open here ends.
//!
//! Discord tells an event again until it is answered, for ten minutes, and does not say whether it
//! signs anew. So nothing is refused for its age: what an event ends began before the event, whenever
//! it comes and however often.

/// What is told.
mod event;
/// What false signatures cost.
mod false_share;

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Extension,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use guildhall_http::ClientAddress;
use guildhall_model::{Revocation, UnixMs, UserId};
use http::{HeaderMap, StatusCode, header};
use http_body::Body as _;
use metrics::counter;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

use super::{Auth, login::counted_address, session::EndReason};
use crate::{
    http::{ApiError, read_body},
    public_key::{DiscordPublicKey, DiscordSignature},
};
use event::WebhookEvent;
use false_share::FalseShare;

/// Discord waits 3 s for an answer; a later one is none.
const ANSWER_LIMIT: Duration = Duration::from_millis(2_500);

/// More than what Discord tells has: events that nobody here asked for come with a whole guild.
const BODY_BYTES: usize = 256 * 1024;

/// What every event that matters here has room in. So much is read of anybody, as it is elsewhere:
/// only a signature tells who is Discord, and it is known at the body's end.
const SHORT_BYTES: usize = 16 * 1024;

/// Longer bodies that are read at one time.
const LONG_AT_ONCE: usize = 32;

/// What bounds it. An event that matters waits for nothing that strangers can hold.
pub(super) struct WebhookLimits {
    /// Longer bodies, or such that don't say how long they are.
    long: Semaphore,
}

impl Default for WebhookLimits {
    fn default() -> Self {
        Self {
            long: Semaphore::new(LONG_AT_ONCE),
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
        let share = FalseShare::reserve(&*self.limiter, address).await;
        let signature = DiscordSignature::of(headers).ok_or_else(|| share.refusal())?;
        let body = self.read_event(body, &share).await?;
        if !key.has_signed(&signature, &body) {
            return Err(share.refusal());
        }
        share.give_back();
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

    async fn read_event(&self, body: Body, share: &FalseShare<'_>) -> Result<Vec<u8>, ApiError> {
        let length = body.size_hint().upper();
        if length.is_some_and(|length| length <= SHORT_BYTES as u64) {
            return read_body(body, SHORT_BYTES).await;
        }
        let place = share.has_room().then(|| self.webhook.long.try_acquire());
        if let Some(Ok(_place)) = place {
            return read_body(body, BODY_BYTES).await;
        }
        let read = read_body(body, SHORT_BYTES).await;
        read.map_err(|error| match error.status {
            StatusCode::PAYLOAD_TOO_LARGE if share.has_room() => BUSY,
            StatusCode::PAYLOAD_TOO_LARGE => share.refusal(),
            _ => error,
        })
    }

    /// Ends what a person began before they removed the application. It has ended here whatever is
    /// answered; an error has Discord tell it again, until all others know.
    async fn deauthorize(&self, user_id: UserId, at: Option<UnixMs>) -> Result<(), ApiError> {
        // By Discord's clock, or at the latest now.
        let at = self.discord_clock.ours_at(at.unwrap_or(UnixMs::MAX));
        // Nothing is known before it: an event that is told again ends nothing that began since.
        let revocation = Revocation::of_user(user_id, at, 0);
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

const NOT_SET_UP: ApiError = ApiError::not_found("There is nothing at this address.");

const ANOTHER_APPLICATION: ApiError = ApiError::new(
    StatusCode::BAD_REQUEST,
    "another_application",
    "This is about another application.",
);

const BUSY: ApiError = ApiError::unavailable("Too many long events come at once. Try again later.");

const NOT_IN_TIME: ApiError =
    ApiError::unavailable("It could not be done in time. Try again later.");

const NOT_KEPT: ApiError =
    ApiError::unavailable("It has ended here, and others can't be told now. Try again later.");
