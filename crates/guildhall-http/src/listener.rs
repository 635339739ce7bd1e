//! A bound listener with room for all who come at one moment, and what is served beside it: anything
//! that accepts connections.

use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

use crate::{ByteStream, IncomingSocket, tls::ServerCertificate};

/// Connections that the kernel completes before they are accepted, as far as its own bound
/// (`net.core.somaxconn`, 4096 by default) allows. When they are that many it drops what a client
/// sends, and the client tries again only after a second. The 128 of Rust's standard library and
/// of tokio are fewer than the browsers that come back at one moment after a restart.
const BACKLOG: u32 = 4096;

/// Where connections come in: a [`Listener`], or a network that is not this machine's.
pub trait Accept: Send + Sync {
    /// What comes in.
    type Connection: ByteStream;

    /// The next connection, and from where it comes. May be dropped and called again.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Connection, SocketAddr)>> + Send;
}

/// A bound listener with room for all who come at one moment.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    /// Shown to whoever comes; `None`: what comes is plain.
    certificate: Option<ServerCertificate>,
}

impl Listener {
    /// Binds. Who connects from now on is kept waiting until the listener is served.
    ///
    /// # Errors
    ///
    /// The system's: the port is taken, or the address is none of this machine.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // Else a port is taken for a minute after the process that had it.
        #[cfg(not(windows))]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self {
            tcp: socket.listen(BACKLOG)?,
            certificate: None,
        })
    }

    /// The same, for TLS alone.
    #[must_use]
    pub fn with_certificate(self, certificate: Option<ServerCertificate>) -> Self {
        Self {
            certificate,
            ..self
        }
    }

    /// Where it listens: with the port that the system chose, if it was left to it.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

impl Accept for Listener {
    type Connection = IncomingSocket;

    async fn accept(&self) -> io::Result<(IncomingSocket, SocketAddr)> {
        let (socket, peer) = self.tcp.accept().await?;
        let socket = match &self.certificate {
            None => IncomingSocket::plain(socket),
            Some(certificate) => IncomingSocket::tls(certificate.acceptor().accept(socket)),
        };
        Ok((socket, peer))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{net::TcpStream, time::timeout};

    use super::*;

    /// Shorter than the second after which a client whose SYN was dropped tries again.
    const AT_ONCE: Duration = Duration::from_millis(900);

    #[tokio::test]
    async fn five_hundred_who_come_at_one_moment_are_connected_before_any_is_accepted() {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let mut connected = Vec::new();
        for number in 0..500 {
            let one = timeout(AT_ONCE, TcpStream::connect(address)).await;
            let one = one.unwrap_or_else(|_| panic!("number {number} waits"));
            connected.push(one.expect("it listens"));
        }
        let (_first, peer) = listener.accept().await.expect("one is there");
        assert_eq!(Some(peer), connected[0].local_addr().ok());
    }
}
