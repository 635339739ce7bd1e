//! The audit log, newest first.

use axum::Json;
use serde_json::json;

use super::{
    ApiResult,
    caller::Bot,
    params::{Ids, Query},
};
use crate::world::{Permissions, UserObject, thread_object, webhook_object};

/// `GET /guilds/{guild_id}/audit-logs`
pub(super) async fn list(bot: Bot, Ids([guild_id]): Ids<1>, query: Query) -> ApiResult {
    let limit = query.number("limit", 1..=100, 50)?;
    let kind = query.number("action_type", 0..=1000, 0)?;
    let (user_id, before, after) = (
        query.id("user_id")?,
        query.id("before")?,
        query.id("after")?,
    );
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::VIEW_AUDIT_LOG)?;
        let mut entries: Vec<_> = guild
            .audit_log
            .iter()
            .filter(|entry| user_id.is_none_or(|id| entry.user_id == id))
            .filter(|entry| kind == 0 || usize::from(u16::from(entry.action_type)) == kind)
            .filter(|entry| before.is_none_or(|id| entry.id < id))
            .filter(|entry| after.is_none_or(|id| entry.id > id))
            .collect();
        if after.is_none() {
            entries.reverse();
        }
        entries.truncate(limit);
        let mut named: Vec<_> = entries
            .iter()
            .flat_map(|entry| std::iter::once(entry.user_id).chain(entry.target_id))
            .collect();
        named.sort_unstable();
        named.dedup();
        let is_named = |id| named.binary_search(&id).is_ok();
        let threads = guild.threads.iter();
        let threads = threads.filter(|thread| is_named(thread.channel.id));
        let threads: Vec<_> = threads
            .map(|thread| thread_object(guild, thread, call.bot))
            .collect();
        let webhooks = guild.webhooks.iter();
        let webhooks = webhooks.filter(|webhook| is_named(webhook.id));
        let webhooks: Vec<_> = webhooks
            .map(|one| webhook_object(guild.id, one, call.world.users.get(one.user_id)))
            .collect();
        let users = named.iter().filter_map(|id| call.world.users.get(*id));
        Ok(Json(json!({
            "audit_log_entries": entries,
            "users": users.map(UserObject::new).collect::<Vec<_>>(),
            "application_commands": [],
            "auto_moderation_rules": [],
            "guild_scheduled_events": [],
            "integrations": [],
            "threads": threads,
            "webhooks": webhooks,
        })))
    })
}
