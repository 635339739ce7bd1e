//! One try at signing in, between our redirect to Discord and Discord's back to us. It is kept by
//! the browser that began it, in an encrypted cookie of its own, so several tabs may try at once.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use guildhall_model::UnixMs;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use url::Url;

use super::{
    chance,
    jar::{Jar, names},
};

/// Long enough to find a password and a phone.
const TIME_TO_SIGN_IN: Duration = Duration::from_mins(10);

/// Attempts a browser may have open. Beyond it the oldest is dropped: more cookies would outgrow
/// the room a server gives to headers.
const ATTEMPTS_MAX: usize = 5;

/// So much of the state names the cookie; the rest stays between Discord and the cookie's inside.
const NAME_PART: usize = 12;

/// 256 random bits, base64url.
const STATE_LENGTH: usize = 43;

/// What must come back from Discord, and what only we know. No `Debug`: all of it is secret.
#[derive(Serialize, Deserialize)]
pub(super) struct Attempt {
    /// Given to Discord, which gives it back.
    pub(super) state: String,
    /// Its hash went to Discord, itself goes with the code.
    pub(super) verifier: String,
    /// Where the browser goes afterwards, already checked.
    pub(super) return_to: Url,
    /// When it is too late.
    pub(super) expires_at: UnixMs,
}

impl Attempt {
    /// A new one.
    pub(super) fn new(return_to: Url, now: UnixMs) -> Self {
        let secret = || BASE64_URL_SAFE_NO_PAD.encode(chance::bytes::<32>());
        let lifetime = UnixMs::try_from(TIME_TO_SIGN_IN.as_millis()).unwrap_or(UnixMs::MAX);
        Self {
            state: secret(),
            verifier: secret(),
            return_to,
            expires_at: now.saturating_add(lifetime),
        }
    }

    /// The `Set-Cookie`s that keep it, and that drop the browser's oldest attempts if there are
    /// too many.
    pub(super) fn keep(&self, jar: &Jar, headers: &HeaderMap) -> Vec<HeaderValue> {
        let mut others: Vec<(UnixMs, String)> = names(headers, &jar.name(PREFIX))
            .into_iter()
            .map(|name| {
                let other: Option<Self> = jar.open(headers, &name);
                (other.map_or(0, |other| other.expires_at), name)
            })
            .collect();
        others.sort_unstable_by(|a, b| b.cmp(a));
        let mut cookies: Vec<_> = others
            .iter()
            .skip(ATTEMPTS_MAX - 1)
            .map(|(_, name)| jar.clear(name))
            .collect();
        cookies.push(jar.seal(&self.cookie_name(jar), self, TIME_TO_SIGN_IN));
        cookies
    }

    /// The attempt that a state belongs to, if this browser began it and it is not too late.
    pub(super) fn find(state: &str, jar: &Jar, headers: &HeaderMap, now: UnixMs) -> Option<Self> {
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if state.len() != STATE_LENGTH || !state.bytes().all(base64url) {
            return None;
        }
        let attempt: Self = jar.open(headers, &cookie_name(state, jar))?;
        let same = attempt.state.as_bytes().ct_eq(state.as_bytes());
        (bool::from(same) && now < attempt.expires_at).then_some(attempt)
    }

    /// The full name of its cookie.
    pub(super) fn cookie_name(&self, jar: &Jar) -> String {
        cookie_name(&self.state, jar)
    }
}

const PREFIX: &str = "guildhall-login-";

fn cookie_name(state: &str, jar: &Jar) -> String {
    let part = state.get(..NAME_PART).unwrap_or(state);
    jar.name(&format!("{PREFIX}{part}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar() -> Jar {
        let secret = "an-old-oak-holds-the-roof-of-this-hall".into();
        Jar::new(&[secret], false).expect("a key")
    }

    fn attempt(now: UnixMs) -> Attempt {
        Attempt::new("http://localhost/x".parse().expect("a URL"), now)
    }

    /// What the browser sends after being given these.
    fn browser(cookies: &[HeaderValue]) -> HeaderMap {
        let pairs: Vec<_> = cookies
            .iter()
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
            .collect();
        let line = HeaderValue::try_from(pairs.join("; ")).expect("visible ASCII");
        HeaderMap::from_iter([(http::header::COOKIE, line)])
    }

    #[test]
    fn an_attempt_is_found_by_its_whole_state_and_in_time() {
        let (jar, attempt) = (jar(), attempt(1_000));
        let headers = browser(&attempt.keep(&jar, &HeaderMap::new()));
        let find = |state: &str, now| Attempt::find(state, &jar, &headers, now).is_some();
        assert!(find(&attempt.state, 1_000));
        assert!(find(&attempt.state, attempt.expires_at - 1));
        assert!(!find(&attempt.state, attempt.expires_at));
        let mut near = attempt.state.clone();
        near.replace_range(
            STATE_LENGTH - 1..,
            if near.ends_with('A') { "B" } else { "A" },
        );
        for state in [near.as_str(), &attempt.state[..NAME_PART], "", "é"] {
            assert!(!find(state, 1_000), "{state}");
        }
        assert!(Attempt::find(&attempt.state, &jar, &HeaderMap::new(), 1_000).is_none());
    }

    #[test]
    fn each_attempt_has_secrets_of_its_own() {
        let (one, other) = (attempt(0), attempt(0));
        assert_eq!(one.state.len(), STATE_LENGTH);
        assert!((43..=128).contains(&one.verifier.len()), "RFC 7636, 4.1");
        assert_ne!(one.state, other.state);
        assert_ne!(one.verifier, other.verifier);
        assert_ne!(one.state, one.verifier);
    }

    #[test]
    fn the_oldest_attempts_make_room() {
        let jar = jar();
        let mut kept: Vec<HeaderValue> = Vec::new();
        let mut attempts = Vec::new();
        for now in 0..ATTEMPTS_MAX as u64 {
            let attempt = attempt(now);
            kept.extend(attempt.keep(&jar, &browser(&kept)));
            attempts.push(attempt);
        }
        assert_eq!(kept.len(), ATTEMPTS_MAX, "nothing was dropped so far");

        let cookies = attempt(100).keep(&jar, &browser(&kept));
        assert_eq!(cookies.len(), 2);
        let dropped = cookies[0].to_str().expect("visible ASCII");
        let oldest = attempts[0].cookie_name(&jar);
        assert!(dropped.starts_with(&format!("{oldest}=;")), "{dropped}");
        assert!(dropped.contains("Max-Age=0"), "{dropped}");
    }
}
