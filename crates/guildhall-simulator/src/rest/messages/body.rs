//! What the body of a message says, and what is wrong with it.

use serde_json::Value;

use crate::{
    rest::form::Form,
    snowflake::Snowflake,
    world::{Allowed, AllowedMentions, Edit},
};

/// Embeds of a message, and characters of these together.
const MOST_EMBEDS: usize = 10;
const LONGEST_EMBEDS: usize = 6000;

pub(super) fn embeds(form: &mut Form) -> Option<Vec<Value>> {
    let mut embeds = match form.take("embeds")? {
        Value::Null => return None,
        Value::Array(embeds) => embeds,
        _ => {
            let message = "Only iterables may be used in a ListType";
            form.wrong(&["embeds"], "LIST_TYPE_CONVERT", message);
            return None;
        }
    };
    for (place, embed) in embeds.iter_mut().enumerate() {
        if let Value::Object(fields) = embed {
            // Whatever type a bot gives, Discord makes it this one.
            fields.insert("type".to_owned(), "rich".into());
        } else {
            let message = "Only dictionaries may be used in a DictType";
            form.wrong(
                &["embeds", &place.to_string()],
                "DICT_TYPE_CONVERT",
                message,
            );
        }
    }
    if embeds.len() > MOST_EMBEDS {
        let message = format!("Must be {MOST_EMBEDS} or fewer in length.");
        form.wrong(&["embeds"], "BASE_TYPE_MAX_LENGTH", message);
    }
    if embeds.iter().map(characters).sum::<usize>() > LONGEST_EMBEDS {
        let message = format!("Embed size exceeds maximum size of {LONGEST_EMBEDS}");
        form.wrong(&["embeds"], "MAX_EMBED_SIZE_EXCEEDED", message);
    }
    Some(embeds)
}

/// Everything of an embed that is read by people.
fn characters(embed: &Value) -> usize {
    let count = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let fields = embed["fields"].as_array().into_iter().flatten();
    count(&embed["title"])
        + count(&embed["description"])
        + count(&embed["footer"]["text"])
        + count(&embed["author"]["name"])
        + fields
            .map(|field| count(&field["name"]) + count(&field["value"]))
            .sum::<usize>()
}

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
