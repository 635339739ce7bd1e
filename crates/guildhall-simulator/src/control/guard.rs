//! No other site's scripts.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::error::ControlError;
use crate::discord::Discord;

/// Refuses what a browser says another site caused.
pub(super) async fn same_site_only(
    State(discord): State<Arc<Discord>>,
    request: Request,
    next: Next,
) -> Response {
    if is_foreign(request.headers(), &discord.origin) {
        return ControlError::CrossSite.into_response();
    }
    next.run(request).await
}

fn is_foreign(headers: &HeaderMap, own_origin: &str) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = text(HeaderName::from_static("sec-fetch-site"));
    if !matches!(site, None | Some("same-origin" | "none")) {
        return true;
    }
    let Some(origin) = text(header::ORIGIN) else {
        return false;
    };
    let own_host = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"))
        .is_some_and(|host| text(header::HOST) == Some(host));
    origin != own_origin && !own_host
}
