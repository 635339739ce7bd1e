//! How a gateway is reached: bytes in order, before any TLS.

use std::io;

use futures_util::future::BoxFuture;
use guildhall_http::ByteStream;
use tokio::net::TcpStream;

/// Opens connections to gateways.
pub(crate) trait Connect: Send + Sync {
    /// A connection to a port of a host, which is a name or an address. The caller waits no longer
    /// than it likes.
    fn connect<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Box<dyn ByteStream>>>;
}

/// Over TCP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tcp;

impl Connect for Tcp {
    fn connect<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Box<dyn ByteStream>>> {
        Box::pin(async move {
            let socket = TcpStream::connect((host, port)).await?;
            Ok(Box::new(socket) as Box<dyn ByteStream>)
        })
    }
}
