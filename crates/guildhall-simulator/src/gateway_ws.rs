//! Gateway v10 over WebSocket: HELLO to RESUMED.
//!
//! A session is a numbered run of dispatches; a connection is a cursor over it.
//! Live delivery, replay after RESUME and a slow client are one code path: write
//! what comes after the cursor.

/// What gateway connections take of the state.
mod state;
/// What a session is answered.
mod answer;
/// Members, a thousand at a time.
mod members;
/// How a frame leaves: plain, compressed payload by payload, or as one stream.
mod transport;
/// One WebSocket: what waits to be written, and what comes meanwhile.
mod socket;
/// The rules of one connection, without a socket.
mod protocol;
/// The HTTP side: the URL, its query and the upgrade.
mod upgrade;
/// The socket side: one select loop per connection.
mod driver;

#[cfg(test)]
mod tests;

pub(crate) use state::GatewayState;
pub(crate) use upgrade::{base, resume, upgrade};
