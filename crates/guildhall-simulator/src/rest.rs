//! `/api/v10`, with Discord's errors and rate limits.
//!
//! Every body is JSON of Discord's own shape, errors and 404s included. Rights are
//! checked as Discord documents them: permissions of the bot in the guild or the
//! channel, what is denied by implication, and the order of roles.

/// 429, of Discord and of whoever stands before it.
mod too_many;
/// `{message, code}` and the codes.
mod error;
/// Who calls: the bot or a signed-in user.
mod caller;
/// Bodies, read as Discord reads them.
mod form;
/// Paths and queries, read the same way.
mod params;
/// One call of the bot: what it sees, may do, and changes.
mod call;
/// Buckets and the global limit, enforced and told in headers.
mod limit;
/// Requests meet the faults that wait for their route.
mod inject;
/// Every route by name.
mod routes;
/// The gateway's address and budget.
mod gateway;
/// The caller's own user and guilds.
mod me;
/// The application.
mod application;
/// Guilds as the bot sees them.
mod guilds;
/// What is told of a guild besides itself.
mod guild_info;
/// Welcome screens, onboarding, and what guards a guild.
mod guild_pages;
/// Lists of what is never there.
mod empty;
/// What is the same in every guild.
mod everywhere;
/// Who has not been there for long.
mod prune;
/// The audit log.
mod audit_log;
/// Threads.
mod threads;
/// Direct messages.
mod directs;
/// Channels.
mod channels;
/// Permission overwrites of a channel.
mod overwrites;
/// Roles, and who has them.
mod roles;
/// Members.
mod members;
/// `PATCH` of a member, and bans.
mod moderation;
/// Voice states, one at a time.
mod voice_states;
/// Messages and typing.
mod messages;
/// What is pinned.
mod pins;
/// The one sticker there is.
mod stickers;
/// Reactions.
mod reactions;
/// Invites.
mod invites;
/// Application commands.
mod commands;
/// First answers to interactions.
mod interactions;
/// Webhooks.
mod webhooks;
/// What webhooks say.
mod executions;
/// What follows first answers to interactions.
mod followups;
/// Lists of threads.
mod thread_lists;
/// Votes, and the ends of polls.
mod polls;

use axum::{
    Router, middleware,
    routing::{get, patch, post, put},
};

pub(crate) use error::not_found;
pub(crate) use inject::inject_faults;
pub(crate) use limit::enforce_global;
pub(crate) use routes::is_known as is_known_route;

use error::{ApiError, ApiResult};

use crate::state::AppState;

/// The routes below `/api/v10`.
pub(crate) fn router(state: AppState) -> Router<AppState> {
    Router::new()
        .route("/gateway", get(gateway::address))
        .route("/gateway/bot", get(gateway::bot))
        .route("/users/@me", get(me::user).patch(me::edit))
        .route("/users/{user_id}", get(me::other))
        .route("/users/@me/guilds", get(me::guilds))
        .route("/users/@me/channels", post(directs::open))
        .route("/users/@me/guilds/{guild_id}/member", get(members::own))
        .route(
            "/users/@me/guilds/{guild_id}",
            axum::routing::delete(me::leave),
        )
        .route(
            "/applications/@me",
            get(application::read).patch(application::edit),
        )
        .route("/oauth2/applications/@me", get(application::read))
        .route("/oauth2/@me", get(me::authorization))
        .route(
            "/invites/{code}",
            get(invites::read).delete(invites::remove),
        )
        .route("/voice/regions", get(everywhere::regions))
        .route(
            "/soundboard-default-sounds",
            get(everywhere::default_sounds),
        )
        .route("/sticker-packs", get(stickers::packs))
        .route("/sticker-packs/{pack_id}", get(stickers::read_pack))
        .route("/stickers/{sticker_id}", get(stickers::read))
        .merge(of_applications())
        .merge(of_webhooks())
        .merge(of_guilds())
        .merge(of_guild_pages())
        .merge(empty::routes())
        .merge(of_channels())
        .merge(of_threads())
        .method_not_allowed_fallback(error::method_not_allowed)
        .fallback(not_found)
        .layer(middleware::from_fn_with_state(state.clone(), inject_faults))
        .layer(middleware::from_fn_with_state(state, limit::enforce))
}

fn of_applications() -> Router<AppState> {
    Router::new()
        .route(
            "/applications/{application_id}/commands",
            get(commands::list)
                .post(commands::create)
                .put(commands::replace),
        )
        .route(
            "/applications/{application_id}/commands/{command_id}",
            get(commands::read)
                .patch(commands::edit)
                .delete(commands::remove),
        )
        .route(
            "/applications/{application_id}/guilds/{guild_id}/commands",
            get(commands::list)
                .post(commands::create)
                .put(commands::replace),
        )
        .route(
            "/applications/{application_id}/guilds/{guild_id}/commands/{command_id}",
            get(commands::read)
                .patch(commands::edit)
                .delete(commands::remove),
        )
        .route(
            "/applications/{application_id}/guilds/{guild_id}/commands/permissions",
            get(commands::all_permissions),
        )
        .route(
            "/applications/{application_id}/guilds/{guild_id}/commands/{command_id}/permissions",
            get(commands::permissions),
        )
        .route(
            "/applications/{application_id}/role-connections/metadata",
            get(application::connections).put(application::set_connections),
        )
        .route(
            "/interactions/{interaction_id}/{token}/callback",
            post(interactions::callback),
        )
}

fn of_webhooks() -> Router<AppState> {
    Router::new()
        .route(
            "/channels/{channel_id}/webhooks",
            get(webhooks::of_channel).post(webhooks::create),
        )
        .route("/guilds/{guild_id}/webhooks", get(webhooks::of_guild))
        .route(
            "/webhooks/{webhook_id}",
            get(webhooks::read)
                .patch(webhooks::edit)
                .delete(webhooks::remove),
        )
        .route(
            "/webhooks/{webhook_id}/{token}",
            get(webhooks::read_by_token)
                .post(followups::create)
                .patch(webhooks::edit_by_token)
                .delete(webhooks::remove_by_token),
        )
        .route(
            "/webhooks/{webhook_id}/{token}/messages/{message_id}",
            get(followups::read)
                .patch(followups::change)
                .delete(followups::remove),
        )
}

fn of_threads() -> Router<AppState> {
    Router::new()
        .route("/channels/{channel_id}/threads", post(threads::begin))
        .route(
            "/channels/{channel_id}/messages/{message_id}/threads",
            post(threads::begin_from),
        )
        .route(
            "/channels/{channel_id}/thread-members",
            get(threads::members),
        )
        .route(
            "/channels/{channel_id}/thread-members/@me",
            get(threads::own_member)
                .put(threads::join)
                .delete(threads::leave),
        )
        .route(
            "/channels/{channel_id}/thread-members/{user_id}",
            get(threads::member)
                .put(threads::add)
                .delete(threads::take_out),
        )
        .route(
            "/channels/{channel_id}/threads/archived/public",
            get(thread_lists::public),
        )
        .route(
            "/channels/{channel_id}/threads/archived/private",
            get(thread_lists::private),
        )
        .route(
            "/channels/{channel_id}/users/@me/threads/archived/private",
            get(thread_lists::joined_private),
        )
        .route(
            "/guilds/{guild_id}/threads/active",
            get(thread_lists::active),
        )
        .route(
            "/channels/{channel_id}/polls/{message_id}/answers/{answer_id}",
            get(polls::voters),
        )
        .route(
            "/channels/{channel_id}/polls/{message_id}/expire",
            post(polls::expire),
        )
}

fn of_guild_pages() -> Router<AppState> {
    Router::new()
        .route("/guilds/{guild_id}/preview", get(guild_info::preview))
        .route(
            "/guilds/{guild_id}/widget",
            get(guild_info::widget_settings).patch(guild_info::edit_widget),
        )
        .route("/guilds/{guild_id}/widget.json", get(guild_info::widget))
        .route(
            "/guilds/{guild_id}/welcome-screen",
            get(guild_pages::welcome_screen).patch(guild_pages::edit_welcome_screen),
        )
        .route(
            "/guilds/{guild_id}/onboarding",
            get(guild_pages::onboarding).put(guild_pages::set_onboarding),
        )
        .route(
            "/guilds/{guild_id}/vanity-url",
            get(guild_pages::vanity_url),
        )
        .route(
            "/guilds/{guild_id}/incident-actions",
            put(guild_pages::set_incidents),
        )
}

fn of_guilds() -> Router<AppState> {
    Router::new()
        .route("/guilds/{guild_id}", get(guilds::guild).patch(guilds::edit))
        .route(
            "/guilds/{guild_id}/regions",
            get(everywhere::regions_of_guild),
        )
        .route(
            "/guilds/{guild_id}/prune",
            get(prune::count).post(prune::begin),
        )
        .route("/guilds/{guild_id}/audit-logs", get(audit_log::list))
        .route(
            "/guilds/{guild_id}/channels",
            get(guilds::channels)
                .post(channels::create)
                .patch(channels::place),
        )
        .route(
            "/guilds/{guild_id}/roles",
            get(roles::list).post(roles::create).patch(roles::place),
        )
        .route(
            "/guilds/{guild_id}/roles/member-counts",
            get(roles::member_counts),
        )
        .route(
            "/guilds/{guild_id}/roles/{role_id}",
            get(roles::read).patch(roles::edit).delete(roles::remove),
        )
        .route("/guilds/{guild_id}/members", get(members::list))
        .route("/guilds/{guild_id}/members/search", get(members::search))
        .route(
            "/guilds/{guild_id}/members/@me",
            patch(moderation::edit_own),
        )
        .route(
            "/guilds/{guild_id}/members/@me/nick",
            patch(moderation::edit_own_nick),
        )
        .route(
            "/guilds/{guild_id}/members/{user_id}",
            get(members::read)
                .put(members::add)
                .patch(moderation::edit)
                .delete(members::kick),
        )
        .route(
            "/guilds/{guild_id}/members/{user_id}/roles/{role_id}",
            put(roles::give).delete(roles::take),
        )
        .route("/guilds/{guild_id}/bans", get(moderation::bans))
        .route("/guilds/{guild_id}/bulk-ban", post(moderation::ban_many))
        .route(
            "/guilds/{guild_id}/bans/{user_id}",
            get(moderation::read_ban)
                .put(moderation::ban)
                .delete(moderation::unban),
        )
        .route("/guilds/{guild_id}/invites", get(invites::of_guild))
        .route(
            "/guilds/{guild_id}/voice-states/{user_id}",
            get(voice_states::read).patch(voice_states::edit),
        )
}

fn of_channels() -> Router<AppState> {
    const REACTIONS: &str = "/channels/{channel_id}/messages/{message_id}/reactions";
    Router::new()
        .route(
            "/channels/{channel_id}",
            get(channels::read)
                .patch(channels::edit)
                .delete(channels::remove),
        )
        .route(
            "/channels/{channel_id}/permissions/{overwrite_id}",
            put(overwrites::put).delete(overwrites::remove),
        )
        .route(
            "/channels/{channel_id}/voice-status",
            put(channels::set_voice_status),
        )
        .route(
            "/channels/{channel_id}/invites",
            get(invites::of_channel).post(invites::create),
        )
        .route(
            "/channels/{channel_id}/typing",
            post(messages::begin_typing),
        )
        .route(
            "/channels/{channel_id}/messages",
            get(messages::list).post(messages::create),
        )
        .route(
            "/channels/{channel_id}/messages/bulk-delete",
            post(messages::remove_many),
        )
        .route(
            "/channels/{channel_id}/messages/{message_id}",
            get(messages::read)
                .patch(messages::edit)
                .delete(messages::remove),
        )
        .route("/channels/{channel_id}/pins", get(pins::list))
        .route("/channels/{channel_id}/messages/pins", get(pins::pages))
        .route(
            "/channels/{channel_id}/pins/{message_id}",
            put(pins::pin).delete(pins::unpin),
        )
        .route(
            "/channels/{channel_id}/messages/pins/{message_id}",
            put(pins::pin).delete(pins::unpin),
        )
        .route(REACTIONS, axum::routing::delete(reactions::remove_all))
        .route(
            &format!("{REACTIONS}/{{emoji}}"),
            get(reactions::list).delete(reactions::remove_kind),
        )
        .route(
            &format!("{REACTIONS}/{{emoji}}/@me"),
            put(reactions::add).delete(reactions::remove_own),
        )
        .route(
            &format!("{REACTIONS}/{{emoji}}/{{user_id}}"),
            axum::routing::delete(reactions::remove),
        )
}
