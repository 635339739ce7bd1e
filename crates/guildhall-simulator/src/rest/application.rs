//! The application, as its own bot reads and changes it.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Map, Value, json};

use super::{
    ApiResult,
    caller::Bot,
    empty::own_application,
    form::{Form, Forms},
    params::Ids,
};
use crate::{
    webhook::Webhook,
    world::{Edit, PrivilegedIntents, UserObject, World, current_user},
};

/// Roles' connections that an application describes, and tags that it has.
const MOST_CONNECTIONS: usize = 5;
const MOST_TAGS: usize = 5;
/// Where the application keeps what its connections are.
const CONNECTIONS: &str = "role_connections";
/// What is set elsewhere here, or not at all.
const ELSEWHERE: [(&str, &str); 4] = [
    (
        "interactions_endpoint_url",
        "Interactions come by the Gateway alone here.",
    ),
    (
        "event_webhooks_url",
        "Set by PUT /sim/application/webhook here.",
    ),
    (
        "event_webhooks_status",
        "Set by PUT /sim/application/webhook here.",
    ),
    (
        "event_webhooks_types",
        "Every event that there is here is told.",
    ),
];

/// `GET /applications/@me`: with the owner, whom nobody else is shown.
pub(super) async fn read(State(webhook): State<Arc<Webhook>>, bot: Bot) -> ApiResult {
    bot.act(|call| Ok(Json(whole(call.world, &webhook))))
}

/// `PATCH` of the same. Its pictures are not kept, and its flags are the portal's switches of
/// privileged intents.
pub(super) async fn edit(
    State(webhook): State<Arc<Webhook>>,
    bot: Bot,
    mut form: Form,
) -> ApiResult {
    let mut settings = Map::new();
    for (name, longest) in [
        ("description", 400),
        ("custom_install_url", 2048),
        ("role_connections_verification_url", 2048),
    ] {
        match form.text_or_null(name, 0..=longest) {
            Edit::Keep => {}
            Edit::Clear if name == "description" => {
                settings.insert(name.to_owned(), json!(""));
            }
            Edit::Clear => {
                settings.insert(name.to_owned(), Value::Null);
            }
            Edit::Set(text) => {
                settings.insert(name.to_owned(), json!(text));
            }
        }
    }
    for name in ["install_params", "integration_types_config"] {
        match form.take(name) {
            None => {}
            Some(value) if value.is_null() || value.is_object() => {
                settings.insert(name.to_owned(), value);
            }
            Some(_) => {
                let message = "Only dictionaries may be used in a DictType";
                form.wrong(&[name], "DICT_TYPE_CONVERT", message);
            }
        }
    }
    if let Some(tags) = tags(&mut form) {
        settings.insert("tags".to_owned(), tags);
    }
    for name in ["icon", "cover_image"] {
        form.picture(name);
    }
    for (name, why) in ELSEWHERE {
        if form.has(name) {
            form.wrong(&[name], "SIMULATOR_ABSENT", why);
        }
    }
    let flags = form.number("flags", 0..=u64::from(u32::MAX));
    form.done()?;
    bot.act(|call| {
        let application = &mut call.world.application;
        application.settings.extend(settings);
        if let Some(flags) = flags {
            application.privileged_intents = PrivilegedIntents::of_application_flags(flags);
        }
        Ok(Json(whole(call.world, &webhook)))
    })
}

fn tags(form: &mut Form) -> Option<Value> {
    let tags = match form.take("tags")? {
        Value::Array(tags) => tags,
        Value::Null => Vec::new(),
        _ => {
            let message = "Only iterables may be used in a ListType";
            form.wrong(&["tags"], "LIST_TYPE_CONVERT", message);
            return None;
        }
    };
    if tags.len() > MOST_TAGS {
        let message = format!("Must be {MOST_TAGS} or fewer in length.");
        form.wrong(&["tags"], "BASE_TYPE_MAX_LENGTH", message);
    }
    for (place, tag) in tags.iter().enumerate() {
        let length = tag.as_str().map_or(0, |tag| tag.chars().count());
        if !(1..=20).contains(&length) {
            let message = "Must be between 1 and 20 in length.";
            form.wrong(
                &["tags", &place.to_string()],
                "BASE_TYPE_BAD_LENGTH",
                message,
            );
        }
    }
    Some(json!(tags))
}

/// `GET /applications/{application_id}/role-connections/metadata`
pub(super) async fn connections(bot: Bot, Ids([id]): Ids<1>) -> ApiResult {
    bot.act(|call| {
        own_application(id, call.bot)?;
        let kept = call.world.application.settings.get(CONNECTIONS);
        Ok(Json(kept.cloned().unwrap_or_else(|| json!([]))))
    })
}

/// `PUT` of the same: these and no others.
pub(super) async fn set_connections(bot: Bot, Ids([id]): Ids<1>, Forms(forms): Forms) -> ApiResult {
    let mut errors = Form::of(Map::new());
    if forms.len() > MOST_CONNECTIONS {
        let message = format!("Must be {MOST_CONNECTIONS} or fewer in length.");
        errors.wrong(&[], "BASE_TYPE_MAX_LENGTH", message);
    }
    let mut records = Vec::new();
    for (place, mut form) in forms.into_iter().enumerate() {
        for needed in ["type", "key", "name", "description"] {
            form.must_have(needed);
        }
        let key = form.text("key", 1..=50);
        let fits = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_';
        if key.as_ref().is_some_and(|key| !key.chars().all(fits)) {
            let message = "Must be a-z, 0-9, or _ characters.";
            form.wrong(&["key"], "STRING_TYPE_REGEX", message);
        }
        let mut record = json!({
            "type": form.small("type", 1..=8),
            "key": key,
            "name": form.text("name", 1..=100),
            "description": form.text("description", 1..=200),
        });
        for name in ["name_localizations", "description_localizations"] {
            if let Some(localized) = form.take(name).filter(Value::is_object) {
                record[name] = localized;
            }
        }
        records.push(record);
        errors.absorb(&[&place.to_string()], form);
    }
    errors.done()?;
    bot.act(|call| {
        own_application(id, call.bot)?;
        let settings = &mut call.world.application.settings;
        settings.insert(CONNECTIONS.to_owned(), json!(records));
        Ok(Json(json!(records)))
    })
}

fn whole(world: &World, webhook: &Webhook) -> Value {
    let owner = world.users.iter().find(|user| !user.bot);
    let mut whole = object(world, webhook);
    whole["owner"] = json!(owner.map(UserObject::new));
    whole
}

/// Application object.
pub(super) fn object(world: &World, webhook: &Webhook) -> Value {
    let bot = world.users.get(world.bot_id());
    let url = webhook.url();
    let mut object = json!({
        "id": world.application.id,
        "name": bot.map(|bot| bot.username.as_str()),
        "icon": null,
        "description": "The bot of a simulated Discord.",
        "summary": "",
        "bot_public": true,
        "bot_require_code_grant": false,
        "verify_key": webhook.public_key(),
        "team": null,
        "flags": world.application.privileged_intents.application_flags(),
        "approximate_guild_count": world.bot_guilds().count(),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "redirect_uris": world.application.redirects.listed(),
        "interactions_endpoint_url": null,
        "role_connections_verification_url": null,
        // Discord's numbers of one that is switched off, and one that is on.
        "event_webhooks_status": if url.is_some() { 2 } else { 1 },
        "event_webhooks_url": url,
        "event_webhooks_types": if url.is_some() {
            json!(["APPLICATION_DEAUTHORIZED"])
        } else {
            json!([])
        },
        "integration_types_config": {"0": {}},
        "bot": bot.map(|bot| current_user(world, bot)),
    });
    for (name, value) in &world.application.settings {
        if name != CONNECTIONS {
            object[name] = value.clone();
        }
    }
    object
}
