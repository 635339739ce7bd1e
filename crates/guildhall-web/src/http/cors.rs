//! Which other origins' pages may read our answers (CORS): those of the operator's list, and without one
//! none. That a page may send is another matter (`auth/csrf.rs`).

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use guildhall_http::HttpOrigin;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

/// How long a browser keeps what a preflight was answered.
const MAX_AGE: &str = "600";

/// What browsers send beside what they may send anyhow. Tokens of programs are for no page.
const HEADERS: &str = "content-type, idempotency-key, last-event-id";

/// The list.
#[derive(Clone, Debug)]
pub(crate) struct Cors(Arc<[HeaderValue]>);

/// What of a request decides.
#[derive(Clone, Debug)]
pub(crate) struct AskingOrigin {
    /// As the browser wrote it, if it is on the list.
    allowed: Option<HeaderValue>,
    preflight: bool,
}

impl Cors {
    /// Of these origins.
    pub(crate) fn new(origins: &[HttpOrigin]) -> Self {
        let values = origins.iter().map(|origin| {
            let text = origin.origin().ascii_serialization();
            HeaderValue::try_from(text).expect("an origin is visible ASCII")
        });
        Self(values.collect())
    }

    /// Who asks. `None`: there is no list, and nothing is said about it.
    pub(crate) fn asking(&self, method: &Method, headers: &HeaderMap) -> Option<AskingOrigin> {
        if self.0.is_empty() {
            return None;
        }
        let origin = headers.get(header::ORIGIN);
        let allowed = origin.filter(|origin| self.0.contains(origin)).cloned();
        let preflight = method == Method::OPTIONS
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        Some(AskingOrigin { allowed, preflight })
    }
}

impl AskingOrigin {
    /// The answer to a preflight of an origin on the list. `None`: it is none, or of another.
    pub(crate) fn preflight(&self) -> Option<Response> {
        self.allowed.as_ref().filter(|_| self.preflight)?;
        let said = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
            (header::CACHE_CONTROL, "no-store"),
        ];
        Some((StatusCode::NO_CONTENT, said).into_response())
    }

    /// Says in an answer who may read it, and that it is one for each origin.
    pub(crate) fn put(self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        if self.preflight {
            let asked = "access-control-request-method, access-control-request-headers";
            headers.append(header::VARY, HeaderValue::from_static(asked));
        }
        if let Some(origin) = self.allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let yes = HeaderValue::from_static("true");
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
            let read = HeaderValue::from_static("retry-after");
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, read);
            // What is only for our own origin by default is for that one, too.
            let anybody = HeaderValue::from_static("cross-origin");
            let policy = HeaderName::from_static("cross-origin-resource-policy");
            headers.insert(policy, anybody);
        }
    }
}
