//! To the browser. A stream is a position in the log: what comes after it is read from the buffers
//! of its classes and written; if it cannot be read any more, a snapshot is written and the stream
//! goes on from there.

/// What a browser asks for, read from the query string.
mod query;
/// How many streams and requests there may be.
pub(crate) mod limit;
/// Which streams are open.
pub(crate) mod open_streams;
/// Has the gateway look viewers up.
pub(crate) mod watch;
/// Whether a request is served.
pub(crate) mod admission;
/// The replay verdict: may a browser go on from its cursor?
mod replay;
/// Records, snapshots and control events as SSE and JSON.
mod write;
/// How long a browser waits before it reconnects.
mod reconnect;
/// What a stream is made of.
mod setup;
/// The response body: one stream from its first byte to its last.
mod body;
/// `/api/stream` and `/api/state`.
pub(crate) mod route;

#[cfg(test)]
pub(crate) mod tests;
