use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn proxies(words: &[&str]) -> TrustedProxies {
    let mut proxies = TrustedProxies::default();
    for word in words {
        assert!(proxies.add(word), "{word}");
    }
    proxies
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let value = HeaderValue::from_str(value).expect("a value");
        headers.append(HeaderName::from_static(name), value);
    }
    headers
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn a_proxy_that_is_listed_names_its_client_and_nobody_else_does() {
    let clients =
        ClientAddresses::new(proxies(&["10.0.0.0/8", "2001:db8:f::/48"]), Some("TRUSTED"));
    let xff = "x-forwarded-for";
    for (peer, lines, client) in [
        ("192.0.2.1", &[(xff, "198.51.100.7")][..], "192.0.2.1"),
        ("10.0.0.1", &[(xff, "198.51.100.7")], "198.51.100.7"),
        ("::ffff:10.0.0.1", &[(xff, "198.51.100.7")], "198.51.100.7"),
        ("10.0.0.1", &[], "10.0.0.1"),
        // Whatever the client wrote itself stands further left.
        (
            "10.0.0.1",
            &[(xff, "1.1.1.1, 198.51.100.7")],
            "198.51.100.7",
        ),
        (
            "10.0.0.1",
            &[(xff, "1.1.1.1"), (xff, "198.51.100.7")],
            "198.51.100.7",
        ),
        (
            "10.0.0.1",
            &[(xff, "1.1.1.1, 198.51.100.7, 10.9.9.9")],
            "198.51.100.7",
        ),
        (
            "10.0.0.1",
            &[(xff, "198.51.100.7,, 10.9.9.9,")],
            "198.51.100.7",
        ),
        (
            "2001:db8:f::1",
            &[(xff, "2001:db8:1:2:3:4:5:6")],
            "2001:db8:1:2::",
        ),
        ("10.0.0.1", &[(xff, "::ffff:198.51.100.7")], "198.51.100.7"),
        ("10.0.0.1", &[(xff, "198.51.100.7:4711")], "198.51.100.7"),
        (
            "10.0.0.1",
            &[(xff, "[2001:db8:1:2::3]:4711")],
            "2001:db8:1:2::",
        ),
        ("10.0.0.1", &[(xff, "[2001:db8:1:2::3]")], "2001:db8:1:2::"),
        // What can't be read is nobody: the last proxy before it counts.
        ("10.0.0.1", &[(xff, "unknown")], "10.0.0.1"),
        (
            "10.0.0.1",
            &[(xff, "198.51.100.7, unknown, 10.9.9.9")],
            "10.9.9.9",
        ),
        ("10.0.0.1", &[(xff, "198.51.100.7, 0.0.0.0")], "10.0.0.1"),
        ("10.0.0.1", &[(xff, "127.0.0.1")], "10.0.0.1"),
        (
            "10.0.0.1",
            &[("forwarded", "for=198.51.100.7;proto=https")],
            "198.51.100.7",
        ),
        (
            "10.0.0.1",
            &[(
                "forwarded",
                r#"for=1.1.1.1, For="[2001:db8:1:2::3]:80";by=10.0.0.1"#,
            )],
            "2001:db8:1:2::",
        ),
        (
            "10.0.0.1",
            &[("forwarded", r#"for=198.51.100.7;host="x, for=1.1.1.1""#)],
            "10.0.0.1",
        ),
        (
            "10.0.0.1",
            &[("forwarded", "for=1.1.1.1"), (xff, "198.51.100.7")],
            "198.51.100.7",
        ),
    ] {
        let found = clients.of(ip(peer), &headers(lines));
        assert_eq!(found.to_string(), client, "{peer} {lines:?}");
    }
}

#[test]
fn words_of_the_setting_are_addresses_networks_and_two_names() {
    let both = proxies(&[
        "loopback",
        "private",
        "::ffff:198.51.100.0/120",
        "192.0.2.9",
    ]);
    for inside in [
        "127.3.2.1",
        "::1",
        "10.1.2.3",
        "fd00::1",
        "198.51.100.200",
        "192.0.2.9",
    ] {
        assert!(both.has(ip(inside)), "{inside}");
    }
    for outside in ["192.0.2.8", "198.51.101.1", "172.32.0.1", "2001:db8::1"] {
        assert!(!both.has(ip(outside)), "{outside}");
    }
    assert!(proxies(&["0.0.0.0/0"]).has(ip("203.0.113.1")));
    for nonsense in [
        "",
        "*",
        "10.0.0.0/33",
        "10.0.0",
        "::/129",
        "proxy.local",
        "10.0.0.0/-1",
    ] {
        assert!(!TrustedProxies::default().add(nonsense), "{nonsense}");
    }
}

/// Hops as a chain of proxies, or whoever pretends to be one, writes them.
fn written() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|ip| IpAddr::from(ip).to_string()),
        any::<[u8; 16]>().prop_map(|ip| IpAddr::from(ip).to_string()),
        (0_u8..=255).prop_map(|host| format!("10.0.0.{host}")),
        (0_u8..=255).prop_map(|host| format!("\"127.0.0.{host}:80\"")),
        "[ -~]{0,12}",
    ]
}

proptest! {
    #[test]
    fn what_a_stranger_wrote_is_never_believed(
        forged in prop::collection::vec(written(), 0..5),
        client_host in 1_u8..=254,
        inner in prop::collection::vec(1_u8..=254, 0..3),
        peer_is_listed in any::<bool>(),
        lines in any::<bool>(),
    ) {
        let proxies = proxies(&["10.0.0.0/8"]);
        let client = IpAddr::from([198, 51, 100, client_host]);
        // Each proxy adds whom it was spoken to by, the first of them the client.
        let mut added: Vec<String> = forged;
        added.push(client.to_string());
        added.extend(inner.iter().map(|host| format!("10.0.0.{host}")));
        let mut headers = HeaderMap::new();
        for line in added.chunks(if lines { 1 } else { added.len() }) {
            let value = HeaderValue::from_str(&line.join(", ")).expect("printable");
            headers.append(X_FORWARDED_FOR, value);
        }
        let clients = ClientAddresses::new(proxies, None);
        let peer = if peer_is_listed { ip("10.0.0.1") } else { ip("203.0.113.5") };
        let counted = clients.of(peer, &headers);
        let right = if peer_is_listed { client } else { peer };
        prop_assert_eq!(counted, ClientAddress::of(right));
    }

    #[test]
    fn nothing_in_the_header_panics_or_becomes_this_machine(
        value in prop::collection::vec(any::<u8>().prop_filter("a header", |byte| *byte >= 32 && *byte != 127), 0..200),
    ) {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(&value).expect("it may stand in a header");
        headers.append(X_FORWARDED_FOR, value.clone());
        let clients = ClientAddresses::new(proxies(&["private", "loopback"]), None);
        prop_assert!(!clients.of(ip("10.0.0.1"), &headers).0.is_loopback());
        headers.remove(X_FORWARDED_FOR);
        headers.append(FORWARDED, value);
        prop_assert!(!clients.of(ip("10.0.0.1"), &headers).0.is_loopback());
    }
}
