//! What a command may be called and ask for.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::{
    rest::form::Form,
    world::{CHAT_INPUT, MESSAGE},
};

/// Options of a command, of a group, of a subcommand; and choices of an option.
const MOST: usize = 25;
/// Discord's numbers of options that hold others.
const SUBCOMMAND: u32 = 1;
const GROUP: u32 = 2;
/// What holds those at the top.
const COMMAND: u32 = 0;
/// The last kind of option that there is, an attachment.
const LAST_KIND: u32 = 11;
/// Fields that are kept as they come.
const AS_THEY_COME: [&str; 2] = ["name_localizations", "description_localizations"];
/// Characters of names, descriptions and choices of a command with all that is below it.
const LONGEST: usize = 8000;
/// Discord's numbers of options that are text, and numbers.
const TEXT: u32 = 3;
const INTEGER: u32 = 4;
const CHANNEL: u32 = 7;
const NUMBER: u32 = 10;
/// Characters of a text that somebody gives.
const LONGEST_TEXT: u64 = 6000;

/// A whole command.
pub(super) fn whole(form: &mut Form) -> Map<String, Value> {
    form.must_have("name");
    let kind = form.small("type", 1..=3);
    let kind = kind.map_or(CHAT_INPUT, u64::from);
    if kind == CHAT_INPUT {
        form.must_have("description");
    }
    let mut fields = some(form, kind);
    fields.insert("type".to_owned(), json!(kind));
    fields.entry("name").or_insert_with(|| json!(""));
    fields.entry("description").or_insert_with(|| json!(""));
    not_too_long(form, &fields);
    fields
}

/// Notes a command of which too much is said.
pub(super) fn not_too_long(form: &mut Form, fields: &Map<String, Value>) {
    if fields.values().map(said).sum::<usize>() > LONGEST {
        let message = format!("Command exceeds maximum size ({LONGEST})");
        form.wrong(&[], "APPLICATION_COMMAND_TOO_LARGE", message);
    }
}

/// Characters of names, descriptions and values, not of their translations.
fn said(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(list) => list.iter().map(said).sum(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !name.ends_with("_localizations"))
            .map(|(_, value)| said(value))
            .sum(),
        _ => 0,
    }
}

/// Those fields of a command of this kind that are there.
pub(super) fn some(form: &mut Form, kind: u64) -> Map<String, Value> {
    let mut fields = Map::new();
    if let Some(name) = form.text("name", 1..=32) {
        if kind == CHAT_INPUT && !is_plain(&name) {
            name_invalid(form, "name");
        }
        fields.insert("name".to_owned(), json!(name));
    }
    let shortest = usize::from(kind == CHAT_INPUT);
    if let Some(description) = form.text("description", shortest..=100) {
        fields.insert("description".to_owned(), json!(description));
    }
    for name in AS_THEY_COME {
        if let Some(value) = form.take(name) {
            fields.insert(name.to_owned(), value);
        }
    }
    for name in ["dm_permission", "nsfw"] {
        if let Some(flag) = form.flag(name) {
            fields.insert(name.to_owned(), json!(flag));
        }
    }
    for (name, most) in [("contexts", 2), ("integration_types", 1)] {
        if let Some(list) = numbers(form, name, most) {
            fields.insert(name.to_owned(), list);
        }
    }
    if form.peek("default_member_permissions") == Some(&Value::Null) {
        fields.insert("default_member_permissions".to_owned(), Value::Null);
    }
    if let Some(permissions) = form.permissions("default_member_permissions") {
        fields.insert("default_member_permissions".to_owned(), json!(permissions));
    }
    if let Some(options) = options(form, COMMAND) {
        if (2..=MESSAGE).contains(&kind) && !options.is_empty() {
            let message = "Context menu commands cannot have options";
            let code = "APPLICATION_COMMAND_CONTEXT_MENU_OPTIONS";
            form.wrong(&["options"], code, message);
        }
        if !options.is_empty() {
            fields.insert("options".to_owned(), json!(options));
        } else if form.peek("name").is_none() {
            // An edit that takes them away.
            fields.insert("options".to_owned(), json!([]));
        }
    }
    fields
}

/// Lower case, and nothing but letters, numbers, what joins them, and whatever is written in
/// Devanagari or Thai: `^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$`.
fn is_plain(name: &str) -> bool {
    let fits = |one: char| {
        one.is_alphanumeric()
            || matches!(one, '-' | '_' | '\'')
            || matches!(
                one,
                // Devanagari
                '\u{900}'..='\u{950}' | '\u{955}'..='\u{963}' | '\u{966}'..='\u{97f}'
                | '\u{a8e0}'..='\u{a8ff}' | '\u{11b00}'..='\u{11b09}'
                // Thai
                | '\u{e01}'..='\u{e3a}' | '\u{e40}'..='\u{e5b}'
            )
    };
    name.chars().all(fits) && name.to_lowercase() == name
}

/// A list of Discord's numbers up to one, or null.
fn numbers(form: &mut Form, name: &str, most: u64) -> Option<Value> {
    let value = form.take(name)?;
    match &value {
        Value::Null => {}
        Value::Array(list) => {
            for (place, one) in list.iter().enumerate() {
                if one.as_u64().is_none_or(|one| one > most) {
                    let message = format!("Value must be a number from 0 to {most}.");
                    form.wrong(&[name, &place.to_string()], "BASE_TYPE_CHOICES", message);
                }
            }
        }
        _ => {
            let message = "Only iterables may be used in a ListType";
            form.wrong(&[name], "LIST_TYPE_CONVERT", message);
        }
    }
    Some(value)
}

fn name_invalid(form: &mut Form, field: &str) {
    let message = "Command name is invalid";
    form.wrong(&[field], "APPLICATION_COMMAND_INVALID_NAME", message);
}

/// `options` of a command or of an option; groups hold subcommands, subcommands the rest.
fn options(form: &mut Form, parent: u32) -> Option<Vec<Value>> {
    let forms = form.forms("options")?;
    if forms.len() > MOST {
        let message = format!("Must be {MOST} or fewer in length.");
        form.wrong(&["options"], "BASE_TYPE_MAX_LENGTH", message);
    }
    let (mut names, mut seen_optional, mut options) = (HashSet::new(), false, Vec::new());
    for (place, mut below) in forms {
        let option = option(&mut below, parent);
        let name = option["name"].as_str().unwrap_or_default();
        if !names.insert(name.to_owned()) {
            let message = "Option name already exists";
            below.wrong(
                &["name"],
                "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
                message,
            );
        }
        let holds = option["type"].as_u64() <= Some(GROUP.into());
        let required = option["required"] == true;
        if required && seen_optional {
            let message = "Required options must be placed before non-required options";
            below.wrong(&[], "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message);
        }
        seen_optional |= !required && !holds;
        form.absorb(&["options", &place], below);
        options.push(option);
    }
    Some(options)
}

fn option(form: &mut Form, parent: u32) -> Value {
    for needed in ["type", "name", "description"] {
        form.must_have(needed);
    }
    let kind = form.small("type", 1..=LAST_KIND).unwrap_or(3);
    let mut option = json!({"type": kind});
    if let Some(name) = form.text("name", 1..=32) {
        if !is_plain(&name) {
            name_invalid(form, "name");
        }
        option["name"] = json!(name);
    }
    if let Some(description) = form.text("description", 1..=100) {
        option["description"] = json!(description);
    }
    if let Some(required) = form.flag("required") {
        option["required"] = json!(required);
    }
    for name in AS_THEY_COME {
        if let Some(value) = form.take(name).filter(|value| !value.is_null()) {
            option[name] = value;
        }
    }
    bounds(form, kind, &mut option);
    if let Some(choices) = choices(form) {
        fitting(form, kind, &choices);
        option["choices"] = json!(choices);
    }
    if let Some(autocomplete) = form.flag("autocomplete") {
        option["autocomplete"] = json!(autocomplete);
        let chooses = option["choices"]
            .as_array()
            .is_some_and(|list| !list.is_empty());
        if autocomplete && (chooses || !matches!(kind, TEXT | INTEGER | NUMBER)) {
            let message = "Autocomplete is for text and numbers without choices.";
            let code = "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID";
            form.wrong(&["autocomplete"], code, message);
        }
    }
    let fits = match kind {
        GROUP => parent == COMMAND,
        SUBCOMMAND => parent != SUBCOMMAND,
        _ => parent != GROUP,
    };
    if !fits {
        let message = "An option of this type cannot stand here.";
        form.wrong(
            &["type"],
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
            message,
        );
    } else if matches!(kind, SUBCOMMAND | GROUP) {
        option["options"] = json!(options(form, kind).unwrap_or_default());
    }
    option
}

/// What an option's value is bounded by, each bound for its kind alone.
fn bounds(form: &mut Form, kind: u32, option: &mut Value) {
    for name in ["min_value", "max_value"] {
        let Some(value) = form.take(name).filter(|value| !value.is_null()) else {
            continue;
        };
        let fits = match kind {
            INTEGER => value.is_i64() || value.is_u64(),
            NUMBER => value.is_number(),
            _ => false,
        };
        if !fits {
            let message = format!("Value {value} bounds no option of this type.");
            form.wrong(&[name], "NUMBER_TYPE_COERCE", message);
        }
        option[name] = value;
    }
    for (name, least) in [("min_length", 0), ("max_length", 1)] {
        if let Some(length) = form.number(name, least..=LONGEST_TEXT) {
            if kind != TEXT {
                let message = "Only text has a length.";
                form.wrong(&[name], "BASE_TYPE_CHOICES", message);
            }
            option[name] = json!(length);
        }
    }
    if let Some(kinds) = numbers(form, "channel_types", 16).filter(|kinds| !kinds.is_null()) {
        if kind != CHANNEL {
            let message = "Only channels have a channel's type.";
            form.wrong(&["channel_types"], "BASE_TYPE_CHOICES", message);
        }
        option["channel_types"] = kinds;
    }
}

/// Notes choices that are no values of their option.
fn fitting(form: &mut Form, kind: u32, choices: &[Value]) {
    for (place, choice) in choices.iter().enumerate() {
        let value = &choice["value"];
        let fits = match kind {
            TEXT => value
                .as_str()
                .is_some_and(|text| text.chars().count() <= 100),
            INTEGER => value.is_i64() || value.is_u64(),
            NUMBER => value.is_number(),
            _ => false,
        };
        // What is missing was noted as that.
        if !fits && !value.is_null() {
            let path = ["choices", &place.to_string(), "value"];
            let message = format!("Value {value} is none of an option of this type.");
            form.wrong(
                &path,
                "APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID",
                message,
            );
        }
    }
}

fn choices(form: &mut Form) -> Option<Vec<Value>> {
    let forms = form.forms("choices")?;
    if forms.len() > MOST {
        let message = format!("Must be {MOST} or fewer in length.");
        form.wrong(&["choices"], "BASE_TYPE_MAX_LENGTH", message);
    }
    let mut choices = Vec::new();
    for (place, mut below) in forms {
        below.must_have("name");
        below.must_have("value");
        let name = below.text("name", 1..=100);
        let value = below.take("value");
        let localized = below.take("name_localizations");
        form.absorb(&["choices", &place], below);
        choices.push(json!({"name": name, "value": value, "name_localizations": localized}));
    }
    Some(choices)
}

/// Choices of an autocomplete, read by the same rules.
pub(in crate::rest) fn autocompleted(form: &mut Form) -> Vec<Value> {
    choices(form).unwrap_or_default()
}
