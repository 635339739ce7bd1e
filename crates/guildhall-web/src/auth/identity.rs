//! Who a request is from. This is the one place where that is read: each route asks here, and each
//! wait of a route is followed by a second look, for a session may end meanwhile.
//!
//! Today a request says it by a session's cookie alone.

use http::HeaderMap;

use super::session::{Session, Sessions};
use crate::http::ApiError;

/// Why a request is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unidentified {
    /// It has no session, or one that is over.
    SignedOut,
    /// It has one that may be over: no gateway has told yet which are.
    Unknown,
}

impl Sessions {
    /// The session of a request: its cookie opens, and it is not over. Where a browser kept several
    /// cookies, one that is over hides no other.
    pub(crate) fn identify(&self, headers: &HeaderMap) -> Result<Session, Unidentified> {
        let mut last = Unidentified::SignedOut;
        for session in self.unexpired(headers) {
            match self.check(&session) {
                Ok(()) => return Ok(session),
                Err(why) => last = why,
            }
        }
        Err(last)
    }

    /// Whether a session that was read before is good still.
    pub(crate) fn check(&self, session: &Session) -> Result<(), Unidentified> {
        if self.is_over(session) {
            Err(Unidentified::SignedOut)
        } else if self.are_revocations_known() {
            Ok(())
        } else {
            Err(Unidentified::Unknown)
        }
    }
}

#[cfg(test)]
impl Sessions {
    /// The session of a request, if it has one that is known to be good.
    pub(crate) fn read(&self, headers: &HeaderMap) -> Option<Session> {
        self.identify(headers).ok()
    }
}

impl From<Unidentified> for ApiError {
    fn from(why: Unidentified) -> Self {
        match why {
            Unidentified::SignedOut => Self::unauthorized(),
            Unidentified::Unknown => Self::unavailable(
                "Which sessions are over is not known yet: the gateway tells. Try again in a moment.",
            ),
        }
    }
}
