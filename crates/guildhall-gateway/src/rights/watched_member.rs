//! What is known of a watched member: until when it is watched, since when its roles are true, and
//! the state of its look-up.

use std::{
    collections::{BTreeSet, btree_map::Entry},
    time::Instant,
};

use guildhall_model::{GuildId, UserId};

use super::{MemberKey, Rights, RightsContext, WatchId, is_known, queue::Priority};
use crate::Limits;

/// So many guilds may one user be watched in at one time; further ones are answered as failed.
/// Discord lets nobody be in more. The usual bot shares one to five with each user.
pub(super) const GUILDS_PER_USER: usize = 200;

#[derive(Debug)]
pub(super) struct WatchedMember {
    /// Until when it counts as watched, if not watched again.
    pub watched_until: Instant,
    /// When it is forgotten then.
    pub expires_at: Instant,
    /// When what the world has of it was last true; `None`: not known since it was watched.
    pub as_of: Option<Instant>,
    pub look_up: LookUp,
    /// Failures in a row.
    pub failures: u32,
    /// No new try before this.
    pub retry_at: Instant,
    /// When to look at it next; there is always one.
    pub timer: Option<Instant>,
    /// Watches that wait for it.
    pub waiting: BTreeSet<WatchId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LookUp {
    /// None is wanted.
    None,
    /// It waits in the queue.
    Queued,
    /// Discord is asked.
    InFlight {
        /// When it was sent.
        since: Instant,
        validity: Validity,
    },
}

/// What the answer in flight will be worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validity {
    /// The truth of the time it was asked.
    Valid,
    /// Nothing: a dispatch about the member came since.
    Superseded,
    /// Nothing, and it has to be asked again.
    Invalidated,
}

impl Rights {
    /// Notes that a member is watched. Returns whether that was so without a break, and what we
    /// know is therefore good; `None`: its user has as many as anybody may.
    pub(super) fn begin(&mut self, key: MemberKey, context: RightsContext<'_>) -> Option<bool> {
        let new = WatchedMember::new(&self.limits, context.now);
        let watched = self
            .members
            .get(&key)
            .is_some_and(|known| known.is_watched(context.now));
        if !watched && self.count_watched_guilds(key.1, context.now) >= GUILDS_PER_USER {
            return None;
        }
        Some(match self.members.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(new);
                self.watched_guilds.insert(key);
                false
            }
            Entry::Occupied(mut entry) => {
                let known = entry.get_mut();
                if !watched {
                    known.as_of = None;
                }
                known.watched_until = new.watched_until;
                known.expires_at = new.expires_at;
                known.as_of.is_some() && is_known(key, context.world)
            }
        })
    }

    /// In how many guilds a user is watched. Looks at each of them only where they are many.
    fn count_watched_guilds(&self, user_id: UserId, now: Instant) -> usize {
        let guilds = self.watched_guilds.of_user(user_id);
        if guilds.len() < GUILDS_PER_USER {
            return guilds.len();
        }
        let watched = |guild_id: &&GuildId| {
            let known = self.members.get(&(**guild_id, user_id));
            known.is_some_and(|known| known.is_watched(now))
        };
        guilds.iter().filter(watched).count()
    }
}

impl WatchedMember {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            watched_until: now + limits.watch_break,
            expires_at: now + limits.rights_kept,
            as_of: None,
            look_up: LookUp::None,
            failures: 0,
            retry_at: now,
            timer: None,
            waiting: BTreeSet::new(),
        }
    }

    pub(super) fn is_watched(&self, now: Instant) -> bool {
        now < self.watched_until
    }

    /// How soon a look-up is wanted for which nobody waits.
    pub(super) fn priority_unasked(&self) -> Priority {
        match self.as_of {
            Some(_) => Priority::Refresh,
            None => Priority::Reset,
        }
    }

    /// How soon one is wanted again whose answer is worth nothing.
    pub(super) fn priority_again(&self) -> Priority {
        if self.waiting.is_empty() && self.as_of.is_none() {
            Priority::Reset
        } else {
            Priority::Awaited
        }
    }

    /// Nobody waits for it, and it is not being looked up.
    pub(super) fn is_idle(&self) -> bool {
        self.look_up == LookUp::None && self.waiting.is_empty()
    }
}
