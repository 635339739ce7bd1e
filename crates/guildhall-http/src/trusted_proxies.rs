//! Which peers are believed when they say for whom they speak, and what they say.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
    sync::atomic::{AtomicBool, Ordering},
};

use http::{HeaderMap, HeaderName, header::FORWARDED};
use tracing::warn;

use super::ClientAddress;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// More hops than any chain of proxies has; what stands before them is not looked at.
const HOPS: usize = 32;

/// The networks of one's own proxies. A peer from one of them names its client
/// at the right end of `X-Forwarded-For`, or of `Forwarded` where the other is not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// An address and how many of its first bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u32,
}

impl TrustedProxies {
    /// Whether this peer, or hop, is one of them.
    pub(crate) fn has(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|network| network.has(ip))
    }

    /// Adds what one word of the setting names: an address, a network such as `10.0.0.0/8`,
    /// `loopback` or `private`. Returns whether the word was understood.
    #[must_use]
    pub fn add(&mut self, word: &str) -> bool {
        let names = match word {
            "loopback" => &["127.0.0.0/8", "::1/128"][..],
            "private" => &[
                "10.0.0.0/8",
                "172.16.0.0/12",
                "192.168.0.0/16",
                "169.254.0.0/16",
                "fc00::/7",
                "fe80::/10",
            ],
            one => &[one],
        };
        let before = self.0.len();
        self.0
            .extend(names.iter().filter_map(|name| Network::from_str(name).ok()));
        self.0.len() > before
    }
}

impl Network {
    fn has(&self, ip: IpAddr) -> bool {
        match (self.address, ip) {
            (IpAddr::V4(own), IpAddr::V4(ip)) => {
                let differ = own.to_bits() ^ ip.to_bits();
                differ.leading_zeros() >= self.prefix
            }
            (IpAddr::V6(own), IpAddr::V6(ip)) => {
                let differ = own.to_bits() ^ ip.to_bits();
                differ.leading_zeros() >= self.prefix
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(drop)?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim_matches(['[', ']']).parse().map_err(drop)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(bits, u32::from);
        if prefix > bits {
            return Err(());
        }
        // An IPv4 network written as IPv6 is IPv4, as the peers that it is compared with are.
        match (address.to_canonical(), prefix.checked_sub(96)) {
            (v4 @ IpAddr::V4(_), Some(prefix)) if bits == 128 => Ok(Self {
                address: v4,
                prefix,
            }),
            _ => Ok(Self { address, prefix }),
        }
    }
}

/// Whose address a request is counted by.
#[derive(Debug)]
pub(super) struct ClientAddresses {
    pub(super) proxies: TrustedProxies,
    /// The name of the setting that lists them.
    setting: &'static str,
    /// Whether an unlisted proxy is worth a line. It is, once.
    warns: AtomicBool,
}

impl ClientAddresses {
    /// `setting`: the name of the setting that lists them, if an unlisted one is worth a line.
    pub(super) fn new(proxies: TrustedProxies, setting: Option<&'static str>) -> Self {
        Self {
            proxies,
            setting: setting.unwrap_or_default(),
            warns: AtomicBool::new(setting.is_some()),
        }
    }

    /// The client of a request that this peer sent.
    pub(super) fn of(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let peer = peer.to_canonical();
        if self.proxies.has(peer) {
            return ClientAddress::of(client(peer, headers, &self.proxies));
        }
        if self.warns.load(Ordering::Relaxed)
            && headers.contains_key(X_FORWARDED_FOR)
            && is_private(peer)
            && self.warns.swap(false, Ordering::Relaxed)
        {
            let setting = self.setting;
            warn!(
                "X-Forwarded-For came from {peer}, which is not in {setting}: everybody who \
                 comes through it counts as one address. If it is your proxy, list it"
            );
        }
        ClientAddress::of(peer)
    }
}

/// The nearest hop, from the right, that is none of our proxies. Whatever stands further left was
/// written by somebody who need not be believed. What cannot be read ends the walk: the last proxy
/// before it is the one to count by.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, proxies: &TrustedProxies) -> IpAddr {
    let (name, read): (_, fn(&str) -> Option<IpAddr>) = if headers.contains_key(X_FORWARDED_FOR) {
        (X_FORWARDED_FOR, hop)
    } else {
        (FORWARDED, forwarded_for)
    };
    let lines = headers.get_all(name).iter().rev();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
    let hops = hops.map(str::trim).filter(|hop| !hop.is_empty());
    let mut nearest = peer;
    for hop in hops.take(HOPS) {
        match read(hop).map(|ip| ip.to_canonical()) {
            Some(ip) if ip.is_unspecified() => break,
            // Nobody at the other end of a network is this machine, which no bound counts.
            Some(ip) if ip.is_loopback() && !peer.is_loopback() => break,
            Some(ip) => nearest = ip,
            None => break,
        }
        if !proxies.has(nearest) {
            break;
        }
    }
    nearest
}

/// `192.0.2.1`, `2001:db8::1`, with or without brackets, port and quotes.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches('"');
    let plain = text.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|hop| hop.ip());
    let in_brackets = || {
        let inside = text.strip_prefix('[')?.strip_suffix(']')?;
        inside.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    };
    plain.or_else(with_port).or_else(in_brackets)
}

/// The `for` of one element of `Forwarded` (RFC 7239).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    // Cut out of the middle of something quoted, such as a host that its sender chose.
    if element.matches('"').count() % 2 == 1 {
        return None;
    }
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    hop(value.trim())
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests;
