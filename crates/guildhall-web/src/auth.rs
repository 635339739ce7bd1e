//! Login with Discord, sessions, who am I.
//!
//! A login leaves nothing on the server: who someone is stands in their encrypted cookie, and
//! Discord's tokens are dropped before the browser is answered. What this instance does remember
//! is bounded: attempts already used, what was revoked, and what waits for a session's end.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    routing::{get, post},
};
use guildhall_http::LogThrottle;
use guildhall_ports::{Clock, ExpiringSet, RateLimiter};
use http::HeaderMap;
use parking_lot::Mutex;

use crate::{WebPorts, http::ApiError};

/// Who is signed in, and ending that.
mod account;
/// One sign-in that was begun.
mod attempt;
/// What the login needs of the world and of the gateway.
mod world_access;
/// How often the login may call Discord.
mod budget;
/// Secure randomness.
mod random;
/// How far our clock is ahead of Discord's.
mod discord_clock;
/// The calls to Discord at a login.
mod discord;
/// Signing in by an invite.
mod invite;
/// Sign-ins that failed.
mod failure;
/// Encrypted cookies.
mod jar;
/// What opens the probe.
mod probe_key;
/// Discord's rate limits and bans.
mod rate_limited;
/// Sign-in with Discord.
mod login;
/// Which sites may post with our cookie (CSRF).
mod csrf;
/// Redirects, and the page of a login that failed.
mod response;
/// How many logins may call Discord at once.
mod permits;
/// Where a browser goes after signing in.
mod return_to;
/// A browser's login.
mod session;
/// What sessions need of the gateways.
mod shared_revocations;
/// Signing in by one.
mod exchange;
/// Who a request is from.
mod identity;
/// The operator's own programs.
mod program;
/// Links for stream software.
mod overlay;
/// Why a request is nobody's.
mod unidentified;
/// What Discord tells the application.
mod webhook;
/// Settings of the login.
mod config;

#[cfg(feature = "schema")]
pub(crate) use account::{Me, Refreshed, SignOut};
pub(crate) use config::AuthConfig;
pub use config::CDN_URL_MAX;
#[cfg(feature = "schema")]
pub(crate) use exchange::Exchange;
pub(crate) use identity::{Account, Requester};
pub(crate) use overlay::{
    MadeOverlayLink, OVERLAY_LIFE_MAX, OverlayLink, OverlayName, OverlayToken,
};
pub use probe_key::ProbeKey;
#[cfg(test)]
pub(crate) use session::Profile;
#[cfg(test)]
pub(crate) use session::Session;
pub(crate) use session::{EndReason, LoginHeads, SessionEnd, Sessions};
pub(crate) use shared_revocations::SharedRevocations;
#[cfg(test)]
pub(crate) use shared_revocations::tests::PlayedRevocations;
pub(crate) use unidentified::Unidentified;
pub(crate) use world_access::{NotAdmitted, WorldAccess};

use budget::LoginBudget;
use discord::DiscordClient;
use discord_clock::DiscordClock;
use jar::Jar;
use permits::LoginPermits;
use webhook::WebhookLimits;

/// Used states remembered. Beyond it the one nearest its end is forgotten; Discord's code is good
/// for one use all the same.
const USED_MAX: usize = 10_000;

/// The login, ready to serve.
pub(crate) struct Auth {
    config: AuthConfig,
    discord: DiscordClient,
    discord_clock: DiscordClock,
    jar: Jar,
    sessions: Sessions,
    used: Mutex<ExpiringSet<String>>,
    permits: LoginPermits,
    /// For looking at invites, which asks the gateway before anybody is known.
    invite_permits: LoginPermits,
    budget: LoginBudget,
    webhook: WebhookLimits,
    limiter: Arc<dyn RateLimiter>,
    /// Failures by their words in metrics, of which there are few.
    failed: Mutex<HashMap<&'static str, LogThrottle>>,
    world: Arc<dyn WorldAccess>,
    clock: Arc<dyn Clock>,
}

impl Auth {
    /// The error is one of TLS: no client of Discord's API can be made.
    pub(crate) fn new(
        config: AuthConfig,
        world: Arc<dyn WorldAccess>,
        revocations: Arc<dyn SharedRevocations>,
        ports: &WebPorts,
    ) -> Result<Arc<Self>, reqwest::Error> {
        let clock = Arc::clone(&ports.clock);
        let sessions =
            config.sessions(Arc::clone(&ports.sessions), revocations, Arc::clone(&clock));
        let discord_clock = DiscordClock::new(Arc::clone(&clock));
        let discord = DiscordClient::new(&config, discord_clock.clone())?;
        Ok(Arc::new(Self {
            jar: config.jar(),
            config,
            discord,
            sessions,
            used: Mutex::new(ExpiringSet::new(USED_MAX)),
            permits: LoginPermits::default(),
            invite_permits: LoginPermits::default(),
            budget: LoginBudget::new(Arc::clone(&ports.rate_limiter)),
            webhook: WebhookLimits::default(),
            limiter: Arc::clone(&ports.rate_limiter),
            failed: Mutex::default(),
            world,
            clock,
            discord_clock,
        }))
    }

    /// The same sessions as everywhere in this instance.
    pub(crate) fn sessions(&self) -> Sessions {
        self.sessions.clone()
    }

    /// Refuses a request that changes something, unless it says that it is JSON, and, where it is by a
    /// cookie, comes from a page of ours or of the allow list.
    pub(crate) fn check_write(
        &self,
        headers: &HeaderMap,
        requester: &Requester,
    ) -> Result<(), ApiError> {
        match requester {
            Requester::Browser(_) => csrf::check_write(headers, &self.config),
            Requester::Program(_) | Requester::Overlay(_) => csrf::check_json(headers),
        }
    }

    /// `/auth/*`, `/api/me` and `/webhooks/discord`, below the base URL's prefix.
    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new()
            // Without a handler of its own HEAD would run GET's, and a mere look would have its effect.
            .route("/auth/login", get(login::begin).head(login::head))
            .route("/auth/callback", get(login::finish).head(login::head))
            .route("/auth/exchange", post(exchange::exchange))
            .route("/auth/refresh", post(account::refresh))
            .route("/auth/logout", post(account::logout))
            .route("/api/me", get(account::me))
            .route("/webhooks/discord", post(webhook::receive))
            .with_state(self)
    }
}

#[cfg(test)]
mod tests;
