//! Encrypted cookies, and other texts that only we can have written. AES-GCM with the cookie's name
//! authenticated, so no cookie can be passed off as another; what cannot be opened is as good as absent.
//!
//! A value is base64url without padding of nonce, ciphertext and tag: letters, digits, `-` and `_`,
//! which no client quotes or encodes on its way. What clients do to values all the same (quotes,
//! percent-encoding) is undone when reading, and so is the standard alphabet of older cookies.

use std::{borrow::Cow, sync::Arc, time::Duration};

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use cookie::{Cookie, Key, SameSite};
use guildhall_http::{RotatedSecret, StrongSecret};
use guildhall_model::json;
use http::{HeaderMap, HeaderValue, header};
use serde::{Serialize, de::DeserializeOwned};

use super::random;

/// Browsers drop a longer cookie silently.
pub(super) const COOKIE_MAX: usize = 4096;

const NONCE_LENGTH: usize = 12;

/// Seals and opens cookies with keys derived from the session secrets.
#[derive(Clone)]
pub(super) struct Jar {
    ciphers: Arc<[Aes256Gcm]>,
    secure: bool,
}

impl Jar {
    /// The current secret seals, all open.
    pub(super) fn new(secrets: &RotatedSecret, secure: bool) -> Self {
        let ciphers = secrets.iter().map(cipher).collect();
        Self { ciphers, secure }
    }

    /// The full name of one of our cookies. `__Host-` makes the browser refuse the cookie unless
    /// it is Secure, for this host alone and for every path; plain http has no such promise.
    pub(super) fn name(&self, name: &str) -> String {
        let prefix = if self.secure { "__Host-" } else { "" };
        format!("{prefix}{name}")
    }

    /// The `Set-Cookie` that gives the browser `value` as JSON under a full name for so long.
    pub(super) fn seal(&self, name: &str, value: &impl Serialize, age: Duration) -> HeaderValue {
        self.seal_bytes(name, &json::to_vec(value), age)
    }

    /// The same with bytes.
    pub(super) fn seal_bytes(&self, name: &str, plain: &[u8], age: Duration) -> HeaderValue {
        self.set_cookie(name, self.seal_text(name, plain), age)
    }

    /// Bytes as a text that only we can have written, and of which nobody else learns what is in it:
    /// base64url. `purpose`: a cookie's full name, or what is none, which has a blank.
    pub(super) fn seal_text(&self, purpose: &str, plain: &[u8]) -> String {
        let nonce = random::bytes::<NONCE_LENGTH>();
        let payload = Payload {
            msg: plain,
            aad: purpose.as_bytes(),
        };
        let sealed = self.ciphers[0]
            .encrypt(Nonce::from_slice(&nonce), payload)
            .expect("it is far shorter than what one nonce may seal");
        BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())
    }

    /// What was sealed for this purpose, if it was so to the letter.
    pub(super) fn open_text(&self, purpose: &str, text: &str) -> Option<Vec<u8>> {
        let text = Some(text).filter(|text| text.len() <= COOKIE_MAX);
        let sealed = text.and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok());
        self.unseal(purpose, &sealed?)
    }

    /// The `Set-Cookie` of a value that is no secret.
    pub(super) fn plain(&self, name: &str, value: String, age: Duration) -> HeaderValue {
        self.set_cookie(name, value, age)
    }

    /// The `Set-Cookie` that takes a cookie away.
    pub(super) fn clear(&self, name: &str) -> HeaderValue {
        self.set_cookie(name, String::new(), Duration::ZERO)
    }

    /// The first cookie of that full name that one of the keys opens and that reads as JSON.
    pub(super) fn open<T: DeserializeOwned>(&self, headers: &HeaderMap, name: &str) -> Option<T> {
        self.opened(headers, name)
            .find_map(|plain| serde_json::from_slice(&plain).ok())
    }

    /// What is in each cookie of that full name that one of the keys opens. There may be several:
    /// on localhost another program's cookie of the same name reaches us too, and so does an older
    /// one of ours that was kept for another path.
    pub(super) fn opened(
        &self,
        headers: &HeaderMap,
        name: &str,
    ) -> impl Iterator<Item = Vec<u8>> + use<> {
        let opened: Vec<_> = pairs(headers)
            .filter(|(found, _)| found == name)
            .filter_map(|(_, value)| decode(&value))
            .filter_map(|sealed| self.unseal(name, &sealed))
            .collect();
        opened.into_iter()
    }

    fn unseal(&self, name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, msg) = sealed.split_at_checked(NONCE_LENGTH)?;
        let aad = name.as_bytes();
        self.ciphers.iter().find_map(|cipher| {
            let payload = Payload { msg, aad };
            cipher.decrypt(Nonce::from_slice(nonce), payload).ok()
        })
    }

    fn set_cookie(&self, name: &str, value: String, age: Duration) -> HeaderValue {
        let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        let cookie = Cookie::build((name.to_owned(), value))
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .max_age(time::Duration::seconds(seconds))
            .build();
        HeaderValue::try_from(cookie.to_string()).expect("names are ours and values are base64url")
    }
}

/// The key derivation asks for the length that a strong secret has.
fn cipher(secret: &StrongSecret) -> Aes256Gcm {
    let key = Key::derive_from(secret.expose().as_bytes());
    Aes256Gcm::new_from_slice(key.encryption()).expect("a derived key has the cipher's length")
}

/// How long the value of the first cookie of that full name is, as it came.
pub(super) fn length_of(headers: &HeaderMap, name: &str) -> Option<usize> {
    let value = pairs(headers).find_map(|(found, value)| (found == name).then_some(value));
    value.map(|value| value.len())
}

/// All cookies of a request. A foreign cookie with odd bytes must not hide ours, and some proxies
/// join several `Cookie` headers with commas, which no value of ours has.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (String, String)> {
    headers.get_all(header::COOKIE).iter().flat_map(|line| {
        String::from_utf8_lossy(line.as_bytes())
            .split([';', ','])
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect::<Vec<_>>()
    })
}

/// The bytes of a value, whatever a client has wrapped around it: double quotes (RFC 6265 allows
/// them, Python's jars add them), percent-encoding (some jars of JavaScript), or both.
fn decode(value: &str) -> Option<Vec<u8>> {
    let value = percent_decoded(unquoted(value));
    let value = unquoted(&value).trim_end_matches('=');
    if value.len() > COOKIE_MAX {
        return None;
    }
    let older = value.contains(['+', '/']);
    let engine = if older {
        BASE64_STANDARD_NO_PAD
    } else {
        BASE64_URL_SAFE_NO_PAD
    };
    engine.decode(value).ok()
}

fn unquoted(value: &str) -> &str {
    let inside = value.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    inside.unwrap_or(value).trim()
}

/// What is no whole escape of ASCII stays as it is, and is no base64 then.
fn percent_decoded(value: &str) -> Cow<'_, str> {
    if !value.contains('%') {
        return Cow::Borrowed(value);
    }
    let mut parts = value.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digit = |at: usize| char::from(*part.as_bytes().get(at)?).to_digit(16);
        let code = digit(0).zip(digit(1)).map(|(high, low)| high << 4 | low);
        if let Some(letter) = code.and_then(char::from_u32).filter(char::is_ascii) {
            decoded.push(letter);
            decoded.push_str(&part[2..]);
        } else {
            decoded.push('%');
            decoded.push_str(part);
        }
    }
    Cow::Owned(decoded)
}

#[cfg(test)]
mod tests;
