//! "The Discord side": the page at `/`.
//!
//! Plain HTML, CSS and JavaScript, embedded as they stand. It uses `/sim` like
//! any other program.

use axum::{
    Router,
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

use crate::state::AppState;

const INDEX: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/app.js");
const ICON: &str = include_str!("page/icon.svg");

/// Only its own files and its own `/sim`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The page's own files, from the root.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route(
            "/page/style.css",
            get(async || file("text/css; charset=utf-8", STYLE)),
        )
        .route(
            "/page/app.js",
            get(async || file("text/javascript; charset=utf-8", SCRIPT)),
        )
        .route("/page/icon.svg", get(async || file("image/svg+xml", ICON)))
        .route("/favicon.ico", get(async || file("image/svg+xml", ICON)))
        // Discord's own client: whoever is led there finds what stands for it here.
        .route(
            "/channels/{guild_id}/{channel_id}",
            get(async || Redirect::to("/")),
        )
}

/// The page itself.
pub(crate) fn index() -> Response {
    file("text/html; charset=utf-8", INDEX)
}

fn file(content_type: &'static str, content: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, content).into_response()
}
