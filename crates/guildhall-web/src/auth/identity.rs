//! Who a request is from. This is the one place where that is read: each route asks here, and each
//! wait of a route is followed by a second look, for a session may end meanwhile.
//!
//! A browser says it by a session's cookie, one of the operator's programs by its token. A request that
//! has a token is that program's and no browser's, whatever else it has.

use std::{fmt, sync::Arc};

use guildhall_model::{GuildId, UnixMs, UserId};
use guildhall_ports::SessionId;
use http::{HeaderMap, HeaderValue};

use super::{
    program::Program,
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
}

/// Whom bounds count a request for: each person, and each person by each token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Account {
    token: Option<Arc<str>>,
    viewer: ViewerId,
}

impl Requester {
    /// Whose eyes it sees with.
    pub(crate) fn viewer(&self) -> ViewerId {
        match self {
            Self::Browser(session) => ViewerId::Person(session.user.id),
            Self::Program(program) => program.viewer,
        }
    }

    /// The guilds that its person was in at login. Nothing where nobody said.
    pub(crate) fn guilds(&self) -> &[GuildId] {
        match self {
            Self::Browser(session) => &session.guilds,
            Self::Program(_) => &[],
        }
    }

    /// Where the logs stood at login: cursors below are another's.
    pub(crate) fn into_heads(self) -> LoginHeads {
        match self {
            Self::Browser(session) => session.heads,
            Self::Program(_) => LoginHeads::default(),
        }
    }

    /// By what its streams are told that its commands are done.
    pub(crate) fn session_id(&self) -> SessionId {
        match self {
            Self::Browser(session) => session.id.clone(),
            // No session's, which are base64url.
            Self::Program(program) => SessionId::new(format!("token:{}", program.token)),
        }
    }

    /// Whom bounds count it for.
    pub(crate) fn account(&self) -> Account {
        Account {
            token: self.token().cloned(),
            viewer: self.viewer(),
        }
    }

    /// The name of its token.
    pub(crate) fn token(&self) -> Option<&Arc<str>> {
        match self {
            Self::Browser(_) => None,
            Self::Program(program) => Some(&program.token),
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
        }
    }

    /// Its idempotency key as the gateway keeps it: a token's are its own.
    pub(crate) fn key(&self, key: &str) -> String {
        match self {
            Self::Browser(_) => key.to_owned(),
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
        }
    }

    /// The `Set-Cookie` that slides a browser's session.
    pub(crate) fn slide_requester(&self, requester: &Requester) -> Option<HeaderValue> {
        match requester {
            Requester::Browser(session) => Some(self.slide(session)),
            Requester::Program(_) => None,
        }
    }

    /// When whoever slides now is over by themselves. `None`: never.
    pub(crate) fn expiry_of(&self, requester: &Requester) -> Option<UnixMs> {
        match requester {
            Requester::Browser(session) => Some(self.expiry(session)),
            Requester::Program(_) => None,
        }
    }

    /// As [`Sessions::watch_end`]; a token ends with the process alone.
    pub(crate) fn watch_requester(&self, requester: &Requester) -> SessionEnd {
        match requester {
            Requester::Browser(session) => self.watch_end(session),
            Requester::Program(_) => SessionEnd::never(),
        }
    }
}

impl Account {
    /// Whether the address that it comes from is counted, too. A program's is that of all its people.
    pub(crate) fn counts_address(&self) -> bool {
        self.token.is_none()
    }
}

impl<V: Into<ViewerId>> From<V> for Account {
    fn from(viewer: V) -> Self {
        Self {
            token: None,
            viewer: viewer.into(),
        }
    }
}

/// In a bucket's name.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.token {
            None => write!(f, "user:{}", self.viewer),
            Some(token) => write!(f, "token:{token}:{}", self.viewer),
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
