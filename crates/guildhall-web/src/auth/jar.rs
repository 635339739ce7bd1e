//! Encrypted cookies. AES-GCM with the cookie's name authenticated, so no cookie can be passed off
//! as another; what cannot be opened is as good as absent.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, CookieJar, Key, SameSite};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};

/// Browsers drop a longer cookie without a word.
pub(super) const COOKIE_MAX: usize = 4096;

/// Shorter secrets are refused by the settings, and by the key derivation.
pub(super) const SECRET_MIN: usize = 32;

/// Seals and opens cookies with keys derived from the session secrets.
#[derive(Clone)]
pub(super) struct Jar {
    keys: Arc<[Key]>,
    secure: bool,
}

impl Jar {
    /// The first secret seals, all open. Secrets under [`SECRET_MIN`] bytes are passed over, and
    /// `None` is the answer where no secret remains.
    pub(super) fn new(secrets: &[SecretString], secure: bool) -> Option<Self> {
        let keys: Arc<[Key]> = secrets
            .iter()
            .map(|secret| secret.expose_secret().as_bytes())
            .filter(|secret| secret.len() >= SECRET_MIN)
            .map(Key::derive_from)
            .collect();
        (!keys.is_empty()).then_some(Self { keys, secure })
    }

    /// The full name of one of our cookies. `__Host-` makes the browser refuse the cookie unless
    /// it is Secure, for this host alone and for every path; plain http has no such promise.
    pub(super) fn name(&self, name: &str) -> String {
        let prefix = if self.secure { "__Host-" } else { "" };
        format!("{prefix}{name}")
    }

    /// The `Set-Cookie` that gives the browser `value` under a full name for so long.
    pub(super) fn seal(&self, name: &str, value: &impl Serialize, age: Duration) -> HeaderValue {
        let text = serde_json::to_string(value).expect("what cookies hold has string keys only");
        let mut jar = CookieJar::new();
        jar.private_mut(&self.keys[0])
            .add(Cookie::new(name.to_owned(), text));
        let sealed = jar.get(name).map_or("", Cookie::value).to_owned();
        self.set_cookie(name, sealed, age)
    }

    /// The `Set-Cookie` that takes a cookie away.
    pub(super) fn clear(&self, name: &str) -> HeaderValue {
        self.set_cookie(name, String::new(), Duration::ZERO)
    }

    /// The first cookie of that full name that one of the keys opens. There may be several: on
    /// localhost another program's cookie of the same name reaches us too.
    pub(super) fn open<T: DeserializeOwned>(&self, headers: &HeaderMap, name: &str) -> Option<T> {
        pairs(headers)
            .filter(|(found, value)| found == name && value.len() <= COOKIE_MAX)
            .find_map(|(name, value)| {
                let sealed = Cookie::new(name, value);
                let jar = CookieJar::new();
                let mut opened = self
                    .keys
                    .iter()
                    .filter_map(|key| jar.private(key).decrypt(sealed.clone()));
                opened.find_map(|cookie| serde_json::from_str(cookie.value()).ok())
            })
    }

    fn set_cookie(&self, name: &str, value: String, age: Duration) -> HeaderValue {
        let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        let cookie = Cookie::build((name.to_owned(), value))
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .max_age(cookie::time::Duration::seconds(seconds))
            .build();
        HeaderValue::try_from(cookie.to_string()).expect("names are ours and values are base64")
    }
}

/// Names of a request's cookies that begin so.
pub(super) fn names(headers: &HeaderMap, beginning: &str) -> Vec<String> {
    pairs(headers)
        .map(|(name, _)| name)
        .filter(|name| name.starts_with(beginning))
        .collect()
}

/// All cookies of a request. A foreign cookie with odd bytes must not hide ours.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (String, String)> {
    headers.get_all(header::COOKIE).iter().flat_map(|line| {
        let line = String::from_utf8_lossy(line.as_bytes()).into_owned();
        Cookie::split_parse(line)
            .filter_map(Result::ok)
            .map(|cookie| (cookie.name().to_owned(), cookie.value().to_owned()))
            .collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests;
