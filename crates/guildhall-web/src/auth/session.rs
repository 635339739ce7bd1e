//! Sessions: a browser's login, kept by the browser in one encrypted cookie.

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use guildhall_model::{GuildId, UnixMs, UserId};
use guildhall_ports::{
    Clock, Revocation, SessionFacts, SessionId, SessionStore, Unavailable, millis,
    session_store::begin_session_at,
};
use http::{HeaderMap, HeaderValue};
use metrics::counter;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{jar::Jar, program::ApiTokens, random, shared_revocations::SharedRevocations};

/// Where the logs stood at login.
mod heads;
/// The bytes inside the cookie.
mod packed;
/// Those that somebody waits on.
mod watched;

pub(crate) use heads::LoginHeads;
pub(super) use packed::AVATAR_URL_MAX;
use packed::{GUILDS_MAX, ID_LENGTH, NAME_MAX, clip};
pub(crate) use watched::SessionEnd;
use watched::WatchedSessions;

/// How long whoever signs in waits for a gateway to tell whose sessions are over. One that was started
/// together with this process has told by then.
const REVOCATIONS_WAIT: Duration = Duration::from_secs(5);

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

/// What the cookie is called, apart from its prefix.
pub(super) const COOKIE_NAME: &str = "guildhall";

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

/// Begins, slides and ends sessions; who a request is from is read in [`super::identity`].
#[derive(Clone)]
pub(crate) struct Sessions(Arc<Inner>);

struct Inner {
    jar: Jar,
    name: String,
    lifetime: SessionLifetime,
    clock: Arc<dyn Clock>,
    store: Arc<dyn SessionStore>,
    revocations: Arc<dyn SharedRevocations>,
    watched: WatchedSessions,
    tokens: ApiTokens,
}

/// Why sessions were ended before their time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// Their person signed out.
    SignedOut,
    /// Their person signed out everywhere.
    SignedOutEverywhere,
    /// Somebody signed in in the same browser.
    Replaced,
    /// Their person removed the application.
    Deauthorized,
    /// The operator said so.
    Operator,
    /// Whoever may took an overlay link back.
    OverlayRevoked,
}

impl Sessions {
    /// Kept in cookies of this jar; which of them were ended is in the store, and a gateway keeps it.
    pub(super) fn new(
        jar: Jar,
        lifetime: SessionLifetime,
        store: Arc<dyn SessionStore>,
        revocations: Arc<dyn SharedRevocations>,
        clock: Arc<dyn Clock>,
        tokens: ApiTokens,
    ) -> Self {
        Self(Arc::new(Inner {
            name: jar.name(COOKIE_NAME),
            jar,
            lifetime,
            clock,
            store,
            revocations,
            watched: WatchedSessions::default(),
            tokens,
        }))
    }

    /// What seals and opens.
    pub(super) fn jar(&self) -> &Jar {
        &self.0.jar
    }

    /// Unix ms.
    pub(super) fn now(&self) -> UnixMs {
        self.0.clock.now()
    }

    /// Whether what says this of itself was ended before its time, as far as is known here.
    pub(super) fn is_revoked(&self, session: SessionFacts<'_>) -> bool {
        self.0.store.is_revoked(session)
    }

    /// All that this user began before this time is over; 0: nothing is.
    pub(super) fn not_before(&self, user_id: UserId) -> UnixMs {
        self.0.store.not_before(user_id)
    }

    /// Programs that are known by a token.
    pub(super) fn tokens(&self) -> &ApiTokens {
        &self.0.tokens
    }

    /// All sessions that a request's cookies have and that have not expired, whether they were ended
    /// before their time or not. More than one where a browser kept an older cookie for another path.
    pub(super) fn unexpired(&self, headers: &HeaderMap) -> impl Iterator<Item = Session> {
        let now = self.0.clock.now();
        let opened = self.0.jar.opened(headers, &self.0.name);
        opened
            .filter_map(|bytes| Session::unpack(&bytes))
            .filter(move |session| session.ends_after(now))
    }

    /// Whether a session has expired or was ended before its time, as far as is known here.
    pub(super) fn is_over(&self, session: &Session) -> bool {
        let now = self.0.clock.now();
        !session.ends_after(now) || self.0.store.is_revoked(session.facts())
    }

    /// Whether it is known here what was revoked elsewhere.
    pub(super) fn are_revocations_known(&self) -> bool {
        self.0.revocations.are_known()
    }

    /// Waits for that, for as long as somebody waits to be signed in. A session that began before it
    /// may be over when it is told: of whoever signed out everywhere just before, or of everybody, by
    /// a gateway that lost what it kept. [`Unavailable`]: no gateway has told yet.
    pub(super) async fn await_revocations(&self) -> Result<(), Unavailable> {
        let told = timeout(REVOCATIONS_WAIT, self.0.revocations.until_known()).await;
        told.map_err(|_elapsed| Unavailable("no gateway has told yet".to_owned()))
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

    /// Whoever holds the answer learns when the session is ended before its time, wherever that was:
    /// at once if it already was. Hold it as long as that matters.
    pub(crate) fn watch_end(&self, session: &Session) -> SessionEnd {
        self.watch_end_of(session.facts())
    }

    /// The same of whatever says this of itself.
    pub(super) fn watch_end_of(&self, session: SessionFacts<'_>) -> SessionEnd {
        let end = self.0.watched.watch(session);
        // INVARIANT(no-missed-end): watched first, then asked; whoever revokes does it the other
        // way round, so one of both sees the other.
        if self.is_revoked(session) {
            self.end_revoked();
        }
        end
    }

    /// Ends what a revocation says: at once in this instance, and everywhere once a gateway
    /// keeps it. [`Unavailable`]: none does yet, or the store could not be told.
    pub(crate) async fn revoke(
        &self,
        revocation: Revocation,
        why: EndReason,
    ) -> Result<(), Unavailable> {
        let ended = self.end_here(revocation.clone(), why).await;
        let kept = self.0.revocations.share(revocation).await;
        ended.and(kept)
    }

    /// The same for one session.
    pub(crate) async fn revoke_session(
        &self,
        session: &Session,
        why: EndReason,
    ) -> Result<(), Unavailable> {
        let ended_by = self.ended_by(session);
        let revocation = ended_by.unwrap_or_else(|| session.revocation());
        self.revoke(revocation, why).await
    }

    /// The same for every session of whoever has this one.
    pub(super) async fn revoke_everywhere(&self, session: &Session) -> Result<(), Unavailable> {
        let why = EndReason::SignedOutEverywhere;
        match self.ended_by(session) {
            Some(ended_by) => self.revoke(ended_by, why).await,
            None => self.revoke_all_of(session.user.id, why).await,
        }
    }

    /// The same for every session that this user has begun, on whichever instance.
    pub(crate) async fn revoke_all_of(
        &self,
        user_id: UserId,
        why: EndReason,
    ) -> Result<(), Unavailable> {
        let known = self.0.store.not_before(user_id);
        let revocation = Revocation::of_user(user_id, self.0.clock.now(), known);
        self.revoke(revocation, why).await
    }

    /// Ends a session in whose place another is to begin, as one that is signed out: the other begins
    /// only once a gateway has kept that, or this process's end would bring the first one back.
    pub(super) async fn replace(&self, session: &Session) -> Result<(), Unavailable> {
        self.revoke(session.revocation(), EndReason::Replaced).await
    }

    /// By what a session is over that was ended before its time. By such a one nothing new is ended:
    /// what was is told again.
    fn ended_by(&self, session: &Session) -> Option<Revocation> {
        if !self.0.store.is_revoked(session.facts()) {
            return None;
        }
        let user_id = session.user.id;
        let not_before = self.0.store.not_before(user_id);
        let by_time = Revocation::User {
            user_id,
            not_before,
        };
        let is_by_time = session.issued_at < not_before;
        Some(if is_by_time {
            by_time
        } else {
            session.revocation()
        })
    }

    /// Ends what is watched as soon as it is revoked anywhere. For a task of its own.
    pub(crate) async fn enforce(self) {
        let mut changes = self.0.store.changes();
        loop {
            // Looked at once, too: what was revoked before this task was first polled.
            self.end_revoked();
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    async fn end_here(&self, revocation: Revocation, why: EndReason) -> Result<(), Unavailable> {
        if !self.is_done(&revocation) {
            counter!("guildhall_sessions_ended_total", "reason" => why.word()).increment(1);
        }
        self.0.store.revoke(revocation, self.0.clock.now()).await?;
        self.end_revoked();
        Ok(())
    }

    /// Whether all that it ends is over already.
    fn is_done(&self, revocation: &Revocation) -> bool {
        let store = &self.0.store;
        match revocation {
            // By its name alone, whenever it began.
            Revocation::Session { id, user_id, .. } => store.is_revoked(SessionFacts {
                id,
                user_id: *user_id,
                issued_at: UnixMs::MAX,
            }),
            Revocation::User {
                user_id,
                not_before,
            } => store.not_before(*user_id) >= *not_before,
            Revocation::Everybody { .. } => false,
        }
    }

    fn end_revoked(&self) {
        let store = &self.0.store;
        self.0.watched.end(|session| store.is_revoked(session));
    }

    /// The `Set-Cookie` that takes the session away from the browser.
    pub(crate) fn clear(&self) -> HeaderValue {
        self.0.jar.clear(&self.0.name)
    }
}

impl Session {
    /// What ends it alone.
    fn revocation(&self) -> Revocation {
        Revocation::Session {
            id: self.id.clone(),
            user_id: self.user.id,
            ends_at: self.ends_at,
        }
    }

    /// Whether it goes on after this time unless it is ended.
    fn ends_after(&self, now: UnixMs) -> bool {
        now < self.expires_at && now < self.ends_at
    }
}

impl EndReason {
    /// For metrics.
    fn word(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::SignedOutEverywhere => "signed_out_everywhere",
            Self::Replaced => "replaced",
            Self::Deauthorized => "deauthorized",
            Self::Operator => "operator",
            Self::OverlayRevoked => "overlay_revoked",
        }
    }
}

#[cfg(test)]
mod tests;
