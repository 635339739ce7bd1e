//! `/sim`: what no Discord has, the hand that moves its people.
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
/// The bot's token and its privileged intents.
mod application;
/// What can go wrong on purpose.
mod faults;
/// Faults and acts on a timeline.
mod script;
/// A timeline drawn from a seed.
mod chaos;
/// What happens by itself.
mod scenario;
/// Stamps, one by one or at a rate.
mod load;

#[cfg(test)]
mod tests;

use axum::{
    Router, middleware,
    routing::{delete, get, patch, post, put},
};

use crate::state::AppState;

/// The routes below `/sim`.
pub(crate) fn router(state: &AppState) -> Router<AppState> {
    routes().layer(middleware::from_fn_with_state(
        state.clone(),
        guard::same_site_only,
    ))
}

/// The routes themselves, for whoever is let in.
fn routes() -> Router<AppState> {
    Router::new()
        .route("/state", get(state::state))
        .route("/events", get(state::events))
        .route("/guilds", post(guilds::create))
        .route(
            "/guilds/{guild_id}",
            patch(guilds::edit).delete(guilds::remove),
        )
        .route("/guilds/{guild_id}/voice", post(voice::set))
        .route("/guilds/{guild_id}/channels", post(channels::create_in))
        .route("/guilds/{guild_id}/roles", post(roles::create_in))
        .route("/guilds/{guild_id}/members", post(members::create_in))
        .route(
            "/guilds/{guild_id}/members/{user_id}",
            patch(members::edit).delete(members::remove),
        )
        .route(
            "/guilds/{guild_id}/members/{user_id}/roles/{role_id}",
            put(members::give_role).delete(members::take_role),
        )
        .route("/users", post(users::create))
        .route("/users/{user_id}", patch(users::edit))
        .route("/users/{user_id}/presence", put(users::set_presence))
        .route("/invites/{code}", post(members::accept_invite))
        .route("/channels", post(channels::create))
        .route(
            "/channels/{channel_id}",
            patch(channels::edit).delete(channels::remove),
        )
        .route(
            "/channels/{channel_id}/permissions/{target_id}",
            put(channels::put_overwrite).delete(channels::remove_overwrite),
        )
        .route(
            "/channels/{channel_id}/voice-status",
            put(voice::set_status),
        )
        .route("/messages", post(messages::create))
        .route(
            "/channels/{channel_id}/messages/bulk-delete",
            post(messages::remove_many),
        )
        .route(
            "/channels/{channel_id}/messages/{message_id}",
            patch(messages::edit).delete(messages::remove),
        )
        .route(
            "/channels/{channel_id}/messages/{message_id}/reactions",
            post(messages::react).delete(messages::clear_reactions),
        )
        .route("/channels/{channel_id}/typing", post(messages::type_in))
        .route("/application", patch(application::edit))
        .route("/token", post(application::token))
        .route("/roles", post(roles::create))
        .route("/roles/{role_id}", patch(roles::edit))
        .route("/roles/{role_id}", delete(roles::remove))
        .route("/members", post(members::create))
        .route("/faults", get(faults::done).post(faults::cause))
        .route(
            "/script",
            get(script::progress)
                .post(script::start)
                .delete(script::stop),
        )
        .route(
            "/chaos",
            get(script::progress)
                .post(chaos::start)
                .delete(script::stop),
        )
        .route("/scenario", get(scenario::show).post(scenario::start))
        .route("/stamp", post(load::stamp))
        .route("/load", get(load::progress).post(load::start))
        .method_not_allowed_fallback(error::method_not_allowed)
        .fallback(error::not_found)
}
