//! Browser sessions, as far as web and gateway speak of them: which are over before their time.

use std::{
    borrow::Cow,
    fmt::{self, Debug},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{UnixMs, UserId};

/// No session lives longer, however much it is used: what was revoked need not be known any more then.
pub const SESSION_LIFE_MAX: Duration = Duration::from_hours(30 * 24);

/// The clocks of all web processes and gateways are apart by less than this. A time before which
/// sessions are over is so much in the future, for one that began a moment ago may say that it did
/// by a clock that is ahead.
pub const CLOCK_SKEW_MAX: Duration = Duration::from_mins(1);

/// Names a session. Whoever knows it knows no session: that takes the cookie. All the same it is in
/// no log line.
///
/// One that is read from elsewhere has 1 to 64 visible ASCII characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>")]
pub struct SessionId(String);

/// What names of used tokens begin with, and no session's.
const USED_TOKEN: &str = "jti:";

/// A text that names no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session is named by 1 to 64 visible ASCII characters")]
pub struct InvalidSessionId;

impl SessionId {
    /// The longest that is read, in characters.
    const LONGEST: usize = 64;

    /// A name; its maker sees to it that no two sessions have the same.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// In place of a session, a token that is good once and was used: a digest of what names it. No
    /// session has such a name, so as a [`Revocation`] it ends none.
    #[must_use]
    pub fn of_used_token(digest: &str) -> Self {
        Self(format!("{USED_TOKEN}{digest}"))
    }

    /// Whether it is of a used token.
    #[must_use]
    pub fn is_used_token(&self) -> bool {
        self.0.starts_with(USED_TOKEN)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<Cow<'_, str>> for SessionId {
    type Error = InvalidSessionId;

    fn try_from(text: Cow<'_, str>) -> Result<Self, InvalidSessionId> {
        let fits = (1..=Self::LONGEST).contains(&text.len());
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let id = || Self(text.into_owned());
        (fits && visible).then(id).ok_or(InvalidSessionId)
    }
}

impl Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId([REDACTED])")
    }
}

/// What decides whether a session is over before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionFacts<'a> {
    /// Its own.
    pub id: &'a SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// When it began, as it says itself.
    pub issued_at: UnixMs,
}

/// What is over before its time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(
    tag = "whose",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Revocation {
    /// One session.
    Session {
        /// Which.
        id: SessionId,
        /// Whose: they take nobody else's room.
        user_id: UserId,
        /// When it would have ended whatever is done.
        ends_at: UnixMs,
    },
    /// Every session of a user that began before a time: they signed out everywhere, took the
    /// application back, or the operator threw them out.
    User {
        /// Who.
        user_id: UserId,
        /// What begins at this time is none of them.
        not_before: UnixMs,
    },
    /// Every session that began before a time: what was revoked earlier is known no more.
    Everybody {
        /// What begins at this time is none of them.
        not_before: UnixMs,
    },
}

impl Revocation {
    /// Ends every session of a user there is, whichever clock it began by.
    ///
    /// `known`: before this time their sessions are over already. Whoever begins one after that says
    /// that it began then or later ([`begin_session_at`]), be that in the same millisecond: those are
    /// ended by this one, too.
    #[must_use]
    pub fn of_user(user_id: UserId, now: UnixMs, known: UnixMs) -> Self {
        let not_before = after_all_begun_until(now).max(known.saturating_add(1));
        Self::User {
            user_id,
            not_before,
        }
    }

    /// Ends every session there is, whichever clock it began by.
    #[must_use]
    pub fn of_everybody(now: UnixMs) -> Self {
        let not_before = after_all_begun_until(now);
        Self::Everybody { not_before }
    }

    /// The used token that it is about, if it is about one.
    #[must_use]
    pub fn used_token(&self) -> Option<&SessionId> {
        match self {
            Self::Session { id, .. } => Some(id).filter(|id| id.is_used_token()),
            Self::User { .. } | Self::Everybody { .. } => None,
        }
    }

    /// Whether it ends this session.
    #[must_use]
    pub fn ends(&self, session: SessionFacts<'_>) -> bool {
        match self {
            Self::Session { id, .. } => id == session.id,
            Self::User {
                user_id,
                not_before,
            } => *user_id == session.user_id && session.issued_at < *not_before,
            Self::Everybody { not_before } => session.issued_at < *not_before,
        }
    }

    /// When whatever it ends would be over all the same: nobody has to be told of it any more then.
    #[must_use]
    pub fn until(&self) -> UnixMs {
        match self {
            Self::Session { ends_at, .. } => *ends_at,
            Self::User { not_before, .. } | Self::Everybody { not_before } => {
                not_before.saturating_add(millis(SESSION_LIFE_MAX))
            }
        }
    }
}

/// What a session that begins now says of it: not earlier than `known`, before which this user's
/// sessions are over, though the clock that ended those was ahead.
#[must_use]
pub fn begin_session_at(now: UnixMs, known: UnixMs) -> UnixMs {
    now.max(known)
}

/// Later than what any session says that has begun by now, whichever clock it began by.
#[must_use]
pub fn after_all_begun_until(now: UnixMs) -> UnixMs {
    now.saturating_add(millis(CLOCK_SKEW_MAX)).saturating_add(1)
}

fn millis(duration: Duration) -> UnixMs {
    UnixMs::try_from(duration.as_millis()).unwrap_or(UnixMs::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: UserId = UserId(1);

    fn ends(revocation: &Revocation, user_id: UserId, issued_at: UnixMs) -> bool {
        let id = SessionId::new("any".to_owned());
        revocation.ends(SessionFacts {
            id: &id,
            user_id,
            issued_at,
        })
    }

    fn not_before(revocation: &Revocation) -> UnixMs {
        match revocation {
            Revocation::Session { .. } => 0,
            Revocation::User { not_before, .. } | Revocation::Everybody { not_before } => {
                *not_before
            }
        }
    }

    #[test]
    fn whoever_signs_in_after_all_was_ended_stays_and_whoever_did_before_does_not() {
        let now = 1_000_000;
        let ahead = now + millis(CLOCK_SKEW_MAX);
        for revocation in [
            Revocation::of_user(ANN, now, 0),
            Revocation::of_everybody(now),
        ] {
            assert!(ends(&revocation, ANN, now) && ends(&revocation, ANN, ahead));
            let again = begin_session_at(now, not_before(&revocation));
            assert!(
                !ends(&revocation, ANN, again),
                "in the same millisecond, too"
            );
        }
        assert!(!ends(&Revocation::of_user(ANN, now, 0), UserId(2), now));
        assert!(ends(&Revocation::of_everybody(now), UserId(2), now));
    }

    #[test]
    fn all_may_be_ended_time_and_again_within_a_millisecond() {
        let (now, mut known) = (1_000_000, 0);
        for _ in 0..3 {
            let issued_at = begin_session_at(now, known);
            let revocation = Revocation::of_user(ANN, now, known);
            assert!(ends(&revocation, ANN, issued_at));
            known = not_before(&revocation);
        }
    }

    #[test]
    fn what_ends_a_session_is_kept_for_as_long_as_the_session_could_live() {
        let revocation = Revocation::of_user(ANN, 1_000, 0);
        let last = not_before(&revocation) - 1;
        assert!(revocation.until() > last + millis(SESSION_LIFE_MAX));
        let (id, ends_at) = (SessionId::new("one".to_owned()), 77);
        let user_id = ANN;
        let session = Revocation::Session {
            id,
            user_id,
            ends_at,
        };
        assert_eq!(session.until(), 77);
        assert_eq!(Revocation::of_everybody(UnixMs::MAX).until(), UnixMs::MAX);
    }

    #[test]
    fn a_session_s_name_is_in_no_log_line() {
        let id = SessionId::new("secret".to_owned());
        let session = Revocation::Session {
            id,
            user_id: ANN,
            ends_at: 1,
        };
        let told = format!("{session:?}");
        assert!(
            told.contains("[REDACTED]") && !told.contains("secret"),
            "{told}"
        );
    }
}
