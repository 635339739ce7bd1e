//! Sessions: a browser's login, kept by the browser in one encrypted cookie.

use std::{collections::HashMap, fmt, ops::Deref, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use guildhall_model::{GuildId, Position, UnixMs, UserId};
use guildhall_ports::{Clock, millis};
use http::{HeaderMap, HeaderValue};
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{expiring_set::ExpiringSet, jar::Jar, random};

/// The bytes inside the cookie.
mod packed;

pub(super) use packed::AVATAR_URL_MAX;
use packed::{GUILDS_MAX, HEADS_MAX, ID_LENGTH, NAME_MAX, clip};

/// Logged-out sessions remembered. Beyond it the one nearest its end is forgotten: its cookie was
/// about to expire anyway.
const REVOKED_MAX: usize = 100_000;

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
    /// Cursors below these are another's: the head of each log at login, or the position after it
    /// where somebody else was signed in before.
    pub heads: Vec<Position>,
    /// When they signed in.
    pub issued_at: UnixMs,
    /// When the session ends unless it slides; never after `ends_at`.
    pub expires_at: UnixMs,
    /// When the session ends whatever is done.
    pub ends_at: UnixMs,
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

/// Names a session: 144 random bits, base64url.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SessionId(String);

impl SessionId {
    fn random() -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(random::bytes::<ID_LENGTH>()))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId([REDACTED])")
    }
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
    ends: Mutex<Ends>,
}

/// What this instance knows of sessions beside their cookies.
struct Ends {
    revoked: ExpiringSet<SessionId>,
    /// Sessions somebody waits on, with the number of [`SessionEnd`]s: as many as open streams.
    watched: HashMap<SessionId, (CancellationToken, usize)>,
}

impl Sessions {
    /// Kept in cookies of this jar.
    pub(super) fn new(jar: Jar, lifetime: SessionLifetime, clock: Arc<dyn Clock>) -> Self {
        let name = jar.name("guildhall");
        let ends = Mutex::new(Ends {
            revoked: ExpiringSet::new(REVOKED_MAX),
            watched: HashMap::new(),
        });
        Self(Arc::new(Inner {
            jar,
            name,
            lifetime,
            clock,
            ends,
        }))
    }

    /// The session of a request: its cookie opens, has not expired and was not logged out on this
    /// instance. Anything else is no session.
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
            .filter(|session| !self.ends().revoked.contains(&session.id))
    }

    /// Begins a session with a new id; the `Set-Cookie` beside it, which has at most 3,800 bytes:
    /// what is beyond the bounds of its parts is left out.
    pub(crate) fn begin(
        &self,
        mut user: Profile,
        mut guilds: Vec<GuildId>,
        mut heads: Vec<Position>,
    ) -> (Session, HeaderValue) {
        let now = self.0.clock.now();
        guilds.truncate(GUILDS_MAX);
        heads.truncate(HEADS_MAX);
        for (text, most) in [
            (&mut user.username, NAME_MAX),
            (&mut user.display_name, NAME_MAX),
            (&mut user.avatar_url, AVATAR_URL_MAX),
        ] {
            text.truncate(clip(text, most).len());
        }
        let ends_at = now.saturating_add(millis(self.0.lifetime.absolute));
        let mut session = Session {
            id: SessionId::random(),
            user,
            guilds,
            heads,
            issued_at: now,
            expires_at: ends_at,
            ends_at,
        };
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
    pub(crate) fn watch_end(&self, id: &SessionId) -> SessionEnd {
        let mut ends = self.ends();
        let token = if ends.revoked.contains(id) {
            let token = CancellationToken::new();
            token.cancel();
            token
        } else {
            let (token, holders) = ends.watched.entry(id.clone()).or_default();
            *holders += 1;
            token.clone()
        };
        SessionEnd {
            token,
            id: id.clone(),
            sessions: self.clone(),
        }
    }

    /// Ends a session on this instance: its cookie is no session any more, its streams end.
    pub(crate) fn revoke(&self, session: &Session) {
        let mut ends = self.ends();
        let now = self.0.clock.now();
        ends.revoked
            .insert(session.id.clone(), session.ends_at, now);
        if let Some((token, _)) = ends.watched.remove(&session.id) {
            token.cancel();
        }
    }

    /// The `Set-Cookie` that takes the session away from the browser.
    pub(crate) fn clear(&self) -> HeaderValue {
        self.0.jar.clear(&self.0.name)
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.0.ends.lock()
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
        let mut ends = self.sessions.ends();
        let Some((_, holders)) = ends.watched.get_mut(&self.id) else {
            return;
        };
        // One that was born cancelled counts in no entry: a revoked session has none.
        *holders -= 1;
        if *holders == 0 {
            ends.watched.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests;
