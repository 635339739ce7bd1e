//! To which host a request is: it says so once.

use http::{Request, Version, header::HOST};

/// Whether the request has the one `Host` that HTTP/1.1 asks for (RFC 9112, 3.2). Two would let
/// whoever stands before us and ourselves read two different ones.
pub(super) fn is_said_once<B>(request: &Request<B>) -> bool {
    let said = request.headers().get_all(HOST).iter().count();
    said == 1 || (said == 0 && request.version() < Version::HTTP_11)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once_and_in_http_1_0_it_need_not_be() {
        for (version, hosts, right) in [
            (Version::HTTP_11, 1, true),
            (Version::HTTP_11, 0, false),
            (Version::HTTP_11, 2, false),
            (Version::HTTP_10, 0, true),
            (Version::HTTP_10, 2, false),
        ] {
            let mut request = Request::builder().version(version);
            for _ in 0..hosts {
                request = request.header(HOST, "localhost");
            }
            let request = request.body(()).expect("a request");
            assert_eq!(is_said_once(&request), right, "{version:?} {hosts}");
        }
    }
}
