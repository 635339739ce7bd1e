//! Gateway v10 over WebSocket: HELLO to RESUMED.
//!
//! A session is a numbered run of dispatches; a connection is a cursor over it.
//! Live delivery, replay after RESUME and a slow client are one code path: write
//! what comes after the cursor.

/// Close codes of Discord, and what each means for the session.
mod close;
/// What a client sends, read without trust.
mod frame;
/// What a session may ask for: presence, voice, members, sounds, channel info.
mod ask;
/// What it is answered.
mod answer;
/// Members, a thousand at a time.
mod members;
/// How a frame leaves: plain, compressed payload by payload, or as one stream.
mod transport;
/// What goes over one socket: what waits to be written, and what comes meanwhile.
mod line;
/// The rules of one connection, without a socket.
mod protocol;
/// Sessions: who gets which dispatch, and what is kept for replay.
mod session;
/// All sessions, the identify budget, and detached ones.
mod sessions;
/// Faults that wait for the next connection, and orders for present ones.
mod fault;
/// The HTTP side: the URL, its query and the upgrade.
mod upgrade;
/// The socket side: one select loop per connection.
mod driver;

#[cfg(test)]
mod tests;

pub(crate) use close::CloseCode;
pub(crate) use fault::{Faults, Order, ResumeFault};
pub(crate) use sessions::Sessions;
pub(crate) use upgrade::{address, base, gateway_or_page, resume};
