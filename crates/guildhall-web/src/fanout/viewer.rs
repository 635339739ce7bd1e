//! One viewer on this instance, with all of their open streams.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use guildhall_model::{Cursor, GuildId, Position};
use guildhall_ports::SessionId;
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::{
    lookups::{LookupAge, LookupChange, LookupTtl, RightsLookups, Unresolved},
    settled::{SettledOfSessions, SettledReader},
    wake_list::{StreamWaker, WakeList},
    wanted_guilds::WantedGuilds,
};
use crate::replica::{LocatedGuild, LogPositions, ViewerId};

/// A person with streams here, and in which guilds their rights are known; or the bot, of which nothing
/// has to be looked up.
#[derive(Debug)]
pub(crate) struct Viewer {
    id: ViewerId,
    /// Counts what may have changed what they see. A stream that finds another number than at its
    /// last look joins again, from where it is.
    rights_generation: AtomicU64,
    lookups: Mutex<RightsLookups>,
    /// What their streams are about; at most as many as they may have open.
    interests: Mutex<Vec<GuildInterest>>,
    pub(crate) streams: WakeList,
    settled: SettledOfSessions,
    /// Held while a request asks the gateway: one at a time.
    pub(crate) lookup_lock: tokio::sync::Mutex<()>,
}

/// The guilds that one stream is about, those that are not there included.
#[derive(Debug)]
pub(crate) struct GuildInterest {
    pub(crate) stream: Arc<StreamWaker>,
    pub(crate) guilds: WantedGuilds,
}

impl Viewer {
    pub(crate) fn new(id: ViewerId) -> Self {
        Self {
            id,
            rights_generation: AtomicU64::new(0),
            lookups: Mutex::default(),
            interests: Mutex::default(),
            streams: WakeList::default(),
            settled: SettledOfSessions::default(),
            lookup_lock: tokio::sync::Mutex::default(),
        }
    }

    /// Who it is.
    pub(crate) fn id(&self) -> ViewerId {
        self.id
    }

    /// Counts what may have changed what they see.
    pub(crate) fn rights_generation(&self) -> u64 {
        self.rights_generation.load(Ordering::Acquire)
    }

    /// What they see may have changed. Wakes nobody: [`Viewer::wake`].
    pub(crate) fn rights_changed(&self) {
        self.rights_generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Wakes their streams.
    pub(crate) fn wake(&self) {
        self.streams.wake();
    }

    /// For a stream of this session that opens now: which of its commands are settled.
    pub(crate) fn settled(&self, session: &SessionId) -> SettledReader {
        self.settled.reader(session)
    }

    /// A command that this session gave is done: its streams, and no others of the person, are told
    /// once they have come to `at`.
    pub(crate) fn settle(&self, session: &SessionId, key: String, at: Option<Cursor>) {
        if self.settled.settle(session, key, at) {
            self.wake();
        }
    }

    /// What is not known of the person in these guilds.
    pub(crate) fn unresolved(&self, guilds: &[LocatedGuild]) -> Unresolved {
        match self.id {
            ViewerId::Person(_) => self.lookups().unresolved(guilds),
            ViewerId::Bot => Unresolved::default(),
        }
    }

    /// How old the answer about the first of these guilds is.
    pub(crate) fn lookup_age(&self, guilds: &[LocatedGuild], now: Instant) -> Option<LookupAge> {
        self.lookups().age(*guilds.first()?, now)
    }

    /// Those of these guilds that have to be asked for.
    pub(crate) fn due(
        &self,
        guilds: &[LocatedGuild],
        ttl: LookupTtl,
        now: Instant,
    ) -> Vec<GuildId> {
        match self.id {
            ViewerId::Person(_) => self.lookups().due(guilds, ttl, now),
            ViewerId::Bot => Vec::new(),
        }
    }

    /// Guilds that streams of this person are about and that have to be asked for again.
    /// `replica`: where that stands.
    pub(crate) fn due_for_refresh(
        &self,
        replica: &LogPositions,
        ttl: LookupTtl,
        now: Instant,
    ) -> Vec<GuildId> {
        let interests = self.interests();
        let wanted = |id| interests.iter().any(|interest| interest.has(id));
        let lookups = self.lookups();
        lookups.due_for_refresh(replica, wanted, ttl, now)
    }

    /// The guilds among these in which this person has to be looked up, because a stream of theirs is
    /// about them.
    pub(crate) fn wanted(&self, among: &BTreeSet<GuildId>) -> Vec<GuildId> {
        if self.id == ViewerId::Bot {
            return Vec::new();
        }
        let interests = self.interests();
        let mut wanted = BTreeSet::new();
        for interest in &*interests {
            match &interest.guilds {
                WantedGuilds::Listed(guilds) if guilds.len() <= among.len() => {
                    wanted.extend(guilds.iter().filter(|id| among.contains(id)));
                }
                WantedGuilds::Listed(_) | WantedGuilds::All => {
                    wanted.extend(among.iter().filter(|id| interest.has(**id)));
                }
            }
        }
        wanted.into_iter().collect()
    }

    /// Whether a stream of this person is about a guild.
    pub(crate) fn is_interested_in(&self, id: GuildId) -> bool {
        self.interests().iter().any(|interest| interest.has(id))
    }

    /// Whether a guild that a stream of theirs lacked here for want of an answer became visible at
    /// or after this position.
    pub(crate) fn resolved_since(&self, position: Position) -> bool {
        self.lookups().resolved_since(position)
    }

    /// Records an answer about these guilds, each with the replica's position in its log, at or
    /// after the answer's. Streams that wait for it, or see other guilds by it, join again.
    pub(crate) fn record_lookup(
        &self,
        asked: &[LocatedGuild],
        failed: &[GuildId],
        now: Instant,
    ) -> LookupChange {
        let interests = self.interests();
        let wanted = |id| interests.iter().any(|interest| interest.has(id));
        let change = self.lookups().record(asked, failed, wanted, now);
        drop(interests);
        self.apply(change)
    }

    /// Nobody answered about these guilds now. To be tried again.
    pub(crate) fn note_failure(&self, guilds: &[LocatedGuild], now: Instant) -> LookupChange {
        let change = self.lookups().note_failure(guilds, now);
        self.apply(change)
    }

    /// A stream joins without these guilds for want of an answer.
    pub(crate) fn note_lacking(&self, guilds: &[LocatedGuild], now: Instant) {
        if !guilds.is_empty() {
            self.lookups().note_lacking(guilds, now);
        }
    }

    fn apply(&self, change: LookupChange) -> LookupChange {
        if change.changed {
            self.rights_changed();
            self.wake();
        }
        change
    }

    /// Whether they have no stream open.
    pub(crate) fn is_idle(&self) -> bool {
        self.streams.is_empty()
    }

    /// Forgets answers that are over and that no stream is about. Returns whether any is left that
    /// is not over.
    pub(crate) fn sweep(&self, ttl: Duration, now: Instant) -> bool {
        let interests = self.interests();
        let mut lookups = self.lookups();
        lookups.forget(
            |id| interests.iter().any(|interest| interest.has(id)),
            ttl,
            now,
        );
        lookups.is_recent(ttl, now)
    }

    /// How many guilds are remembered for this person.
    #[cfg(test)]
    pub(crate) fn remembered(&self) -> usize {
        self.lookups().len()
    }

    fn lookups(&self) -> MutexGuard<'_, RightsLookups> {
        self.lookups.lock()
    }

    /// To be locked before the lookups.
    pub(crate) fn interests(&self) -> MutexGuard<'_, Vec<GuildInterest>> {
        self.interests.lock()
    }
}

impl GuildInterest {
    fn has(&self, id: GuildId) -> bool {
        match &self.guilds {
            WantedGuilds::Listed(guilds) => guilds.binary_search(&id).is_ok(),
            WantedGuilds::All => true,
        }
    }
}
