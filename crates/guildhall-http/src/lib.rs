//! What every listener of ours shares: one accept loop with bounds, time limits and small buffers;
//! and what every connection of ours to others does: how it speaks TLS.
//!
//! This crate will never know a route, a role or a setting's name: which connections there may be,
//! and what answers their requests, is handed in.

/// A bound listener, with room for all who come at one moment, and what else is served.
mod listener;
/// A connection as it came in.
mod socket;
/// How one listener serves.
mod config;
/// The accept loop: who is let in.
mod accept;
/// The open connections of a listener, and which are closed when there are too many.
mod connections;
/// What all connections share, however long they last.
mod connection;
/// Connections that are kept alive from one request to the next.
mod keep_alive;
/// Connections of one request, which is answered or upgrades them.
mod one_request;
/// The 503 for a connection beyond the bounds.
mod refuse;
/// A peer that does not read is given up.
mod stall;
/// A request in flight: its connection is busy until the response is complete.
mod in_flight;
/// A request's body, and whether its end was reached.
mod request_body;
/// `Host`: exactly one valid header.
mod host;
/// Headers of which there is to be one.
mod only_value;
/// By which names a listener is asked for.
mod allowed_hosts;
/// The address that a client is counted by.
mod address;
/// Proxies that are believed about their clients' addresses.
mod trusted_proxies;
/// Counted each time, logged once a minute.
mod log_throttle;
/// A future that is polled only after it was woken itself.
mod poll_when_woken;
/// Errors of connections in words.
mod error_chain;
/// The time that drivers hand to their machines.
pub mod driver_time;
/// URLs of settings.
mod urls;
/// Secrets of settings.
mod secret;
/// TLS towards others, what is trusted and what is spoken; and for those who come.
pub mod tls;

pub use accept::serve;
pub use address::ClientAddress;
pub use allowed_hosts::{AllowedHosts, HostName, NoHostName};
pub use config::{AcceptFailure, Config, Persistence};
pub use error_chain::{error_chain, root_cause};
pub use listener::{Accept, Listener};
pub use log_throttle::{LogThrottle, Occurrences};
pub use only_value::only_value;
pub use poll_when_woken::PollWhenWoken;
pub use secret::{RotatedSecret, Secret, ShortSecret, StrongSecret, UnusableSecret};
pub use socket::{ByteStream, IncomingSocket};
pub use trusted_proxies::TrustedProxies;
pub use urls::{HttpOrigin, HttpUrl, UnusableUrl, WsUrl};
