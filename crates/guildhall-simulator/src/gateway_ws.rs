//! Gateway v10 over WebSocket: HELLO to RESUMED.
//!
//! A session is a numbered run of dispatches; a connection is a cursor over it.
//! Live delivery, replay after RESUME and a slow client are one code path: write
//! what comes after the cursor.

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
/// The HTTP side: the URL, its query and the upgrade.
pub(crate) mod upgrade;
/// The socket side: one select loop per connection.
mod driver;

#[cfg(test)]
mod tests;

pub(crate) use close::CloseCode;
pub(crate) use fault::{Faults, Order, ResumeFault};
pub(crate) use sessions::Sessions;

pub(crate) use crate::{
    faults::gateway as fault,
    sessions::{close, payload as frame, registry as sessions, request as ask, session},
};
pub(crate) use upgrade::{address, base, gateway_or_page, resume};
