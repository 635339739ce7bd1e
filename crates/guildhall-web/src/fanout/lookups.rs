//! In which guilds the rights of one viewer are known: the gateway's answers, guild by guild, and
//! how long each is good. Does no IO.

use std::collections::BTreeMap;

use guildhall_model::{GuildId, Position, UnixMs};
use tokio::time::Instant;

/// Guilds whose answers are kept for one person. Discord lets nobody be in more than 200 guilds,
/// so only who names guilds at random comes so far; they then ask again for what was dropped.
pub(crate) const GUILDS_PER_VIEWER: usize = 256;

/// What was answered about one person in the present epoch of the log.
#[derive(Debug, Default)]
pub(crate) struct RightsLookups {
    /// The epoch they are of.
    epoch: Option<UnixMs>,
    answers: BTreeMap<GuildId, Answer>,
    /// Where a guild that was invisible on this instance for want of an answer last became visible:
    /// who stands at or below it may have been shown less than they see.
    resolved_at: Option<Position>,
}

/// The last answer about one guild.
#[derive(Clone, Copy, Debug)]
struct Answer {
    /// The gateway could not find out: the person is invisible there.
    failed: bool,
    since: Instant,
    used: Instant,
}

/// How long answers are good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LookupTtl {
    pub(crate) known: std::time::Duration,
    pub(crate) failed: std::time::Duration,
}

/// What a new answer changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LookupChange {
    /// Something is known that was not, or the reverse.
    pub(crate) changed: bool,
    /// Answers that were dropped for want of room.
    pub(crate) dropped: usize,
}

impl RightsLookups {
    /// Those of these guilds where it is not known what the person is. `None`: nothing at all was
    /// asked in this epoch of the log.
    pub(crate) fn unresolved(&self, epoch: UnixMs, guilds: &[GuildId]) -> Option<Vec<GuildId>> {
        let known = |id: &GuildId| self.answers.get(id).is_some_and(|answer| !answer.failed);
        let unresolved = guilds.iter().copied().filter(|id| !known(id));
        (self.epoch == Some(epoch) || guilds.is_empty()).then(|| unresolved.collect())
    }

    /// Those of these guilds that have to be asked for, because there is no answer or none that
    /// is good any more. The others are used by this.
    pub(crate) fn due(
        &mut self,
        epoch: UnixMs,
        guilds: &[GuildId],
        ttl: LookupTtl,
        now: Instant,
    ) -> Vec<GuildId> {
        let mut due = guilds.to_vec();
        if self.epoch == Some(epoch) {
            due.retain(|id| match self.answers.get_mut(id) {
                Some(answer) if answer.is_good(ttl, now) => {
                    answer.used = now;
                    false
                }
                _ => true,
            });
        }
        due
    }

    /// Those of the answers that are to be asked for again while somebody wants them: nothing as
    /// long as all are good, and then those that will soon not be, too.
    pub(crate) fn due_for_refresh(
        &self,
        epoch: UnixMs,
        wanted: impl Fn(GuildId) -> bool,
        ttl: LookupTtl,
        now: Instant,
    ) -> Vec<GuildId> {
        let wanted = |(id, _): &(&GuildId, &Answer)| wanted(**id);
        let mine = self.answers.iter().filter(wanted);
        let other_epoch = self.epoch.is_some() && self.epoch != Some(epoch);
        let due = |answer: &Answer| other_epoch || !answer.is_good(ttl, now);
        if !mine.clone().any(|(_, answer)| due(answer)) {
            return Vec::new();
        }
        let soon = LookupTtl {
            known: ttl.known / 2,
            failed: ttl.failed / 2,
        };
        let together = |answer: &Answer| other_epoch || !answer.is_good(soon, now);
        let again = mine.filter(|(_, answer)| together(answer));
        again.map(|(id, _)| *id).collect()
    }

    /// Records an answer. `at`: the replica's position. What streams are about, as `wanted` says,
    /// is dropped last.
    pub(crate) fn record(
        &mut self,
        at: Position,
        asked: &[GuildId],
        failed: &[GuildId],
        wanted: impl Fn(GuildId) -> bool,
        now: Instant,
    ) -> LookupChange {
        let mut change = LookupChange::default();
        if self.epoch != Some(at.epoch) {
            change.changed = true;
            *self = Self::default();
        }
        self.epoch = Some(at.epoch);
        for id in asked {
            let failed = failed.contains(id);
            let answer = Answer {
                failed,
                since: now,
                used: now,
            };
            let was = self.answers.insert(*id, answer).map(|was| was.failed);
            change.changed |= was != Some(failed);
            if was == Some(true) && !failed {
                self.resolved_at = Some(at);
            }
        }
        while self.answers.len() > GUILDS_PER_VIEWER {
            let of_least_use = self
                .answers
                .iter()
                .min_by_key(|(id, answer)| (wanted(**id), answer.used));
            let Some((id, _)) = of_least_use.map(|(id, answer)| (*id, *answer)) else {
                break;
            };
            self.answers.remove(&id);
            change.dropped += 1;
            change.changed = true;
        }
        change
    }

    /// There is no answer about these guilds now. Where nothing is known it has failed, to be tried
    /// again; what is known stays. Nothing is dropped for it.
    pub(crate) fn note_failure(
        &mut self,
        at: Position,
        guilds: &[GuildId],
        now: Instant,
    ) -> LookupChange {
        if self.epoch.is_some_and(|epoch| epoch != at.epoch) {
            return LookupChange::default();
        }
        let known = |id: &GuildId| self.answers.get(id).is_some_and(|answer| !answer.failed);
        let unknown = guilds.iter().copied().filter(|id| !known(id));
        let room = GUILDS_PER_VIEWER - self.answers.len();
        let unknown: Vec<GuildId> = unknown.take(room).collect();
        self.record(at, &unknown, &unknown, |_| false, now)
    }

    /// A stream joins without these guilds, which are there, for want of an answer. When there is
    /// one, that it lacks them has to be known.
    pub(crate) fn note_lacking(&mut self, epoch: UnixMs, guilds: &[GuildId], now: Instant) {
        if *self.epoch.get_or_insert(epoch) != epoch {
            return;
        }
        for id in guilds {
            if self.answers.len() < GUILDS_PER_VIEWER {
                self.answers.entry(*id).or_insert(Answer {
                    failed: true,
                    since: now,
                    used: now,
                });
            }
        }
    }

    /// Whether a guild that was invisible here for want of an answer became visible at or after
    /// this position.
    pub(crate) fn resolved_since(&self, position: Position) -> bool {
        self.resolved_at
            .is_some_and(|at| at.comparable(position) && position.seq <= at.seq)
    }

    /// Forgets answers that are not good any more and that nobody wants.
    pub(crate) fn forget(
        &mut self,
        wanted: impl Fn(GuildId) -> bool,
        ttl: std::time::Duration,
        now: Instant,
    ) {
        self.answers
            .retain(|id, answer| now.duration_since(answer.since) < ttl || wanted(*id));
    }

    /// Whether something was answered within this time.
    pub(crate) fn is_recent(&self, within: std::time::Duration, now: Instant) -> bool {
        let mut answers = self.answers.values();
        answers.any(|answer| now.duration_since(answer.since) < within)
    }

    /// How many guilds it covers.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.answers.len()
    }
}

impl Answer {
    fn is_good(&self, ttl: LookupTtl, now: Instant) -> bool {
        let ttl = if self.failed {
            ttl.failed.min(ttl.known)
        } else {
            ttl.known
        };
        now.duration_since(self.since) < ttl
    }
}

#[cfg(test)]
mod tests;
