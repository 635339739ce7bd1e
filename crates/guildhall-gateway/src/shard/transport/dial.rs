use std::sync::Arc;

use guildhall_http::{root_cause, tls::tls_failure};
use http::{HeaderValue, header::USER_AGENT};
use rustls::ClientConfig;
use tokio::time::Instant;
use tokio_tungstenite::{
    Connector, client_async_tls_with_config,
    tungstenite::{Error, client::IntoClientRequest, handshake::client::Request},
};
use url::Url;

use super::{Compression, Transport, limits, tcp};
use crate::discord_rest;

/// Opens a WebSocket at an address that is [`dialable`]. `Err`: why not, for the operator, who
/// calls the setting with further root certificates `roots_setting`.
pub(in crate::shard) async fn connect(
    address: Url,
    compression: Compression,
    tls: Arc<ClientConfig>,
    roots_setting: &str,
) -> Result<Transport, String> {
    let stream = tcp::dial(&address).await?;
    let request = request(address, compression).map_err(|error| root_cause(&error))?;
    let connector = Some(Connector::Rustls(tls));
    let connected = client_async_tls_with_config(request, stream, Some(limits()), connector).await;
    let (socket, _) = connected.map_err(|error| {
        let tls = tls_failure(&error, roots_setting);
        tls.unwrap_or_else(|| root_cause(&error))
    })?;
    Ok(Transport::new(socket, compression, Instant::now()))
}

fn request(mut address: Url, compression: Compression) -> Result<Request, Error> {
    address
        .query_pairs_mut()
        .append_pair("v", "10")
        .append_pair("encoding", "json")
        .append_pair("compress", compression.name());
    let mut request = address.as_str().into_client_request()?;
    let name = HeaderValue::from_static(discord_rest::USER_AGENT);
    request.headers_mut().insert(USER_AGENT, name);
    Ok(request)
}

/// An address that may be dialled, its path with a slash at its end. Resume addresses come from the
/// other end, so anything may be in them; `require_tls`: one without TLS is not dialled.
pub(in crate::shard) fn dialable(address: &str, require_tls: bool) -> Option<Url> {
    let mut url: Url = address.parse().ok()?;
    let speaks = url.scheme() == "wss" || url.scheme() == "ws" && !require_tls;
    let speaks = speaks && url.host_str().is_some_and(|host| !host.is_empty());
    let bare = url.query().is_none() && url.fragment().is_none();
    let nameless = url.username().is_empty() && url.password().is_none();
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    let readable = || request(url.clone(), Compression::Zstd).is_ok();
    (speaks && bare && nameless && readable()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_can_be_dialled_are() {
        let good = [
            ("wss://gateway.discord.gg", "wss://gateway.discord.gg/"),
            ("wss://gateway.discord.gg/", "wss://gateway.discord.gg/"),
            (
                "ws://127.0.0.1:4000/gateway",
                "ws://127.0.0.1:4000/gateway/",
            ),
            ("ws://[::1]:4000/a//", "ws://[::1]:4000/a//"),
        ];
        for (address, dialled) in good {
            let dialable = |require_tls| dialable(address, require_tls).map(String::from);
            assert_eq!(dialable(false).as_deref(), Some(dialled));
            let with_tls = address.starts_with("wss:").then_some(dialled);
            assert_eq!(dialable(true).as_deref(), with_tls);
        }
        for bad in [
            "",
            "gateway",
            "https://discord.com",
            "wss://",
            "ws://h/?v=9",
            "ws://h/#x",
            "ws://h:99999",
            "ws://[",
            "ws://user:word@h",
            "data:x",
        ] {
            assert_eq!(dialable(bad, false), None, "{bad}");
        }
    }

    #[test]
    fn the_request_says_what_is_spoken_and_who_speaks() {
        for (compression, name) in [
            (Compression::Zstd, "zstd-stream"),
            (Compression::Zlib, "zlib-stream"),
        ] {
            let address = dialable("wss://gateway.discord.gg", true).expect("an address");
            let request = request(address, compression).expect("a request");
            let asked = format!("wss://gateway.discord.gg/?v=10&encoding=json&compress={name}");
            assert_eq!(request.uri().to_string(), asked);
            let agent = request.headers()[USER_AGENT].to_str().expect("text");
            assert!(agent.starts_with("DiscordBot (https://"), "{agent}");
        }
    }
}
