//! A TCP connection to whichever address of a host answers first (RFC 8305, "Happy Eyeballs").

use std::{error::Error, io, time::Duration};

use guildhall_http::root_cause;
use http::Uri;
use hyper_util::{
    client::legacy::connect::{HttpConnector, dns::GaiResolver},
    rt::TokioIo,
};
use tokio::net::TcpStream;
use tower::{Service, ServiceExt};
use url::Url;

/// For the addresses of one family, IPv6 or IPv4, together. Each has an equal share, so that one
/// that answers nothing leaves time for those behind it: half of what there is until HELLO.
const FAMILY_TIME: Duration = Duration::from_secs(10);

/// Connects. `Err`: why not, for the operator.
pub(super) async fn dial(address: &Url) -> Result<TcpStream, String> {
    dial_with(connector(GaiResolver::new(), FAMILY_TIME), address).await
}

/// The family of the first address goes first, the other one joins in after 300 ms: the library's
/// default.
fn connector<R>(resolver: R, family_time: Duration) -> HttpConnector<R> {
    let mut connector = HttpConnector::new_with_resolver(resolver);
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(family_time));
    connector
}

async fn dial_with<C>(connector: C, address: &Url) -> Result<TcpStream, String>
where
    C: Service<Uri, Response = TokioIo<TcpStream>, Error: Error + 'static>,
{
    let uri = tcp_uri(address)?;
    let connected = connector.oneshot(uri).await;
    let stream = connected.map_err(|error| {
        if is_late(&error) {
            "it did not answer in time".to_owned()
        } else {
            root_cause(&error)
        }
    })?;
    Ok(stream.into_inner())
}

/// Host and port as the connector reads them: it knows the ports of HTTP alone.
fn tcp_uri(address: &Url) -> Result<Uri, String> {
    let host = address.host_str().unwrap_or_default();
    let port = address.port_or_known_default().ok_or("it has no port")?;
    let uri = format!("http://{host}:{port}/").parse();
    uri.map_err(|error: http::uri::InvalidUri| root_cause(&error))
}

/// Whether an address had no answer within its share, or the system gave up on it.
fn is_late(error: &(dyn Error + 'static)) -> bool {
    let late = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
    error.downcast_ref().is_some_and(late) || error.source().is_some_and(is_late)
}

#[cfg(test)]
mod tests;
