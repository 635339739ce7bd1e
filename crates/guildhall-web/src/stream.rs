//! 5 to 7: a stream is a place in the log. What comes after it is read, filtered by class, and
//! written; if it cannot be read any more, a snapshot is written and the place moves there.

/// How long a browser waits before it reconnects.
pub(crate) mod reconnect;
/// What a browser asks for.
pub(crate) mod query;
/// How many streams there may be.
pub(crate) mod limit;
/// The gateway is asked before anything is sent.
pub(crate) mod watch;
/// 5: replay meets live.
pub(crate) mod replay;
/// 7: bytes.
pub(crate) mod write;
/// The response body: one stream from its first byte to its last.
pub(crate) mod body;
/// `/api/stream` and `/api/state`.
pub(crate) mod route;

#[cfg(test)]
pub(crate) mod tests;
