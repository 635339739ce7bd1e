//! What opens the probe: whoever has the session secret makes a token that is good for a minute.

use std::time::Duration;

use guildhall_model::UnixMs;
use guildhall_ports::millis;
use http::{HeaderMap, HeaderValue};

use super::{
    AuthConfig,
    jar::{self, Jar},
    session::COOKIE_NAME,
};
use crate::Config;

/// How long a token is good.
const TOKEN_LIFE: Duration = Duration::from_mins(1);

/// A token's own name among all that is sealed by the session secret: no cookie is one.
const TOKEN_NAME: &str = "probe";

/// Seals and opens the tokens of `GET /api/probe`.
///
/// A token opens nothing but the probe, which tells of the request that asks for it and of nothing else.
#[derive(Clone)]
pub struct ProbeKey {
    jar: Jar,
}

impl ProbeKey {
    /// By the session secrets of these settings.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let jar = AuthConfig::of(config).jar();
        Self { jar }
    }

    /// A token that is good for a minute from `now` on.
    #[must_use]
    pub fn token(&self, now: UnixMs) -> String {
        let until = now.saturating_add(millis(TOKEN_LIFE));
        self.jar.seal_text(TOKEN_NAME, until.to_string().as_bytes())
    }

    /// The full name of the cookie that a session is in.
    #[must_use]
    pub fn session_cookie(&self) -> String {
        self.jar.name(COOKIE_NAME)
    }

    /// Whether it is a token, made in the last minute. One of a clock that is ahead of ours by more
    /// than a minute is none either.
    pub(crate) fn opens(&self, token: &str, now: UnixMs) -> bool {
        let until = self.jar.open_text(TOKEN_NAME, token);
        let until = until.and_then(|text| String::from_utf8(text).ok()?.parse::<UnixMs>().ok());
        until.is_some_and(|until| {
            let latest = now.saturating_add(2 * millis(TOKEN_LIFE));
            (now..=latest).contains(&until)
        })
    }

    /// How long the value of a session's cookie is in this request, whatever it says.
    pub(crate) fn session_cookie_length(&self, headers: &HeaderMap) -> Option<usize> {
        jar::length_of(headers, &self.session_cookie())
    }

    /// A `Set-Cookie` of a cookie that means nothing, whose value is so long.
    pub(crate) fn empty_cookie(&self, length: usize) -> HeaderValue {
        let name = self.jar.name("guildhall-probe");
        self.jar.plain(&name, "p".repeat(length), TOKEN_LIFE)
    }
}

impl std::fmt::Debug for ProbeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProbeKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::config::tests::{SECRET, auth_config, strong},
        *,
    };

    const NOW: UnixMs = 1_800_000_000_000;

    fn key(secret: &str) -> ProbeKey {
        let mut config = auth_config("https://hall.example");
        config.session_secrets = strong(secret).into();
        ProbeKey { jar: config.jar() }
    }

    #[test]
    fn a_token_is_good_for_a_minute_and_for_clocks_a_minute_apart() {
        let (key, minute) = (key(SECRET), millis(TOKEN_LIFE));
        let token = key.token(NOW);
        for (now, good) in [
            (NOW, true),
            (NOW + minute, true),
            (NOW + minute + 1, false),
            (NOW - minute, true),
            (NOW - minute - 1, false),
        ] {
            assert_eq!(key.opens(&token, now), good, "{now}");
        }
    }

    #[test]
    fn what_another_secret_sealed_or_nobody_is_no_token() {
        let ours = key(SECRET);
        let theirs = key("a-young-birch-holds-up-another-hall").token(NOW);
        let cookie = ours.jar.seal_text(COOKIE_NAME, NOW.to_string().as_bytes());
        for token in [theirs.as_str(), &cookie, "", "p", "%", &"A".repeat(5_000)] {
            assert!(!ours.opens(token, NOW), "{token}");
        }
        let mut token = ours.token(NOW).into_bytes();
        token[20] = if token[20] == b'A' { b'B' } else { b'A' };
        assert!(!ours.opens(&String::from_utf8(token).expect("ASCII"), NOW));
    }

    #[test]
    fn its_cookies_are_called_as_sessions_are_and_are_as_long_as_was_asked() {
        let key = key(SECRET);
        let mut headers = HeaderMap::new();
        assert_eq!(key.session_cookie_length(&headers), None);
        let cookie = format!("a=b; {}=pppp", key.session_cookie());
        headers.insert("cookie", cookie.parse().expect("a header"));
        assert_eq!(key.session_cookie(), "__Host-guildhall");
        assert_eq!(key.session_cookie_length(&headers), Some(4));
        let line = key.empty_cookie(3);
        let line = line.to_str().expect("ASCII");
        assert!(line.starts_with("__Host-guildhall-probe=ppp;"), "{line}");
    }
}
