//! Which path is whose. Everything is below the base URL's path, so that the whole can live under
//! a prefix of somebody else's site.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, Uri},
    middleware::from_fn_with_state,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::StatusCode;
use url::Url;

use crate::{
    Config,
    fanout::Fanout,
    http::{
        ApiError, Page,
        cors::Cors,
        edge::{Edge, Rules, edge},
        headers::SecurityHeaders,
    },
    probe,
    stream::route::{self, StreamRouteState},
};

/// All routes of the role: each holds the state of its own folder. `auth`: what the login answers;
/// `rpc`: `/api/rpc/*`.
pub(crate) fn router(
    config: &Config,
    stream: StreamRouteState,
    [auth, rpc]: [Router; 2],
    page: Page,
) -> Router {
    let prefix = prefix(&config.base_url);
    let fanout = stream.fanout.clone();
    let probe = probe::routes(config, Arc::clone(&stream.clock));
    let routes = Router::new()
        .merge(route::routes(stream))
        .route("/api/health", get(health).with_state(fanout))
        .merge(auth)
        .merge(rpc)
        .merge(probe)
        .merge(document())
        .route("/api/{*rest}", axum::routing::any(nothing_here))
        .route("/auth/{*rest}", axum::routing::any(nothing_here))
        .route("/webhooks/{*rest}", axum::routing::any(nothing_here))
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
        .layer(from_fn_with_state(before(config), edge))
}

/// What stands before all of them.
fn before(config: &Config) -> Edge {
    let mut hosts = config.allowed_hosts.clone();
    hosts.add_host_of(&config.base_url);
    for origin in &config.allowed_origins {
        // Where our paths are passed on with the name that the browser asked for.
        hosts.add_host_of(origin);
    }
    Edge::new(Rules {
        prefix: prefix(&config.base_url),
        hosts,
        hosts_setting: config.names.allowed_hosts,
        cors: Cors::new(&config.allowed_origins),
        headers: SecurityHeaders::new(&config.base_url, &config.cdn_url),
    })
}

/// What can be asked here, for programs: where it is compiled in.
fn document() -> Router {
    #[cfg(feature = "schema")]
    return crate::openapi::routes();
    #[cfg(not(feature = "schema"))]
    Router::new()
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

/// Files of the page. An unknown path is an error and never the page: it has one address, and one for
/// invites.
async fn file(State(root): State<Root>, uri: Uri, headers: HeaderMap) -> Response {
    match uri.path().strip_prefix(&root.prefix) {
        Some("") => Redirect::permanent(&format!("{}/", root.prefix)).into_response(),
        Some(path) if path.starts_with('/') => root.page.answer(&path[1..], &headers),
        _ => ApiError::not_found("There is nothing at this address.").into_response(),
    }
}

/// A bare status, for load balancers that ask on the main port.
async fn health(State(fanout): State<Fanout>) -> Response {
    if fanout.replica().has_world() && !fanout.is_draining() {
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

#[cfg(test)]
mod tests;
