//! What the lab's programs share with the tests of the whole product: a browser's side of a stream, and a
//! network that breaks.
//!
//! It knows no crate of the product, so it cannot agree with a mistake of theirs.

/// Server-Sent Events: bytes to events, one connection, and one that comes back.
pub mod sse;
/// A proxy that lets two ends down.
pub mod fault_proxy;
