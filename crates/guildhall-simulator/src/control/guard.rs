//! No other site's scripts.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use url::{Host, Url};

use super::error::ControlError;
use crate::state::Addresses;

/// Refuses what a browser says another site caused.
pub(super) async fn same_site_only(
    State(addresses): State<Arc<Addresses>>,
    request: Request,
    next: Next,
) -> Response {
    if !is_own_name(request.headers(), &addresses.origin) {
        return ControlError::WrongHost.into_response();
    }
    if is_foreign(request.headers(), &addresses.origin) {
        return ControlError::CrossSite.into_response();
    }
    next.run(request).await
}

/// Whether the request names this simulator by an address, as localhost, or by its
/// public name. Another name may be one that a site had point here, so that its own
/// scripts count as the same site.
fn is_own_name(headers: &HeaderMap, own_origin: &str) -> bool {
    let Some(host) = headers.get(header::HOST) else {
        // No browser leaves it out.
        return true;
    };
    let named = host.to_str().ok().map(|host| format!("http://{host}/"));
    let Some(named) = named.and_then(|url| Url::parse(&url).ok()) else {
        return false;
    };
    let own = Url::parse(own_origin).ok();
    match named.host() {
        Some(Host::Domain(name)) => {
            name == "localhost"
                || name.ends_with(".localhost")
                || own.is_some_and(|own| own.host_str() == Some(name))
        }
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    }
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
