//! The life of a pair: watched, looked at again while its user is here, forgotten long after.

use std::{
    collections::{BTreeSet, btree_map::Entry},
    time::Instant,
};

use guildhall_model::{GuildId, UserId};

use super::{
    GUILDS_PER_USER, Output, Pair, Rights, Scene, TICK, WatchId, is_known, is_there, queue::Urgency,
};
use crate::Limits;

#[derive(Debug)]
pub(super) struct Known {
    /// The user is here until then, if not watched again, and is forgotten then.
    pub here_until: Instant,
    pub kept_until: Instant,
    /// When it was last so; `None`: not known since it was watched.
    pub true_at: Option<Instant>,
    pub look_up: LookUp,
    /// Failures in a row, and no new try before this.
    pub failures: u32,
    pub not_before: Instant,
    /// When to look at it next; there is always one.
    pub alarm: Option<Instant>,
    pub waiting: BTreeSet<WatchId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LookUp {
    None,
    Queued,
    /// It left at that time.
    UnderWay {
        since: Instant,
        answer: Answer,
    },
}

/// What the answer that is under way will be worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The truth of the moment it was asked.
    Good,
    /// Nothing: a dispatch about the member came since.
    Overtaken,
    /// Nothing, and it has to be asked again.
    AskAgain,
}

impl Rights {
    /// Notes that a pair is watched. Answers whether that was so without a break, and what we know
    /// is therefore good; `None`: its user has as many as anybody may.
    pub(super) fn begin(&mut self, pair: Pair, scene: Scene<'_>) -> Option<bool> {
        let new = Known::new(&self.limits, scene.now);
        let here = self
            .pairs
            .get(&pair)
            .is_some_and(|known| known.is_here(scene.now));
        if !here && self.count_here(pair.1, scene.now) >= GUILDS_PER_USER {
            return None;
        }
        Some(match self.pairs.entry(pair) {
            Entry::Vacant(entry) => {
                entry.insert(new);
                self.people.came(pair);
                false
            }
            Entry::Occupied(mut entry) => {
                let known = entry.get_mut();
                if !here {
                    known.true_at = None;
                }
                known.here_until = new.here_until;
                known.kept_until = new.kept_until;
                known.true_at.is_some() && is_known(pair, scene.world)
            }
        })
    }

    /// In how many guilds a user is here. Looks at each of them only where they are many.
    fn count_here(&self, user_id: UserId, now: Instant) -> usize {
        let guilds = self.people.guilds_of(user_id);
        if guilds.len() < GUILDS_PER_USER {
            return guilds.len();
        }
        let here = |guild_id: &&GuildId| {
            let known = self.pairs.get(&(**guild_id, user_id));
            known.is_some_and(|known| known.is_here(now))
        };
        guilds.iter().filter(here).count()
    }

    /// Does what a pair is due for.
    pub(super) fn attend(&mut self, pair: Pair, scene: Scene<'_>) {
        let Some(known) = self.pairs.get(&pair) else {
            return;
        };
        if known.kept_until <= scene.now && known.is_idle() {
            self.forget(pair, scene);
            return;
        }
        let refresh_at = self.refresh_at(pair, known, scene);
        if refresh_at.is_some_and(|at| at <= scene.now) {
            let urgency = known.urgency_unasked();
            self.ask(pair, urgency, scene);
        }
        self.set_alarm(pair, scene);
    }

    /// Users not watched for long leave the log.
    pub(super) fn forget(&mut self, pair: Pair, scene: Scene<'_>) {
        if let Some(alarm) = self.pairs.remove(&pair).and_then(|known| known.alarm) {
            self.alarms.remove(pair, alarm);
        }
        self.people.left(pair);
        if is_known(pair, scene.world) {
            let membership = None;
            self.outputs.push(Output::Changed { pair, membership });
        }
    }

    /// When a user that is here is to be looked up again; `None`: not as things are.
    pub(super) fn refresh_at(
        &self,
        pair: Pair,
        known: &Known,
        scene: Scene<'_>,
    ) -> Option<Instant> {
        let here = known.is_here(scene.now) && is_there(pair, scene.world);
        if !here || known.look_up != LookUp::None {
            return None;
        }
        let stale_at = known.true_at.map(|at| at + self.limits.rights_refresh);
        let at = stale_at.unwrap_or(scene.now).max(known.not_before);
        (at < known.here_until).then_some(at)
    }

    /// To be called whenever something has changed that the alarm depends on.
    pub(super) fn set_alarm(&mut self, pair: Pair, scene: Scene<'_>) {
        let Some(known) = self.pairs.get(&pair) else {
            return;
        };
        let forget = if known.is_idle() {
            known.kept_until
        } else {
            known.kept_until.max(scene.now + TICK)
        };
        let refresh = self.refresh_at(pair, known, scene);
        let at = refresh.map_or(forget, |at| at.min(forget));
        self.alarms.set(pair, known.alarm, at);
        if let Some(known) = self.pairs.get_mut(&pair) {
            known.alarm = Some(at);
        }
    }
}

impl Known {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            here_until: now + limits.watch_break,
            kept_until: now + limits.rights_kept,
            true_at: None,
            look_up: LookUp::None,
            failures: 0,
            not_before: now,
            alarm: None,
            waiting: BTreeSet::new(),
        }
    }

    pub(super) fn is_here(&self, now: Instant) -> bool {
        now < self.here_until
    }

    /// How soon a look-up is wanted for which nobody waits.
    pub(super) fn urgency_unasked(&self) -> Urgency {
        match self.true_at {
            Some(_) => Urgency::Refresh,
            None => Urgency::Anew,
        }
    }

    /// How soon one is wanted again whose answer is worth nothing.
    pub(super) fn urgency_again(&self) -> Urgency {
        if self.waiting.is_empty() && self.true_at.is_none() {
            Urgency::Anew
        } else {
            Urgency::AtOnce
        }
    }

    /// Nobody waits for it, and it is not being looked up.
    pub(super) fn is_idle(&self) -> bool {
        self.look_up == LookUp::None && self.waiting.is_empty()
    }
}
