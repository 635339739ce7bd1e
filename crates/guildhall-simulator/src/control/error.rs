//! `{error: {code, message}}`

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::world::Refusal;

/// Why `/sim` does not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ControlError {
    /// 400: the request cannot be read, or contradicts the world.
    Invalid(String),
    /// 403: another site's script asks.
    CrossSite,
    /// 403: the request came under a name that is not this simulator's.
    WrongHost,
    /// 404: something named does not exist.
    Unknown(String),
    /// 405
    Method,
    /// 409: in use, or under way already.
    Conflict(String),
}

/// What every route answers.
pub(super) type ControlResult = Result<Json<Value>, ControlError>;

impl From<Refusal> for ControlError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown(_) => Self::Unknown(refusal.to_string()),
            Refusal::Invalid(reason) => Self::Invalid(reason),
            Refusal::Taken(_) => Self::Conflict(refusal.to_string()),
        }
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
            Self::Invalid(reason) => (StatusCode::BAD_REQUEST, "invalid", reason),
            Self::CrossSite => (
                StatusCode::FORBIDDEN,
                "cross_site",
                "/sim answers its own page and programs, not other sites' scripts".to_owned(),
            ),
            Self::WrongHost => (
                StatusCode::FORBIDDEN,
                "wrong_host",
                "/sim is reached by an address, as localhost or by the public URL".to_owned(),
            ),
            Self::Unknown(what) => (StatusCode::NOT_FOUND, "unknown", what),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method",
                "not with this method".to_owned(),
            ),
            Self::Conflict(reason) => (StatusCode::CONFLICT, "conflict", reason),
        };
        (
            status,
            Json(json!({"error": {"code": code, "message": message}})),
        )
            .into_response()
    }
}

/// Any path that is not there.
pub(super) async fn not_found() -> ControlError {
    ControlError::Unknown("no such path under /sim".to_owned())
}

/// A path that is there, for another method.
pub(super) async fn method_not_allowed() -> ControlError {
    ControlError::Method
}
