//! Errors of the JSON endpoints: `{"error":{"code","message",…}}` and a status.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

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
    /// What is wrong with each field of the body, where some are.
    pub(crate) fields: BTreeMap<String, String>,
    /// When a further try has a chance, in seconds from now.
    pub(crate) retry_after: Option<u32>,
    /// Discord's permissions that were missing, as Discord names them.
    pub(crate) missing: Vec<String>,
    /// Where signing in mends it.
    pub(crate) sign_in_url: Option<Box<str>>,
}

/// Body of an error.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct ErrorBody {
    error: ErrorReport,
}

/// What went wrong.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
struct ErrorReport {
    /// For programs.
    code: &'static str,
    /// A sentence for people.
    message: Cow<'static, str>,
    /// What is wrong with each field of the body, by its name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schema(required = false))]
    fields: BTreeMap<String, String>,
    /// When a further try has a chance, in seconds from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    retry_after: Option<u64>,
    /// Discord's permissions that were missing, as Discord names them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(required = false))]
    missing: Vec<String>,
    /// Where signing in mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    sign_in_url: Option<Box<str>>,
}

impl ApiError {
    /// An error with any status.
    pub(crate) const fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self {
            status,
            code,
            message: Cow::Borrowed(message),
            fields: BTreeMap::new(),
            retry_after: None,
            missing: Vec::new(),
            sign_in_url: None,
        }
    }

    /// The same with when a further try has a chance: in whole seconds, at least one.
    pub(crate) fn retry_in(mut self, wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1_000).max(1);
        self.retry_after = Some(u32::try_from(seconds).unwrap_or(u32::MAX));
        self
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
            message: Cow::Owned(message),
            ..Self::new(StatusCode::FORBIDDEN, "forbidden", "")
        }
    }

    /// 404: no such thing, or none that you may know of.
    pub(crate) const fn not_found(message: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 503: the gateway, or something behind it, does not answer now. With `Retry-After: 1`.
    pub(crate) const fn unavailable(message: &'static str) -> Self {
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
        error.retry_after = Some(1);
        error
    }

    /// 429: the same of you is under way too often. With `Retry-After: 1`.
    pub(crate) const fn too_many(message: &'static str) -> Self {
        let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message);
        error.retry_after = Some(1);
        error
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody {
            error: ErrorReport {
                code: self.code,
                message: self.message,
                fields: self.fields,
                retry_after: self.retry_after.map(u64::from),
                missing: self.missing,
                sign_in_url: self.sign_in_url,
            },
        };
        let headers = [(http::header::CACHE_CONTROL, "no-store")];
        let mut response = (self.status, headers, Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            let headers = response.headers_mut();
            headers.insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
