//! `{message, code}` and the codes.

use std::time::Duration;

use axum::{
    Json,
    extract::OriginalUri,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use tracing::warn;

use super::too_many;
use crate::{limits::RateLimitScope, world::Refusal};

/// An answer of Discord's that is not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// One of the codes below.
    Coded(StatusCode, u32, &'static str),
    /// 400, code 50035, with the tree of what is wrong in path, query or body.
    Form(Map<String, Value>),
    /// 429 of a limit that belongs to the resource and that no header foretold.
    Throttled(Duration),
}

/// What every route answers that has something to show.
pub(super) type ApiResult = Result<Json<Value>, ApiError>;

const fn refused(code: u32, message: &'static str) -> ApiError {
    ApiError::Coded(StatusCode::FORBIDDEN, code, message)
}

const fn unknown(code: u32, message: &'static str) -> ApiError {
    ApiError::Coded(StatusCode::NOT_FOUND, code, message)
}

const fn bad(code: u32, message: &'static str) -> ApiError {
    ApiError::Coded(StatusCode::BAD_REQUEST, code, message)
}

/// Discord's JSON error codes, by number.
impl ApiError {
    pub(crate) const UNAUTHORIZED: Self =
        Self::Coded(StatusCode::UNAUTHORIZED, 0, "401: Unauthorized");
    pub(crate) const NOT_FOUND: Self = unknown(0, "404: Not Found");
    pub(super) const INVALID_GUILD: Self = bad(50_055, "Invalid Guild");
    pub(super) const NOBODY_BANNED: Self = bad(500_000, "Failed to ban users");
    pub(super) const NO_ONBOARDING: Self = bad(
        350_001,
        "Cannot enable onboarding, requirements are not met",
    );
    pub(super) const TOO_LARGE: Self = Self::Coded(
        StatusCode::PAYLOAD_TOO_LARGE,
        40_005,
        "Request entity too large",
    );
    pub(super) const UNKNOWN_CHANNEL: Self = unknown(10_003, "Unknown Channel");
    pub(super) const UNKNOWN_GUILD: Self = unknown(10_004, "Unknown Guild");
    pub(super) const UNKNOWN_INVITE: Self = unknown(10_006, "Unknown Invite");
    pub(super) const UNKNOWN_MEMBER: Self = unknown(10_007, "Unknown Member");
    pub(super) const UNKNOWN_MESSAGE: Self = unknown(10_008, "Unknown Message");
    pub(super) const UNKNOWN_OVERWRITE: Self = unknown(10_009, "Unknown Permission Overwrite");
    pub(super) const UNKNOWN_ROLE: Self = unknown(10_011, "Unknown Role");
    pub(super) const UNKNOWN_USER: Self = unknown(10_013, "Unknown User");
    pub(super) const UNKNOWN_EMOJI: Self = bad(10_014, "Unknown Emoji");
    pub(super) const UNKNOWN_WEBHOOK: Self = unknown(10_015, "Unknown Webhook");
    pub(super) const UNKNOWN_INTERACTION: Self = unknown(10_062, "Unknown interaction");
    pub(super) const UNKNOWN_COMMAND: Self = unknown(10_063, "Unknown application command");
    pub(super) const UNKNOWN_COMMAND_PERMISSIONS: Self =
        unknown(10_066, "Unknown application command permissions");
    pub(super) const MOST_COMMANDS: Self =
        bad(30_032, "Maximum number of application commands reached");
    pub(super) const ALREADY_ACKNOWLEDGED: Self =
        bad(40_060, "Interaction has already been acknowledged.");
    pub(super) const INVALID_WEBHOOK_TOKEN: Self =
        Self::Coded(StatusCode::UNAUTHORIZED, 50_027, "Invalid Webhook Token");
    pub(super) const MOST_WEBHOOKS: Self = bad(30_007, "Maximum number of webhooks reached (15)");
    pub(super) const INVALID_RECIPIENT: Self = bad(50_033, "Invalid Recipient(s)");
    pub(super) const CANNOT_WRITE_TO: Self = refused(50_007, "Cannot send messages to this user");
    pub(super) const NO_MUTUAL_GUILD: Self = refused(
        50_278,
        "Cannot send messages to this user due to having no mutual guilds",
    );
    pub(super) const NOT_IN_DIRECT_MESSAGES: Self =
        bad(50_003, "Cannot execute action on a DM channel");
    pub(super) const ARCHIVED: Self = bad(50_083, "Thread is archived");
    pub(super) const LOCKED: Self = refused(160_005, "Thread is locked");
    pub(super) const HAS_A_THREAD: Self = bad(
        160_004,
        "A thread has already been created for this message",
    );
    pub(super) const THREAD_NEEDED: Self = bad(
        220_001,
        "Webhooks posted to forum channels must have a thread_name or thread_id",
    );
    pub(super) const THREAD_NAME_HERE: Self = bad(
        220_003,
        "Webhooks can only create threads in forum channels",
    );
    pub(super) const POLL_OVER: Self = bad(520_001, "Poll expired");
    pub(super) const EDITED_POLL: Self = bad(520_003, "Cannot edit a poll message");
    pub(super) const NO_POLL: Self = bad(520_006, "Cannot expire a non-poll message");
    pub(super) const UNKNOWN_POLL_ANSWER: Self = unknown(10_102, "Unknown poll answer");
    pub(super) const UNKNOWN_BAN: Self = unknown(10_026, "Unknown Ban");
    pub(super) const UNKNOWN_STICKER: Self = unknown(10_060, "Unknown sticker");
    pub(super) const UNKNOWN_VOICE_STATE: Self = unknown(10_065, "Unknown Voice State");
    pub(super) const NOT_THE_OWNER: Self = refused(
        20_018,
        "Only the owner of this account can perform this action",
    );
    pub(super) const UNKNOWN_WELCOME_SCREEN: Self = unknown(10_069, "Unknown Guild Welcome Screen");
    pub(super) const NOT_THE_APPLICATION: Self = refused(
        20_012,
        "You are not authorized to perform this action on this application",
    );
    pub(super) const MOST_ROLES: Self = bad(30_005, "Maximum number of server roles reached (250)");
    pub(super) const MOST_REACTIONS: Self = bad(30_010, "Maximum number of reactions reached (20)");
    pub(super) const MOST_CHANNELS: Self =
        bad(30_013, "Maximum number of server channels reached (500)");
    pub(super) const MOST_OVERWRITES: Self = bad(
        30_060,
        "Maximum number of channel permission overwrites reached (1000)",
    );
    pub(super) const BANNED: Self = refused(40_007, "The user is banned from this guild.");
    pub(super) const NOT_IN_VOICE: Self = bad(40_032, "Target user is not connected to voice.");
    pub(super) const BLOCKED: Self = refused(40_333, "internal network error");
    pub(super) const MISSING_ACCESS: Self = refused(50_001, "Missing Access");
    pub(super) const NOT_THE_AUTHOR: Self =
        refused(50_005, "Cannot edit a message authored by another user");
    pub(super) const EMPTY_MESSAGE: Self = bad(50_006, "Cannot send an empty message");
    pub(super) const WIDGET_DISABLED: Self = refused(50_004, "Guild widget disabled");
    pub(super) const NO_MESSAGES_HERE: Self =
        bad(50_008, "Cannot send messages in a non-text channel");
    pub(super) const MISSING_PERMISSIONS: Self = refused(50_013, "Missing Permissions");
    pub(super) const WRONG_CHANNEL_TYPE: Self =
        bad(50_024, "Cannot execute action on this channel type");
    pub(super) const BAD_OAUTH_TOKEN: Self =
        refused(50_025, "Invalid OAuth2 access token provided");
    pub(super) const MISSING_SCOPE: Self = refused(50_026, "Missing required OAuth2 scope");
    pub(super) const INVALID_ROLE: Self = bad(50_028, "Invalid Role");
    pub(super) const TOO_OLD: Self = bad(
        50_034,
        "You can only bulk delete messages that are under 14 days old.",
    );
    pub(super) const BAD_JSON: Self = bad(50_109, "The request body contains invalid JSON.");
    pub(super) const NO_HISTORY: Self = bad(
        160_002,
        "Cannot reply without permission to read message history",
    );

    /// One thing wrong with one field.
    pub(super) fn field(field: &str, code: &str, message: impl Into<String>) -> Self {
        let mut errors = Map::new();
        note(&mut errors, &[field], code, message.into());
        Self::Form(errors)
    }
}

/// Adds one complaint to a tree of errors, below `path`.
pub(super) fn note(errors: &mut Map<String, Value>, path: &[&str], code: &str, message: String) {
    match path {
        [] => {
            let list = errors
                .entry("_errors")
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(json!({"code": code, "message": message}));
            }
        }
        [first, rest @ ..] => {
            let below = errors
                .entry((*first).to_owned())
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(below) = below {
                note(below, rest, code, message);
            }
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown("guild") => Self::UNKNOWN_GUILD,
            Refusal::Unknown("channel") => Self::UNKNOWN_CHANNEL,
            Refusal::Unknown("member") => Self::UNKNOWN_MEMBER,
            Refusal::Unknown("message") => Self::UNKNOWN_MESSAGE,
            Refusal::Unknown("role") => Self::UNKNOWN_ROLE,
            Refusal::Unknown("user") => Self::UNKNOWN_USER,
            Refusal::Unknown("invite") => Self::UNKNOWN_INVITE,
            Refusal::Unknown("ban") => Self::UNKNOWN_BAN,
            Refusal::Unknown("overwrite") => Self::UNKNOWN_OVERWRITE,
            Refusal::Unknown("voice state") => Self::UNKNOWN_VOICE_STATE,
            Refusal::Unknown(_) | Refusal::Invalid(_) | Refusal::Taken(_) => {
                let mut errors = Map::new();
                note(&mut errors, &[], "INVALID", refusal.to_string());
                Self::Form(errors)
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Coded(status, code, message) => {
                (status, Json(json!({"message": message, "code": code}))).into_response()
            }
            Self::Throttled(wait) => too_many::refuse(RateLimitScope::Shared, wait),
            Self::Form(errors) => {
                let body =
                    json!({"message": "Invalid Form Body", "code": 50_035, "errors": errors});
                (StatusCode::BAD_REQUEST, Json(body)).into_response()
            }
        }
    }
}

/// Any route that is not there: Discord's 404, with a word of our own to whoever wonders.
pub(crate) async fn not_found(method: Method, uri: OriginalUri) -> Response {
    let path = uri.path();
    let body = absent("404: Not Found", &method, path);
    (StatusCode::NOT_FOUND, body).into_response()
}

/// A route that is there, for another method.
pub(super) async fn method_not_allowed(method: Method, uri: OriginalUri) -> Response {
    let body = absent("405: Method Not Allowed", &method, uri.path());
    (StatusCode::METHOD_NOT_ALLOWED, body).into_response()
}

/// What Discord says of a route that is not there, and what is not Discord's to say.
fn absent(message: &str, method: &Method, path: &str) -> Json<Value> {
    warn!("{method} {path} is no route of this simulator");
    let said = format!("{method} {path} is no route here: docs/simulator.md lists all that are");
    Json(json!({"message": message, "code": 0, "simulator": said}))
}
