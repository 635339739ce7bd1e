//! One sign-in between our redirect to Discord and Discord's back to us. It is kept by the browser
//! that began it, in an encrypted cookie of its own, so several tabs may try at once.
//!
//! INVARIANT(few-attempts): the cookies have one of [`SLOTS`] names, so that no number of tabs, nor
//! requests sent at one moment, gives a browser more cookies than a server takes in one head.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use guildhall_model::{UnixMs, command::InviteToken};
use guildhall_ports::millis;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use url::Url;

use super::{jar::Jar, random};

/// Long enough to find a password and a phone.
const TIME_TO_SIGN_IN: Duration = Duration::from_mins(10);

/// Attempts a browser may have open. The longest of them and the longest session together leave
/// room in the 16 KiB that a head may have.
const SLOTS: u8 = 5;

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
    /// The invite that it was begun with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) invite: Option<InviteWish>,
    /// When it is too late.
    pub(super) expires_at: UnixMs,
    /// Which of the cookies it was found in.
    #[serde(skip)]
    slot: u8,
}

/// An invite that a sign-in was begun with. No `Debug`: it is kept with what is secret.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum InviteWish {
    /// It was good then: who signs in is let in by it.
    Good(InviteToken),
    /// It was not, for this reason, in a word: nobody is asked to agree to anything.
    Refused(String),
}

impl Attempt {
    /// A new one.
    pub(super) fn new(return_to: Url, invite: Option<InviteWish>, now: UnixMs) -> Self {
        let secret = || BASE64_URL_SAFE_NO_PAD.encode(random::bytes::<32>());
        Self {
            state: secret(),
            verifier: secret(),
            return_to,
            invite,
            expires_at: now.saturating_add(millis(TIME_TO_SIGN_IN)),
            slot: 0,
        }
    }

    /// Whether Discord is asked for more than who it is: to let the person into a guild.
    pub(super) fn asks_to_join(&self) -> bool {
        matches!(self.invite, Some(InviteWish::Good(_)))
    }

    /// The `Set-Cookie` that keeps it: in a slot that is free, else in place of the oldest.
    pub(super) fn keep(&self, jar: &Jar, headers: &HeaderMap) -> Vec<HeaderValue> {
        // Tabs that a browser opens at one moment know nothing of each other. Each begins to look
        // somewhere else, so that they seldom take the same slot.
        let begin = self.state.bytes().next().unwrap_or_default() % SLOTS;
        let slots = (0..SLOTS).map(|step| (begin + step) % SLOTS);
        let taken_until = |slot: &u8| {
            let other: Option<Self> = jar.open(headers, &cookie_name(*slot, jar));
            other.map_or(0, |other| other.expires_at)
        };
        let slot = slots.min_by_key(taken_until).unwrap_or_default();
        vec![jar.seal(&cookie_name(slot, jar), self, TIME_TO_SIGN_IN)]
    }

    /// The attempt that a state belongs to, if this browser began it and it is not too late.
    pub(super) fn find(state: &str, jar: &Jar, headers: &HeaderMap, now: UnixMs) -> Option<Self> {
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if state.len() != STATE_LENGTH || !state.bytes().all(base64url) {
            return None;
        }
        let found = (0..SLOTS).find_map(|slot| {
            let attempt: Self = jar.open(headers, &cookie_name(slot, jar))?;
            let same = attempt.state.as_bytes().ct_eq(state.as_bytes());
            bool::from(same).then_some(Self { slot, ..attempt })
        });
        found.filter(|attempt| now < attempt.expires_at)
    }

    /// The full name of the cookie it was found in.
    pub(super) fn cookie_name(&self, jar: &Jar) -> String {
        cookie_name(self.slot, jar)
    }
}

const PREFIX: &str = "guildhall-login-";

fn cookie_name(slot: u8, jar: &Jar) -> String {
    jar.name(&format!("{PREFIX}{slot}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{
        config::tests::{SECRET, strong},
        tests::invite,
    };

    fn jar() -> Jar {
        Jar::new(&strong(SECRET).into(), false)
    }

    fn attempt(now: UnixMs) -> Attempt {
        Attempt::new("http://localhost/x".parse().expect("a URL"), None, now)
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
        for state in [near.as_str(), &attempt.state[..12], "", "é"] {
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

    /// Keeps what `Set-Cookie`s say, by name.
    fn take(kept: &mut Vec<HeaderValue>, cookies: Vec<HeaderValue>) {
        let name = |cookie: &HeaderValue| {
            let text = cookie.to_str().expect("visible ASCII");
            text.split('=').next().map(str::to_owned)
        };
        for cookie in cookies {
            kept.retain(|other| name(other) != name(&cookie));
            kept.push(cookie);
        }
    }

    #[test]
    fn the_oldest_attempts_make_room() {
        let jar = jar();
        let mut kept = Vec::new();
        let attempts: Vec<_> = (0..u64::from(SLOTS) + 2).map(attempt).collect();
        for (begun, attempt) in attempts.iter().enumerate() {
            let cookies = attempt.keep(&jar, &browser(&kept));
            take(&mut kept, cookies);
            assert_eq!(kept.len(), (begun + 1).min(SLOTS.into()));
        }
        let found = attempts.iter().map(|attempt| {
            let found = Attempt::find(&attempt.state, &jar, &browser(&kept), 100)?;
            let name = found.cookie_name(&jar);
            kept.iter()
                .any(|cookie| cookie.to_str().is_ok_and(|it| it.starts_with(&name)))
                .then_some(found.state)
        });
        let found: Vec<_> = found.map(|state| state.is_some()).collect();
        assert_eq!(found, [false, false, true, true, true, true, true]);
    }

    #[test]
    fn sixty_attempts_at_one_moment_leave_a_browser_with_few_cookies() {
        let jar = jar();
        let mut kept = Vec::new();
        for _ in 0..60 {
            take(&mut kept, attempt(0).keep(&jar, &HeaderMap::new()));
        }
        assert_eq!(kept.len(), usize::from(SLOTS));
    }

    #[test]
    fn the_longest_attempts_leave_room_in_a_head() {
        let jar = Jar::new(&strong(SECRET).into(), true);
        let longest = format!("https://h.example/{}", "x".repeat(1_006));
        let mut kept = Vec::new();
        for now in 0..u64::from(SLOTS) {
            let invite = InviteWish::Good(invite());
            let attempt = Attempt::new(longest.parse().expect("a URL"), Some(invite), now);
            let cookies = attempt.keep(&jar, &browser(&kept));
            take(&mut kept, cookies);
        }
        let sent = browser(&kept)[http::header::COOKIE].len();
        assert!(sent + crate::auth::jar::COOKIE_MAX < 13 * 1024, "{sent}");
    }

    #[test]
    fn names_that_somebody_made_up_are_not_answered_one_by_one() {
        let line: Vec<_> = (0..600).map(|n| format!("{PREFIX}{n}=x")).collect();
        let line = HeaderValue::try_from(line.join("; ")).expect("visible ASCII");
        let headers = HeaderMap::from_iter([(http::header::COOKIE, line)]);
        let (jar, attempt) = (jar(), attempt(0));
        let cookies = attempt.keep(&jar, &headers);
        assert_eq!(cookies.len(), 1);
        assert!(Attempt::find(&attempt.state, &jar, &browser(&cookies), 1).is_some());
    }
}
