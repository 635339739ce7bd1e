//! What stands before every route: by which name we are asked, whose pages may read the answer, and what
//! every answer says about itself.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use guildhall_http::AllowedHosts;
use http::StatusCode;

use super::{
    ApiError,
    cors::{AskingOrigin, Cors},
    headers::SecurityHeaders,
};

/// It, made once.
#[derive(Clone, Debug)]
pub(crate) struct Edge(Arc<Rules>);

#[derive(Debug)]
pub(crate) struct Rules {
    /// The path that all others are below; empty, or `/hall`.
    pub(crate) prefix: String,
    /// By which names we are asked.
    pub(crate) hosts: AllowedHosts,
    /// What the operator calls their setting.
    pub(crate) hosts_setting: &'static str,
    /// Whose pages may read answers.
    pub(crate) cors: Cors,
    /// What every answer says.
    pub(crate) headers: SecurityHeaders,
}

impl Edge {
    pub(crate) fn new(rules: Rules) -> Self {
        Self(Arc::new(rules))
    }
}

/// The middleware.
pub(crate) async fn edge(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let rules = &*edge.0;
    let path = request.uri().path().strip_prefix(rules.prefix.as_str());
    let path = path.unwrap_or_default();
    // Load balancers ask by whatever address they have.
    let is_probe = path == "/api/health";
    if !is_probe && !rules.hosts.answer(request.uri(), request.headers()) {
        return rules.headers.put(unknown_host(rules.hosts_setting));
    }
    let is_for_programs = path.starts_with("/api/") || path.starts_with("/auth/");
    let asking = if is_for_programs {
        rules.cors.asking(request.method(), request.headers())
    } else {
        None
    };
    let preflight = asking.as_ref().and_then(AskingOrigin::preflight);
    let mut response = match preflight {
        Some(answer) => answer,
        None => next.run(request).await,
    };
    if let Some(asking) = asking {
        asking.put(&mut response);
    }
    rules.headers.put(response)
}

fn unknown_host(setting: &str) -> Response {
    ApiError {
        message: format!(
            "Nobody said that this server goes by this name. Its operator may list it in {setting}."
        )
        .into(),
        ..ApiError::new(StatusCode::MISDIRECTED_REQUEST, "unknown_host", "")
    }
    .into_response()
}
