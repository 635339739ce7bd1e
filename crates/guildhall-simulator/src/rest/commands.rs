//! Application commands: registered one by one or all at once, global or of a guild.

/// What a command may be called and ask for.
mod check;

use axum::{
    Json,
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    ApiError, ApiResult,
    call::Call,
    caller::Bot,
    empty::own_application,
    form::{Form, Forms},
    params::Ids,
};
pub(super) use check::autocompleted;

use crate::{
    snowflake::Snowflake,
    world::{CHAT_INPUT, MESSAGE, USER},
};

/// Commands of each kind that an application has globally, and in each guild.
const MOST: [(u64, usize); 3] = [(CHAT_INPUT, 100), (USER, 15), (MESSAGE, 15)];

/// Where the path says that commands are: of an application, or of it in one guild.
pub(super) struct Place {
    application_id: Snowflake,
    guild_id: Option<Snowflake>,
}

impl Place {
    /// The commands are the bot's own, and the guild is one that it is in.
    fn check(&self, call: &Call<'_>) -> Result<(), ApiError> {
        own_application(self.application_id, call.bot)?;
        self.guild_id.map_or(Ok(()), |id| call.guild(id).map(drop))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if let Ok(Ids([application_id])) = Ids::from_request_parts(parts, state).await {
            return Ok(Self {
                application_id,
                guild_id: None,
            });
        }
        let Ids([application_id, guild_id]) = Ids::from_request_parts(parts, state).await?;
        Ok(Self {
            application_id,
            guild_id: Some(guild_id),
        })
    }
}

/// The same with the id of one command behind it.
pub(super) struct CommandPath(Place, Snowflake);

impl<S: Send + Sync> FromRequestParts<S> for CommandPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if let Ok(Ids([application_id, id])) = Ids::from_request_parts(parts, state).await {
            let place = Place {
                application_id,
                guild_id: None,
            };
            return Ok(Self(place, id));
        }
        let Ids([application_id, guild_id, id]) = Ids::from_request_parts(parts, state).await?;
        let place = Place {
            application_id,
            guild_id: Some(guild_id),
        };
        Ok(Self(place, id))
    }
}

/// `GET …/commands`
pub(super) async fn list(bot: Bot, place: Place) -> ApiResult {
    bot.act(|call| {
        place.check(call)?;
        Ok(Json(all(call, &place)))
    })
}

/// `POST …/commands`: 201, or 200 in place of one of the same name.
pub(super) async fn create(bot: Bot, place: Place, mut form: Form) -> Result<Response, ApiError> {
    let fields = check::whole(&mut form);
    form.done()?;
    bot.act(|call| {
        place.check(call)?;
        let (id, is_new) = call.world.put_command(place.guild_id, fields);
        if is_new && too_many(call, &place) {
            call.world.delete_command(place.guild_id, id);
            return Err(ApiError::MOST_COMMANDS);
        }
        let status = if is_new {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        Ok((status, Json(one(call, &place, id)?)).into_response())
    })
}

/// `PUT …/commands`: these and no others.
pub(super) async fn replace(bot: Bot, place: Place, Forms(forms): Forms) -> ApiResult {
    let mut all_fields = Vec::new();
    let mut errors = Form::of(Map::new());
    for (number, mut form) in forms.into_iter().enumerate() {
        all_fields.push(check::whole(&mut form));
        errors.absorb(&[&number.to_string()], form);
    }
    for (kind, most) in MOST {
        let of_kind = all_fields.iter().filter(|fields| fields["type"] == kind);
        if of_kind.count() > most {
            return Err(ApiError::MOST_COMMANDS);
        }
    }
    for (number, fields) in all_fields.iter().enumerate() {
        let like = |one: &&Map<String, Value>| {
            one["name"] == fields["name"] && one["type"] == fields["type"]
        };
        if all_fields[..number].iter().any(|one| like(&one)) {
            errors.wrong(
                &[&number.to_string(), "name"],
                "APPLICATION_COMMANDS_DUPLICATE_NAME",
                "Application command names must be unique",
            );
        }
    }
    errors.done()?;
    bot.act(|call| {
        place.check(call)?;
        call.world.set_commands(place.guild_id, all_fields);
        Ok(Json(all(call, &place)))
    })
}

/// `GET …/commands/{command_id}`
pub(super) async fn read(bot: Bot, CommandPath(place, id): CommandPath) -> ApiResult {
    bot.act(|call| {
        place.check(call)?;
        one(call, &place, id).map(Json)
    })
}

/// `PATCH` of the same
pub(super) async fn edit(
    bot: Bot,
    CommandPath(place, id): CommandPath,
    mut form: Form,
) -> ApiResult {
    bot.act(|call| {
        place.check(call)?;
        let command = call.world.command(place.guild_id, id);
        let kind = command.ok_or(ApiError::UNKNOWN_COMMAND)?.kind();
        let fields = check::some(&mut form, kind);
        if let Some(name) = fields.get("name").and_then(Value::as_str) {
            let mut others = call.world.commands(place.guild_id);
            if others.any(|one| one.id != id && one.kind() == kind && one.name() == name) {
                let message = "Application command names must be unique";
                form.wrong(&["name"], "APPLICATION_COMMANDS_DUPLICATE_NAME", message);
            }
        }
        check::not_too_long(&mut form, &fields);
        form.done()?;
        call.world.edit_command(id, fields);
        one(call, &place, id).map(Json)
    })
}

/// `DELETE` of the same
pub(super) async fn remove(
    bot: Bot,
    CommandPath(place, id): CommandPath,
) -> Result<StatusCode, ApiError> {
    bot.act(|call| {
        place.check(call)?;
        if call.world.delete_command(place.guild_id, id) {
            Ok(StatusCode::NO_CONTENT)
        } else {
            Err(ApiError::UNKNOWN_COMMAND)
        }
    })
}

/// `GET …/guilds/{guild_id}/commands/permissions`: nobody has changed who may use which.
pub(super) async fn all_permissions(bot: Bot, place: Place) -> ApiResult {
    bot.act(|call| {
        place.check(call)?;
        Ok(Json(json!([])))
    })
}

/// `GET …/guilds/{guild_id}/commands/{command_id}/permissions`
pub(super) async fn permissions(bot: Bot, CommandPath(place, _): CommandPath) -> ApiResult {
    bot.act(|call| {
        place.check(call)?;
        Err(ApiError::UNKNOWN_COMMAND_PERMISSIONS)
    })
}

fn all(call: &Call<'_>, place: &Place) -> Value {
    let commands = call.world.commands(place.guild_id);
    commands.map(|command| command.object(call.bot)).collect()
}

fn one(call: &Call<'_>, place: &Place, id: Snowflake) -> Result<Value, ApiError> {
    let command = call.world.command(place.guild_id, id);
    let command = command.ok_or(ApiError::UNKNOWN_COMMAND)?;
    Ok(command.object(call.bot))
}

fn too_many(call: &Call<'_>, place: &Place) -> bool {
    MOST.iter().any(|(kind, most)| {
        let commands = call.world.commands(place.guild_id);
        commands.filter(|command| command.kind() == *kind).count() > *most
    })
}
