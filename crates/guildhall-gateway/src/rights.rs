//! What is known of watched users' roles, what has to be asked, and when: a pure machine.
//!
//! A *pair* is one watched user in one guild. Its truth comes from dispatches that carry the
//! member, which are always newer than what was asked before them, and from look-ups, one at a
//! time. A *watch* is answered when all its pairs are known, or are known to have failed.

/// Which pairs are to be looked up next.
mod queue;
/// Dispatches that say: look again.
mod hint;

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    time::{Duration, Instant},
};

use guildhall_model::{GuildId, UserId, World, world::Membership};

use queue::Queue;

pub(crate) use hint::hint;

use crate::Limits;

/// Look-ups under way at one time.
const LOOK_UPS_AT_ONCE: usize = 8;
/// Of these at most so many are refreshes, so that a login never waits behind them.
const REFRESHES_AT_ONCE: usize = 4;
/// How often what is due is looked for.
const TICK: Duration = Duration::from_secs(1);
/// After a failed look-up, the wait before the first and the last of further tries.
const RETRY: [Duration; 2] = [Duration::from_secs(1), Duration::from_mins(1)];
/// A watch names at most so many guilds; further ones are answered as failed.
const GUILDS_PER_WATCH: usize = 200;

/// One user in one guild.
pub(crate) type Pair = (GuildId, UserId);

/// Names a watch that is not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WatchId(pub u64);

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Ask Discord, and say so by [`Rights::looked_up`].
    LookUp(Pair),
    /// Into the log.
    Changed {
        /// Who, where.
        pair: Pair,
        /// As what; `None`: forgotten.
        membership: Option<Membership>,
    },
    /// All that the watch needed is in the log, or in outputs before this one.
    Answered {
        /// Which.
        watch: WatchId,
        /// Guilds where there is no answer.
        failed: Vec<GuildId>,
    },
}

/// What a dispatch let us know about a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// This is what they are now.
    Is(Membership),
    /// They may be something else now.
    LookAgain,
}

/// What the machine may look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    /// The world with everything applied that was put out so far.
    pub world: &'a World,
    /// Whether a guild that is not in the world is one the bot is not in.
    pub complete: bool,
    /// The time.
    pub now: Instant,
}

#[derive(Debug)]
pub(crate) struct Rights {
    limits: Limits,
    pairs: BTreeMap<Pair, Known>,
    watches: BTreeMap<WatchId, Watch>,
    queue: Queue,
    outputs: Vec<Output>,
    tick_at: Option<Instant>,
}

#[derive(Debug)]
struct Known {
    watched_at: Instant,
    /// When it was last so; `None`: not known since it was watched.
    true_at: Option<Instant>,
    look_up: LookUp,
    /// Failures in a row, and no new try before this.
    failures: u32,
    not_before: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LookUp {
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
enum Answer {
    /// The truth of the moment it was asked.
    Good,
    /// Nothing: a dispatch about the member came since.
    Overtaken,
    /// Nothing, and it has to be asked again.
    AskAgain,
}

#[derive(Debug)]
struct Watch {
    user_id: UserId,
    open: BTreeSet<GuildId>,
    failed: Vec<GuildId>,
    answer_by: Instant,
}

impl Rights {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            pairs: BTreeMap::new(),
            watches: BTreeMap::new(),
            queue: Queue::default(),
            outputs: Vec::new(),
            tick_at: None,
        }
    }

    /// A user is here. `guilds`: bridged ones; others the caller answers itself, as `failed`.
    pub(crate) fn watch(
        &mut self,
        watch: WatchId,
        user_id: UserId,
        guilds: impl IntoIterator<Item = GuildId>,
        mut failed: Vec<GuildId>,
        scene: Scene<'_>,
    ) {
        let mut open: BTreeSet<GuildId> = guilds.into_iter().collect();
        if let Some(beyond) = open.iter().nth(GUILDS_PER_WATCH).copied() {
            failed.extend(open.split_off(&beyond));
        }
        let answer_by = scene.now + self.limits.watch_answer;
        let asked = Watch {
            user_id,
            open,
            failed,
            answer_by,
        };
        let fresh = self.begin(&asked, scene);
        self.watches.insert(watch, asked);
        self.tick_at.get_or_insert(scene.now + TICK);
        self.settle(watch, &fresh, scene);
        self.send_out(scene.now);
    }

    /// A dispatch said something about a member.
    pub(crate) fn told(&mut self, pair: Pair, told: Told, scene: Scene<'_>) {
        let Some(known) = self.pairs.get_mut(&pair) else {
            return;
        };
        let under_way = match &mut known.look_up {
            LookUp::UnderWay { answer, .. } => Some(answer),
            LookUp::None | LookUp::Queued => None,
        };
        match (told, under_way) {
            (Told::Is(membership), under_way) => {
                if let Some(answer) = under_way {
                    *answer = Answer::Overtaken;
                }
                known.true_at = Some(scene.now);
                known.failures = 0;
                self.changed(pair, membership, scene.world);
                self.resolve(pair, is_there(pair, scene.world));
            }
            (Told::LookAgain, Some(answer)) => *answer = Answer::AskAgain,
            (Told::LookAgain, None) => {
                self.ask(pair, Urgency::AtOnce);
                self.send_out(scene.now);
            }
        }
    }

    /// A look-up has ended. `None`: without an answer.
    pub(crate) fn looked_up(
        &mut self,
        pair: Pair,
        membership: Option<Membership>,
        scene: Scene<'_>,
    ) {
        self.queue.ended(pair);
        if let Some(known) = self.pairs.get_mut(&pair)
            && let LookUp::UnderWay { since, answer } = known.look_up
        {
            known.look_up = LookUp::None;
            match (answer, membership) {
                (Answer::Good, Some(membership)) => {
                    known.true_at = Some(since);
                    known.failures = 0;
                    self.changed(pair, membership, scene.world);
                    self.resolve(pair, is_there(pair, scene.world));
                }
                (Answer::Good, None) => {
                    let doubled = 2_u32.saturating_pow(known.failures.min(10));
                    let wait = RETRY[0].saturating_mul(doubled).min(RETRY[1]);
                    known.failures = known.failures.saturating_add(1);
                    known.not_before = scene.now + wait;
                    self.resolve(pair, false);
                }
                (Answer::AskAgain, _) => self.ask(pair, Urgency::AtOnce),
                (Answer::Overtaken, _) if self.is_waited_for(pair) => {
                    self.ask(pair, Urgency::AtOnce);
                }
                (Answer::Overtaken, _) => {}
            }
        }
        self.send_out(scene.now);
    }

    /// Guilds came or went, or the world became complete: watches may have waited for that.
    pub(crate) fn guilds_changed(&mut self, scene: Scene<'_>) {
        let waiting: Vec<WatchId> = self.watches.keys().copied().collect();
        for watch in waiting {
            self.settle(watch, &BTreeSet::new(), scene);
        }
        self.send_out(scene.now);
    }

    /// Time has passed [`Rights::deadline`], or any other time.
    pub(crate) fn time_passed(&mut self, scene: Scene<'_>) {
        self.answer_late_watches(scene.now);
        if self.tick_at.is_none_or(|at| at > scene.now) {
            return;
        }
        self.forget(scene);
        self.refresh(scene);
        self.tick_at = (!self.pairs.is_empty()).then_some(scene.now + TICK);
        self.send_out(scene.now);
    }

    /// When to come back if nothing happens before.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let late = self.watches.values().map(|watch| watch.answer_by).min();
        [late, self.tick_at].into_iter().flatten().min()
    }

    /// What is to be done now.
    pub(crate) fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// How old the oldest of the rights in use are.
    pub(crate) fn oldest(&self, now: Instant) -> Duration {
        let in_use = self.pairs.values().filter(|known| self.in_use(known, now));
        let ages = in_use.filter_map(|known| Some(now.saturating_duration_since(known.true_at?)));
        ages.max().unwrap_or_default()
    }

    /// Pairs of users that are here now.
    pub(crate) fn count_in_use(&self, now: Instant) -> usize {
        self.pairs
            .values()
            .filter(|known| self.in_use(known, now))
            .count()
    }

    fn in_use(&self, known: &Known, now: Instant) -> bool {
        now.saturating_duration_since(known.watched_at) < self.limits.watch_break
    }

    /// Notes that the pairs are watched. Answers the guilds where that was so without a break,
    /// and what we know is therefore good.
    fn begin(&mut self, asked: &Watch, scene: Scene<'_>) -> BTreeSet<GuildId> {
        let mut fresh = BTreeSet::new();
        for guild_id in &asked.open {
            let pair = (*guild_id, asked.user_id);
            match self.pairs.entry(pair) {
                Entry::Vacant(entry) => {
                    entry.insert(Known {
                        watched_at: scene.now,
                        true_at: None,
                        look_up: LookUp::None,
                        failures: 0,
                        not_before: scene.now,
                    });
                }
                Entry::Occupied(mut entry) => {
                    let known = entry.get_mut();
                    let since = scene.now.saturating_duration_since(known.watched_at);
                    known.watched_at = scene.now;
                    let unbroken = since < self.limits.watch_break;
                    if unbroken && known.true_at.is_some() && is_known(pair, scene.world) {
                        fresh.insert(*guild_id);
                    } else if !unbroken {
                        known.true_at = None;
                    }
                }
            }
        }
        fresh
    }

    /// Answers what can be answered of a watch, and asks for the rest.
    fn settle(&mut self, watch: WatchId, fresh: &BTreeSet<GuildId>, scene: Scene<'_>) {
        let Some(asked) = self.watches.get_mut(&watch) else {
            return;
        };
        let user_id = asked.user_id;
        let mut to_ask = Vec::new();
        asked.open.retain(|guild_id| {
            let there = scene.world.guilds.contains_key(guild_id);
            if there && !fresh.contains(guild_id) {
                to_ask.push((*guild_id, user_id));
            } else if !there && scene.complete {
                asked.failed.push(*guild_id);
            }
            let waits_for_guild = !there && !scene.complete;
            waits_for_guild || there && !fresh.contains(guild_id)
        });
        for pair in to_ask {
            self.ask(pair, Urgency::AtOnce);
        }
        self.finish(watch);
    }

    fn ask(&mut self, pair: Pair, urgency: Urgency) {
        let Some(known) = self.pairs.get_mut(&pair) else {
            return;
        };
        if !matches!(known.look_up, LookUp::UnderWay { .. }) {
            known.look_up = LookUp::Queued;
            self.queue.add(pair, urgency);
        }
    }

    /// Starts look-ups as far as there is room.
    fn send_out(&mut self, now: Instant) {
        while let Some(pair) = self.queue.next(LOOK_UPS_AT_ONCE, REFRESHES_AT_ONCE) {
            if let Some(known) = self.pairs.get_mut(&pair) {
                known.look_up = LookUp::UnderWay {
                    since: now,
                    answer: Answer::Good,
                };
                self.outputs.push(Output::LookUp(pair));
            } else {
                self.queue.ended(pair);
            }
        }
    }

    fn changed(&mut self, pair: Pair, membership: Membership, world: &World) {
        let guild = world.guilds.get(&pair.0);
        if guild.is_some_and(|guild| guild.memberships.get(&pair.1) != Some(&membership)) {
            let membership = Some(membership);
            self.outputs.push(Output::Changed { pair, membership });
        }
    }

    /// A pair is known, or is known to have failed: whoever waited for it goes on.
    fn resolve(&mut self, (guild_id, user_id): Pair, known: bool) {
        let mut touched = Vec::new();
        for (id, watch) in &mut self.watches {
            if watch.user_id == user_id && watch.open.remove(&guild_id) {
                if !known {
                    watch.failed.push(guild_id);
                }
                touched.push(*id);
            }
        }
        for watch in touched {
            self.finish(watch);
        }
    }

    fn is_waited_for(&self, (guild_id, user_id): Pair) -> bool {
        let mut watches = self.watches.values();
        watches.any(|watch| watch.user_id == user_id && watch.open.contains(&guild_id))
    }

    fn finish(&mut self, watch: WatchId) {
        if self
            .watches
            .get(&watch)
            .is_some_and(|asked| asked.open.is_empty())
            && let Some(asked) = self.watches.remove(&watch)
        {
            let failed = asked.failed;
            self.outputs.push(Output::Answered { watch, failed });
        }
    }

    fn answer_late_watches(&mut self, now: Instant) {
        let late = self
            .watches
            .extract_if(.., |_, watch| watch.answer_by <= now);
        self.outputs.extend(late.map(|(watch, mut asked)| {
            asked.failed.extend(asked.open);
            let failed = asked.failed;
            Output::Answered { watch, failed }
        }));
    }

    /// Users not watched for long leave the log.
    fn forget(&mut self, scene: Scene<'_>) {
        let kept = self.limits.rights_kept;
        let gone = self.pairs.extract_if(.., |_, known| {
            scene.now.saturating_duration_since(known.watched_at) >= kept
        });
        for (pair, _) in gone {
            if is_known(pair, scene.world) {
                let membership = None;
                self.outputs.push(Output::Changed { pair, membership });
            }
        }
    }

    /// Users that are here are looked up again, the oldest truth first.
    fn refresh(&mut self, scene: Scene<'_>) {
        let due = self.pairs.iter().filter(|(pair, known)| {
            let age = known
                .true_at
                .map(|at| scene.now.saturating_duration_since(at));
            self.in_use(known, scene.now)
                && known.look_up == LookUp::None
                && known.not_before <= scene.now
                && (age.is_none_or(|age| age >= self.limits.rights_refresh)
                    || !is_known(**pair, scene.world))
                && is_there(**pair, scene.world)
        });
        let mut due: Vec<_> = due.map(|(pair, known)| (known.true_at, *pair)).collect();
        due.sort_unstable();
        for (_, pair) in due {
            self.ask(pair, Urgency::Refresh);
        }
    }
}

/// How soon a look-up is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Urgency {
    /// Somebody waits.
    AtOnce,
    /// Nobody waits.
    Refresh,
}

fn is_there((guild_id, _): Pair, world: &World) -> bool {
    world.guilds.contains_key(&guild_id)
}

fn is_known((guild_id, user_id): Pair, world: &World) -> bool {
    let guild = world.guilds.get(&guild_id);
    guild.is_some_and(|guild| guild.memberships.contains_key(&user_id))
}

#[cfg(test)]
mod tests;
