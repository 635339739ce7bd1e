//! What connections are, and one as it came in: plain, or TLS over it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{Accept as Handshake, server::TlsStream};

/// A connection: bytes in order, both ways, until it breaks.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// What is written goes out at once, however little it is.
    ///
    /// # Errors
    ///
    /// The system's: the peer may already be gone.
    fn set_nodelay(&self) -> io::Result<()>;

    /// So many bytes are taken from us before a write has to wait for the peer.
    ///
    /// # Errors
    ///
    /// The system's.
    fn set_send_buffer(&self, bytes: usize) -> io::Result<()>;
}

impl ByteStream for TcpStream {
    fn set_nodelay(&self) -> io::Result<()> {
        TcpStream::set_nodelay(self, true)
    }

    fn set_send_buffer(&self, bytes: usize) -> io::Result<()> {
        SockRef::from(self).set_send_buffer_size(bytes)
    }
}

/// A connection of a [`crate::Listener`].
#[derive(Debug)]
pub struct IncomingSocket(SocketKind);

#[derive(Debug)]
enum SocketKind {
    Plain(TcpStream),
    /// The handshake is part of the first read: whoever is slow at it is slow at its request's head.
    Opening(Box<TlsOpening>),
    Tls(Box<TlsStream<TcpStream>>),
    /// The handshake failed, and its error was told.
    Failed,
}

struct TlsOpening(Handshake<TcpStream>);

impl std::fmt::Debug for TlsOpening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsOpening")
    }
}

impl IncomingSocket {
    pub(crate) fn plain(socket: TcpStream) -> Self {
        Self(SocketKind::Plain(socket))
    }

    pub(crate) fn tls(handshake: Handshake<TcpStream>) -> Self {
        Self(SocketKind::Opening(Box::new(TlsOpening(handshake))))
    }

    fn tcp(&self) -> Option<&TcpStream> {
        match &self.0 {
            SocketKind::Plain(socket) => Some(socket),
            SocketKind::Opening(opening) => opening.0.get_ref(),
            SocketKind::Tls(stream) => Some(stream.get_ref().0),
            SocketKind::Failed => None,
        }
    }

    /// Waits for the handshake, if there is one.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            SocketKind::Plain(_) | SocketKind::Tls(_) => Poll::Ready(Ok(())),
            SocketKind::Failed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            SocketKind::Opening(opening) => match ready!(Pin::new(&mut opening.0).poll(cx)) {
                Ok(stream) => {
                    self.0 = SocketKind::Tls(Box::new(stream));
                    Poll::Ready(Ok(()))
                }
                Err(error) => {
                    self.0 = SocketKind::Failed;
                    Poll::Ready(Err(error))
                }
            },
        }
    }
}

impl AsyncRead for IncomingSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_open(cx))?;
        match &mut self.0 {
            SocketKind::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            SocketKind::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
            SocketKind::Opening(_) | SocketKind::Failed => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for IncomingSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(cx))?;
        match &mut self.0 {
            SocketKind::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            SocketKind::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            SocketKind::Opening(_) | SocketKind::Failed => {
                Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            SocketKind::Plain(socket) => Pin::new(socket).poll_flush(cx),
            SocketKind::Tls(stream) => Pin::new(stream).poll_flush(cx),
            SocketKind::Opening(_) | SocketKind::Failed => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            SocketKind::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            SocketKind::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            SocketKind::Opening(_) | SocketKind::Failed => Poll::Ready(Ok(())),
        }
    }
}

impl ByteStream for IncomingSocket {
    fn set_nodelay(&self) -> io::Result<()> {
        self.tcp().map_or(Ok(()), |socket| socket.set_nodelay(true))
    }

    fn set_send_buffer(&self, bytes: usize) -> io::Result<()> {
        self.tcp().map_or(Ok(()), |socket| {
            SockRef::from(socket).set_send_buffer_size(bytes)
        })
    }
}
