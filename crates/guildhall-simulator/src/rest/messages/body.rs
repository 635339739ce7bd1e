//! What the body of a message says, and what is wrong with it.

use serde_json::Value;

use super::{
    components::{self, Shown},
    embeds, poll,
};
use crate::{
    clock,
    rest::{
        form::{Form, attachments},
        stickers,
    },
    snowflake::Snowflake,
    world::{Allowed, AllowedMentions, Edit, Message, MessageEdit, MessageParts, NewMessage},
};

/// Characters of a message.
const LONGEST_CONTENT: usize = 2000;
/// SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS and IS_COMPONENTS_V2: what a bot may set.
const SETTABLE_FLAGS: u64 = 1 << 2 | 1 << 12 | Message::COMPONENTS_V2;

/// Everything that a body says of a new message.
#[derive(Debug, Default)]
pub(in crate::rest) struct MessageBody {
    pub(in crate::rest) content: String,
    pub(in crate::rest) embeds: Vec<Value>,
    pub(in crate::rest) parts: MessageParts,
    pub(in crate::rest) allowed: AllowedMentions,
    pub(in crate::rest) flags: u64,
    pub(in crate::rest) tts: bool,
}

impl MessageBody {
    /// `more` are flags that may be set here, besides those that always may.
    pub(in crate::rest) fn read(form: &mut Form, more: u64) -> Self {
        let content = form.text("content", 0..=LONGEST_CONTENT);
        let embeds = embeds::read(form).unwrap_or_default();
        let flags = flags(form).unwrap_or(0) & (SETTABLE_FLAGS | more);
        let parts = MessageParts {
            components: components::read(form, shown(flags)).unwrap_or_default(),
            attachments: new_files(form),
            stickers: sticker_items(form),
            poll: poll::read(form, clock::date()),
        };
        let body = Self {
            content: content.unwrap_or_default(),
            embeds,
            parts,
            allowed: allowed_mentions(form),
            flags,
            tts: form.flag("tts").unwrap_or(false),
        };
        if shown(flags) == Shown::V2 {
            alone(form, "content", body.content.is_empty());
            alone(form, "embeds", body.embeds.is_empty());
            alone(form, "sticker_ids", body.parts.stickers.is_empty());
            alone(form, "poll", body.parts.poll.is_none());
        }
        body
    }

    /// The message, said by somebody.
    pub(in crate::rest) fn by(self, author_id: Snowflake) -> NewMessage {
        NewMessage {
            embeds: self.embeds,
            parts: self.parts,
            allowed: self.allowed,
            flags: self.flags,
            tts: self.tts,
            ..NewMessage::said(author_id, self.content)
        }
    }

    /// Whether there would be nothing to see.
    pub(in crate::rest) fn is_empty(&self) -> bool {
        self.content.trim().is_empty() && self.embeds.is_empty() && self.parts.is_empty()
    }
}

/// What a body makes of a message that is there.
pub(in crate::rest) struct MessageChange {
    pub(in crate::rest) edit: MessageEdit,
    flags: Option<u64>,
    new_files: Vec<Value>,
    /// Attachments that stay, if any is named.
    kept: Option<Vec<Snowflake>>,
}

impl MessageChange {
    /// What a body makes of this message, whose flags say what its components may be.
    /// Without one that is there it is read as what is said plainly.
    pub(in crate::rest) fn read(form: &mut Form, message: Option<&Message>) -> Self {
        let flags = flags(form);
        let shown = shown(flags.unwrap_or(0) | message.map_or(0, |message| message.flags));
        let new_files = new_files_of(form);
        let kept = form.take("attachments").map(|listed| kept_of(&listed));
        let edit = MessageEdit {
            content: match form.text_or_null("content", 0..=LONGEST_CONTENT) {
                Edit::Keep => None,
                Edit::Clear => Some(String::new()),
                Edit::Set(content) => Some(content),
            },
            embeds: embeds::read(form),
            components: components::read(form, shown),
            allowed: allowed_mentions(form),
            poll: poll::read(form, clock::date()),
            ..MessageEdit::default()
        };
        if shown == Shown::V2 {
            alone_after(form, &edit, message);
        }
        Self {
            edit,
            flags,
            new_files,
            kept,
        }
    }

    /// The edit of this message; `None` leaves nothing of it to see.
    pub(in crate::rest) fn of(self, message: &Message) -> Option<MessageEdit> {
        let Self {
            mut edit,
            flags,
            new_files,
            kept,
        } = self;
        let is_kept = |file: &&Value| {
            let id = file["id"].as_str().and_then(|id| id.parse().ok());
            let named = |ids: &Vec<Snowflake>| id.is_some_and(|id| ids.contains(&id));
            kept.as_ref().is_none_or(named)
        };
        if kept.is_some() || !new_files.is_empty() {
            let old = message.parts.attachments.iter().filter(is_kept).cloned();
            edit.attachments = Some(old.chain(new_files).collect());
        }
        edit.flags = flags.map(|flags| {
            (message.flags & !SETTABLE_FLAGS)
                | (flags & SETTABLE_FLAGS)
                | (message.flags & Message::COMPONENTS_V2)
        });
        if edit.rewrites() {
            let flags = edit.flags.unwrap_or(message.flags);
            edit.flags = Some(flags & !Message::LOADING);
        }
        let says = edit.content.as_ref().unwrap_or(&message.content);
        let is_empty =
            |new: &Option<Vec<Value>>, old: &Vec<Value>| new.as_ref().unwrap_or(old).is_empty();
        let parts = &message.parts;
        let nothing = says.trim().is_empty()
            && is_empty(&edit.embeds, &message.embeds)
            && is_empty(&edit.components, &parts.components)
            && is_empty(&edit.attachments, &parts.attachments)
            && parts.stickers.is_empty()
            && edit.poll.is_none()
            && parts.poll.is_none();
        (!nothing).then_some(edit)
    }
}

/// The whole of a message, for one that is there.
impl From<MessageBody> for MessageChange {
    fn from(body: MessageBody) -> Self {
        let edit = MessageEdit {
            content: Some(body.content),
            embeds: Some(body.embeds),
            components: Some(body.parts.components),
            allowed: body.allowed,
            poll: body.parts.poll,
            ..MessageEdit::default()
        };
        Self {
            edit,
            flags: Some(body.flags),
            new_files: body.parts.attachments,
            kept: None,
        }
    }
}

fn flags(form: &mut Form) -> Option<u64> {
    form.number("flags", 0..=u64::from(u32::MAX))
}

fn shown(flags: u64) -> Shown {
    if flags & Message::COMPONENTS_V2 == 0 {
        Shown::Rows
    } else {
        Shown::V2
    }
}

/// What is made of components alone has nothing else, and nothing that it had before.
fn alone_after(form: &mut Form, edit: &MessageEdit, message: Option<&Message>) {
    let content = edit.content.as_deref();
    let content = content.or(message.map(|message| message.content.as_str()));
    alone(form, "content", content.is_none_or(str::is_empty));
    let embeds = edit.embeds.as_ref();
    let embeds = embeds.or(message.map(|message| &message.embeds));
    alone(form, "embeds", embeds.is_none_or(Vec::is_empty));
    let parts = message.map(|message| &message.parts);
    let stickers = parts.is_some_and(|parts| !parts.stickers.is_empty());
    alone(form, "sticker_ids", !stickers);
    let poll = edit.poll.is_some() || parts.is_some_and(|parts| parts.poll.is_some());
    alone(form, "poll", !poll);
}

fn alone(form: &mut Form, field: &str, is_empty: bool) {
    if !is_empty {
        let message =
            format!("The '{field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2");
        form.wrong(
            &[field],
            "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
            message,
        );
    }
}

/// The files of a new message, as `attachments` describes them.
fn new_files(form: &mut Form) -> Vec<Value> {
    let files = new_files_of(form);
    form.take("attachments");
    files
}

fn new_files_of(form: &mut Form) -> Vec<Value> {
    let described = form.peek("attachments").and_then(Value::as_array);
    attachments(&form.files, described.map_or(&[], Vec::as_slice))
}

/// The ids of attachments that an edit names, those of files beside it left out.
fn kept_of(listed: &Value) -> Vec<Snowflake> {
    let listed = listed.as_array().into_iter().flatten();
    listed
        .filter_map(|one| serde_json::from_value(one["id"].clone()).ok())
        .collect()
}

fn sticker_items(form: &mut Form) -> Vec<Value> {
    let ids = form.ids("sticker_ids").unwrap_or_default();
    if ids.len() > 3 {
        let message = "Must be 3 or fewer in length.";
        form.wrong(&["sticker_ids"], "BASE_TYPE_MAX_LENGTH", message);
    }
    let mut items = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        if let Some(item) = stickers::item(*id) {
            items.push(item);
        } else {
            let place = place.to_string();
            form.wrong(
                &["sticker_ids", &place],
                "STICKER_INVALID",
                "Invalid sticker sent",
            );
        }
    }
    items
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
    if below.small("type", 0..=1) == Some(1) {
        let message = "Messages are not forwarded here.";
        below.wrong(&["type"], "SIMULATOR_ABSENT", message);
    }
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
