//! What the body of a message says, and what is wrong with it.

use serde_json::Value;

use crate::{
    rest::form::Form,
    snowflake::Snowflake,
    world::{Allowed, AllowedMentions, Edit},
};

pub(super) fn nonce(form: &mut Form) -> Option<Value> {
    let nonce = form.take("nonce").filter(|nonce| !nonce.is_null())?;
    match &nonce {
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(nonce),
        Value::String(text) if text.chars().count() <= 25 => Some(nonce),
        Value::String(_) => {
            let message = "Must be 25 or fewer in length.";
            form.wrong(&["nonce"], "BASE_TYPE_MAX_LENGTH", message);
            None
        }
        _ => {
            let message = "Must be a string or an integer.";
            form.wrong(&["nonce"], "NONCE_TYPE_INVALID", message);
            None
        }
    }
}

/// `allowed_mentions`. Absent, everything that the text names is pinged; there, only
/// what it lists.
pub(super) fn allowed_mentions(form: &mut Form) -> AllowedMentions {
    let Some(mut below) = form.form("allowed_mentions") else {
        return AllowedMentions::default();
    };
    let replied_user = below.flag("replied_user").unwrap_or(false);
    let (users, roles) = (listed(&mut below, "users"), listed(&mut below, "roles"));
    let mut allowed = AllowedMentions {
        everyone: false,
        users: Allowed::These(users),
        roles: Allowed::These(roles),
        replied_user,
    };
    let kinds = match below.take("parse") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(kinds)) => kinds,
        Some(_) => {
            let message = "Only iterables may be used in a ListType";
            below.wrong(&["parse"], "LIST_TYPE_CONVERT", message);
            Vec::new()
        }
    };
    let mut clash = None;
    for (place, kind) in kinds.iter().enumerate() {
        let list = match kind.as_str() {
            Some("everyone") => {
                allowed.everyone = true;
                continue;
            }
            Some("users") => &mut allowed.users,
            Some("roles") => &mut allowed.roles,
            _ => {
                let message = "Value must be one of ('roles', 'users', 'everyone').";
                below.wrong(&["parse", &place.to_string()], "BASE_TYPE_CHOICES", message);
                continue;
            }
        };
        if matches!(list, Allowed::These(ids) if !ids.is_empty()) {
            clash = kind.as_str();
        }
        *list = Allowed::All;
    }
    form.absorb(&["allowed_mentions"], below);
    if let Some(kind) = clash {
        let message = format!("parse:[\"{kind}\"] and {kind}: [ids...] are mutually exclusive.");
        form.wrong(
            &["allowed_mentions"],
            "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
            message,
        );
    }
    allowed
}

/// At most a hundred ids.
fn listed(form: &mut Form, name: &str) -> Vec<Snowflake> {
    let ids = form.ids(name).unwrap_or_default();
    if ids.len() > 100 {
        let message = "Must be 100 or fewer in length.";
        form.wrong(&[name], "BASE_TYPE_MAX_LENGTH", message);
    }
    ids
}

/// Components and a poll: looked at, and not kept.
pub(super) fn extras(form: &mut Form) {
    for (place, mut component) in form.forms("components").unwrap_or_default() {
        component.must_have("type");
        component.small("type", 0..=u32::from(u8::MAX));
        form.absorb(&["components", &place], component);
    }
    form.form("poll");
}

/// What a body answers to.
pub(super) struct Reference {
    pub(super) message_id: Snowflake,
    pub(super) must_exist: bool,
}

pub(super) fn reference(form: &mut Form) -> Option<Reference> {
    let mut below = form.form("message_reference")?;
    below.must_have("message_id");
    let must_exist = below.flag("fail_if_not_exists").unwrap_or(true);
    let id = below.id("message_id");
    form.absorb(&["message_reference"], below);
    match id {
        Edit::Set(message_id) => Some(Reference {
            message_id,
            must_exist,
        }),
        Edit::Keep | Edit::Clear => None,
    }
}
