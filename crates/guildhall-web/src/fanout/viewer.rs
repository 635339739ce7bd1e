//! One person on this instance, however many streams they have open.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use guildhall_model::{GuildId, Position, UnixMs, UserId};
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::{
    lookups::{GoodFor, Noted, Proof},
    wake_list::{Signal, WakeList},
};

/// A person who is here, and what is known of their rights being known.
#[derive(Debug)]
pub(crate) struct Viewer {
    id: UserId,
    /// Counts what may have changed their sight. A stream that finds another number than at its
    /// last look joins again, from where it is.
    turn: AtomicU64,
    proof: Mutex<Proof>,
    /// What their streams are about; at most as many as they may have open.
    wants: Mutex<Vec<Want>>,
    pub(crate) streams: WakeList,
    /// One question of a request at a time.
    pub(crate) asking: tokio::sync::Mutex<()>,
}

/// The guilds that one stream is about, those that are not there included.
#[derive(Debug)]
pub(crate) struct Want {
    pub(crate) stream: Arc<Signal>,
    /// Ascending; shared by all streams of the viewer that want the same.
    pub(crate) guilds: Arc<[GuildId]>,
}

impl Viewer {
    pub(crate) fn new(id: UserId) -> Self {
        Self {
            id,
            turn: AtomicU64::new(0),
            proof: Mutex::default(),
            wants: Mutex::default(),
            streams: WakeList::default(),
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// Who.
    pub(crate) fn id(&self) -> UserId {
        self.id
    }

    /// What may have changed their sight, counted.
    pub(crate) fn turn(&self) -> u64 {
        self.turn.load(Ordering::Acquire)
    }

    /// Their sight may have changed. Wakes nobody: [`Viewer::ring`].
    pub(crate) fn turned(&self) {
        self.turn.fetch_add(1, Ordering::AcqRel);
    }

    /// Wakes their streams.
    pub(crate) fn ring(&self) {
        self.streams.ring();
    }

    /// Those of these guilds where it is not known what the person is. `None`: nothing at all was
    /// asked in this life of the log.
    pub(crate) fn doubtful(&self, epoch: UnixMs, guilds: &[GuildId]) -> Option<Vec<GuildId>> {
        self.proof().doubtful(epoch, guilds)
    }

    /// Those of these guilds that have to be asked for.
    pub(crate) fn due(
        &self,
        epoch: UnixMs,
        guilds: &[GuildId],
        good_for: GoodFor,
        now: Instant,
    ) -> Vec<GuildId> {
        self.proof().due(epoch, guilds, good_for, now)
    }

    /// Guilds that streams of this person are about and that have to be asked for again.
    pub(crate) fn due_again(&self, epoch: UnixMs, good_for: GoodFor, now: Instant) -> Vec<GuildId> {
        let wants = self.wants();
        let wanted = |id| wants.iter().any(|want| want.has(id));
        let proof = self.proof();
        proof.due_again(epoch, wanted, good_for, now)
    }

    /// The guilds among these that streams of this person are about.
    pub(crate) fn wanted(&self, among: &BTreeSet<GuildId>) -> Vec<GuildId> {
        let wants = self.wants();
        let mut wanted = BTreeSet::new();
        for want in &*wants {
            if among.len() < want.guilds.len() {
                wanted.extend(among.iter().copied().filter(|id| want.has(*id)));
            } else {
                let here = want.guilds.iter().filter(|id| among.contains(id));
                wanted.extend(here.copied());
            }
        }
        wanted.into_iter().collect()
    }

    /// Whether a stream of this person is about a guild.
    pub(crate) fn wants_guild(&self, id: GuildId) -> bool {
        self.wants().iter().any(|want| want.has(id))
    }

    /// Whether a guild that was invisible here for want of an answer became visible at or after
    /// this place.
    pub(crate) fn healed_after(&self, place: Position) -> bool {
        self.proof().healed_after(place)
    }

    /// Notes an answer. `at`: where the replica stands, at or after the answer's place. Streams that
    /// wait for it, or see other guilds by it, join again.
    pub(crate) fn prove(
        &self,
        at: Position,
        asked: &[GuildId],
        failed: &[GuildId],
        now: Instant,
    ) -> Noted {
        let wants = self.wants();
        let wanted = |id| wants.iter().any(|want| want.has(id));
        let noted = self.proof().note(at, asked, failed, wanted, now);
        drop(wants);
        self.noted(noted)
    }

    /// Nobody answered about these guilds now. To be tried again.
    pub(crate) fn miss(&self, at: Position, guilds: &[GuildId], now: Instant) -> Noted {
        let noted = self.proof().miss(at, guilds, now);
        self.noted(noted)
    }

    /// A stream joins without these guilds for want of an answer.
    pub(crate) fn lacked(&self, epoch: UnixMs, guilds: &[GuildId], now: Instant) {
        if !guilds.is_empty() {
            self.proof().lacked(epoch, guilds, now);
        }
    }

    fn noted(&self, noted: Noted) -> Noted {
        if noted.changed {
            self.turned();
            self.ring();
        }
        noted
    }

    /// Whether they have no stream open.
    pub(crate) fn is_idle(&self) -> bool {
        self.streams.is_empty()
    }

    /// Forgets answers that are over and that no stream is about. Answers whether any is left that
    /// is not over.
    pub(crate) fn sweep(&self, good_for: Duration, now: Instant) -> bool {
        let wants = self.wants();
        let mut proof = self.proof();
        proof.forget(|id| wants.iter().any(|want| want.has(id)), good_for, now);
        proof.is_recent(good_for, now)
    }

    /// How many guilds are remembered for this person.
    #[cfg(test)]
    pub(crate) fn remembered(&self) -> usize {
        self.proof().len()
    }

    fn proof(&self) -> MutexGuard<'_, Proof> {
        self.proof.lock()
    }

    /// To be locked before the proof.
    pub(crate) fn wants(&self) -> MutexGuard<'_, Vec<Want>> {
        self.wants.lock()
    }
}

impl Want {
    fn has(&self, id: GuildId) -> bool {
        self.guilds.binary_search(&id).is_ok()
    }
}
