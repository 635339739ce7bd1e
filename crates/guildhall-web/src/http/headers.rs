//! What every answer says about itself.

use axum::response::Response;
use http::{HeaderName, HeaderValue, header};
use url::Url;

/// What a page of ours may load and do: its own files, pictures from the CDN, and nothing else. `styles`:
/// whose.
pub(crate) fn content_security_policy(cdn_url: &Url, styles: &str) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src {styles}; font-src 'self'; \
         connect-src 'self'; img-src 'self' {}; manifest-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'",
        cdn_url.origin().ascii_serialization()
    );
    HeaderValue::from_str(&policy).expect("an origin is ASCII without controls")
}

/// Headers for all answers, made once.
#[derive(Clone, Debug)]
pub(crate) struct SecurityHeaders {
    fixed: Vec<(HeaderName, HeaderValue)>,
}

impl SecurityHeaders {
    /// The page loads its own files, pictures from Discord's CDN, and nothing else.
    /// `base_url`: on https, browsers are told to come by nothing else for a year.
    pub(crate) fn new(base_url: &Url, cdn_url: &Url) -> Self {
        let policy = content_security_policy(cdn_url, "'self'");
        let mut fixed = vec![
            (header::CONTENT_SECURITY_POLICY, policy),
            (
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ),
            (
                header::REFERRER_POLICY,
                HeaderValue::from_static("same-origin"),
            ),
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                HeaderValue::from_static("same-origin"),
            ),
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                HeaderValue::from_static("same-origin"),
            ),
        ];
        if base_url.scheme() == "https" {
            fixed.push((
                header::STRICT_TRANSPORT_SECURITY,
                HeaderValue::from_static("max-age=31536000"),
            ));
        }
        Self { fixed }
    }

    /// Adds them where the answer has none of its own.
    pub(crate) fn put(&self, mut response: Response) -> Response {
        for (name, value) in &self.fixed {
            let entry = response.headers_mut().entry(name.clone());
            entry.or_insert_with(|| value.clone());
        }
        response
    }
}
