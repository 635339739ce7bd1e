//! What was revoked, in memory: bounded, and asked by session.

use std::collections::{BTreeMap, BTreeSet};

use guildhall_model::{Revocation, SessionFacts, SessionId, UnixMs, UserId};

use crate::{
    clock::millis,
    session_store::{CLOCK_SKEW_MAX, SESSION_LIFE_MAX},
};

/// Sessions remembered. Beyond it the one nearest its end is forgotten: its cookie was about to expire
/// anyway.
pub const REVOKED_SESSIONS_MAX: usize = 100_000;

/// Of one user: whoever signs in and out all night loses their own alone.
const REVOKED_SESSIONS_PER_USER: usize = 200;

/// Used tokens remembered, beside the sessions.
const USED_TOKENS_MAX: usize = 100_000;

/// Of one user: whose login makes them by the hundred takes nobody else's room.
pub const USED_TOKENS_PER_USER: usize = 200;

/// Users remembered, who have room of their own: one of them stands for many sessions.
pub const REVOKED_USERS_MAX: usize = 100_000;

/// Everything that was revoked and may matter still.
///
/// Promises:
///
/// - What was added ends what it says until its [`Revocation::until`] by every clock, or until there
///   was no room for it: what is forgotten then is what would have ended first, and never what was just
///   added. Of one user's sessions 200 are remembered; of more theirs are forgotten and nobody else's.
/// - A used token is never forgotten before its time: one that there is no room for is not added
///   ([`Added::NoRoom`]), for what is forgotten could be used again.
/// - Of each session, token and user it holds one revocation at most, the one that ends most.
#[derive(Debug)]
pub struct RevocationTable {
    /// By when they would have ended.
    sessions: Bounded<SessionId>,
    /// By when they can be used no more.
    tokens: Bounded<SessionId>,
    /// By the time before which their sessions are over.
    users: Bounded<UserId>,
    everybody: UnixMs,
}

/// What came of adding one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// As much was revoked already.
    Known,
    /// A used token for which there is no room. Whoever keeps them for others must not say that it was
    /// used just now for the first time.
    NoRoom,
    /// It is new.
    New {
        /// What had to be forgotten to make room for it.
        instead_of: Option<Revocation>,
    },
}

impl Default for RevocationTable {
    fn default() -> Self {
        Self::with_room(
            REVOKED_SESSIONS_MAX,
            REVOKED_SESSIONS_PER_USER,
            REVOKED_USERS_MAX,
        )
    }
}

impl RevocationTable {
    /// Holds so many sessions in all and of one user, and users, at most; at least one of each.
    #[must_use]
    pub fn with_room(sessions: usize, of_user: usize, users: usize) -> Self {
        Self {
            sessions: Bounded::new(sessions, of_user),
            tokens: Bounded::new(USED_TOKENS_MAX, USED_TOKENS_PER_USER),
            users: Bounded::new(users, 1),
            everybody: 0,
        }
    }

    /// Adds one.
    pub fn add(&mut self, revocation: Revocation) -> Added {
        if revocation.used_token().is_some() {
            if self.knows(&revocation) {
                return Added::Known;
            }
            if !self.has_room(&revocation, &[]) {
                return Added::NoRoom;
            }
        }
        match revocation {
            Revocation::Session {
                id,
                user_id,
                ends_at,
            } if id.is_used_token() => self.tokens.raise(id, user_id, ends_at, of_session),
            Revocation::Session {
                id,
                user_id,
                ends_at,
            } => self.sessions.raise(id, user_id, ends_at, of_session),
            Revocation::User {
                user_id,
                not_before,
            } => self.users.raise(user_id, user_id, not_before, of_user),
            Revocation::Everybody { not_before } if not_before <= self.everybody => Added::Known,
            Revocation::Everybody { not_before } => {
                self.everybody = not_before;
                Added::New { instead_of: None }
            }
        }
    }

    /// Whether it says as much already.
    #[must_use]
    pub fn knows(&self, revocation: &Revocation) -> bool {
        match revocation {
            // One that is signed anew, for longer, is used all the same.
            Revocation::Session { id, .. } if id.is_used_token() => self.tokens.time(id).is_some(),
            Revocation::Session { id, ends_at, .. } => self.sessions.time(id) >= Some(*ends_at),
            Revocation::User {
                user_id,
                not_before,
            } => self.users.time(user_id) >= Some(*not_before),
            Revocation::Everybody { not_before } => self.everybody >= *not_before,
        }
    }

    /// Whether it would be added, behind these that will be before it.
    #[must_use]
    pub fn has_room(&self, revocation: &Revocation, before: &[Revocation]) -> bool {
        let Revocation::Session { id, user_id, .. } = revocation else {
            return true;
        };
        if !id.is_used_token() {
            return true;
        }
        let of_user = |it: &&Revocation| matches!(it, Revocation::Session { user_id: whose, .. } if whose == user_id);
        let tokens = || before.iter().filter(|it| it.used_token().is_some());
        self.tokens.len() + tokens().count() < self.tokens.most
            && self.tokens.count_of(*user_id) + tokens().filter(of_user).count()
                < self.tokens.most_of_user
    }

    /// Whether a session was ended.
    #[must_use]
    pub fn is_revoked(&self, session: SessionFacts<'_>) -> bool {
        session.issued_at < self.not_before(session.user_id)
            || self.sessions.time(session.id).is_some()
    }

    /// Every session of this user that began before this time is over; 0: none is.
    #[must_use]
    pub fn not_before(&self, user_id: UserId) -> UnixMs {
        let own = self.users.time(&user_id);
        own.unwrap_or(0).max(self.everybody)
    }

    /// Forgets what can matter no more, by the slowest of all clocks, and says what that was.
    pub fn expire(&mut self, now: UnixMs) -> Vec<Revocation> {
        let Some(now) = now.checked_sub(millis(CLOCK_SKEW_MAX)) else {
            return Vec::new();
        };
        let sessions = self.sessions.expire(now).map(of_session);
        let tokens = self.tokens.expire(now).map(of_session);
        let mut gone: Vec<Revocation> = sessions.chain(tokens).collect();
        if let Some(of_users) = now.checked_sub(millis(SESSION_LIFE_MAX)) {
            gone.extend(self.users.expire(of_users).map(of_user));
        }
        gone
    }

    /// Everything it holds: what ends most first.
    pub fn iter(&self) -> impl Iterator<Item = Revocation> {
        let not_before = self.everybody;
        let everybody = (not_before > 0).then_some(Revocation::Everybody { not_before });
        let users = self.users.iter().map(of_user);
        let sessions = self.sessions.iter().map(of_session);
        let tokens = self.tokens.iter().map(of_session);
        let people = everybody.into_iter().chain(users);
        people.chain(sessions).chain(tokens)
    }

    /// How many it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        let everybody = usize::from(self.everybody > 0);
        self.sessions.len() + self.tokens.len() + self.users.len() + everybody
    }

    /// Whether nothing was revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn of_session((id, user_id, ends_at): (SessionId, UserId, UnixMs)) -> Revocation {
    Revocation::Session {
        id,
        user_id,
        ends_at,
    }
}

fn of_user((user_id, _, not_before): (UserId, UserId, UnixMs)) -> Revocation {
    Revocation::User {
        user_id,
        not_before,
    }
}

/// Keys of people, each with a time that only rises. When a person has too many, theirs with the
/// earliest makes room; when there are too many of all, the one with the earliest of all.
#[derive(Debug)]
struct Bounded<K> {
    times: BTreeMap<K, (UserId, UnixMs)>,
    by_time: BTreeSet<(UnixMs, K)>,
    of_users: BTreeMap<UserId, BTreeSet<(UnixMs, K)>>,
    most: usize,
    most_of_user: usize,
}

impl<K: Clone + Ord> Bounded<K> {
    fn new(most: usize, most_of_user: usize) -> Self {
        Self {
            times: BTreeMap::new(),
            by_time: BTreeSet::new(),
            of_users: BTreeMap::new(),
            most,
            most_of_user,
        }
    }

    fn raise(
        &mut self,
        key: K,
        user_id: UserId,
        time: UnixMs,
        of: impl Fn((K, UserId, UnixMs)) -> Revocation,
    ) -> Added {
        let before = self.time(&key);
        if before >= Some(time) {
            return Added::Known;
        }
        let mut instead_of = None;
        if before.is_some() {
            self.remove(&key);
        } else {
            let of_user = self.of_users.get(&user_id);
            let has_too_many = of_user.filter(|keys| keys.len() >= self.most_of_user);
            let first = match has_too_many {
                Some(theirs) => theirs.first(),
                None if self.times.len() >= self.most => self.by_time.first(),
                None => None,
            };
            let first = first.map(|(_, key)| key.clone());
            instead_of = first.and_then(|first| self.remove(&first)).map(of);
        }
        self.times.insert(key.clone(), (user_id, time));
        self.by_time.insert((time, key.clone()));
        self.of_users
            .entry(user_id)
            .or_default()
            .insert((time, key));
        Added::New { instead_of }
    }

    fn remove(&mut self, key: &K) -> Option<(K, UserId, UnixMs)> {
        let (key, (user_id, time)) = self.times.remove_entry(key)?;
        let place = (time, key);
        self.by_time.remove(&place);
        if let Some(theirs) = self.of_users.get_mut(&user_id) {
            theirs.remove(&place);
            if theirs.is_empty() {
                self.of_users.remove(&user_id);
            }
        }
        let (time, key) = place;
        Some((key, user_id, time))
    }

    fn expire(&mut self, now: UnixMs) -> impl Iterator<Item = (K, UserId, UnixMs)> {
        std::iter::from_fn(move || {
            let (time, key) = self.by_time.first()?;
            if *time > now {
                return None;
            }
            let key = key.clone();
            self.remove(&key)
        })
    }

    fn time(&self, key: &K) -> Option<UnixMs> {
        self.times.get(key).map(|(_, time)| *time)
    }

    fn iter(&self) -> impl Iterator<Item = (K, UserId, UnixMs)> {
        let latest_first = self.by_time.iter().rev();
        latest_first.filter_map(|(_, key)| {
            let (user_id, time) = self.times.get(key)?;
            Some((key.clone(), *user_id, *time))
        })
    }

    fn len(&self) -> usize {
        self.times.len()
    }

    fn count_of(&self, user_id: UserId) -> usize {
        self.of_users.get(&user_id).map_or(0, BTreeSet::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: u64, ends_at: UnixMs) -> Revocation {
        session_of(100 + number, number, ends_at)
    }

    fn session_of(user: u64, number: u64, ends_at: UnixMs) -> Revocation {
        Revocation::Session {
            id: SessionId::new(format!("session {number}")),
            user_id: UserId(user),
            ends_at,
        }
    }

    fn user(number: u64, not_before: UnixMs) -> Revocation {
        Revocation::User {
            user_id: UserId(number),
            not_before,
        }
    }

    const NOTHING_GONE: Added = Added::New { instead_of: None };

    #[test]
    fn when_full_what_ends_first_makes_room_and_sessions_take_none_of_users() {
        let mut table = RevocationTable::with_room(2, 2, 1);
        assert_eq!(table.add(user(1, 10)), NOTHING_GONE);
        assert_eq!(table.add(session(1, 300)), NOTHING_GONE);
        assert_eq!(table.add(session(2, 200)), NOTHING_GONE);
        let instead_of = Some(session(2, 200));
        assert_eq!(table.add(session(3, 100)), Added::New { instead_of });
        assert!(table.knows(&session(3, 100)), "what was just added stays");
        assert!(table.knows(&session(1, 300)) && table.knows(&user(1, 10)));
        let instead_of = Some(user(1, 10));
        assert_eq!(table.add(user(2, 5)), Added::New { instead_of });
        assert_eq!(table.len(), 3);
    }

    /// The one with a motive is whoever has somebody's cookie.
    #[test]
    fn whoever_signs_in_and_out_all_night_loses_their_own_alone() {
        let mut table = RevocationTable::with_room(1_000, 3, 1_000);
        let (victim, flooder) = (1, 2);
        let theirs = session_of(victim, 0, 10);
        table.add(theirs.clone());
        for number in 1..=5_000 {
            table.add(session_of(flooder, number, 100 + number));
        }
        assert!(table.knows(&theirs));
        let last = session_of(flooder, 5_000, 5_100);
        assert!(table.knows(&last), "what was just added stays");
        assert_eq!(table.len(), 4);
        assert_eq!(table.expire(UnixMs::MAX).len(), 4);
        assert!(table.sessions.of_users.is_empty() && table.sessions.by_time.is_empty());
    }

    /// By a forgotten one somebody signs in twice.
    #[test]
    fn a_used_token_is_forgotten_for_nothing_and_refused_where_there_is_no_room() {
        let token = |user: u64, number: u64, ends_at| Revocation::Session {
            id: SessionId::of_used_token(&format!("{user} {number}")),
            user_id: UserId(user),
            ends_at,
        };
        let mut table = RevocationTable::with_room(2, 1, 1);
        for number in 0..200 {
            assert_eq!(table.add(token(1, number, 10 + number)), NOTHING_GONE);
        }
        for number in 0..9 {
            table.add(session_of(1, number, 1_000 + number));
        }
        assert_eq!(table.add(token(1, 200, 900)), Added::NoRoom);
        assert!(!table.knows(&token(1, 200, 900)));
        assert_eq!(table.add(token(1, 0, 900)), Added::Known, "signed anew");
        assert_eq!(table.add(token(2, 0, 900)), NOTHING_GONE);
        let mut before = vec![session_of(2, 7, 1)];
        before.extend((1..199).map(|number| token(2, number, 900)));
        assert!(table.has_room(&token(2, 199, 900), &before));
        before.push(token(2, 199, 900));
        assert!(!table.has_room(&token(2, 200, 900), &before));
        assert_eq!(table.len(), 202, "with one session");
        assert_eq!(table.iter().count(), 202);
        assert_eq!(table.expire(millis(CLOCK_SKEW_MAX) + 10), [token(1, 0, 10)]);
        assert_eq!(table.add(token(1, 200, 900)), NOTHING_GONE);
    }

    #[test]
    fn of_each_the_one_that_ends_most_counts() {
        let mut table = RevocationTable::default();
        assert_eq!(table.add(user(1, 10)), NOTHING_GONE);
        for known in [10, 9] {
            assert_eq!(table.add(user(1, known)), Added::Known);
        }
        assert_eq!(table.add(user(1, 11)), NOTHING_GONE);
        assert_eq!(table.not_before(UserId(1)), 11);
        assert_eq!(table.not_before(UserId(2)), 0);
        let everybody = |not_before| Revocation::Everybody { not_before };
        assert_eq!(table.add(everybody(20)), NOTHING_GONE);
        assert_eq!(table.add(everybody(20)), Added::Known);
        assert_eq!(table.not_before(UserId(1)), 20);
        assert_eq!(
            table.iter().collect::<Vec<_>>(),
            [everybody(20), user(1, 11)]
        );
    }

    #[test]
    fn what_can_matter_no_more_is_forgotten() {
        let (life, skew) = (millis(SESSION_LIFE_MAX), millis(CLOCK_SKEW_MAX));
        let mut table = RevocationTable::default();
        for revocation in [user(1, 10), user(2, 20), session(1, 10), session(2, 20)] {
            table.add(revocation);
        }
        assert_eq!(table.expire(skew + 9), []);
        assert_eq!(table.expire(skew + 10), [session(1, 10)]);
        assert_eq!(table.expire(life + skew + 9), [session(2, 20)]);
        assert_eq!(table.expire(life + skew + 10), [user(1, 10)]);
        assert_eq!(table.iter().collect::<Vec<_>>(), [user(2, 20)]);
    }
}
