//! What every listener of ours shares: one accept loop with bounds, time limits and small buffers.
//!
//! This crate will never know a route, a role or a setting's name: which connections there may be,
//! and what answers their requests, is handed in.

/// How one listener serves.
mod config;
/// The accept loop.
mod accept;
/// What all connections share.
mod connection;
/// Connections from one request to the next.
mod keep_alive;
/// Connections of one answer, or an upgrade.
mod one_request;
/// Who a request comes from.
mod address;
/// In use until the answer is complete.
mod answered;
/// How many connections there are, and which go first.
mod connections;
/// Whom a request says that it is for.
mod host;
/// What may happen often is said once a minute.
mod occurrences;
/// Who is believed about whose requests they pass on.
mod trusted_proxies;
/// The answer for whom there is no place.
mod refuse;
/// Futures that are seldom ready, beside ones that are often woken.
mod poll_when_woken;
/// A peer that takes nothing is let go.
mod stall;

pub use accept::serve;
pub use address::ClientAddress;
pub use config::{AcceptFailure, Config, Persistence};
pub use occurrences::{Notice, Occurrences};
pub use trusted_proxies::TrustedProxies;
pub use poll_when_woken::Seldom;
