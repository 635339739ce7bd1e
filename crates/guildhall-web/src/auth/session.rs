//! Sessions: a browser's login, kept by the browser in one encrypted cookie.

use std::{collections::HashMap, ops::Deref, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use guildhall_model::{GuildId, UnixMs, UserId};
use guildhall_ports::{
    Clock, Revocation, SessionFacts, SessionId, SessionStore, Unavailable, millis,
    session_store::begin_session_at,
};
use http::{HeaderMap, HeaderValue};
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{jar::Jar, random};

/// Where the logs stood at login.
mod heads;
/// The bytes inside the cookie.
mod packed;

pub(crate) use heads::LoginHeads;
pub(super) use packed::AVATAR_URL_MAX;
use packed::{GUILDS_MAX, ID_LENGTH, NAME_MAX, clip};

/// Someone who signed in, as the cookie tells it. Nothing in it is checked against Discord again:
/// what the viewer may see is decided by the world, never by this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// New at each login, the same when the session slides.
    pub id: SessionId,
    /// Who.
    pub user: Profile,
    /// All guilds the viewer was in at login, whether the bot was in them or not: it may come
    /// later. In Discord's order, at most 200.
    pub guilds: Vec<GuildId>,
    /// Cursors below these are another's.
    pub heads: LoginHeads,
    /// When they signed in.
    pub issued_at: UnixMs,
    /// When the session ends unless it slides; never after `ends_at`.
    pub expires_at: UnixMs,
    /// When the session ends whatever is done.
    pub ends_at: UnixMs,
}

impl Session {
    /// What decides whether it is over before its time.
    pub(super) fn facts(&self) -> SessionFacts<'_> {
        SessionFacts {
            id: &self.id,
            user_id: self.user.id,
            issued_at: self.issued_at,
        }
    }
}

/// A Discord user as shown to themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub(crate) struct Profile {
    /// Discord's id.
    pub id: UserId,
    /// Discord's unique name.
    pub username: String,
    /// Global name, else username.
    pub display_name: String,
    /// Where the avatar's picture is.
    pub avatar_url: String,
}

/// 144 random bits, base64url.
fn random_id() -> SessionId {
    SessionId::new(BASE64_URL_SAFE_NO_PAD.encode(random::bytes::<ID_LENGTH>()))
}

/// How long sessions last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionLifetime {
    /// Without use.
    pub idle: Duration,
    /// From login, however much used.
    pub absolute: Duration,
}

impl Default for SessionLifetime {
    fn default() -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self {
            idle: 7 * DAY,
            absolute: 30 * DAY,
        }
    }
}

/// Reads, begins, slides and ends sessions.
#[derive(Clone)]
pub(crate) struct Sessions(Arc<Inner>);

struct Inner {
    jar: Jar,
    name: String,
    lifetime: SessionLifetime,
    clock: Arc<dyn Clock>,
    store: Arc<dyn SessionStore>,
    watched: Mutex<WatchedSessions>,
}

/// Sessions somebody waits on, with the number of [`SessionEnd`]s: as many as open streams.
type WatchedSessions = HashMap<SessionId, (CancellationToken, usize)>;

impl Sessions {
    /// Kept in cookies of this jar; which of them were ended is in the store.
    pub(super) fn new(
        jar: Jar,
        lifetime: SessionLifetime,
        store: Arc<dyn SessionStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Inner {
            name: jar.name("guildhall"),
            jar,
            lifetime,
            clock,
            store,
            watched: Mutex::default(),
        }))
    }

    /// The session of a request: its cookie opens, has not expired and was not logged out. Anything
    /// else is no session.
    pub(crate) fn read(&self, headers: &HeaderMap) -> Option<Session> {
        self.all(headers).next()
    }

    /// All sessions of a request: more than one where a browser kept an older cookie for another
    /// path. One that is over hides no other.
    pub(super) fn all(&self, headers: &HeaderMap) -> impl Iterator<Item = Session> {
        let now = self.0.clock.now();
        let opened = self.0.jar.opened(headers, &self.0.name);
        opened
            .filter_map(|bytes| Session::unpack(&bytes))
            .filter(move |session| now < session.expires_at && now < session.ends_at)
            .filter(|session| !self.0.store.is_revoked(session.facts()))
    }

    /// Begins a session with a new id; the `Set-Cookie` beside it, which has at most 3,800 bytes:
    /// what is beyond the bounds of its parts is left out. `heads`: of all logs there are, those
    /// first that this user needs most.
    pub(crate) fn begin(
        &self,
        mut user: Profile,
        mut guilds: Vec<GuildId>,
        heads: impl Into<LoginHeads>,
    ) -> (Session, HeaderValue) {
        let now = self.0.clock.now();
        guilds.truncate(GUILDS_MAX);
        for (text, most) in [
            (&mut user.username, NAME_MAX),
            (&mut user.display_name, NAME_MAX),
            (&mut user.avatar_url, AVATAR_URL_MAX),
        ] {
            text.truncate(clip(text, most).len());
        }
        let ends_at = now.saturating_add(millis(self.0.lifetime.absolute));
        let issued_at = begin_session_at(now, self.0.store.not_before(user.id));
        let mut session = Session {
            id: random_id(),
            user,
            guilds,
            heads: heads.into(),
            issued_at,
            expires_at: ends_at,
            ends_at,
        };
        session.drop_heads_over_bound();
        let cookie = self.slide(&session);
        session.expires_at = self.expiry(&session);
        (session, cookie)
    }

    /// The `Set-Cookie` that counts the idle time from now.
    pub(crate) fn slide(&self, session: &Session) -> HeaderValue {
        let expires_at = self.expiry(session);
        let age = expires_at.saturating_sub(self.0.clock.now());
        let renewed = Session {
            expires_at,
            ..session.clone()
        };
        let age = Duration::from_millis(age);
        self.0.jar.seal_bytes(&self.0.name, &renewed.pack(), age)
    }

    /// When a session that slides now expires.
    pub(crate) fn expiry(&self, session: &Session) -> UnixMs {
        let idle = self
            .0
            .clock
            .now()
            .saturating_add(millis(self.0.lifetime.idle));
        idle.min(session.ends_at)
    }

    /// Whoever holds the answer learns when the session is logged out on this instance: at once if
    /// it already was. Hold it as long as that matters.
    pub(crate) fn watch_end(&self, session: &Session) -> SessionEnd {
        let id = &session.id;
        let token = {
            let mut watched = self.watched();
            let (token, holders) = watched.entry(id.clone()).or_default();
            *holders += 1;
            token.clone()
        };
        // INVARIANT(no-missed-end): watched first, then asked; whoever revokes does it the other
        // way round, so one of both sees the other.
        if self.0.store.is_revoked(session.facts()) {
            self.watched().remove(id);
            token.cancel();
        }
        SessionEnd {
            token,
            id: id.clone(),
            sessions: self.clone(),
        }
    }

    /// Ends a session: its cookie is no session any more, its streams on this instance end. While
    /// the store is unavailable nothing of it happens.
    pub(crate) async fn revoke(&self, session: &Session) -> Result<(), Unavailable> {
        let revoked = Revocation::Session {
            id: session.id.clone(),
            ends_at: session.ends_at,
        };
        self.0.store.revoke(revoked, self.0.clock.now()).await?;
        if let Some((token, _)) = self.watched().remove(&session.id) {
            token.cancel();
        }
        Ok(())
    }

    /// The `Set-Cookie` that takes the session away from the browser.
    pub(crate) fn clear(&self) -> HeaderValue {
        self.0.jar.clear(&self.0.name)
    }

    fn watched(&self) -> MutexGuard<'_, WatchedSessions> {
        self.0.watched.lock()
    }
}

/// Cancelled when its session is logged out on this instance. Shared by all streams of the
/// session, forgotten with the last.
pub(crate) struct SessionEnd {
    token: CancellationToken,
    id: SessionId,
    sessions: Sessions,
}

impl Deref for SessionEnd {
    type Target = CancellationToken;

    fn deref(&self) -> &CancellationToken {
        &self.token
    }
}

impl Drop for SessionEnd {
    fn drop(&mut self) {
        let mut watched = self.sessions.watched();
        // A session that was revoked has no entry any more.
        let Some((_, holders)) = watched.get_mut(&self.id) else {
            return;
        };
        *holders -= 1;
        if *holders == 0 {
            watched.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests;
