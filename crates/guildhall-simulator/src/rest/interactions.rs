//! `POST /interactions/{id}/{token}/callback`: the first answer to an interaction.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{
    ApiError,
    call::Call,
    caller::Anybody,
    commands::autocompleted,
    form::Form,
    messages::{MessageBody, MessageChange, Shown, found, read_components},
    params::{Query, Texts, id_in},
};
use crate::{
    config::Config,
    snowflake::{Snowflake, iso},
    world::{Answer, Interaction, InteractionKind, Message, MessageSource, NewMessage},
};

/// What the first answer says.
enum Callback {
    Message(MessageBody),
    Deferred { flags: u64 },
    DeferredUpdate,
    Update(MessageChange),
    Choices(Vec<Value>),
    Modal(Value),
}

impl Callback {
    fn number(&self) -> u32 {
        match self {
            Self::Message(_) => 4,
            Self::Deferred { .. } => 5,
            Self::DeferredUpdate => 6,
            Self::Update(_) => 7,
            Self::Choices(_) => 8,
            Self::Modal(_) => 9,
        }
    }

    /// Whether an interaction can be answered so.
    fn fits(&self, interaction: &Interaction) -> bool {
        let has_message = interaction.message_id.is_some();
        match (self, interaction.kind) {
            (Self::Choices(_), kind) => kind == InteractionKind::Autocomplete,
            (_, InteractionKind::Autocomplete) => false,
            (Self::Modal(_), kind) => kind != InteractionKind::Modal,
            (Self::DeferredUpdate | Self::Update(_), _) => has_message,
            (Self::Message(_) | Self::Deferred { .. }, _) => true,
        }
    }

    /// `message` is what an update would change.
    fn read(form: &mut Form, message: Option<&Message>) -> Option<Self> {
        form.must_have("type");
        let kind = form.small("type", 1..=12);
        let mut data = form.form("data").unwrap_or_else(|| Form::of(Map::new()));
        data.files.append(&mut form.files);
        let callback = match kind? {
            4 => Self::Message(MessageBody::read(&mut data, Message::EPHEMERAL)),
            5 => {
                let flags = data.number("flags", 0..=u64::from(u32::MAX)).unwrap_or(0);
                let flags = flags & Message::EPHEMERAL;
                Self::Deferred { flags }
            }
            6 => Self::DeferredUpdate,
            7 => Self::Update(MessageChange::read(&mut data, message)),
            8 => {
                data.must_have("choices");
                Self::Choices(autocompleted(&mut data))
            }
            9 => Self::Modal(modal(&mut data)),
            _ => {
                let message = "Value must be one of (4, 5, 6, 7, 8, 9).";
                form.wrong(&["type"], "BASE_TYPE_CHOICES", message);
                return None;
            }
        };
        form.absorb(&["data"], data);
        Some(callback)
    }
}

fn modal(data: &mut Form) -> Value {
    for needed in ["custom_id", "title", "components"] {
        data.must_have(needed);
    }
    json!({
        "custom_id": data.text("custom_id", 1..=100),
        "title": data.text("title", 1..=45),
        "components": read_components(data, Shown::Modal),
    })
}

pub(super) async fn callback(
    State(config): State<Arc<Config>>,
    Anybody(bot): Anybody,
    Texts([id, token]): Texts<2>,
    query: Query,
    mut form: Form,
) -> Result<Response, ApiError> {
    let id = id_in("interaction_id", &id)?;
    bot.act(|call| {
        let known = call.world.interactions.get(id);
        let known = known.and_then(|one| found(call, one.channel_id, one.message_id?));
        let callback = Callback::read(&mut form, known);
        form.done()?;
        let callback = callback.ok_or(ApiError::BAD_JSON)?;
        let number = callback.number();
        let interaction = call.world.interactions.get(id);
        let interaction = interaction.filter(|one| one.token == token);
        let interaction = interaction.ok_or(ApiError::UNKNOWN_INTERACTION)?.clone();
        if interaction.answer.is_some() {
            return Err(ApiError::ALREADY_ACKNOWLEDGED);
        }
        if call.now - interaction.asked_at > config.interaction_answer {
            return Err(ApiError::UNKNOWN_INTERACTION);
        }
        if !callback.fits(&interaction) {
            let message = "This interaction cannot be answered so.";
            return Err(ApiError::field("type", "BASE_TYPE_CHOICES", message));
        }
        perform(call, &interaction, callback)?;
        let answered = call.world.interactions.get(id).cloned();
        let answered = answered.ok_or(ApiError::UNKNOWN_INTERACTION)?;
        if query.flag("with_response") {
            return Ok(Json(response(call, &answered, number)).into_response());
        }
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}

fn perform(call: &mut Call<'_>, asked: &Interaction, callback: Callback) -> Result<(), ApiError> {
    let number = callback.number();
    let (mut original, mut data) = (None, Value::Null);
    match callback {
        Callback::Message(body) => {
            if body.is_empty() {
                return Err(ApiError::EMPTY_MESSAGE);
            }
            original = Some(say(call, asked, body)?);
        }
        Callback::Deferred { flags } => {
            let body = MessageBody {
                flags: flags | Message::LOADING,
                ..MessageBody::default()
            };
            original = Some(say(call, asked, body)?);
        }
        Callback::DeferredUpdate => original = asked.message_id,
        Callback::Update(change) => {
            original = asked.message_id;
            let message_id = original.ok_or(ApiError::UNKNOWN_MESSAGE)?;
            edit(call, asked.channel_id, message_id, change)?;
        }
        Callback::Choices(choices) => data = json!(choices),
        Callback::Modal(modal) => data = modal,
    }
    if let Some(interaction) = call.world.interactions.get_mut(asked.id) {
        interaction.original = original;
        interaction.answer = Some(Answer { kind: number, data });
    }
    Ok(())
}

/// A message in answer to an interaction. The later ones answer the first.
pub(super) fn say(
    call: &mut Call<'_>,
    asked: &Interaction,
    body: MessageBody,
) -> Result<Snowflake, ApiError> {
    let is_followup = asked.answer.is_some();
    let source = MessageSource::Interaction {
        metadata: asked.metadata(call.world, is_followup),
        legacy: asked.legacy(call.world),
    };
    let exists = |id: &Snowflake| {
        let guild = call.world.guild_or_direct(asked.guild_id);
        guild.is_some_and(|guild| guild.messages.find(asked.channel_id, *id).is_some())
    };
    let reply_to = asked.original.filter(|_| is_followup).filter(exists);
    let new = NewMessage {
        source,
        reply_to,
        ..body.by(call.bot)
    };
    let channel_id = asked.channel_id;
    call.change(|world| world.create_message(channel_id, new))
}

/// Changes a message that answers an interaction, or carries the component of one.
pub(super) fn edit(
    call: &mut Call<'_>,
    channel_id: Snowflake,
    message_id: Snowflake,
    change: MessageChange,
) -> Result<(), ApiError> {
    let guild = call.world.place_of(channel_id)?;
    let message = guild.messages.find(channel_id, message_id);
    let message = message.ok_or(ApiError::UNKNOWN_MESSAGE)?;
    let edit = change.of(message).ok_or(ApiError::EMPTY_MESSAGE)?;
    let now = iso(call.now);
    call.change(|world| world.edit_message(channel_id, message_id, edit, now))
}

/// The message as whoever holds the token sees it.
pub(super) fn shape(
    call: &Call<'_>,
    channel_id: Snowflake,
    message_id: Snowflake,
) -> Result<Value, ApiError> {
    let guild = call.world.place_of(channel_id)?;
    let message = guild.messages.find(channel_id, message_id);
    let message = message.ok_or(ApiError::UNKNOWN_MESSAGE)?;
    Ok(message.object(guild, call.world))
}

/// Interaction Callback Response object.
fn response(call: &Call<'_>, interaction: &Interaction, number: u32) -> Value {
    let mut told = json!({
        "interaction": {"id": interaction.id, "type": interaction.kind.number()},
        "resource": {"type": number},
    });
    let original = interaction.original;
    let message = original.and_then(|id| shape(call, interaction.channel_id, id).ok());
    if let Some(message) = message {
        let flags = message["flags"].as_u64().unwrap_or(0);
        let about = &mut told["interaction"];
        about["response_message_id"] = message["id"].clone();
        about["response_message_loading"] = json!(flags & Message::LOADING != 0);
        about["response_message_ephemeral"] = json!(flags & Message::EPHEMERAL != 0);
        if matches!(number, 4 | 7) {
            told["resource"]["message"] = message;
        }
    }
    told
}

/// Whether an interaction's token still opens anything: it was answered in time, and
/// not too long ago.
pub(super) fn is_open(
    interaction: &Interaction,
    config: &Config,
    now: OffsetDateTime,
) -> Result<(), ApiError> {
    if now - interaction.asked_at > config.interaction_token {
        return Err(ApiError::INVALID_WEBHOOK_TOKEN);
    }
    if interaction.answer.is_none() {
        return Err(ApiError::UNKNOWN_WEBHOOK);
    }
    Ok(())
}
