//! What was revoked, in memory: bounded, and asked by session.

use std::collections::{BTreeMap, BTreeSet};

use guildhall_model::{Revocation, SessionFacts, SessionId, UnixMs, UserId};

use crate::{clock::millis, session_store::SESSION_LIFE_MAX};

/// Sessions remembered. Beyond it the one nearest its end is forgotten: its cookie was about to expire
/// anyway.
pub const REVOKED_SESSIONS_MAX: usize = 100_000;

/// Users remembered, who have room of their own: one of them stands for many sessions.
pub const REVOKED_USERS_MAX: usize = 100_000;

/// Everything that was revoked and may matter still.
///
/// Promises:
///
/// - What was added ends what it says until its [`Revocation::until`], or until there was no room for
///   it: what is forgotten then is what would have ended first, and never what was just added.
/// - Of each session and user it holds one revocation at most, the one that ends most.
#[derive(Debug)]
pub struct RevocationTable {
    /// By when they would have ended.
    sessions: Bounded<SessionId>,
    /// By the time before which their sessions are over.
    users: Bounded<UserId>,
    everybody: UnixMs,
}

/// What came of adding one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// As much was revoked already.
    Known,
    /// It is new.
    New {
        /// What had to be forgotten to make room for it.
        instead_of: Option<Revocation>,
    },
}

impl Default for RevocationTable {
    fn default() -> Self {
        Self::with_room(REVOKED_SESSIONS_MAX, REVOKED_USERS_MAX)
    }
}

impl RevocationTable {
    /// Holds so many sessions and users at most, and at least one of each.
    #[must_use]
    pub fn with_room(sessions: usize, users: usize) -> Self {
        Self {
            sessions: Bounded::new(sessions),
            users: Bounded::new(users),
            everybody: 0,
        }
    }

    /// Adds one.
    pub fn add(&mut self, revocation: Revocation) -> Added {
        match revocation {
            Revocation::Session { id, ends_at } => self.sessions.raise(id, ends_at, of_session),
            Revocation::User {
                user_id,
                not_before,
            } => self.users.raise(user_id, not_before, of_user),
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
            Revocation::Session { id, ends_at } => self.sessions.time(id) >= Some(*ends_at),
            Revocation::User {
                user_id,
                not_before,
            } => self.users.time(user_id) >= Some(*not_before),
            Revocation::Everybody { not_before } => self.everybody >= *not_before,
        }
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

    /// Forgets what can matter no more, and says what that was.
    pub fn expire(&mut self, now: UnixMs) -> Vec<Revocation> {
        let sessions = self.sessions.expire(now).map(of_session);
        let mut gone: Vec<Revocation> = sessions.collect();
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
        everybody.into_iter().chain(users).chain(sessions)
    }

    /// How many it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len() + self.users.len() + usize::from(self.everybody > 0)
    }

    /// Whether nothing was revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn of_session((id, ends_at): (SessionId, UnixMs)) -> Revocation {
    Revocation::Session { id, ends_at }
}

fn of_user((user_id, not_before): (UserId, UnixMs)) -> Revocation {
    Revocation::User {
        user_id,
        not_before,
    }
}

/// Keys, each with a time that only rises. When full, the one with the earliest makes room.
#[derive(Debug)]
struct Bounded<K> {
    times: BTreeMap<K, UnixMs>,
    by_time: BTreeSet<(UnixMs, K)>,
    most: usize,
}

impl<K: Clone + Ord> Bounded<K> {
    fn new(most: usize) -> Self {
        Self {
            times: BTreeMap::new(),
            by_time: BTreeSet::new(),
            most,
        }
    }

    fn raise(&mut self, key: K, time: UnixMs, of: impl Fn((K, UnixMs)) -> Revocation) -> Added {
        let before = self.times.get(&key).copied();
        if before >= Some(time) {
            return Added::Known;
        }
        let mut instead_of = None;
        if let Some(before) = before {
            self.by_time.remove(&(before, key.clone()));
        } else if self.times.len() >= self.most {
            instead_of = self.pop_first().map(of);
        }
        self.times.insert(key.clone(), time);
        self.by_time.insert((time, key));
        Added::New { instead_of }
    }

    fn pop_first(&mut self) -> Option<(K, UnixMs)> {
        let (time, key) = self.by_time.pop_first()?;
        self.times.remove(&key);
        Some((key, time))
    }

    fn expire(&mut self, now: UnixMs) -> impl Iterator<Item = (K, UnixMs)> {
        std::iter::from_fn(move || {
            let (time, _) = self.by_time.first()?;
            (*time <= now).then(|| self.pop_first())?
        })
    }

    fn time(&self, key: &K) -> Option<UnixMs> {
        self.times.get(key).copied()
    }

    fn iter(&self) -> impl Iterator<Item = (K, UnixMs)> {
        let latest_first = self.by_time.iter().rev();
        latest_first.map(|(time, key)| (key.clone(), *time))
    }

    fn len(&self) -> usize {
        self.times.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: u64, ends_at: UnixMs) -> Revocation {
        let id = SessionId::new(format!("session {number}"));
        Revocation::Session { id, ends_at }
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
        let mut table = RevocationTable::with_room(2, 1);
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
        let life = millis(SESSION_LIFE_MAX);
        let mut table = RevocationTable::default();
        for revocation in [user(1, 10), user(2, 20), session(1, 10), session(2, 20)] {
            table.add(revocation);
        }
        assert_eq!(table.expire(9), []);
        assert_eq!(table.expire(10), [session(1, 10)]);
        assert_eq!(table.expire(life + 9), [session(2, 20)]);
        assert_eq!(table.expire(life + 10), [user(1, 10)]);
        assert_eq!(table.iter().collect::<Vec<_>>(), [user(2, 20)]);
    }
}
