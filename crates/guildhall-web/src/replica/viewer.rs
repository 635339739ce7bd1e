//! One person on this instance, however many streams they have open.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use guildhall_model::{GuildId, Position, UnixMs, UserId};
use tokio::time::Instant;

use super::wake::{Signal, Slot, WakeList};

/// A person who is here, and what is known of their rights being known.
#[derive(Debug)]
pub(crate) struct Viewer {
    id: UserId,
    /// Counts what may have changed their sight. A stream that finds another number than at its
    /// last look joins again, from where it is.
    turn: AtomicU64,
    proof: Mutex<Proof>,
    streams: WakeList,
    /// One question to the gateway at a time.
    pub(crate) asking: tokio::sync::Mutex<()>,
}

/// Where the gateway said that this person's rights are in the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proof {
    /// The life of the log it is about.
    pub(crate) epoch: Option<UnixMs>,
    /// Guilds that were asked for.
    pub(crate) asked: BTreeSet<GuildId>,
    /// Those of them where the answer is not known: the person is invisible there.
    pub(crate) failed: BTreeSet<GuildId>,
    /// When the answer came.
    pub(crate) since: Option<Instant>,
    /// Where a failed look-up last succeeded: who stands at or below it may have been shown less
    /// than they see.
    healed: Option<Position>,
}

impl Viewer {
    pub(super) fn new(id: UserId) -> Self {
        Self {
            id,
            turn: AtomicU64::new(0),
            proof: Mutex::default(),
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

    /// What is known of their rights being known.
    pub(crate) fn proof(&self) -> Proof {
        self.lock().clone()
    }

    /// Whether their rights in these guilds were asked for in this life of the log; then the
    /// guilds where they are not known.
    pub(crate) fn unproven(&self, epoch: UnixMs, guilds: &[GuildId]) -> Option<Vec<GuildId>> {
        let proof = self.lock();
        if guilds.is_empty() {
            return Some(Vec::new());
        }
        let asked = proof.epoch == Some(epoch) && guilds.iter().all(|id| proof.asked.contains(id));
        asked.then(|| {
            let failed = guilds.iter().filter(|id| proof.failed.contains(id));
            failed.copied().collect()
        })
    }

    /// Whether a guild that was invisible here for want of an answer became visible at or after
    /// this place.
    pub(crate) fn healed_after(&self, place: Position) -> bool {
        let healed = self.lock().healed;
        healed.is_some_and(|at| at.comparable(place) && place.seq <= at.seq)
    }

    /// Notes the answer that holds from `at` on. Streams that wait for it, or see other guilds by it, join again.
    pub(crate) fn prove(&self, at: Position, asked: &[GuildId], failed: &[GuildId], now: Instant) {
        let mut proof = self.lock();
        let was = (proof.epoch, proof.failed.clone());
        if proof.epoch != Some(at.epoch) {
            *proof = Proof::default();
        }
        proof.epoch = Some(at.epoch);
        if asked
            .iter()
            .any(|id| proof.failed.contains(id) && !failed.contains(id))
        {
            proof.healed = Some(at);
        }
        proof.asked.extend(asked);
        proof.failed.retain(|id| !asked.contains(id));
        proof.failed.extend(failed);
        proof.since = Some(now);
        let changed = was != (proof.epoch, proof.failed.clone());
        drop(proof);
        if changed {
            self.turned();
            self.ring();
        }
    }

    /// Whether they have no stream open.
    pub(crate) fn is_idle(&self) -> bool {
        self.streams.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Proof> {
        self.proof.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One open stream of a viewer. Leaves when dropped.
#[derive(Debug)]
pub(crate) struct Attendance {
    viewer: Arc<Viewer>,
    signal: Arc<Signal>,
    slot: Slot,
}

impl Attendance {
    /// A new stream of this viewer.
    pub(crate) fn new(viewer: Arc<Viewer>) -> Self {
        let signal = Arc::new(Signal::default());
        let slot = viewer.streams.enter(&signal);
        Self {
            viewer,
            signal,
            slot,
        }
    }

    /// Whose.
    pub(crate) fn viewer(&self) -> &Arc<Viewer> {
        &self.viewer
    }

    /// The stream's bell.
    pub(crate) fn signal(&self) -> &Arc<Signal> {
        &self.signal
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        self.viewer.streams.leave(&self.slot);
    }
}
