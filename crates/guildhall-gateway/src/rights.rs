//! What is known of watched users' roles, what has to be asked, and when: a pure machine.
//!
//! A *pair* is one watched user in one guild. Its truth comes from dispatches that carry the
//! member, which are always newer than what was asked before them, and from look-ups, one at a
//! time: alone by REST, or many of one guild together by one *call* of Request Guild Members. A
//! *watch* is answered when all its pairs are known, or are known to have failed.
//!
//! No input costs more than the logarithm of the pairs and watches, times the pairs it is about.
//! What a guild coming or going is about is all of its pairs.

/// Which pairs are to be looked up.
mod queue;
/// In what order.
mod fair_queue;
/// How many calls may be sent.
mod op8_rate_limit;
/// Which look-up goes next, and by which way.
mod op8;
/// The life of a pair: watched, looked at again, forgotten.
mod known;
/// Guilds that come, go, or were out of hearing.
mod guild_changes;
/// In which guilds each user is watched.
mod watched_guilds;
/// When each pair is to be looked at next.
mod timers;
/// Watches that are not answered yet.
mod pending_watches;
/// Dispatches that say: look again.
mod invalidation;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use guildhall_model::{GuildId, UserId, World, world::Membership};

use known::{Answer, Known, LookUp};
use queue::{Queue, Urgency, Way};
use op8::Call;
use op8_rate_limit::Budget;
use pending_watches::{Watch, Watches};
use timers::Alarms;
use watched_guilds::People;
// For the length of one commit, in which their users move.
use {fair_queue as line, op8_rate_limit as budget};

pub(crate) use invalidation::hint;

use crate::Limits;

/// How often what is due is looked for, at most: what is due together can then go together.
const TICK: Duration = Duration::from_secs(1);
/// After a failed look-up, the wait before the first and the last of further tries.
const RETRY: [Duration; 2] = [Duration::from_secs(1), Duration::from_mins(1)];
/// So many guilds may one user be watched in at one time; further ones are answered as failed.
/// Discord lets nobody be in more. A house of the usual kind has one to five for each.
const GUILDS_PER_USER: usize = 200;
/// So many pairs may wait for a guild that is not there and may come yet. Before READY that is any
/// guild somebody names. In use only within the first seconds of a process whose journal is lost,
/// a few for each person who comes; so many are some 12 MB.
const ABSENT: usize = 20_000;

/// One user in one guild.
pub(crate) type Pair = (GuildId, UserId);

/// Names a watch that is not answered yet. Later ones have greater numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WatchId(pub u64);

/// Names a call. Goes to Discord and back as its nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CallId(pub u64);

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Ask Discord by REST, and say so by [`Rights::looked_up`].
    LookUp(Pair),
    /// Ask Discord by Request Guild Members, and say so by [`Rights::looked_up_many`] for each
    /// part of the answer. One that can't be sent: [`Rights::many_failed`].
    LookUpMany {
        call: CallId,
        guild_id: GuildId,
        /// 1 to 100.
        user_ids: Vec<UserId>,
    },
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
    /// More was asked than is kept: these guilds are answered as failed, unasked. To be counted,
    /// and said.
    Refused {
        /// Whose watch it was.
        user_id: UserId,
        /// How many guilds of it.
        guilds: usize,
        /// Whose bound it was.
        bound: Bound,
    },
}

/// What is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bound {
    /// What one user may have.
    User,
    /// What all may have together.
    Process,
}

/// What a dispatch let us know about a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// This is what they are now.
    Is(Membership),
    /// They may be something else now.
    LookAgain,
}

/// A part of the answer to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub call: CallId,
    /// The guild it is about.
    pub guild_id: GuildId,
    /// Members of the guild.
    pub members: Vec<(UserId, Membership)>,
    /// No members.
    pub not_found: Vec<UserId>,
    /// There are no further parts.
    pub last: bool,
}

/// What came of one guild of a watch.
enum Entered {
    /// It is known there already.
    Known,
    /// It is to be looked up.
    Waits,
    /// The bot is not in the guild: nothing is kept of it.
    NotThere,
}

/// What the machine may look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    /// The world with everything applied that was put out so far.
    pub world: &'a World,
    /// Guilds that are not in the world and may come yet.
    pub coming: Coming<'a>,
    /// Whether Discord's Gateway can be asked.
    pub live: bool,
    /// The time.
    pub now: Instant,
}

/// Guilds that are not in the world and may come yet. Of any other one the bot is no member.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Coming<'a> {
    /// Discord has not said yet which there are.
    Any,
    /// Discord has named these.
    These(&'a BTreeSet<GuildId>),
}

impl Coming<'_> {
    fn may(self, guild_id: GuildId) -> bool {
        match self {
            Self::Any => true,
            Self::These(guilds) => guilds.contains(&guild_id),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Rights {
    limits: Limits,
    pairs: BTreeMap<Pair, Known>,
    people: People,
    /// Pairs that somebody waits for and whose guild was not there.
    absent: BTreeSet<Pair>,
    watches: Watches,
    alarms: Alarms,
    queue: Queue,
    calls: BTreeMap<CallId, Call>,
    next_call: u64,
    /// The last call was for somebody who waits.
    anew_is_next: bool,
    budget: Budget,
    outputs: Vec<Output>,
    /// When what is due was last looked for.
    ticked_at: Option<Instant>,
    /// When a call may go that could not go before.
    send_at: Option<Instant>,
}

impl Rights {
    /// `first_call`: names the first call. Greater than any that an earlier process may have used
    /// of the same session, since Discord replays answers after a RESUME.
    pub(crate) fn new(limits: Limits, first_call: CallId) -> Self {
        Self {
            limits,
            pairs: BTreeMap::new(),
            people: People::default(),
            absent: BTreeSet::new(),
            watches: Watches::default(),
            alarms: Alarms::default(),
            queue: Queue::default(),
            calls: BTreeMap::new(),
            next_call: first_call.0,
            anew_is_next: false,
            budget: Budget::default(),
            outputs: Vec::new(),
            ticked_at: None,
            send_at: None,
        }
    }

    /// So long after the last watch rights are forgotten.
    pub(crate) fn kept_for(&self) -> Duration {
        self.limits.rights_kept
    }

    /// What an earlier process left in the log: to be looked up again when its users come, and
    /// forgotten after this time if they do not. Answers whether there is any.
    pub(crate) fn remembered(&mut self, left: Duration, scene: Scene<'_>) -> bool {
        for (guild_id, guild) in &scene.world.guilds {
            for user_id in guild.memberships.keys() {
                let pair = (*guild_id, *user_id);
                let gone = Known {
                    here_until: scene.now,
                    kept_until: scene.now + left,
                    ..Known::new(&self.limits, scene.now)
                };
                self.pairs.entry(pair).or_insert(gone);
                self.people.came(pair);
                self.set_alarm(pair, scene);
            }
        }
        !self.pairs.is_empty()
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
        let guilds: BTreeSet<GuildId> = guilds.into_iter().collect();
        let mut open = BTreeSet::new();
        let mut refused = BTreeMap::new();
        for guild_id in guilds {
            let pair = (guild_id, user_id);
            let entered = self.enter(watch, pair, scene);
            match entered {
                Ok(Entered::Known) => {}
                Ok(Entered::Waits) => _ = open.insert(guild_id),
                Ok(Entered::NotThere) => failed.push(guild_id),
                Err(bound) => {
                    failed.push(guild_id);
                    *refused.entry(bound).or_default() += 1;
                }
            }
            self.set_alarm(pair, scene);
        }
        for (bound, guilds) in refused {
            self.outputs.push(Output::Refused {
                user_id,
                guilds,
                bound,
            });
        }
        if open.is_empty() {
            self.outputs.push(Output::Answered { watch, failed });
        } else {
            let asked = Watch {
                user_id,
                open,
                failed,
            };
            let answer_by = scene.now + self.limits.watch_answer;
            self.watches.begin(watch, asked, answer_by);
        }
        self.send_out(scene);
    }

    /// One guild of a watch.
    fn enter(&mut self, watch: WatchId, pair: Pair, scene: Scene<'_>) -> Result<Entered, Bound> {
        let there = is_there(pair, scene.world);
        if !there && !scene.coming.may(pair.0) {
            return Ok(Entered::NotThere);
        }
        if !there && self.absent.len() >= ABSENT && !self.absent.contains(&pair) {
            return Err(Bound::Process);
        }
        let fresh = self.begin(pair, scene).ok_or(Bound::User)?;
        if fresh {
            return Ok(Entered::Known);
        }
        if let Some(known) = self.pairs.get_mut(&pair) {
            known.waiting.insert(watch);
        }
        if there {
            self.ask(pair, Urgency::AtOnce, scene);
        } else {
            self.absent.insert(pair);
        }
        Ok(Entered::Waits)
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
                self.set_alarm(pair, scene);
                self.resolve(pair, is_there(pair, scene.world));
            }
            (Told::LookAgain, Some(answer)) => *answer = Answer::AskAgain,
            (Told::LookAgain, None) => {
                self.ask(pair, Urgency::AtOnce, scene);
                self.set_alarm(pair, scene);
                self.send_out(scene);
            }
        }
    }

    /// A look-up by REST has ended. `None`: without an answer.
    pub(crate) fn looked_up(
        &mut self,
        pair: Pair,
        membership: Option<Membership>,
        scene: Scene<'_>,
    ) {
        if self.queue.ended(pair) {
            self.ended(pair, membership, scene);
        }
        self.send_out(scene);
    }

    /// A part of the answer to a call has come, in the order of the dispatches. Who is in no part
    /// is looked up by REST.
    pub(crate) fn looked_up_many(&mut self, part: Part, scene: Scene<'_>) {
        let strangers = part.not_found.into_iter();
        let strangers = strangers.map(|user_id| (user_id, Membership::Stranger));
        let found = part.members.into_iter().chain(strangers);
        self.part_came(part.call, part.guild_id, found, part.last, scene);
        self.send_out(scene);
    }

    /// A call could not be sent: all of it is looked up by REST.
    pub(crate) fn many_failed(&mut self, call: CallId, scene: Scene<'_>) {
        self.call_failed(call, Way::Alone, scene);
        self.send_out(scene);
    }

    /// Discord refused a call, and wants no further one for a while.
    pub(crate) fn many_refused(&mut self, call: CallId, wait: Duration, scene: Scene<'_>) {
        self.budget.close(scene.now + wait.min(RETRY[1]));
        self.many_failed(call, scene);
    }

    /// The connection is gone, and with it each call under way: all of them are asked for again,
    /// where they stood in the line. The next connection has its own budget.
    pub(crate) fn lost(&mut self, scene: Scene<'_>) {
        self.budget.renew();
        self.calls_failed(scene);
        self.send_out(scene);
    }

    /// Time has passed [`Rights::deadline`], or any other time; or Discord is live again.
    pub(crate) fn time_passed(&mut self, scene: Scene<'_>) {
        self.answer_late_watches(scene);
        self.late_calls_failed(scene);
        let ticked = self.ticked_at.is_some_and(|at| scene.now < at + TICK);
        if !ticked {
            self.ticked_at = Some(scene.now);
            while let Some((at, pair)) = self.alarms.first()
                && at <= scene.now
            {
                self.attend(pair, scene);
            }
        }
        self.send_out(scene);
    }

    /// When to come back if nothing happens before.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let (alarm, _) = self.alarms.first().unzip();
        let next_tick = self.ticked_at.map(|at| at + TICK);
        let tick = alarm.map(|at| next_tick.map_or(at, |next| at.max(next)));
        let others = [
            self.watches.deadline(),
            self.call_deadline(),
            self.send_at,
            tick,
        ];
        others.into_iter().flatten().min()
    }

    /// What is to be done now.
    pub(crate) fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// How many pairs wait for their look-up.
    pub(crate) fn count_waiting(&self) -> usize {
        self.queue.len()
    }

    /// How old the oldest of the rights in use are. Looks at every pair.
    pub(crate) fn oldest(&self, now: Instant) -> Duration {
        let in_use = self.pairs.values().filter(|known| known.is_here(now));
        let ages = in_use.filter_map(|known| Some(now.saturating_duration_since(known.true_at?)));
        ages.max().unwrap_or_default()
    }

    /// Pairs of users that are here now. Looks at every pair.
    pub(crate) fn count_in_use(&self, now: Instant) -> usize {
        let pairs = self.pairs.values();
        pairs.filter(|known| known.is_here(now)).count()
    }

    /// Puts a pair into the line. The caller sets its alarm.
    fn ask(&mut self, pair: Pair, urgency: Urgency, scene: Scene<'_>) {
        let Some(known) = self.pairs.get_mut(&pair) else {
            return;
        };
        if matches!(known.look_up, LookUp::UnderWay { .. }) {
            return;
        }
        known.look_up = LookUp::Queued;
        let guild = scene.world.guilds.get(&pair.0);
        // In an outage nobody would answer a call.
        let way = if guild.is_some_and(|guild| guild.available) {
            Way::Either
        } else {
            Way::Alone
        };
        self.queue.add(pair, urgency, way, scene.now);
    }

    /// A pair's look-up has ended, whichever way it went.
    fn ended(&mut self, pair: Pair, membership: Option<Membership>, scene: Scene<'_>) {
        let Some(known) = self.pairs.get_mut(&pair) else {
            return;
        };
        let LookUp::UnderWay { since, answer } = known.look_up else {
            return;
        };
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
            (Answer::AskAgain, _) => {
                let urgency = known.urgency_again();
                self.ask(pair, urgency, scene);
            }
            (Answer::Overtaken, _) if !known.waiting.is_empty() => {
                self.ask(pair, Urgency::AtOnce, scene);
            }
            (Answer::Overtaken, _) => {}
        }
        self.set_alarm(pair, scene);
    }

    fn changed(&mut self, pair: Pair, membership: Membership, world: &World) {
        let guild = world.guilds.get(&pair.0);
        if guild.is_some_and(|guild| guild.memberships.get(&pair.1) != Some(&membership)) {
            let membership = Some(membership);
            self.outputs.push(Output::Changed { pair, membership });
        }
    }

    /// A pair is known, or is known to have failed: whoever waited for it goes on.
    fn resolve(&mut self, pair: Pair, known: bool) {
        self.absent.remove(&pair);
        let waiting = self.pairs.get_mut(&pair).map(|pair| &mut pair.waiting);
        for watch in waiting.map(std::mem::take).unwrap_or_default() {
            if let Some(done) = self.watches.answered(watch, pair.0, known) {
                let failed = done.failed;
                self.outputs.push(Output::Answered { watch, failed });
            }
        }
    }

    fn answer_late_watches(&mut self, scene: Scene<'_>) {
        while let Some((watch, asked)) = self.watches.late(scene.now) {
            let mut failed = asked.failed;
            for guild_id in asked.open {
                let pair = (guild_id, asked.user_id);
                if let Some(known) = self.pairs.get_mut(&pair) {
                    known.waiting.remove(&watch);
                    if known.waiting.is_empty() {
                        self.absent.remove(&pair);
                        self.leave_if_absent(pair, scene);
                    }
                }
                failed.push(guild_id);
            }
            self.outputs.push(Output::Answered { watch, failed });
        }
    }
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
