//! Webhooks: made and changed by the bot, or by whoever has their token; what they say is
//! in `executions`.

use axum::{Json, http::StatusCode};
use serde_json::Value;

use super::{
    ApiError, ApiResult,
    call::Call,
    caller::{Anybody, Bot},
    form::Form,
    params::{Ids, Texts, id_in},
};
use crate::{
    snowflake::Snowflake,
    world::{ChannelKind, Edit, Guild, IncomingWebhook, Permissions, WebhookEdit, webhook_object},
};

/// Webhooks of one channel.
const MOST_WEBHOOKS: usize = 15;
/// What no webhook may be called.
const RESERVED: [&str; 2] = ["clyde", "discord"];

/// `POST /channels/{channel_id}/webhooks`
pub(super) async fn create(bot: Bot, Ids([channel_id]): Ids<1>, mut form: Form) -> ApiResult {
    form.must_have("name");
    let name = name(&mut form).unwrap_or_default();
    let picture = form.picture("avatar");
    form.done()?;
    bot.act(|call| {
        let (guild, channel) = call.guild_channel(channel_id)?;
        call.needs_in(guild, channel, Permissions::MANAGE_WEBHOOKS)?;
        if channel.kind == ChannelKind::Category {
            return Err(ApiError::WRONG_CHANNEL_TYPE);
        }
        let of_it = guild.webhooks.iter();
        if of_it.filter(|one| one.channel_id == channel_id).count() >= MOST_WEBHOOKS {
            return Err(ApiError::MOST_WEBHOOKS);
        }
        // The picture is not kept: another has another hash.
        let avatar = matches!(picture, Edit::Set(())).then(|| call.world.rng().hex());
        let own = call.bot;
        let id = call.change(|world| world.create_webhook(channel_id, own, name, avatar))?;
        shape(call, id, Asker::Whole)
    })
}

/// `GET /channels/{channel_id}/webhooks`
pub(super) async fn of_channel(bot: Bot, Ids([channel_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let (guild, channel) = call.guild_channel(channel_id)?;
        call.needs_in(guild, channel, Permissions::MANAGE_WEBHOOKS)?;
        let all = guild.webhooks.iter();
        let of_it = all.filter(|one| one.channel_id == channel_id);
        Ok(Json(of_it.map(|one| object(call, guild, one)).collect()))
    })
}

/// `GET /guilds/{guild_id}/webhooks`
pub(super) async fn of_guild(bot: Bot, Ids([guild_id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let guild = call.guild(guild_id)?;
        call.needs(guild, Permissions::MANAGE_WEBHOOKS)?;
        let all = guild.webhooks.iter();
        Ok(Json(all.map(|one| object(call, guild, one)).collect()))
    })
}

/// `GET /webhooks/{webhook_id}`
pub(super) async fn read(bot: Bot, Ids([id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        let (_, webhook) = call.world.webhook(id).ok_or(ApiError::UNKNOWN_WEBHOOK)?;
        if webhook.application_id != Some(call.bot) {
            manageable(call, id)?;
        }
        shape(call, id, Asker::Whole)
    })
}

/// `PATCH` of the same
pub(super) async fn edit(bot: Bot, Ids([id]): Ids<1>, mut form: Form) -> ApiResult {
    let change = Change::read(&mut form);
    let to = form.id("channel_id");
    form.done()?;
    bot.act(|call| {
        manageable(call, id)?;
        let mut edit = change.edit(call);
        if let Edit::Set(channel_id) = to {
            let (guild, channel) = call.guild_channel(channel_id)?;
            call.needs_in(guild, channel, Permissions::MANAGE_WEBHOOKS)?;
            edit.channel_id = Some(channel_id);
        }
        call.change(|world| world.edit_webhook(id, edit))?;
        shape(call, id, Asker::Whole)
    })
}

/// `DELETE` of the same
pub(super) async fn remove(bot: Bot, Ids([id]): Ids<1>) -> Result<StatusCode, ApiError> {
    bot.act(|call| {
        manageable(call, id)?;
        call.change(|world| world.delete_webhook(id))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// `GET /webhooks/{webhook_id}/{token}`
pub(super) async fn read_by_token(Anybody(bot): Anybody, Texts(path): Texts<2>) -> ApiResult {
    bot.act(|call| {
        let id = opened(call, &path)?.id;
        shape(call, id, Asker::WithoutUser)
    })
}

/// `PATCH` of the same
pub(super) async fn edit_by_token(
    Anybody(bot): Anybody,
    Texts(path): Texts<2>,
    mut form: Form,
) -> ApiResult {
    let change = Change::read(&mut form);
    form.done()?;
    bot.act(|call| {
        let id = opened(call, &path)?.id;
        let edit = change.edit(call);
        call.change(|world| world.edit_webhook(id, edit))?;
        shape(call, id, Asker::WithoutUser)
    })
}

/// `DELETE` of the same
pub(super) async fn remove_by_token(
    Anybody(bot): Anybody,
    Texts(path): Texts<2>,
) -> Result<StatusCode, ApiError> {
    bot.act(|call| {
        let id = opened(call, &path)?.id;
        call.change(|world| world.delete_webhook(id))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// The webhook that a token is of: 10015 for none, 50027 for another's token.
pub(super) fn opened<'a>(
    call: &'a Call<'_>,
    [id, token]: &[String; 2],
) -> Result<&'a IncomingWebhook, ApiError> {
    let known = call.world.webhook(id_in("webhook_id", id)?);
    let (_, webhook) = known.ok_or(ApiError::UNKNOWN_WEBHOOK)?;
    if webhook.token == *token {
        Ok(webhook)
    } else {
        Err(ApiError::INVALID_WEBHOOK_TOKEN)
    }
}

/// 50013 unless the bot may manage the webhooks of this one's channel.
fn manageable(call: &Call<'_>, id: Snowflake) -> Result<(), ApiError> {
    let (_, webhook) = call.world.webhook(id).ok_or(ApiError::UNKNOWN_WEBHOOK)?;
    let (guild, channel) = call.guild_channel(webhook.channel_id)?;
    call.needs_in(guild, channel, Permissions::MANAGE_WEBHOOKS)
}

/// What a body makes of a webhook.
struct Change {
    name: Option<String>,
    picture: Edit<()>,
}

impl Change {
    fn read(form: &mut Form) -> Self {
        Self {
            name: name(form),
            picture: form.picture("avatar"),
        }
    }

    fn edit(self, call: &mut Call<'_>) -> WebhookEdit {
        WebhookEdit {
            name: self.name,
            avatar: match self.picture {
                Edit::Keep => Edit::Keep,
                Edit::Clear => Edit::Clear,
                Edit::Set(()) => Edit::Set(call.world.rng().hex()),
            },
            channel_id: None,
        }
    }
}

fn name(form: &mut Form) -> Option<String> {
    let name = form.text("name", 1..=80)?;
    let lower = name.to_lowercase();
    if let Some(word) = RESERVED.iter().find(|word| lower.contains(*word)) {
        let message = format!("Username cannot contain \"{word}\"");
        form.wrong(&["name"], "USERNAME_INVALID_CONTAINS", message);
    }
    Some(name)
}

/// Who asks for a webhook.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asker {
    Whole,
    /// Somebody with its token.
    WithoutUser,
}

fn shape(call: &Call<'_>, id: Snowflake, asker: Asker) -> ApiResult {
    let known = call.world.webhook(id);
    let (guild, webhook) = known.ok_or(ApiError::UNKNOWN_WEBHOOK)?;
    Ok(Json(match asker {
        Asker::Whole => object(call, guild, webhook),
        Asker::WithoutUser => webhook_object(guild.id, webhook, None),
    }))
}

fn object(call: &Call<'_>, guild: &Guild, webhook: &IncomingWebhook) -> Value {
    let maker = call.world.users.get(webhook.user_id);
    webhook_object(guild.id, webhook, maker)
}
