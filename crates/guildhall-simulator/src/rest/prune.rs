//! Who has not been there for long: offline, in no voice channel, without a role.
//!
//! Nobody here remembers when somebody was seen last, so every number of days means the
//! same.

use axum::Json;
use serde_json::{Value, json};

use super::{
    ApiResult,
    caller::Bot,
    form::MaybeForm,
    params::{Ids, Query},
};
use crate::{
    snowflake::Snowflake,
    world::{Guild, Permissions, World},
};

/// `GET /guilds/{guild_id}/prune`: how many would go.
pub(super) async fn count(bot: Bot, Ids([guild_id]): Ids<1>, query: Query) -> ApiResult {
    query.number("days", 1..=30, 7)?;
    let listed = query.text("include_roles").unwrap_or_default().split(',');
    let roles: Vec<_> = listed.filter_map(|id| id.parse().ok()).collect();
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, RIGHTS)?;
        let gone = inactive(call.world, guild, &roles);
        Ok(Json(json!({"pruned": gone.len()})))
    })
}

/// `POST` of the same: they go.
pub(super) async fn begin(
    bot: Bot,
    Ids([guild_id]): Ids<1>,
    MaybeForm(mut form): MaybeForm,
) -> ApiResult {
    form.small("days", 1..=30);
    let roles = form.ids("include_roles").unwrap_or_default();
    let counts = form.flag("compute_prune_count").unwrap_or(true);
    form.done()?;
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, RIGHTS)?;
        let gone = inactive(call.world, guild, &roles);
        let count = gone.len();
        call.change(|world| world.prune(guild_id, &gone))?;
        let told = if counts { json!(count) } else { Value::Null };
        Ok(Json(json!({"pruned": told})))
    })
}

const RIGHTS: Permissions = Permissions::MANAGE_GUILD.union(Permissions::KICK_MEMBERS);

/// Whoever has no role but those that are named.
fn inactive(world: &World, guild: &Guild, roles: &[Snowflake]) -> Vec<Snowflake> {
    guild
        .members
        .iter()
        .filter(|member| member.roles.iter().all(|role| roles.contains(role)))
        .filter(|member| member.user_id != guild.owner_id)
        .filter(|member| !guild.voice_states.contains(member.user_id))
        .filter_map(|member| world.users.get(member.user_id))
        .filter(|user| !user.bot && user.presence.is_offline())
        .map(|user| user.id)
        .collect()
}
