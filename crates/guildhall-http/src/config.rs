//! How one listener serves.

use std::{io, time::Duration};

use crate::TrustedProxies;

/// What a listener is bounded by, and what its connections are for.
#[derive(Clone, Debug)]
pub struct Config {
    /// The listener's name in metrics and logs.
    pub listener: &'static str,
    /// Connections at one time. For a further one idle ones are closed.
    pub connections: usize,
    /// The same for one address. This machine and trusted proxies speak for many, and are counted
    /// by the bound above alone.
    pub connections_per_address: usize,
    /// A request's head must be complete so soon after the connection, or the answer before it.
    pub head_limit: Duration,
    /// So long after the stop a connection may finish what it is answering.
    pub shutdown_grace: Duration,
    /// Whether a connection outlives its first answer.
    pub persistence: Persistence,
    /// Writes the log's line about connections that could not be accepted, at most once a minute.
    pub log_accept_failure: fn(&AcceptFailure<'_>),
}

/// Whether a connection outlives its first answer, and what follows from that.
#[derive(Clone, Debug)]
pub enum Persistence {
    /// Kept alive, as browsers want it. Where no connection is idle a further one is answered with
    /// 503. A peer that does not read its answer is given up. Each request has the address of its
    /// client among its extensions: [`crate::ClientAddress`].
    KeepAlive {
        /// Who is believed about whose requests they pass on.
        trusted_proxies: TrustedProxies,
        /// The name of the setting that lists them, if a proxy that is not among them is worth a
        /// line.
        trusted_proxies_setting: Option<&'static str>,
    },
    /// Closed behind its one answer, or upgraded and then out of this crate's hands. Neither takes
    /// long, so where no connection is idle a further one waits.
    OneRequest,
}

/// Connections could not be accepted.
#[derive(Debug)]
pub struct AcceptFailure<'a> {
    /// The listener's name.
    pub listener: &'static str,
    /// How often it has happened since that was last said.
    pub times: u64,
    /// Why.
    pub error: &'a io::Error,
    /// Idle connections that are closed for it.
    pub closing: u64,
}

impl Config {
    /// For a listener with connections that are kept alive and before which no proxy stands.
    #[must_use]
    pub fn keep_alive(listener: &'static str, connections: usize) -> Self {
        Self {
            listener,
            connections,
            connections_per_address: connections,
            head_limit: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(3),
            persistence: Persistence::KeepAlive {
                trusted_proxies: TrustedProxies::default(),
                trusted_proxies_setting: None,
            },
            log_accept_failure: |failure| failure.log(),
        }
    }
}

impl AcceptFailure<'_> {
    fn log(&self) {
        let Self {
            listener,
            times,
            error,
            closing,
        } = self;
        tracing::warn!(listener, times, %error, closing, "accepting connections failed; idle ones are closed for it");
    }
}
