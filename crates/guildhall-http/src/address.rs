//! Who a request comes from, as far as the network tells.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

/// The address that bounds are counted by. Every request served by [`super::serve`] has one among
/// its extensions.
///
/// An IPv6 address is the first of its /64, because a host has the whole of that; an IPv4 address
/// written as IPv6 (`::ffff:192.0.2.1`) is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The address of a peer, or one that a trusted proxy named.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V6(ip) if !ip.is_loopback() => {
                let network = ip.to_bits() >> 64 << 64;
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
            ip => ip,
        })
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_counts_as_one_address() {
        for (said, counted) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::", "2001:db8:1:2::"),
            ("::1", "::1"),
            ("127.0.0.1", "127.0.0.1"),
        ] {
            let client = ClientAddress::of(said.parse().expect("an address"));
            assert_eq!(client.to_string(), counted);
        }
    }
}
