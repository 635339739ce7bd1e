//! Who is answered on the operator's listener: programs by whatever name they ask, browsers by a name that
//! is this listener's own. A site that points a name of its own here (DNS rebinding) would have its visitors'
//! browsers read out everything.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use guildhall_http::RotatedSecret;
use subtle::{Choice, ConstantTimeEq};

use super::OpsAdmission;

/// Refuses browsers that ask by a name that nobody listed.
pub(super) async fn browsers(
    State(admission): State<OpsAdmission>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    if is_browser(headers) && !admission.hosts.answer(request.uri(), headers) {
        let sentence =
            "Nobody said that this listener goes by this name. ALLOWED_HOSTS lists names.\n";
        return (StatusCode::MISDIRECTED_REQUEST, sentence).into_response();
    }
    next.run(request).await
}

/// To a plain http address of another machine browsers say neither where they were sent from nor that they
/// are one, but for the name that all of them begin with.
fn is_browser(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT);
    agent.is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"))
        || headers.contains_key(header::ORIGIN)
        || headers
            .keys()
            .any(|name| name.as_str().starts_with("sec-fetch-"))
}

/// What a request says of the operator's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenSaid {
    /// Nothing.
    Nothing,
    /// The right one.
    Right,
    /// One that is none.
    Wrong,
}

impl OpsAdmission {
    /// Whether a request has the operator's token, compared in constant time.
    pub(super) fn token_said(&self, headers: &HeaderMap) -> TokenSaid {
        let mut said = headers.get_all(header::AUTHORIZATION).iter();
        let Some(first) = said.next() else {
            return TokenSaid::Nothing;
        };
        let bearer = first.to_str().ok().and_then(|text| text.split_once(' '));
        let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (Some((_, token)), None) = (bearer, said.next()) else {
            return TokenSaid::Wrong;
        };
        let known = self.token.iter().flat_map(RotatedSecret::iter);
        let right = known.fold(Choice::from(0), |right, known| {
            right | known.expose().as_bytes().ct_eq(token.as_bytes())
        });
        if right.into() {
            TokenSaid::Right
        } else {
            TokenSaid::Wrong
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).expect("a value");
            (HeaderName::from_static(name), value)
        });
        pairs.collect()
    }

    #[test]
    fn browsers_are_known_and_probes_and_scrapers_are_none() {
        for (name, value) in [
            ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)"),
            ("origin", "http://evil.example:9090"),
            ("sec-fetch-mode", "navigate"),
        ] {
            assert!(is_browser(&headers(&[(name, value)])), "{name}");
        }
        for agent in ["Prometheus/2.42.0", "curl/8.5.0", "kube-probe/1.33", ""] {
            assert!(!is_browser(&headers(&[("user-agent", agent)])), "{agent}");
        }
        assert!(!is_browser(&HeaderMap::new()));
    }
}
