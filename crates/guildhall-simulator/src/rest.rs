//! `/api/v10`, with Discord's errors and rate limits.
//!
//! Every body is JSON of Discord's own shape, errors and 404s included. What the
//! standing issue of a bridge needs is here; messages, commands and edits of the
//! guild over REST are not yet.

/// `{message, code}` and the codes.
mod error;
/// Who calls: the bot or a signed-in user.
mod caller;
/// Buckets, the global limit, and their headers.
mod limit;
/// The gateway's address and budget.
mod gateway;
/// The caller's own user, guilds and application.
mod me;
/// Guilds as the bot sees them.
mod guilds;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{Router, middleware, routing::get};

pub(crate) use error::{ApiError, not_found};
pub(crate) use limit::Limiter;

use crate::discord::Discord;

/// The routes below `/api/v10`.
pub(crate) fn router(discord: Arc<Discord>) -> Router<Arc<Discord>> {
    Router::new()
        .route("/gateway", get(gateway::address))
        .route("/gateway/bot", get(gateway::bot))
        .route("/users/@me", get(me::user))
        .route("/users/@me/guilds", get(me::guilds))
        .route("/applications/@me", get(me::application))
        .route("/oauth2/applications/@me", get(me::application))
        .route("/guilds/{guild_id}", get(guilds::guild))
        .route("/guilds/{guild_id}/channels", get(guilds::channels))
        .route("/guilds/{guild_id}/roles", get(guilds::roles))
        .route("/guilds/{guild_id}/members/{user_id}", get(guilds::member))
        .route(
            "/guilds/{guild_id}/voice-states/{user_id}",
            get(guilds::voice_state),
        )
        .method_not_allowed_fallback(error::method_not_allowed)
        .fallback(not_found)
        .layer(middleware::from_fn_with_state(discord, limit::enforce))
}
