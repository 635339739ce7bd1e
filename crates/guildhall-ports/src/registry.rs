//! Which gateways there are.

use std::fmt::{self, Debug};

use crate::future::{PortFuture, Unavailable};

/// Knows where the gateways' links are.
///
/// Promises:
///
/// - What was announced is listed, once, from the answer on and until it is withdrawn. A registry
///   that several processes share may also drop one that was not announced again for a while, and
///   says for how long.
/// - Announcing again what is listed changes nothing but that time.
/// - Who is listed need not be alive: whoever dials finds out, and asks again before the next try.
pub trait GatewayRegistry: Debug + Send + Sync {
    /// A gateway's link listens here.
    fn announce(&self, gateway: LinkAddress) -> PortFuture<'_, Result<(), Unavailable>>;

    /// It does not any more.
    fn withdraw(&self, gateway: LinkAddress) -> PortFuture<'_, Result<(), Unavailable>>;

    /// All that are known now, in an order that does not change by itself.
    fn gateways(&self) -> PortFuture<'_, Result<Vec<LinkAddress>, Unavailable>>;
}

/// The address of a gateway's link, such as `ws://10.0.0.7:8080/link`: as it was announced, which
/// may be by another process. Whoever dials it reads it first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkAddress(String);

impl LinkAddress {
    /// An address as text.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LinkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
