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

use super::{CloseCode, driver, fault::ResumeFault, transport::Compressed};
use crate::{discord::Discord, page, wire::Wire};

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
    match discord.with(|core| core.faults.meet_resume()) {
        None => upgrade(discord, request).await,
        Some(ResumeFault::Unavailable) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(ResumeFault::Torn) => {
            wire(&request).tear();
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Some(ResumeFault::Hanging) => {
            // The client gives up first, and this with it.
            discord.stop.cancelled().await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// The bytes under this request.
fn wire(request: &Request) -> Arc<Wire> {
    request
        .extensions()
        .get()
        .map_or_else(Wire::new, Arc::clone)
}

async fn upgrade(discord: Arc<Discord>, request: Request) -> Response {
    let resume_url = address(&discord, &request, RESUME_PATH);
    let wire = wire(&request);
    let (mut parts, _) = request.into_parts();
    let RawQuery(query) = RawQuery::from_request_parts(&mut parts, &())
        .await
        .unwrap_or(RawQuery(None));
    let asked = read(query.as_deref().unwrap_or_default());
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
                    driver::run(socket, discord, wire, resume_url, asked).await;
                    drop(token);
                })
        }
        Err(rejection) => rejection.into_response(),
    }
}

/// URL of a path as gateway clients reach it: below the public URL, if there is one,
/// else by the name under which this request came.
pub(crate) fn address(discord: &Discord, request: &Request, path: &str) -> String {
    match discord.config.public_url.as_deref() {
        Some(origin) => format!("{}{path}", origin.replacen("http", "ws", 1)),
        None => format!("ws://{}{path}", host(discord, request)),
    }
}

/// `host:port` as the client reaches this simulator.
fn host(discord: &Discord, request: &Request) -> String {
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

/// What a connection's URL asks for. A session is resumed with the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) version: u8,
    pub(crate) compress: Option<Compressed>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            version: 10,
            compress: None,
        }
    }
}

/// Versions 9 and 10 in JSON. Whoever names no version gets one that is gone, and
/// ETF and compressions that Discord does not document are refused with 4002 rather
/// than taken for something else.
pub(super) fn read(query: &str) -> Result<Asked, CloseCode> {
    let (mut asked, mut named) = (Asked::default(), false);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match (&*name, &*value) {
            ("encoding", "json") => {}
            ("v", "9" | "10") => {
                asked.version = if value == "9" { 9 } else { 10 };
                named = true;
            }
            ("v", _) => return Err(CloseCode::INVALID_VERSION),
            ("compress", "zlib-stream") => asked.compress = Some(Compressed::Zlib),
            ("compress", "zstd-stream") => asked.compress = Some(Compressed::Zstd),
            ("encoding" | "compress", _) => return Err(CloseCode::DECODE_ERROR),
            _ => {}
        }
    }
    if named {
        Ok(asked)
    } else {
        Err(CloseCode::INVALID_VERSION)
    }
}
