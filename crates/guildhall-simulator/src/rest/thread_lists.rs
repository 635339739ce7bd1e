//! Lists of threads: those of a guild that go on, and a channel's archives, page by page.

use axum::Json;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    ApiError, ApiResult,
    caller::Bot,
    params::{Ids, Query},
};
use crate::world::{Guild, Permissions, Thread, active_threads, thread_list};

/// `GET /guilds/{guild_id}/threads/active`
pub(super) async fn active(bot: Bot, Ids([guild_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let (threads, members) = active_threads(call.guild(guild_id)?, call.bot);
        Ok(Json(json!({"threads": threads, "members": members})))
    })
}

/// `GET /channels/{channel_id}/threads/archived/public`
pub(super) async fn public(bot: Bot, ids: Ids<1>, query: Query) -> ApiResult {
    archive(&bot, ids, &query, Permissions::NONE, |thread| {
        !thread.is_private()
    })
}

/// `GET /channels/{channel_id}/threads/archived/private`
pub(super) async fn private(bot: Bot, ids: Ids<1>, query: Query) -> ApiResult {
    let right = Permissions::MANAGE_THREADS;
    archive(&bot, ids, &query, right, Thread::is_private)
}

/// `GET /channels/{channel_id}/users/@me/threads/archived/private`: by id, the newest first.
pub(super) async fn joined_private(bot: Bot, Ids([channel_id]): Ids<1>, query: Query) -> ApiResult {
    let limit = query.number("limit", 2..=100, 50)?;
    let before = query.id("before")?;
    bot.act(|call| {
        let (guild, channel) = call.guild_channel(channel_id)?;
        call.needs_in(guild, channel, Permissions::READ_MESSAGE_HISTORY)?;
        let mut all: Vec<_> = guild
            .threads_of(channel_id)
            .filter(|thread| thread.archived && thread.is_private())
            .filter(|thread| thread.members.contains(call.bot))
            .filter(|thread| before.is_none_or(|before| thread.channel.id < before))
            .collect();
        all.sort_by_key(|thread| std::cmp::Reverse(thread.channel.id));
        Ok(Json(page(guild, all, limit, call.bot)))
    })
}

/// By the time of archiving, the newest first.
fn archive(
    bot: &Bot,
    Ids([channel_id]): Ids<1>,
    query: &Query,
    right: Permissions,
    wanted: fn(&Thread) -> bool,
) -> ApiResult {
    let limit = query.number("limit", 2..=100, 50)?;
    let before = query.text("before").map(|text| {
        OffsetDateTime::parse(text, &Rfc3339).map_err(|_| {
            let message = format!("Could not parse {text}. Should be ISO8601.");
            ApiError::field("before", "DATE_TIME_TYPE_PARSE", message)
        })
    });
    let before = before.transpose()?;
    bot.act(|call| {
        let (guild, channel) = call.guild_channel(channel_id)?;
        call.needs_in(
            guild,
            channel,
            Permissions::READ_MESSAGE_HISTORY.union(right),
        )?;
        let mut all: Vec<_> = guild
            .threads_of(channel_id)
            .filter(|thread| thread.archived && wanted(thread))
            .filter(|thread| before.is_none_or(|before| thread.archive_timestamp < before))
            .collect();
        all.sort_by_key(|thread| std::cmp::Reverse((thread.archive_timestamp, thread.channel.id)));
        Ok(Json(page(guild, all, limit, call.bot)))
    })
}

fn page(
    guild: &Guild,
    mut all: Vec<&Thread>,
    limit: usize,
    bot: crate::snowflake::Snowflake,
) -> Value {
    let more = all.len() > limit;
    all.truncate(limit);
    let (threads, members) = thread_list(guild, all, bot);
    json!({"threads": threads, "members": members, "has_more": more})
}
