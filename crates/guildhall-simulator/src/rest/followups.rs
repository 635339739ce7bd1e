//! `/webhooks/{application_id}/{token}`: what follows the first answer to an interaction,
//! and the answers as they are now. What is no application's is a webhook's: `executions`.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    ApiError, ApiResult,
    call::Call,
    caller::{Anybody, Bot},
    executions,
    form::Form,
    interactions::{edit, is_open, say, shape},
    messages::{MessageBody, MessageChange, found},
    params::{Query, Texts, id_in},
};
use crate::{
    config::Config,
    snowflake::Snowflake,
    world::{Interaction, Message},
};

/// Of a path: whose webhook, and its token.
type Opened = [String; 2];

/// `POST /webhooks/{application_id}/{token}`
pub(super) async fn create(
    State(config): State<Arc<Config>>,
    Anybody(bot): Anybody,
    Texts(path): Texts<2>,
    query: Query,
    mut form: Form,
) -> Result<Response, ApiError> {
    if !is_application(&bot, &path[0]) {
        return executions::execute(&bot, &path, &query, form);
    }
    let body = MessageBody::read(&mut form, Message::EPHEMERAL);
    form.done()?;
    bot.act(|call| {
        let interaction = opened(call, &config, &path)?;
        if body.is_empty() {
            return Err(ApiError::EMPTY_MESSAGE);
        }
        let channel_id = interaction.channel_id;
        if let Some(waiting) = loading(call, &interaction) {
            // The first that follows a deferred answer is that answer.
            edit(call, channel_id, waiting, MessageChange::from(body))?;
            return Ok(Json(shape(call, channel_id, waiting)?).into_response());
        }
        let id = say(call, &interaction, body)?;
        if let Some(interaction) = call.world.interactions.get_mut(interaction.id) {
            interaction.followups.push(id);
        }
        Ok(Json(shape(call, channel_id, id)?).into_response())
    })
}

/// `GET /webhooks/{application_id}/{token}/messages/{message_id}`, also `@original`
pub(super) async fn read(
    State(config): State<Arc<Config>>,
    Anybody(bot): Anybody,
    Texts([application_id, token, message]): Texts<3>,
    query: Query,
) -> ApiResult {
    if !is_application(&bot, &application_id) {
        return executions::read(&bot, &[application_id, token], &message, &query);
    }
    bot.act(|call| {
        let interaction = opened(call, &config, &[application_id, token])?;
        let id = own_message(&interaction, &message)?;
        shape(call, interaction.channel_id, id).map(Json)
    })
}

/// `PATCH` of the same
pub(super) async fn change(
    State(config): State<Arc<Config>>,
    Anybody(bot): Anybody,
    Texts([application_id, token, message]): Texts<3>,
    query: Query,
    mut form: Form,
) -> ApiResult {
    if !is_application(&bot, &application_id) {
        return executions::change(&bot, &[application_id, token], &message, &query, form);
    }
    bot.act(|call| {
        let known = call.world.interactions.of_token(&token);
        let known = known.and_then(|one| Some((one.channel_id, own_message(one, &message).ok()?)));
        let known = known.and_then(|(channel_id, id)| found(call, channel_id, id));
        let change = MessageChange::read(&mut form, known);
        form.done()?;
        let interaction = opened(call, &config, &[application_id, token])?;
        let id = own_message(&interaction, &message)?;
        edit(call, interaction.channel_id, id, change)?;
        shape(call, interaction.channel_id, id).map(Json)
    })
}

/// `DELETE` of the same
pub(super) async fn remove(
    State(config): State<Arc<Config>>,
    Anybody(bot): Anybody,
    Texts([application_id, token, message]): Texts<3>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    if !is_application(&bot, &application_id) {
        return executions::remove(&bot, &[application_id, token], &message, &query);
    }
    bot.act(|call| {
        let interaction = opened(call, &config, &[application_id, token])?;
        let id = own_message(&interaction, &message)?;
        let channel_id = interaction.channel_id;
        call.change(|world| world.delete_message(channel_id, id))?;
        Ok(StatusCode::NO_CONTENT)
    })
}

/// Whether a path is of interactions, whose webhook has the application's id.
fn is_application(bot: &Bot, id: &str) -> bool {
    id.parse() == Ok(bot.id())
}

/// The interaction that a token is of, if it still opens anything.
fn opened(
    call: &Call<'_>,
    config: &Config,
    [application_id, token]: &Opened,
) -> Result<Interaction, ApiError> {
    if id_in("webhook_id", application_id)? != call.bot {
        return Err(ApiError::UNKNOWN_WEBHOOK);
    }
    let interaction = call.world.interactions.of_token(token);
    let interaction = interaction.ok_or(ApiError::UNKNOWN_WEBHOOK)?;
    is_open(interaction, config, call.now)?;
    Ok(interaction.clone())
}

/// A message that answers this interaction, and no other.
fn own_message(interaction: &Interaction, text: &str) -> Result<Snowflake, ApiError> {
    if text == "@original" {
        return interaction.original.ok_or(ApiError::UNKNOWN_MESSAGE);
    }
    let id = id_in("message_id", text)?;
    if interaction.original == Some(id) || interaction.followups.contains(&id) {
        Ok(id)
    } else {
        Err(ApiError::UNKNOWN_MESSAGE)
    }
}

/// The deferred answer that is still to come.
fn loading(call: &Call<'_>, interaction: &Interaction) -> Option<Snowflake> {
    let id = interaction.original?;
    let guild = call.world.guild_or_direct(interaction.guild_id)?;
    let message = guild.messages.find(interaction.channel_id, id)?;
    message.is_loading().then_some(id)
}
