//! By which names a listener is asked for. A site that points a name of its own at us makes browsers take
//! what we answer for its own (DNS rebinding), so a name that nobody listed is refused. Addresses can't be
//! pointed, and `localhost` is this machine to every browser.

use std::str::FromStr;

use http::{HeaderMap, Uri, header, uri::Authority};
use url::Host;

/// Names by which browsers may ask for us, whatever the port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<HostName>);

/// One name of a host: no address, no port, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

/// It is no name of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no name of a host")]
pub struct NoHostName;

impl FromStr for HostName {
    type Err = NoHostName;

    fn from_str(text: &str) -> Result<Self, NoHostName> {
        match Host::parse(text) {
            Ok(Host::Domain(name)) if !name.is_empty() => Ok(Self(without_root(&name).to_owned())),
            _ => Err(NoHostName),
        }
    }
}

impl AllowedHosts {
    /// One more.
    pub fn add(&mut self, name: HostName) {
        if !self.0.contains(&name) {
            self.0.push(name);
        }
    }

    /// One more: the host of a URL. An address is allowed anyhow.
    pub fn add_host_of(&mut self, url: &url::Url) {
        if let Some(Host::Domain(name)) = url.host() {
            self.add(HostName(without_root(name).to_owned()));
        }
    }

    /// Whether a request asks by one of these, by an address, or as localhost: in `Host`, and in its
    /// target where that names one. HTTP/1.0 may name none.
    #[must_use]
    pub fn answer(&self, target: &Uri, headers: &HeaderMap) -> bool {
        let in_target = target.authority().is_none_or(|it| self.has(it.host()));
        let mut hosts = headers.get_all(header::HOST).iter();
        in_target
            && hosts.all(|host| {
                let host = host.to_str().ok();
                let authority = host.and_then(|host| host.parse::<Authority>().ok());
                authority.is_some_and(|it| self.has(it.host()))
            })
    }

    fn has(&self, host: &str) -> bool {
        match Host::parse(host) {
            Ok(Host::Ipv4(_) | Host::Ipv6(_)) => true,
            Ok(Host::Domain(name)) => {
                let name = without_root(&name);
                name == "localhost"
                    || name.ends_with(".localhost")
                    || self.0.iter().any(|allowed| allowed.0 == name)
            }
            Err(_) => false,
        }
    }
}

/// `hall.example.` is `hall.example`.
fn without_root(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn hosts() -> AllowedHosts {
        let mut hosts = AllowedHosts::default();
        hosts.add("Hall.example".parse().expect("a name"));
        hosts.add_host_of(&"https://app.example:8443/live".parse().expect("a URL"));
        hosts.add_host_of(&"http://192.0.2.7/".parse().expect("a URL"));
        hosts
    }

    fn answered(target: &str, host: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert(header::HOST, HeaderValue::from_static(host));
        }
        hosts().answer(&target.parse().expect("a target"), &headers)
    }

    #[test]
    fn listed_names_addresses_and_this_machine_are_answered() {
        for host in [
            "hall.example",
            "HALL.EXAMPLE:3000",
            "hall.example.",
            "app.example",
            "127.0.0.1:3000",
            "203.0.113.9",
            "[2001:db8::1]:443",
            "localhost:3000",
            "web.localhost",
        ] {
            assert!(answered("/", Some(host)), "{host}");
        }
        assert!(answered("/", None));
        assert!(answered("http://hall.example/api/me", Some("hall.example")));
    }

    #[test]
    fn names_that_nobody_listed_are_not() {
        for host in [
            "evil.example",
            "hall.example.evil.example",
            "xhall.example",
            "sub.hall.example",
            "localhost.evil.example",
            "notlocalhost",
            "",
            "hall.example,evil.example",
        ] {
            assert!(!answered("/", Some(host)), "{host}");
        }
        // The target counts before the header.
        assert!(!answered("http://evil.example/", Some("hall.example")));
        assert!(!answered("http://hall.example/", Some("evil.example")));
    }

    #[test]
    fn only_names_are_listed() {
        for text in [
            "",
            "a b",
            "https://hall.example",
            "hall.example:80",
            "10.0.0.1",
            "[::1]",
        ] {
            assert_eq!(text.parse::<HostName>(), Err(NoHostName), "{text:?}");
        }
    }
}
