//! Why a request is nobody's.

use http::StatusCode;

use crate::http::ApiError;

/// Why a request is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unidentified {
    /// It has no session, or one that is over.
    SignedOut,
    /// It has one that may be over: no gateway has told yet which are.
    Unknown,
    /// It has a token that is none of the operator's.
    UnknownToken,
    /// It has a token and comes from a web page, where everybody can read it.
    TokenFromBrowser,
    /// Its token may not act as anybody.
    MayNotActAs,
    /// Whom it acts as is no Discord id.
    BadActAs,
    /// Its overlay link is none, or is over.
    NoOverlay,
    /// It says two things of who it is.
    TokenAndOverlay,
}

impl Unidentified {
    /// For metrics.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Unknown => "unknown",
            Self::UnknownToken => "unknown_token",
            Self::TokenFromBrowser => "from_browser",
            Self::MayNotActAs => "may_not_act_as",
            Self::BadActAs => "bad_act_as",
            Self::NoOverlay => "no_overlay",
            Self::TokenAndOverlay => "token_and_overlay",
        }
    }
}

impl From<Unidentified> for ApiError {
    fn from(why: Unidentified) -> Self {
        match why {
            Unidentified::SignedOut => Self::unauthorized(),
            Unidentified::Unknown => Self::unavailable(
                "Which sessions are over is not known yet: the gateway tells. Try again in a moment.",
            ),
            Unidentified::UnknownToken => Self::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "This bearer token is none that is known here.",
            ),
            Unidentified::TokenFromBrowser => Self::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                "A token is for a program of yours, not for a web page, whose visitors could read it.",
            ),
            Unidentified::MayNotActAs => Self::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                "This token may not act as anybody: leave Guildhall-As out, or give the token +as.",
            ),
            Unidentified::BadActAs => {
                Self::invalid("Guildhall-As is a Discord user's id: decimal digits, not 0, once.")
            }
            Unidentified::NoOverlay => Self::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "This overlay link is none, or is over: it has an end, and may be taken back.",
            ),
            Unidentified::TokenAndOverlay => {
                Self::invalid("Say either a bearer token or `overlay`: they may be of two people.")
            }
        }
    }
}
