//! Which path is whose. Everything is below the base URL's path, so that the whole can live under
//! a prefix of somebody else's site.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, Uri},
    middleware::map_response,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::StatusCode;
use url::Url;

use crate::{
    http::{ApiError, Page, headers::SecurityHeaders},
    state::AppState,
    stream::route,
};

/// All routes of the role. `auth`: `/auth/*` and `/api/me`.
pub(crate) fn router(app: AppState, auth: Router, page: Page) -> Router {
    let headers = SecurityHeaders::new(&app.config.cdn_url);
    let prefix = prefix(&app.config.base_url);
    let routes = Router::new()
        .route(
            "/api/stream",
            get(route::stream).head(route::look_at_stream),
        )
        .route("/api/state", get(route::state).head(route::look_at_state))
        .route("/api/health", get(health))
        .with_state(app)
        .merge(auth)
        .route("/api/{*rest}", axum::routing::any(nothing_here))
        .route("/auth/{*rest}", axum::routing::any(nothing_here))
        .method_not_allowed_fallback(wrong_method);
    let root = Root {
        prefix: prefix.clone(),
        page,
    };
    let routes = if prefix.is_empty() {
        routes
    } else {
        Router::new().nest(&prefix, routes)
    };
    routes
        .fallback_service(get(file).with_state(root).fallback(wrong_method))
        .layer(map_response(move |response: Response| {
            let answered = headers.put(response);
            std::future::ready(answered)
        }))
}

/// The base URL's path without its last slash: empty, or `/hall`.
fn prefix(base_url: &Url) -> String {
    base_url.path().trim_end_matches('/').to_owned()
}

#[derive(Clone)]
struct Root {
    prefix: String,
    page: Page,
}

/// Files of the page. An unknown path is an error and never the page: it has one address.
async fn file(State(root): State<Root>, uri: Uri, headers: HeaderMap) -> Response {
    match uri.path().strip_prefix(&root.prefix) {
        Some("") => Redirect::permanent(&format!("{}/", root.prefix)).into_response(),
        Some(path) if path.starts_with('/') => root.page.answer(&path[1..], &headers),
        _ => ApiError::not_found("There is nothing at this address.").into_response(),
    }
}

/// A bare status, for load balancers that ask on the main port.
async fn health(State(app): State<AppState>) -> Response {
    if app.fanout.replica().position().is_some() && !app.fanout.is_draining() {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unready\n").into_response()
    }
}

async fn nothing_here() -> ApiError {
    ApiError::not_found("There is nothing at this address.")
}

async fn wrong_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This address does not answer to this method.",
    )
}
