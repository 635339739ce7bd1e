//! `Host`: exactly one valid header (RFC 9112, 3.2). Proxies and we must read the same host in a
//! request, so one from which two could be read is refused.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Version, header, uri::Authority};

/// What a request is answered that is for no host, or for two.
pub(super) fn refused() -> Response {
    let body =
        r#"{"error":{"code":"invalid","message":"A request has exactly one valid Host header."}}"#;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (StatusCode::BAD_REQUEST, headers, body).into_response()
}

/// Whether there is exactly one valid `Host`. HTTP/1.0 may leave it out: simple probes of load
/// balancers do.
pub(super) fn is_clear(headers: &HeaderMap, version: Version) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok_and(is_host),
        (None, _) => version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// Whether `Host` is there once (RFC 9112, 3.2), whatever it is.
pub(super) fn is_given_once(headers: &HeaderMap, version: Version) -> bool {
    let said = headers.get_all(header::HOST).iter().count();
    said == 1 || (said == 0 && version < Version::HTTP_11)
}

/// A host with or without a port, nothing of a user, and not two that a proxy has joined.
fn is_host(text: &str) -> bool {
    let authority = text.parse::<Authority>();
    authority.is_ok_and(|it| !it.host().is_empty()) && !text.contains(['@', ','])
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn clear(hosts: &[&'static str], version: Version) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, HeaderValue::from_static(host));
        }
        is_clear(&headers, version)
    }

    #[test]
    fn a_request_is_for_one_host() {
        for host in [
            "hall.example",
            "HALL.example:443",
            "127.0.0.1:3000",
            "[::1]:3000",
            "localhost",
        ] {
            assert!(clear(&[host], Version::HTTP_11), "{host}");
        }
        for host in [
            "",
            " ",
            "a b",
            "user@hall.example",
            "hall.example/x",
            "a,b",
            ":80",
            "[::1",
        ] {
            assert!(!clear(&[host], Version::HTTP_11), "{host:?}");
        }
        assert!(!clear(&[], Version::HTTP_11));
        assert!(clear(&[], Version::HTTP_10));
        for version in [Version::HTTP_10, Version::HTTP_11] {
            let twice = ["hall.example"; 2];
            assert!(!clear(&twice, version), "two are not one, even the same");
        }
    }
}
