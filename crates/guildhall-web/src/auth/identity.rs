//! Who a request is from. This is the one place where that is read: each route asks here, and each
//! wait of a route is followed by a second look, for a session may end meanwhile.
//!
//! A browser says it by a session's cookie, one of the operator's programs by its token. A request that
//! has a token is that program's and no browser's, whatever else it has. So it is with an overlay's link,
//! which counts for streams and pictures alone.

use std::{fmt, sync::Arc};

use guildhall_model::{GuildId, UnixMs, UserId};
use guildhall_ports::SessionId;
use http::{HeaderMap, HeaderValue};

use super::{
    overlay::{OverlayLink, OverlayToken},
    program::{Program, bearer, says_bearer},
    session::{LoginHeads, Session, SessionEnd, Sessions},
    unidentified::Unidentified,
};
use crate::{http::ApiError, replica::ViewerId};

/// Who a request is from.
#[derive(Clone, Debug)]
pub(crate) enum Requester {
    /// A browser, by its session.
    Browser(Box<Session>),
    /// One of the operator's programs.
    Program(Program),
    /// Whoever has a link to one room.
    Overlay(Box<OverlayLink>),
}

/// Whom bounds count a request for: each person, each person by each token, and each overlay link, so that
/// one that goes round takes nothing of its maker's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Account {
    by: CameBy,
    viewer: ViewerId,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum CameBy {
    Session,
    Token(Arc<str>),
    Overlay(SessionId),
}

/// What stands for whoever runs this instance where a program has its token's name, which has no blanks.
const OPERATOR: &str = "the operator";

impl Requester {
    /// Whoever runs this instance, who looks with somebody's eyes and has nothing done.
    pub(crate) fn operator(viewer: ViewerId) -> Self {
        Self::Program(Program {
            token: OPERATOR.into(),
            viewer,
            may_write: false,
        })
    }

    /// Whose eyes it sees with.
    pub(crate) fn viewer(&self) -> ViewerId {
        match self {
            Self::Browser(session) => ViewerId::Person(session.user.id),
            Self::Program(program) => program.viewer,
            Self::Overlay(link) => ViewerId::Person(link.maker),
        }
    }

    /// The guilds that its person was in at login. Nothing where nobody said.
    pub(crate) fn guilds(&self) -> &[GuildId] {
        match self {
            Self::Browser(session) => &session.guilds,
            Self::Program(_) => &[],
            Self::Overlay(link) => std::slice::from_ref(&link.guild_id),
        }
    }

    /// Where the logs stood at login: cursors below are another's.
    pub(crate) fn into_heads(self) -> LoginHeads {
        match self {
            Self::Browser(session) => session.heads,
            Self::Program(_) | Self::Overlay(_) => LoginHeads::default(),
        }
    }

    /// By what its streams are told that its commands are done.
    pub(crate) fn session_id(&self) -> SessionId {
        match self {
            Self::Browser(session) => session.id.clone(),
            // No session's, which are base64url.
            Self::Program(program) => SessionId::new(format!("token:{}", program.token)),
            // Nor is this one's.
            Self::Overlay(link) => link.session_id.clone(),
        }
    }

    /// Whom bounds count it for.
    pub(crate) fn account(&self) -> Account {
        let by = match self {
            Self::Browser(_) => CameBy::Session,
            Self::Program(program) => CameBy::Token(Arc::clone(&program.token)),
            Self::Overlay(link) => CameBy::Overlay(link.session_id.clone()),
        };
        Account {
            by,
            viewer: self.viewer(),
        }
    }

    /// The name of its token.
    pub(crate) fn token(&self) -> Option<&Arc<str>> {
        match self {
            Self::Browser(_) | Self::Overlay(_) => None,
            Self::Program(program) => Some(&program.token),
        }
    }

    /// The link that it came by, if it is an overlay's.
    pub(crate) fn overlay(&self) -> Option<&OverlayLink> {
        match self {
            Self::Overlay(link) => Some(link),
            Self::Browser(_) | Self::Program(_) => None,
        }
    }

    /// Whom it may have things done as.
    pub(crate) fn actor(&self) -> Result<UserId, ApiError> {
        match self {
            Self::Browser(session) => Ok(session.user.id),
            Self::Program(program) => match program.viewer {
                ViewerId::Person(user) if program.may_write => Ok(user),
                _ => Err(ApiError::forbidden(format!(
                    "The token {} only reads. To have something done it needs +write, and Guildhall-As \
                     to say for whom.",
                    program.token
                ))),
            },
            Self::Overlay(_) => Err(ApiError::forbidden(
                "An overlay link shows a room and does nothing else.".to_owned(),
            )),
        }
    }

    /// Its idempotency key as the gateway keeps it: a token's are its own.
    pub(crate) fn key(&self, key: &str) -> String {
        match self {
            Self::Browser(_) | Self::Overlay(_) => key.to_owned(),
            // No key that a request can have, which has no blanks.
            Self::Program(program) => format!("{} {key}", program.token),
        }
    }
}

impl Sessions {
    /// Who a request is from.
    pub(crate) fn requester(&self, headers: &HeaderMap) -> Result<Requester, Unidentified> {
        match self.tokens().program(headers) {
            Some(program) => program.map(Requester::Program),
            None => self
                .identify(headers)
                .map(|session| Requester::Browser(Box::new(session))),
        }
    }

    /// Who a request for a stream or a picture is from: as [`Sessions::requester`], or an overlay. `said`: the
    /// query's `overlay`. As a bearer token the same is taken, which is in no address.
    pub(crate) fn requester_or_overlay(
        &self,
        headers: &HeaderMap,
        said: Option<&OverlayToken>,
    ) -> Result<Requester, Unidentified> {
        let by_bearer = || self.opened_overlay(bearer(headers)?);
        let link = match said {
            Some(_) if says_bearer(headers) => return Err(Unidentified::TokenAndOverlay),
            Some(token) => self.opened_overlay(token.expose()),
            None => match by_bearer() {
                // A mistake of a program's is told as such.
                None => return self.requester(headers),
                found => found,
            },
        };
        let link = link.ok_or(Unidentified::NoOverlay)?;
        self.check_overlay(&link)?;
        Ok(Requester::Overlay(Box::new(link)))
    }

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

    /// Whether whoever asked may still be answered.
    pub(crate) fn check_requester(&self, requester: &Requester) -> Result<(), Unidentified> {
        match requester {
            Requester::Browser(session) => self.check(session),
            Requester::Program(_) => Ok(()),
            Requester::Overlay(link) => self.check_overlay(link),
        }
    }

    /// The `Set-Cookie` that slides a browser's session.
    pub(crate) fn slide_requester(&self, requester: &Requester) -> Option<HeaderValue> {
        match requester {
            Requester::Browser(session) => Some(self.slide(session)),
            Requester::Program(_) | Requester::Overlay(_) => None,
        }
    }

    /// When whoever slides now is over by themselves. `None`: never.
    pub(crate) fn expiry_of(&self, requester: &Requester) -> Option<UnixMs> {
        match requester {
            Requester::Browser(session) => Some(self.expiry(session)),
            Requester::Program(_) => None,
            Requester::Overlay(link) => Some(link.ends_at),
        }
    }

    /// As [`Sessions::watch_end`]; a program's token ends with the process alone.
    pub(crate) fn watch_requester(&self, requester: &Requester) -> SessionEnd {
        match requester {
            Requester::Browser(session) => self.watch_end(session),
            Requester::Program(_) => SessionEnd::never(),
            Requester::Overlay(link) => self.watch_overlay(link),
        }
    }
}

impl Account {
    /// Whether the address that it comes from is counted, too. A program's is that of all its people.
    pub(crate) fn counts_address(&self) -> bool {
        !matches!(self.by, CameBy::Token(_))
    }
}

impl<V: Into<ViewerId>> From<V> for Account {
    fn from(viewer: V) -> Self {
        Self {
            by: CameBy::Session,
            viewer: viewer.into(),
        }
    }
}

/// In a bucket's name.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            CameBy::Session => write!(f, "user:{}", self.viewer),
            CameBy::Token(token) => write!(f, "token:{token}:{}", self.viewer),
            CameBy::Overlay(link) => f.write_str(link.as_str()),
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
