//! In which guilds the rights of one viewer are known: the gateway's answers, guild by guild, and
//! how long each is good. Does no IO.

use std::collections::{BTreeMap, BTreeSet};

use guildhall_model::{GuildId, LogId, Position};
use tokio::time::Instant;

use crate::replica::{LocatedGuild, LogPositions};

/// Guilds whose answers are kept for one person. Discord lets nobody be in more than 200 guilds,
/// so only who names guilds at random comes so far; they then ask again for what was dropped.
pub(crate) const GUILDS_PER_VIEWER: usize = 256;

/// What was answered about one person. An answer of an epoch that is over in its guild's log is
/// none.
#[derive(Debug, Default)]
pub(crate) struct RightsLookups {
    answers: BTreeMap<GuildId, Answer>,
    /// Where in each log a guild that a stream of this instance lacked for want of an answer last
    /// became visible: who stands at or below it may have been shown less than they see.
    resolved_at: BTreeMap<LogId, Position>,
}

/// The last answer about one guild.
#[derive(Clone, Copy, Debug)]
struct Answer {
    /// The gateway could not find out: the person is invisible there.
    failed: bool,
    /// And a stream joined without the guild for it. Where none did, nobody was shown less: a
    /// browser that comes to a process that has just started, and waited until it was answered, can
    /// go on where it was.
    lacked: bool,
    /// Where the replica stood in the guild's log.
    at: Position,
    since: Instant,
    used: Instant,
}

/// What is not known of one person.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unresolved {
    /// Guilds where it is not known what they are.
    pub(crate) guilds: Vec<GuildId>,
    /// Of these, logs about which nothing at all was asked in their present epoch.
    pub(crate) logs: Vec<LogId>,
}

/// How long answers are good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LookupTtl {
    pub(crate) known: std::time::Duration,
    pub(crate) failed: std::time::Duration,
}

/// How old what is known is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LookupAge {
    /// The gateway could not find out.
    pub(crate) failed: bool,
    pub(crate) since: std::time::Duration,
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
    /// What of these guilds is not known.
    pub(crate) fn unresolved(&self, guilds: &[LocatedGuild]) -> Unresolved {
        let known = |guild: &LocatedGuild| {
            let answer = self.answers.get(&guild.id);
            answer.is_some_and(|answer| !answer.failed && answer.at.comparable(guild.at))
        };
        let unknown = || guilds.iter().filter(|guild| !known(guild));
        let logs: BTreeSet<LogId> = unknown()
            .filter(|guild| !self.asked_in(guild.at))
            .map(|guild| guild.at.log)
            .collect();
        Unresolved {
            guilds: unknown().map(|guild| guild.id).collect(),
            logs: logs.into_iter().collect(),
        }
    }

    /// Whether anything was asked in this epoch of a log.
    fn asked_in(&self, epoch: Position) -> bool {
        let mut answers = self.answers.values();
        answers.any(|answer| answer.at.comparable(epoch))
    }

    /// Those of these guilds that have to be asked for, because there is no answer or none that
    /// is good any more. The others are used by this.
    pub(crate) fn due(
        &mut self,
        guilds: &[LocatedGuild],
        ttl: LookupTtl,
        now: Instant,
    ) -> Vec<GuildId> {
        let due = guilds
            .iter()
            .filter(|guild| match self.answers.get_mut(&guild.id) {
                Some(answer) if answer.at.comparable(guild.at) && answer.is_good(ttl, now) => {
                    answer.used = now;
                    false
                }
                _ => true,
            });
        due.map(|guild| guild.id).collect()
    }

    /// Those of the answers that are to be asked for again while somebody wants them: nothing as
    /// long as all are good, and then those that will soon not be, too. `replica`: where that
    /// stands.
    pub(crate) fn due_for_refresh(
        &self,
        replica: &LogPositions,
        wanted: impl Fn(GuildId) -> bool,
        ttl: LookupTtl,
        now: Instant,
    ) -> Vec<GuildId> {
        let mine = self.answers.iter().filter(|(id, _)| wanted(**id));
        let is_over = |answer: &Answer| {
            let now = replica.in_log(answer.at.log);
            now.is_none_or(|now| !now.comparable(answer.at))
        };
        let mut due = mine.clone();
        if !due.any(|(_, answer)| !answer.is_good(ttl, now) || is_over(answer)) {
            return Vec::new();
        }
        let soon = LookupTtl {
            known: ttl.known / 2,
            failed: ttl.failed / 2,
        };
        let again = mine.filter(|(_, answer)| !answer.is_good(soon, now) || is_over(answer));
        again.map(|(id, _)| *id).collect()
    }

    /// Records an answer about these guilds, each with the replica's position in its log. What
    /// streams are about, as `wanted` says, is dropped last.
    pub(crate) fn record(
        &mut self,
        asked: &[LocatedGuild],
        failed: &[GuildId],
        wanted: impl Fn(GuildId) -> bool,
        now: Instant,
    ) -> LookupChange {
        let mut change = LookupChange::default();
        for LocatedGuild { id, at } in asked {
            let failed = failed.contains(id);
            let was = self.answers.get(id).copied();
            let was = was.filter(|was| was.at.comparable(*at));
            let lacked = was.is_some_and(|was| was.lacked);
            let answer = Answer {
                failed,
                lacked: lacked && failed,
                at: *at,
                since: now,
                used: now,
            };
            self.answers.insert(*id, answer);
            change.changed |= was.map(|was| was.failed) != Some(failed);
            if lacked && !failed {
                self.resolved_at.insert(at.log, *at);
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
    /// again; what is known stays, and so does what was known in an epoch that is over, as long as
    /// nothing was answered in the next. Nothing is dropped for it.
    pub(crate) fn note_failure(&mut self, guilds: &[LocatedGuild], now: Instant) -> LookupChange {
        let mut unknown = Vec::new();
        let mut room = GUILDS_PER_VIEWER - self.answers.len();
        for guild in guilds {
            let answer = self.answers.get(&guild.id);
            let known = answer.is_some_and(|was| was.at.comparable(guild.at) && !was.failed);
            if known || self.awaits_an_answer_in(guild.at) || (answer.is_none() && room == 0) {
                continue;
            }
            room -= usize::from(answer.is_none());
            unknown.push(*guild);
        }
        let failed: Vec<GuildId> = unknown.iter().map(|guild| guild.id).collect();
        self.record(&unknown, &failed, |_| false, now)
    }

    /// Whether what was answered in a log is of epochs that are over.
    fn awaits_an_answer_in(&self, epoch: Position) -> bool {
        let mut of_log = self
            .answers
            .values()
            .filter(|answer| answer.at.log == epoch.log);
        of_log.any(|answer| !answer.at.comparable(epoch)) && !self.asked_in(epoch)
    }

    /// A stream joins without these guilds, which are there, for want of an answer. When there is
    /// one, that it lacks them has to be known.
    pub(crate) fn note_lacking(&mut self, guilds: &[LocatedGuild], now: Instant) {
        for LocatedGuild { id, at } in guilds {
            let has_room = self.answers.len() < GUILDS_PER_VIEWER;
            let known = self.answers.get_mut(id);
            let is_known = known.is_some();
            match known.filter(|answer| answer.at.comparable(*at)) {
                Some(answer) => answer.lacked |= answer.failed,
                None if is_known || has_room => {
                    let lacking = Answer {
                        failed: true,
                        lacked: true,
                        at: *at,
                        since: now,
                        used: now,
                    };
                    self.answers.insert(*id, lacking);
                }
                None => {}
            }
        }
    }

    /// Whether a guild that a stream of this instance lacked for want of an answer became visible
    /// at or after this position.
    pub(crate) fn resolved_since(&self, position: Position) -> bool {
        let resolved_at = self.resolved_at.get(&position.log);
        resolved_at.is_some_and(|at| at.comparable(position) && position.seq <= at.seq)
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

    /// How old the answer about a guild is, and whether it is one.
    pub(crate) fn age(&self, guild: LocatedGuild, now: Instant) -> Option<LookupAge> {
        let answer = self.answers.get(&guild.id)?;
        answer.at.comparable(guild.at).then(|| LookupAge {
            failed: answer.failed,
            since: now.duration_since(answer.since),
        })
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
