//! Modals that are sent off, as a person can fill them.

use serde_json::{Map, Value, json};

use super::{Body, STRING_SELECT, chosen};
use crate::{
    snowflake::Snowflake,
    world::{InteractionKind, Named, NewInteraction, Refusal, World, find_component},
};

/// Discord's number of a component that takes files.
const FILE_UPLOAD: u64 = 19;
/// Characters of a text field that says nothing of them.
const LONGEST_FIELD: u64 = 4000;

/// What comes of a modal, with which an interaction was answered.
pub(super) fn sent_off(
    world: &World,
    asked: Snowflake,
    body: &Body,
) -> Result<NewInteraction, Refusal> {
    let interaction = world.interactions.get(asked);
    let interaction = interaction.ok_or(Refusal::Unknown("interaction"))?;
    let answer = interaction.answer.as_ref().filter(|one| one.kind == 9);
    let modal = &answer
        .ok_or(Refusal::invalid("it was not answered with a modal"))?
        .data;
    let mut components = modal["components"].as_array().cloned().unwrap_or_default();
    for (field, value) in &body.fields {
        if find_component(&components, field).is_none() {
            return Err(Refusal::Invalid(format!(
                "the modal has no field {field:?}"
            )));
        }
        if !value.is_string() && !value.is_array() {
            return Err(Refusal::invalid(
                "a field is text, or a list of what was chosen",
            ));
        }
    }
    let mut named = Named::default();
    for component in &mut components {
        fill(component, &body.fields, &mut named)?;
    }
    let mut data = json!({"custom_id": modal["custom_id"], "components": components});
    let resolved = world.resolved(body.user_id, body.channel_id, &named)?;
    if resolved != json!({}) {
        data["resolved"] = resolved;
    }
    Ok(NewInteraction {
        kind: InteractionKind::Modal,
        user_id: body.user_id,
        channel_id: body.channel_id,
        command: None,
        message_id: interaction.message_id,
        data,
    })
}

/// What of a modal's component comes back, with what was typed.
fn fill(
    component: &mut Value,
    fields: &Map<String, Value>,
    named: &mut Named,
) -> Result<(), Refusal> {
    let mut told = json!({"type": component["type"], "id": component["id"]});
    if let Some(custom_id) = component["custom_id"].as_str() {
        told["custom_id"] = json!(custom_id);
        let is_text = component["type"] == 4;
        match fields.get(custom_id) {
            Some(Value::String(text)) if is_text => {
                told["value"] = json!(typed_text(component, text)?);
            }
            Some(Value::Array(values)) if !is_text => {
                told["values"] = json!(chosen_in_modal(component, values, named)?);
            }
            Some(_) => return Err(Refusal::invalid("a field is filled with another type")),
            None if is_text && component["required"] == false => told["value"] = json!(""),
            None if component["required"] == false => told["values"] = json!([]),
            None => {
                return Err(Refusal::Invalid(format!(
                    "the field {custom_id:?} is required"
                )));
            }
        }
    }
    for name in ["components", "component"] {
        match component.get_mut(name) {
            Some(Value::Array(list)) => {
                for one in list.iter_mut() {
                    fill(one, fields, named)?;
                }
                told[name] = json!(list);
            }
            Some(one @ Value::Object(_)) => {
                fill(one, fields, named)?;
                told[name] = one.clone();
            }
            _ => {}
        }
    }
    *component = told;
    Ok(())
}

/// Text that a person could have typed into this field.
fn typed_text<'a>(component: &Value, text: &'a str) -> Result<&'a str, Refusal> {
    let length = text.chars().count() as u64;
    let is_required = component["required"] != false;
    let least = component["min_length"].as_u64().unwrap_or(0);
    let least = least.max(u64::from(is_required));
    let most = component["max_length"].as_u64().unwrap_or(LONGEST_FIELD);
    // What is not required may be left empty whatever its shortest length is.
    if (least..=most).contains(&length) || (length == 0 && !is_required) {
        return Ok(text);
    }
    let name = &component["custom_id"];
    Err(Refusal::Invalid(format!(
        "the field {name} has {least} to {most} characters"
    )))
}

/// What was chosen in a modal's select menu, if it can be.
fn chosen_in_modal(
    component: &Value,
    values: &[Value],
    named: &mut Named,
) -> Result<Vec<String>, Refusal> {
    let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
    let texts: Option<Vec<_>> = texts.collect();
    let texts = texts.ok_or(Refusal::invalid("what was chosen is a list of texts"))?;
    if component["required"] == false && texts.is_empty() {
        return Ok(texts);
    }
    let kind = component["type"].as_u64().unwrap_or(STRING_SELECT);
    if kind == FILE_UPLOAD {
        return Err(Refusal::invalid(
            "a file is uploaded, which nobody has here",
        ));
    }
    let (texts, also) = chosen(component, kind, &texts)?;
    named.add(also);
    Ok(texts)
}
