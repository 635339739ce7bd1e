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
const AS_THEY_COME: [&str; 7] = [
    "name_localizations",
    "description_localizations",
    "default_member_permissions",
    "dm_permission",
    "nsfw",
    "contexts",
    "integration_types",
];

/// A whole command.
pub(super) fn whole(form: &mut Form) -> Map<String, Value> {
    form.must_have("name");
    let kind = form.small("type", 1..=4);
    let kind = kind.map_or(CHAT_INPUT, u64::from);
    if kind == CHAT_INPUT {
        form.must_have("description");
    }
    let mut fields = some(form, kind);
    fields.insert("type".to_owned(), json!(kind));
    fields.entry("name").or_insert_with(|| json!(""));
    fields.entry("description").or_insert_with(|| json!(""));
    fields
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
    for name in [
        "name_localizations",
        "description_localizations",
        "channel_types",
        "min_value",
        "max_value",
        "min_length",
        "max_length",
        "autocomplete",
    ] {
        if let Some(value) = form.take(name).filter(|value| !value.is_null()) {
            option[name] = value;
        }
    }
    if let Some(choices) = choices(form) {
        option["choices"] = json!(choices);
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
