//! Invites.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    ApiError, ApiResult,
    call::Call,
    caller::{Bot, Whoever},
    form::Form,
    guilds::online,
    params::{Ids, Query, Texts},
};
use crate::{
    config::Config,
    snowflake::iso,
    state::Discord,
    world::{ChannelKind, Guild, Invite, NewInvite, Permissions, UserObject, World, guild_object},
};

/// `POST /channels/{channel_id}/invites`
pub(super) async fn create(
    State(config): State<Arc<Config>>,
    bot: Bot,
    Ids([channel_id]): Ids<1>,
    mut form: Form,
) -> ApiResult {
    let max_age = form.small("max_age", 0..=604_800).unwrap_or(86_400);
    let new = NewInvite {
        max_age,
        lasts: (max_age > 0).then(|| config.invite_second * max_age),
        max_uses: form.small("max_uses", 0..=100).unwrap_or(0),
        temporary: form.flag("temporary").unwrap_or(false),
        unique: form.flag("unique").unwrap_or(false),
    };
    form.done()?;
    bot.act(|call| {
        let (guild, channel) = call.guild_channel(channel_id)?;
        call.needs_in(guild, channel, Permissions::CREATE_INSTANT_INVITE)?;
        if channel.kind == ChannelKind::Category {
            return Err(ApiError::WRONG_CHANNEL_TYPE);
        }
        let bot = call.bot;
        let code = call.change(|world| world.create_invite(channel_id, bot, new))?;
        shape(call, &code)
    })
}

/// `GET /invites/{code}`: for everybody, of any guild.
pub(super) async fn read(
    State(discord): State<Arc<Discord>>,
    _: Whoever,
    Texts([code]): Texts<1>,
    query: Query,
) -> ApiResult {
    discord.with(|core| {
        let world = &core.world;
        let guild = world.guilds.get(world.guild_of_invite(&code)?);
        let guild = guild.ok_or(ApiError::UNKNOWN_INVITE)?;
        let invite = guild.invites.iter().find(|one| one.code == code);
        let mut told = object(world, guild, invite.ok_or(ApiError::UNKNOWN_INVITE)?);
        if query.flag("with_counts") {
            told["approximate_member_count"] = json!(guild.members.len());
            told["approximate_presence_count"] = json!(online(world, guild));
        }
        Ok(Json(told))
    })
}

/// `GET /channels/{channel_id}/invites`
pub(super) async fn of_channel(bot: Bot, Ids([channel_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let (guild, channel) = call.guild_channel(channel_id)?;
        call.needs_in(guild, channel, Permissions::MANAGE_CHANNELS)?;
        let own = guild
            .invites
            .iter()
            .filter(|invite| invite.channel_id == channel_id);
        Ok(Json(
            own.map(|one| object(call.world, guild, one)).collect(),
        ))
    })
}

/// `GET /guilds/{guild_id}/invites`
pub(super) async fn of_guild(bot: Bot, Ids([guild_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::MANAGE_GUILD)?;
        let all = guild.invites.iter();
        Ok(Json(
            all.map(|one| object(call.world, guild, one)).collect(),
        ))
    })
}

/// `DELETE /invites/{code}`: answers with what it was.
pub(super) async fn remove(bot: Bot, Texts([code]): Texts<1>) -> ApiResult {
    bot.act(|call| {
        let was = shape(call, &code)?;
        let guild = call.guild(call.world.guild_of_invite(&code)?)?;
        let invite = guild.invites.iter().find(|one| one.code == code);
        let channel = invite.and_then(|invite| guild.channels.get(invite.channel_id));
        let in_channel = channel.is_some_and(|channel| {
            guild
                .rights_in(call.bot, channel, call.now)
                .has(Permissions::MANAGE_CHANNELS)
        });
        if !in_channel {
            call.needs(guild, Permissions::MANAGE_GUILD)?;
        }
        call.change(|world| world.delete_invite(&code))?;
        Ok(was)
    })
}

fn shape(call: &Call<'_>, code: &str) -> ApiResult {
    let guild = call.guild(call.world.guild_of_invite(code)?)?;
    let invite = guild.invites.iter().find(|one| one.code == code);
    let invite = invite.ok_or(ApiError::UNKNOWN_INVITE)?;
    Ok(Json(object(call.world, guild, invite)))
}

/// What an invite tells of its guild.
fn partial_guild(guild: &Guild) -> Value {
    let whole = guild_object(guild);
    let told = [
        "id",
        "name",
        "splash",
        "banner",
        "description",
        "icon",
        "features",
        "verification_level",
        "vanity_url_code",
        "nsfw_level",
        "premium_subscription_count",
    ];
    told.into_iter()
        .map(|name| (name.to_owned(), whole[name].clone()))
        .collect()
}

/// Invite object with its metadata.
fn object(world: &World, guild: &Guild, invite: &Invite) -> Value {
    let channel = guild.channels.get(invite.channel_id);
    json!({
        "type": 0,
        "flags": 0,
        "code": invite.code,
        "guild": partial_guild(guild),
        "guild_id": guild.id,
        "channel": channel.map(|channel| json!({
            "id": channel.id, "name": channel.name, "type": channel.kind,
        })),
        "inviter": world.users.get(invite.inviter_id).map(UserObject::new),
        "expires_at": invite.expires_at.map(iso),
        "uses": invite.uses,
        "max_uses": invite.max_uses,
        "max_age": invite.max_age,
        "temporary": invite.temporary,
        "created_at": iso(invite.created_at),
    })
}
