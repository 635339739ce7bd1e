//! Embeds of a message, within Discord's limits.

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::rest::form::Form;

/// Embeds of a message, and characters of these together.
const MOST_EMBEDS: usize = 10;
const LONGEST_EMBEDS: usize = 6000;
/// Fields of one embed.
const MOST_FIELDS: usize = 25;
const LONGEST_URL: usize = 2048;

/// `embeds` of a body, each with the type that Discord gives those of a bot.
pub(super) fn read(form: &mut Form) -> Option<Vec<Value>> {
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
        let place = place.to_string();
        if let Value::Object(fields) = embed {
            let mut below = Form::of(fields.clone());
            check(&mut below);
            form.absorb(&["embeds", &place], below);
            fields.insert("type".to_owned(), "rich".into());
        } else {
            let message = "Only dictionaries may be used in a DictType";
            form.wrong(&["embeds", &place], "DICT_TYPE_CONVERT", message);
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

fn check(embed: &mut Form) {
    const SHOWN: [&str; 8] = [
        "title",
        "description",
        "image",
        "thumbnail",
        "video",
        "footer",
        "author",
        "fields",
    ];
    if !SHOWN.iter().any(|name| embed.has(name)) {
        embed.must_have("description");
    }
    embed.text("title", 0..=256);
    embed.text("description", 0..=4096);
    link(embed, "url");
    embed.small("color", 0..=0x00ff_ffff);
    if let Some(text) = embed.text("timestamp", 0..=64)
        && OffsetDateTime::parse(&text, &Rfc3339).is_err()
    {
        let message = format!("Could not parse {text}. Should be ISO8601.");
        embed.wrong(&["timestamp"], "DATE_TIME_TYPE_PARSE", message);
    }
    for (name, inner, most) in [("footer", "text", 2048), ("author", "name", 256)] {
        if let Some(mut below) = embed.form(name) {
            below.must_have(inner);
            below.text(inner, 0..=most);
            link(&mut below, "url");
            link(&mut below, "icon_url");
            embed.absorb(&[name], below);
        }
    }
    for name in ["image", "thumbnail", "video"] {
        if let Some(mut below) = embed.form(name) {
            link(&mut below, "url");
            embed.absorb(&[name], below);
        }
    }
    let fields = embed.forms("fields").unwrap_or_default();
    if fields.len() > MOST_FIELDS {
        let message = format!("Must be {MOST_FIELDS} or fewer in length.");
        embed.wrong(&["fields"], "BASE_TYPE_MAX_LENGTH", message);
    }
    for (place, mut field) in fields {
        for (name, most) in [("name", 256), ("value", 1024)] {
            field.must_have(name);
            field.text(name, 1..=most);
        }
        field.flag("inline");
        embed.absorb(&["fields", &place], field);
    }
}

fn link(form: &mut Form, name: &str) {
    let Some(text) = form.text(name, 0..=LONGEST_URL) else {
        return;
    };
    let scheme = url::Url::parse(&text).map(|url| url.scheme().to_owned());
    match scheme.as_deref() {
        Ok("http" | "https" | "attachment") => {}
        Ok(other) => {
            let message = format!(
                "Scheme \"{other}\" is not supported. Scheme must be one of \
                 ('http', 'https', 'attachment')."
            );
            form.wrong(&[name], "URL_TYPE_INVALID_SCHEME", message);
        }
        Err(_) => form.wrong(&[name], "URL_TYPE_INVALID_URL", "Not a well formed URL."),
    }
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
