//! What the login answers: redirects, and the small page that a browser sees when a login cannot go
//! on, with one sentence and a link.

use axum::response::{Html, IntoResponse, Redirect, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use url::Url;

use super::config::AuthConfig;

/// A page that needs nothing else and runs nothing. `sentence` is plain text.
pub(super) fn page(status: StatusCode, sentence: &str, again: &Url) -> Response {
    let again = escape(again.as_str());
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Sign in</title>\n\
         <p>{}</p>\n<p><a href=\"{again}\">Try again</a></p>\n</html>\n",
        escape(sentence)
    );
    (status, private(), Html(html)).into_response()
}

/// Headers of everything the login answers: the URL has a code in it and the answer has cookies.
pub(super) fn private() -> [(HeaderName, HeaderValue); 4] {
    [
        (header::CACHE_CONTROL, "private, no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
}

/// To somewhere else, with these `Set-Cookie`s.
pub(super) fn redirect(to: &Url, cookies: Vec<HeaderValue>) -> Response {
    let mut response = (private(), Redirect::to(to.as_str())).into_response();
    set_cookies(&mut response, cookies);
    response
}

/// Adds `Set-Cookie`s.
pub(super) fn set_cookies(response: &mut Response, cookies: Vec<HeaderValue>) {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Where a sign-in begins that returns to this page.
pub(super) fn login_url(config: &AuthConfig, return_to: &Url) -> Url {
    let mut url = config.at("auth/login");
    url.query_pairs_mut()
        .append_pair("returnTo", return_to.as_str());
    url
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}
