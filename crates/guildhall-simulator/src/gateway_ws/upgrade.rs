//! The HTTP side: the URL, its query and the upgrade.

use std::sync::Arc;

use axum::{
    extract::{
        FromRequestParts, RawQuery, Request, State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{CloseCode, driver};
use crate::{discord::Discord, page};

/// A frame longer than Discord reads is answered with 4002; one that would fill
/// memory is not read to its end.
const LONGEST_FRAME: usize = 64 * 1024;

/// Path that READY sends resuming clients to.
const RESUME_PATH: &str = "/resume";

/// `/gateway`, `/gateway/`
pub(crate) async fn base(State(discord): State<Arc<Discord>>, request: Request) -> Response {
    upgrade(discord, request).await
}

/// `/`: the gateway for whoever asks to upgrade, else the page.
pub(crate) async fn gateway_or_page(
    State(discord): State<Arc<Discord>>,
    request: Request,
) -> Response {
    if request.headers().contains_key(header::UPGRADE) {
        upgrade(discord, request).await
    } else {
        page::index()
    }
}

/// `/resume`, `/resume/`
pub(crate) async fn resume(State(discord): State<Arc<Discord>>, request: Request) -> Response {
    if discord.with(|core| core.faults.resume_is_refused()) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    upgrade(discord, request).await
}

async fn upgrade(discord: Arc<Discord>, request: Request) -> Response {
    let resume_url = format!("ws://{}{RESUME_PATH}", host(&discord, &request));
    let (mut parts, _) = request.into_parts();
    let RawQuery(query) = RawQuery::from_request_parts(&mut parts, &())
        .await
        .unwrap_or(RawQuery(None));
    let refusal = check(query.as_deref().unwrap_or_default()).err();
    let upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection> =
        WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    match upgrade {
        Ok(upgrade) => {
            // The upgrade's task is axum's; the token makes a shutdown wait for it.
            let token = discord.tracker.token();
            upgrade
                .max_message_size(LONGEST_FRAME)
                .max_frame_size(LONGEST_FRAME)
                .on_upgrade(async move |socket| {
                    driver::run(socket, discord, resume_url, refusal).await;
                    drop(token);
                })
        }
        Err(rejection) => rejection.into_response(),
    }
}

/// `host:port` as the client reaches this simulator.
pub(crate) fn host(discord: &Discord, request: &Request) -> String {
    request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .filter(|host| !host.is_empty() && host.bytes().all(is_host_byte))
        .map_or_else(|| discord.address.to_string(), str::to_owned)
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte)
}

/// Version 10 in JSON. A compression that is asked for is not applied: frames
/// stay plain text, which every client reads.
fn check(query: &str) -> Result<(), CloseCode> {
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "v" if value != "10" => return Err(CloseCode::INVALID_VERSION),
            "encoding" if value != "json" => return Err(CloseCode::DECODE_ERROR),
            _ => {}
        }
    }
    Ok(())
}
