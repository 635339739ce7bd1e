//! The link between gateway and web, as rules without a socket: what may be said, in which
//! order, and when the other side counts as gone (docs/protocol/link.md).
//!
//! Everything here is a pure machine: inputs and the time go in, outputs come out. This crate
//! will never know tokio, a socket or a clock, so that a test can drive years of a link in a
//! millisecond. The drivers are `guildhall-gateway/src/link/attachment.rs` and
//! `guildhall-web/src/link/dial.rs`.

/// What is said: one envelope, its types and their data.
pub mod frame;
/// What both ends of a connection have in common: limits, heartbeat, and how it ends.
pub mod attachment;
/// The gateway's end: sends the log after a position, and goes on as it grows.
pub mod sender;
/// The web role's end: subscribes, and refuses whatever would leave a hole.
pub mod receiver;
/// Requests that wait for their answer, each for a limited time.
pub mod pending;
/// When to dial again.
pub mod backoff;

pub use attachment::{End, SocketInput, Violation};
pub use backoff::Backoff;
pub use frame::{Frame, FrameError};
pub use receiver::Receiver;
pub use sender::Sender;

#[cfg(test)]
mod tests;
