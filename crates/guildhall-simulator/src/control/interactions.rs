//! What people ask of the bot: commands, buttons, selects, modals; and what it answered.

/// Modals, sent off.
mod modal;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    change::create,
    error::{ControlError, ControlResult},
    messages::show_message,
    read::id,
};
use crate::{
    snowflake::Snowflake,
    state::{AppState, Discord},
    world::{
        CHAT_INPUT, Changed, Command, Interaction, InteractionKind, MESSAGE, Named, NewInteraction,
        Refusal, USER, World, find_component,
    },
};

/// Discord's numbers of components that are filled in, besides those that name something.
const STRING_SELECT: u64 = 3;
const CHECKBOXES: u64 = 22;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/interactions", create(ask).get(list))
        .route("/interactions/{interaction_id}", get(read))
}

/// What somebody does. One of `command`, `customId` and `modalOf` says which kind it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    user_id: Snowflake,
    channel_id: Snowflake,
    /// A command's name, with its subcommands: `roll`, `config set`.
    command: Option<String>,
    /// Discord's number of its kind, where several have the name.
    #[serde(rename = "type")]
    kind: Option<u64>,
    /// Values by the names of options.
    #[serde(default)]
    options: Map<String, Value>,
    /// The option that is being typed: then choices are asked for.
    focused: Option<String>,
    /// Whom or which message a command of a context menu is about.
    target_id: Option<Snowflake>,
    /// A component's id, on the message `messageId`.
    custom_id: Option<String>,
    message_id: Option<Snowflake>,
    /// What was chosen in a select menu.
    values: Option<Vec<String>>,
    /// The interaction that was answered with a modal, which is now sent off.
    modal_of: Option<Snowflake>,
    /// What was typed into a modal, by the ids of its fields.
    #[serde(default)]
    fields: Map<String, Value>,
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature of whatever is made under /sim"
)]
fn ask(world: &mut World, []: [Snowflake; 0], body: Body) -> Changed<Value> {
    let new = match (&body.command, &body.custom_id, body.modal_of) {
        (Some(command), None, None) => by_command(world, command, &body)?,
        (None, Some(custom_id), None) => by_component(world, custom_id, &body)?,
        (None, None, Some(asked)) => modal::sent_off(world, asked, &body)?,
        _ => {
            return Err(Refusal::invalid(
                "one of command, customId and modalOf says what is done",
            ));
        }
    };
    let (id, events) = world.interact(new)?;
    Ok((json!({"id": id}), events))
}

fn by_command(world: &World, path: &str, body: &Body) -> Result<NewInteraction, Refusal> {
    let (command, below) = chosen_command(world, path, body)?;
    let guild = world.place_of(body.channel_id)?;
    let permissions = guild.base_permissions(body.user_id);
    if !command.is_for(guild.direct_with.is_none(), permissions) {
        return Err(Refusal::invalid(
            "by its contexts or default_member_permissions the command is not there for them",
        ));
    }
    let mut named = Named::default();
    let mut data = json!({"id": command.id, "name": command.name(), "type": command.kind()});
    if let Some(guild_id) = command.guild_id {
        data["guild_id"] = json!(guild_id);
    }
    if command.kind() == CHAT_INPUT {
        if body.target_id.is_some() {
            return Err(Refusal::invalid("a slash command has no targetId"));
        }
        let options = typed(command, &below, body, &mut named)?;
        if !options.is_empty() {
            data["options"] = json!(options);
        }
    } else {
        let target = body
            .target_id
            .ok_or(Refusal::invalid("targetId is missing"))?;
        data["target_id"] = json!(target);
        if command.kind() == MESSAGE {
            named.messages.push(target);
        } else {
            named.users.push(target);
        }
    }
    let resolved = world.resolved(body.user_id, body.channel_id, &named)?;
    if resolved != json!({}) {
        data["resolved"] = resolved;
    }
    Ok(NewInteraction {
        kind: match body.focused {
            Some(_) => InteractionKind::Autocomplete,
            None => InteractionKind::Command,
        },
        user_id: body.user_id,
        channel_id: body.channel_id,
        command: Some(path.to_owned()),
        message_id: None,
        data,
    })
}

/// The command of this name and, of several, of the kind that is meant: the one that `type`
/// says, one about such a target where there is one, or a slash command. Behind it, the
/// subcommands that are named.
fn chosen_command<'a>(
    world: &'a World,
    path: &'a str,
    body: &Body,
) -> Result<(&'a Command, Vec<&'a str>), Refusal> {
    let guild_id = world.guild_of_channel(body.channel_id)?;
    let meant = match (body.kind, body.target_id) {
        (Some(kind), _) => kind,
        (None, None) => CHAT_INPUT,
        (None, Some(id)) if world.users.contains(id) => USER,
        (None, Some(_)) => MESSAGE,
    };
    let named = |name: &str| {
        let of_kind = world.command_named(guild_id, name, Some(meant));
        // Without a `type` a name that only one kind has will do.
        of_kind.or_else(|| {
            world
                .command_named(guild_id, name, None)
                .filter(|_| body.kind.is_none())
        })
    };
    if let Some(command) = named(path) {
        return Ok((command, Vec::new()));
    }
    let mut words = path.split(' ');
    let command = words.next().and_then(named);
    let command = command.ok_or(Refusal::Unknown("command"))?;
    Ok((command, words.collect()))
}

/// Option values of a command in Discord's shape, below its subcommands.
fn typed(
    command: &Command,
    below: &[&str],
    body: &Body,
    named: &mut Named,
) -> Result<Vec<Value>, Refusal> {
    let mut known = command.options().to_vec();
    let mut path = Vec::new();
    for word in below {
        let found = known.iter().find(|one| one["name"] == *word);
        let found = found.filter(|one| one["type"].as_u64() <= Some(2)).cloned();
        let found = found.ok_or(Refusal::Unknown("subcommand"))?;
        known = found["options"].as_array().cloned().unwrap_or_default();
        path.push((found["name"].clone(), found["type"].clone()));
    }
    if known.iter().any(|one| one["type"].as_u64() <= Some(2)) {
        return Err(Refusal::invalid("a subcommand must be named"));
    }
    if let Some(name) = body
        .options
        .keys()
        .find(|name| !known.iter().any(|one| one["name"] == ***name))
    {
        return Err(Refusal::Invalid(format!(
            "the command has no option {name:?}"
        )));
    }
    let mut options = Vec::new();
    for option in &known {
        let name = option["name"].as_str().unwrap_or_default();
        let focused = body.focused.as_deref() == Some(name);
        match body.options.get(name) {
            Some(value) => {
                let value = checked(option, value, focused, named)?;
                let mut told = json!({"name": name, "type": option["type"], "value": value});
                if focused {
                    told["focused"] = json!(true);
                }
                options.push(told);
            }
            None if option["required"] == true && body.focused.is_none() => {
                return Err(Refusal::Invalid(format!("the option {name:?} is required")));
            }
            None => {}
        }
    }
    for (name, kind) in path.into_iter().rev() {
        options = vec![json!({"name": name, "type": kind, "options": options})];
    }
    Ok(options)
}

/// A value that a person could have given for this option.
fn checked(
    option: &Value,
    value: &Value,
    focused: bool,
    named: &mut Named,
) -> Result<Value, Refusal> {
    let wrong = |what: &str| {
        let name = &option["name"];
        Err(Refusal::Invalid(format!("the option {name} {what}")))
    };
    let kind = option["type"].as_u64().unwrap_or(3);
    // What is still being typed is text, whatever it will be.
    if focused {
        return match value {
            Value::String(_) => Ok(value.clone()),
            other => Ok(json!(other.to_string())),
        };
    }
    let fits = match kind {
        4 => value.is_i64() || value.is_u64(),
        5 => value.is_boolean(),
        10 => value.is_number(),
        11 => return wrong("is an attachment, which nobody has here"),
        _ => value.is_string(),
    };
    if !fits {
        return wrong("has a value of another type");
    }
    if matches!(kind, 6..=9) {
        let Ok(id) = serde_json::from_value::<Snowflake>(value.clone()) else {
            return wrong("is an id");
        };
        match kind {
            7 => named.channels.push(id),
            8 => named.roles.push(id),
            9 => named.mentioned.push(id),
            _ => named.users.push(id),
        }
        return Ok(json!(id));
    }
    let choices = option["choices"].as_array();
    if let Some(choices) = choices.filter(|choices| !choices.is_empty())
        && !choices.iter().any(|one| one["value"] == *value)
    {
        return wrong("has choices, and this is none of them");
    }
    let size = match value {
        Value::String(text) => {
            let length = text.chars().count();
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            (f64::from(length), "min_length", "max_length")
        }
        other => (other.as_f64().unwrap_or(0.0), "min_value", "max_value"),
    };
    let (size, least, most) = size;
    let below = option[least].as_f64().is_some_and(|least| size < least);
    let above = option[most].as_f64().is_some_and(|most| size > most);
    if below || above {
        return wrong("is out of its bounds");
    }
    Ok(value.clone())
}

fn by_component(world: &World, custom_id: &str, body: &Body) -> Result<NewInteraction, Refusal> {
    let message_id = body
        .message_id
        .ok_or(Refusal::invalid("messageId is missing"))?;
    let guild = world.place_of(body.channel_id)?;
    let message = guild.messages.find(body.channel_id, message_id);
    let message = message.ok_or(Refusal::Unknown("message"))?;
    let component = find_component(&message.parts.components, custom_id);
    let component = component.ok_or(Refusal::Unknown("component"))?;
    if component["disabled"] == true {
        return Err(Refusal::invalid("the component is disabled"));
    }
    let kind = component["type"].as_u64().unwrap_or(2);
    let mut data = json!({"custom_id": custom_id, "component_type": kind, "id": component["id"]});
    match (&body.values, kind) {
        (None, 2) => {}
        (Some(values), 3 | 5..=8) => {
            let (values, named) = chosen(component, kind, values)?;
            data["values"] = json!(values);
            let resolved = world.resolved(body.user_id, body.channel_id, &named)?;
            if resolved != json!({}) {
                data["resolved"] = resolved;
            }
        }
        (None, _) => return Err(Refusal::invalid("values are missing")),
        (Some(_), _) => return Err(Refusal::invalid("a button has no values")),
    }
    Ok(NewInteraction {
        kind: InteractionKind::Component,
        user_id: body.user_id,
        channel_id: body.channel_id,
        command: None,
        message_id: Some(message_id),
        data,
    })
}

/// What was chosen in a select menu, if it can be.
fn chosen(
    component: &Value,
    kind: u64,
    values: &[String],
) -> Result<(Vec<String>, Named), Refusal> {
    let count = values.len() as u64;
    let least = component["min_values"].as_u64().unwrap_or(1);
    let most = component["max_values"].as_u64().unwrap_or(1);
    if !(least..=most).contains(&count) {
        return Err(Refusal::Invalid(format!(
            "{least} to {most} values are chosen"
        )));
    }
    let mut named = Named::default();
    if (1..values.len()).any(|place| values[..place].contains(&values[place])) {
        return Err(Refusal::invalid("a value is chosen once"));
    }
    if matches!(kind, STRING_SELECT | CHECKBOXES) {
        let options = component["options"].as_array().cloned().unwrap_or_default();
        let offered = |value: &String| options.iter().any(|one| one["value"] == **value);
        if !values.iter().all(offered) {
            return Err(Refusal::invalid("only what is offered can be chosen"));
        }
    } else {
        for value in values {
            let id = value
                .parse()
                .map_err(|_| Refusal::invalid("a value is an id"))?;
            match kind {
                6 => named.roles.push(id),
                7 => named.mentioned.push(id),
                8 => named.channels.push(id),
                _ => named.users.push(id),
            }
        }
    }
    Ok((values.to_vec(), named))
}

/// `GET /sim/interactions`: the newest last.
async fn list(State(discord): State<Arc<Discord>>) -> Json<Value> {
    discord.with(|core| {
        let all = core.world.interactions.iter();
        Json(all.map(|one| show(&core.world, one)).collect())
    })
}

/// `GET /sim/interactions/{id}`
async fn read(State(discord): State<Arc<Discord>>, Path(text): Path<String>) -> ControlResult {
    let id = id(&text)?;
    discord.with(|core| {
        let interaction = core.world.interactions.get(id);
        let unknown = || ControlError::Unknown("unknown interaction".to_owned());
        let interaction = interaction.ok_or_else(unknown)?;
        Ok(Json(show(&core.world, interaction)))
    })
}

fn show(world: &World, interaction: &Interaction) -> Value {
    let answer = interaction.answer.as_ref();
    let guild = world.guild_or_direct(interaction.guild_id);
    let message = |id: &Snowflake| {
        let message = guild?.messages.find(interaction.channel_id, *id)?;
        Some(show_message(message))
    };
    let of_modal = answer.filter(|one| one.kind == 9);
    let of_choices = answer.filter(|one| one.kind == 8);
    json!({
        "id": interaction.id,
        "type": interaction.kind.number(),
        "userId": interaction.user_id,
        "channelId": interaction.channel_id,
        "command": interaction.command,
        "messageId": interaction.message_id,
        "callback": answer.map(|one| one.kind),
        "modal": of_modal.map(|one| &one.data),
        "choices": of_choices.map(|one| &one.data),
        "answer": interaction.original.as_ref().and_then(message),
        "followups": interaction.followups.iter().filter_map(message).collect::<Vec<_>>(),
    })
}
