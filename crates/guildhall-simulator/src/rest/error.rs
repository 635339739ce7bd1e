//! `{message, code}` and the codes.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An answer of Discord's that is not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// 401 without or with a wrong token.
    Unauthorized,
    /// 403 for a bearer token that lacks a scope.
    MissingScope,
    /// 403: the bot cannot see what it asks for.
    MissingAccess,
    /// 404 with the code of what is unknown.
    Unknown(Thing),
    /// 400, code 50035: a path or body that cannot be read.
    Form { field: String, message: String },
}

/// What can be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    Guild,
    Member,
    VoiceState,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, 0, "401: Unauthorized"),
            Self::MissingScope => (
                StatusCode::FORBIDDEN,
                50026,
                "Missing required OAuth2 scope",
            ),
            Self::MissingAccess => (StatusCode::FORBIDDEN, 50001, "Missing Access"),
            Self::Unknown(Thing::Guild) => (StatusCode::NOT_FOUND, 10004, "Unknown Guild"),
            Self::Unknown(Thing::Member) => (StatusCode::NOT_FOUND, 10007, "Unknown Member"),
            Self::Unknown(Thing::VoiceState) => {
                (StatusCode::NOT_FOUND, 10065, "Unknown Voice State")
            }
            Self::Form { field, message } => {
                let detail = json!([{"code": "NUMBER_TYPE_COERCE", "message": message}]);
                let mut errors = serde_json::Map::new();
                errors.insert(field, json!({"_errors": detail}));
                let body = json!({"message": "Invalid Form Body", "code": 50035, "errors": errors});
                return (StatusCode::BAD_REQUEST, Json(body)).into_response();
            }
        };
        (status, Json(json!({"message": message, "code": code}))).into_response()
    }
}

/// Any route that is not there.
pub(crate) async fn not_found() -> Response {
    let body = json!({"message": "404: Not Found", "code": 0});
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}

/// A route that is there, for another method.
pub(super) async fn method_not_allowed() -> Response {
    let body = json!({"message": "405: Method Not Allowed", "code": 0});
    (StatusCode::METHOD_NOT_ALLOWED, Json(body)).into_response()
}
