//! Protection from cross-site requests: which sites may post with our cookie. SameSite keeps
//! cookies from other sites, but not from other hosts of the same site, nor from browsers that do
//! not know it.

use guildhall_http::only_value;
use http::{HeaderMap, HeaderName, StatusCode, header};
use url::Url;

use super::{config::AuthConfig, return_to::allowed};
use crate::http::ApiError;

/// Refuses a request that changes something with a cookie, unless it comes from a page of ours or
/// of the allow list (403) and says that it is JSON (415), which no plain form can.
pub(super) fn check_write(headers: &HeaderMap, config: &AuthConfig) -> Result<(), ApiError> {
    check_origin(headers, config)?;
    check_json(headers)
}

/// Refuses a request that does not come from a page of ours or of the allow list (403).
pub(super) fn check_origin(headers: &HeaderMap, config: &AuthConfig) -> Result<(), ApiError> {
    if !is_ours(headers, config) {
        let list = config.names.allowed_origins;
        return Err(ApiError::forbidden(format!(
            "This request must come from a page of this site, or of one in {list}."
        )));
    }
    Ok(())
}

/// Refuses a request that does not say that it is JSON (415).
pub(super) fn check_json(headers: &HeaderMap) -> Result<(), ApiError> {
    if !is_json(headers) {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Send this request with Content-Type: application/json.",
        ));
    }
    Ok(())
}

/// `Origin` decides where it is sent; browsers leave it out of some same-origin requests only.
fn is_ours(headers: &HeaderMap, config: &AuthConfig) -> bool {
    if headers.contains_key(header::ORIGIN) {
        return only_value(headers, &header::ORIGIN)
            .and_then(|origin| Url::parse(origin).ok())
            .is_some_and(|origin| allowed(&origin.origin(), config));
    }
    only_value(headers, &SEC_FETCH_SITE) == Some("same-origin")
}

fn is_json(headers: &HeaderMap) -> bool {
    only_value(headers, &header::CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::auth::config::tests::auth_config;

    fn status(pairs: &[(&'static str, &'static str)]) -> Option<u16> {
        let mut config = auth_config("https://hall.example/prefix");
        config.allowed_origins = vec!["https://app.example".parse().expect("a URL")];
        let headers = pairs.iter().map(|(name, value)| {
            let (name, value) = (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
            (name, value)
        });
        let refused = check_write(&headers.collect(), &config).err()?;
        Some(refused.status.as_u16())
    }

    const JSON: (&str, &str) = ("content-type", "application/json");

    #[test]
    fn pages_of_ours_and_of_the_allow_list_may_post() {
        for origin in [
            "https://hall.example",
            "https://hall.example:443",
            "https://app.example",
        ] {
            assert_eq!(status(&[("origin", origin), JSON]), None, "{origin}");
        }
        assert_eq!(status(&[("sec-fetch-site", "same-origin"), JSON]), None);
        let utf8 = ("content-type", "Application/JSON; charset=utf-8");
        assert_eq!(status(&[("origin", "https://hall.example"), utf8]), None);
    }

    #[test]
    fn others_may_not() {
        for origin in [
            "null",
            "",
            "https://evil.example",
            "http://hall.example",
            "https://hall.example:444",
            "https://hall.example.evil.example",
            "hall.example",
            "data:text/html,x",
        ] {
            assert_eq!(status(&[("origin", origin), JSON]), Some(403), "{origin}");
            let claimed = ("sec-fetch-site", "same-origin");
            assert_eq!(
                status(&[("origin", origin), claimed, JSON]),
                Some(403),
                "{origin}"
            );
        }
        for site in ["cross-site", "same-site", "none"] {
            assert_eq!(
                status(&[("sec-fetch-site", site), JSON]),
                Some(403),
                "{site}"
            );
        }
        assert_eq!(status(&[JSON]), Some(403));
    }

    #[test]
    fn of_two_neither_counts() {
        let (ours, evil) = ("https://hall.example", "https://evil.example");
        for origins in [[ours, evil], [evil, ours], [ours, ours]] {
            let pairs = origins.map(|origin| ("origin", origin));
            assert_eq!(
                status(&[pairs[0], pairs[1], JSON]),
                Some(403),
                "{origins:?}"
            );
        }
        let site = |site| ("sec-fetch-site", site);
        let sites = [site("same-origin"), site("cross-site"), JSON];
        assert_eq!(status(&sites), Some(403));
        let kinds = [("origin", ours), JSON, ("content-type", "text/plain")];
        assert_eq!(status(&kinds), Some(415));
    }

    #[test]
    fn what_a_form_can_send_is_no_json() {
        let ours = ("origin", "https://hall.example");
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=application/json",
            "application/jsonp",
        ] {
            assert_eq!(status(&[ours, ("content-type", kind)]), Some(415), "{kind}");
        }
        assert_eq!(status(&[ours]), Some(415));
    }
}
