//! Errors of the JSON endpoints: `{"error":{"code","message"}}` and a status.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::Json;

/// What went wrong with a request, as a status, a code for programs and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: Cow<'static, str>,
}

/// Body of an error.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct ErrorBody {
    error: ErrorReport,
}

/// What went wrong.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct ErrorReport {
    /// For programs.
    code: &'static str,
    /// A sentence for people.
    message: Cow<'static, str>,
}

impl ApiError {
    /// An error with any status.
    pub(crate) const fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self {
            status,
            code,
            message: Cow::Borrowed(message),
        }
    }

    /// 400: the request itself is wrong.
    pub(crate) const fn invalid(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    /// 400, with a sentence made for this request.
    pub(crate) fn refused(message: String) -> Self {
        Self {
            message: Cow::Owned(message),
            ..Self::invalid("")
        }
    }

    /// 401: no session, or one that is over.
    pub(crate) const fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "Sign in first: there is no valid session.",
        )
    }

    /// 403: whoever asks may not.
    pub(crate) fn forbidden(message: String) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            code: "forbidden",
            message: Cow::Owned(message),
        }
    }

    /// 404: no such thing, or none that you may know of.
    pub(crate) const fn not_found(message: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 503: the gateway, or something behind it, does not answer now. With `Retry-After: 1`.
    pub(crate) const fn unavailable(message: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody {
            error: ErrorReport {
                code: self.code,
                message: self.message,
            },
        };
        let headers = [(http::header::CACHE_CONTROL, "no-store")];
        let mut response = (self.status, headers, Json(body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let soon = HeaderValue::from_static("1");
            response
                .headers_mut()
                .insert(http::header::RETRY_AFTER, soon);
        }
        response
    }
}
