//! The bare server: one epoll thread, one `write(2)` per delivery, no HTTP
//! beyond a canned head. It is written by hand because it is the yardstick: whatever a server does
//! besides this is its own cost, and a library's would be the yardstick's.

use std::io::{self, BufRead, ErrorKind, Read};
use std::net::SocketAddr;

use anyhow::{Context, bail};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

/// How each stream begins.
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
    cache-control: private, no-store, no-transform\r\n\r\nevent: snapshot\ndata: {}\n\n";
const STREAMS: Token = Token(usize::MAX);
const CONTROL: Token = Token(usize::MAX - 1);
/// Tokens from here on are control connections.
const FIRST_CONTROL: usize = usize::MAX / 2;

#[derive(clap::Args)]
pub(crate) struct BareOptions {
    /// Bytes of one event, so that both servers write the same amount
    #[arg(long, default_value_t = 200)]
    frame_bytes: usize,
}

/// Serves until it is killed, or a control connection says `end`. The first
/// line on stdout names both addresses.
pub(crate) fn serve(options: &BareOptions) -> anyhow::Result<()> {
    let bare = Bare::bind(options.frame_bytes)?;
    println!("{} {}", bare.streams_at()?, bare.control_at()?);
    bare.run()
}

pub(crate) struct Bare {
    poll: Poll,
    streams_in: TcpListener,
    control_in: TcpListener,
    streams: Vec<BareStream>,
    controls: Vec<Control>,
    frame_bytes: usize,
}

struct BareStream {
    socket: TcpStream,
    /// What the kernel would not take yet.
    pending: Vec<u8>,
    greeted: bool,
    open: bool,
}

struct Control {
    socket: TcpStream,
    rest: Vec<u8>,
}

impl Bare {
    pub(crate) fn bind(frame_bytes: usize) -> anyhow::Result<Self> {
        let poll = Poll::new()?;
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut streams_in = TcpListener::bind(any_port)?;
        let mut control_in = TcpListener::bind(any_port)?;
        let registry = poll.registry();
        registry.register(&mut streams_in, STREAMS, Interest::READABLE)?;
        registry.register(&mut control_in, CONTROL, Interest::READABLE)?;
        Ok(Self {
            poll,
            streams_in,
            control_in,
            streams: Vec::new(),
            controls: Vec::new(),
            frame_bytes,
        })
    }

    pub(crate) fn streams_at(&self) -> io::Result<SocketAddr> {
        self.streams_in.local_addr()
    }

    pub(crate) fn control_at(&self) -> io::Result<SocketAddr> {
        self.control_in.local_addr()
    }

    pub(crate) fn run(mut self) -> anyhow::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                match event.token() {
                    STREAMS => self.accept_streams()?,
                    CONTROL => self.accept_controls()?,
                    Token(token) if token >= FIRST_CONTROL => {
                        if self.obey(token - FIRST_CONTROL)? {
                            return Ok(());
                        }
                    }
                    Token(token) => {
                        if event.is_readable() {
                            self.streams[token].greet();
                        }
                        if event.is_writable() {
                            self.streams[token].flush();
                        }
                    }
                }
            }
        }
    }

    fn accept_streams(&mut self) -> anyhow::Result<()> {
        while let Some(mut socket) = accepted(&self.streams_in)? {
            socket.set_nodelay(true)?;
            self.poll.registry().register(
                &mut socket,
                Token(self.streams.len()),
                Interest::READABLE | Interest::WRITABLE,
            )?;
            self.streams.push(BareStream {
                socket,
                pending: Vec::new(),
                greeted: false,
                open: true,
            });
        }
        Ok(())
    }

    fn accept_controls(&mut self) -> anyhow::Result<()> {
        while let Some(mut socket) = accepted(&self.control_in)? {
            let token = Token(FIRST_CONTROL + self.controls.len());
            self.poll
                .registry()
                .register(&mut socket, token, Interest::READABLE)?;
            self.controls.push(Control {
                socket,
                rest: Vec::new(),
            });
        }
        Ok(())
    }

    /// Carries out the lines of a control connection; `true` is the end.
    fn obey(&mut self, index: usize) -> anyhow::Result<bool> {
        let control = &mut self.controls[index];
        let mut buffer = [0; 4096];
        loop {
            match control.socket.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => control.rest.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("the control connection broke"),
            }
        }
        let whole = memchr::memrchr(b'\n', &control.rest).map_or(0, |at| at + 1);
        let lines: Vec<u8> = control.rest.drain(..whole).collect();
        for line in lines.lines() {
            let line = line?;
            if line == "end" {
                return Ok(true);
            }
            let frame = frame(&line, self.frame_bytes);
            for stream in &mut self.streams {
                stream.write(&frame);
            }
        }
        Ok(false)
    }
}

impl BareStream {
    /// Answers the request, whatever it asks for, when its head is whole.
    fn greet(&mut self) {
        let mut buffer = [0; 4096];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => {
                    self.open = false;
                    return;
                }
                Ok(length) if !self.greeted && buffer[..length].ends_with(b"\r\n\r\n") => {
                    self.greeted = true;
                    self.write(HEAD.as_bytes());
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    fn write(&mut self, frame: &[u8]) {
        if !self.open || !self.greeted {
            return;
        }
        if !self.pending.is_empty() {
            self.pending.extend_from_slice(frame);
            return;
        }
        match rustix::io::write(&self.socket, frame) {
            Ok(length) => self.pending.extend_from_slice(&frame[length..]),
            Err(rustix::io::Errno::AGAIN) => self.pending.extend_from_slice(frame),
            Err(_) => self.open = false,
        }
    }

    fn flush(&mut self) {
        if self.open && !self.pending.is_empty() {
            let pending = std::mem::take(&mut self.pending);
            self.write(&pending);
        }
    }
}

fn accepted(listener: &TcpListener) -> anyhow::Result<Option<TcpStream>> {
    match listener.accept() {
        Ok((socket, _)) => Ok(Some(socket)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => bail!("a connection could not be accepted: {error}"),
    }
}

/// An event that looks like the product's, padded to the same size.
fn frame(stamp: &str, bytes: usize) -> Vec<u8> {
    let begin = format!("event: voice.updated\ndata: {{\"username\":\"{stamp}\",\"rest\":\"");
    let end = format!("\"}}\nid: {stamp}\n\n");
    let padding = bytes.saturating_sub(begin.len() + end.len());
    format!("{begin}{}{end}", "x".repeat(padding)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_the_size_asked_for() {
        assert_eq!(frame("1:2", 300).len(), 300);
        assert!(frame("1:2", 0).ends_with(b"\"}\nid: 1:2\n\n"));
    }
}
