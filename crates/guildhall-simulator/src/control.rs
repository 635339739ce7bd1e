//! `/sim`: what no Discord has, an API that moves its people and breaks things.
//!
//! JSON in and out, camelCase, ids as strings, errors as
//! `{"error": {"code", "message"}}`. Nothing here asks for permissions. No login
//! either, so requests that a browser sends for another site are refused.

/// `{error: {code, message}}`
mod error;
/// Bodies and ids of requests, read strictly.
mod read;
/// No other site's scripts.
mod guard;
/// `GET /sim/state` and its live signal.
mod state;
/// Create, edit and delete, once for all that `/sim` moves.
mod change;
/// Joining, moving, leaving, muting.
mod voice;
/// Guilds.
mod guilds;
/// Users and their presences.
mod users;
/// Channels and overwrites.
mod channels;
/// Roles.
mod roles;
/// Memberships.
mod members;
/// Messages, reactions and typing.
mod messages;
/// Threads.
mod threads;
/// What people ask of the bot.
mod interactions;
/// The bot's token and its privileged intents.
mod application;
/// Where the application is told of events, and who removes it.
mod webhook;
/// What can go wrong on purpose.
mod faults;
/// Faults and acts on a timeline.
mod script;
/// A timeline drawn from a seed.
mod chaos;
/// What happens by itself.
mod scenario;
/// Back to the beginning.
mod reset;
/// Stamps, one by one or at a rate.
mod load;

#[cfg(test)]
mod tests;

use axum::{Extension, Router, middleware};

use crate::state::AppState;

/// The routes below `/sim`.
pub(crate) fn router(state: &AppState) -> Router<AppState> {
    routes()
        .layer(Extension(script::Target(router)))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            guard::same_site_only,
        ))
}

/// The routes themselves, for whoever is let in.
fn routes() -> Router<AppState> {
    Router::new()
        .merge(state::routes())
        .merge(guilds::routes())
        .merge(channels::routes())
        .merge(roles::routes())
        .merge(users::routes())
        .merge(members::routes())
        .merge(voice::routes())
        .merge(messages::routes())
        .merge(threads::routes())
        .merge(interactions::routes())
        .merge(application::routes())
        .merge(webhook::routes())
        .merge(faults::routes())
        .merge(script::routes())
        .merge(chaos::routes())
        .merge(scenario::routes())
        .merge(reset::routes())
        .merge(load::routes())
        .method_not_allowed_fallback(error::method_not_allowed)
        .fallback(error::not_found)
}
