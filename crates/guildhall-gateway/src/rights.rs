//! What is known of watched users' membership and roles, what has to be asked, and when.
//! A pure machine.
//!
//! A *watched member* is one user in one guild, member of it or not. Its truth comes from
//! dispatches that carry the member, which are always newer than what was asked before them, and
//! from look-ups, one at a time: by REST, or many of one guild batched into one Request Guild
//! Members (op 8). A *watch* is answered when all its members are known, or are known to have
//! failed.
//!
//! No input costs more than the logarithm of the members and watches, times the members it is
//! about. What a guild coming or going is about is all of its members.

// What is known.
/// What is known of a watched member.
mod watched_member;
/// In which guilds each user is watched.
mod watched_guilds;
/// Guilds that come, go, or missed changes.
mod guild_changes;
/// Watches that are not answered yet.
mod pending_watches;
/// A watch from its request to its answer.
mod watch;
// What is asked, and by which way.
/// A fair queue of members that wait for their look-up.
mod fair_queue;
/// The members that wait for their look-up, by priority.
mod queue;
/// How many op-8 requests may be sent.
mod op8_rate_limit;
/// When look-ups of one guild are batched into an op-8 request.
mod op8_batch;
/// Look-ups by Request Guild Members (op 8).
mod op8;
/// Look-ups by REST.
mod rest;
/// The life cycle of a look-up, whichever way it is asked.
mod look_up;
// When.
/// When each member is to be looked at next.
mod timers;
/// When a member is looked up again, and when it is forgotten.
mod refresh;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use guildhall_model::{GuildId, UserId, World, guild::Membership};

use crate::{
    Limits,
    inbox::{MembersRequest, Nonce},
};
use op8::Op8Request;
use op8_rate_limit::Op8RateLimit;
use pending_watches::{GuildAnswer, PendingWatches};
use queue::{LookUpQueue, Priority};
use rest::RestSlots;
use timers::Timers;
use watched_guilds::WatchedGuilds;
use watched_member::{LookUp, Validity, WatchedMember};

pub(crate) use op8::Op8Chunk;

/// How often what is due is looked for, at most: what is due together can then be batched.
const TICK: Duration = Duration::from_secs(1);
/// After a failed look-up, the wait before the first and the last of further tries.
const RETRY: [Duration; 2] = [Duration::from_secs(1), Duration::from_mins(1)];
/// The first wait where somebody is shown nothing of a guild until it succeeds: within a second
/// that is promised to be over.
const RETRY_UNSEEN: Duration = Duration::from_millis(250);

/// One user in one guild.
pub(crate) type MemberKey = (GuildId, UserId);

/// Names a watch that is not answered yet, among those of all attachments. Later ones have greater
/// numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WatchId(pub u64);

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Ask Discord by REST, and say so by [`Rights::rest_answered`].
    LookUpByRest(MemberKey),
    /// Ask Discord by Request Guild Members, and say so by [`Rights::op8_chunk_received`] for each
    /// chunk of the answer. One that can't be sent: [`Rights::op8_failed`].
    LookUpByOp8(MembersRequest),
    /// Into the log.
    Changed {
        /// Who, where.
        key: MemberKey,
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
        /// What was used up.
        quota: Quota,
    },
}

/// How much may be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quota {
    /// By one user.
    User,
    /// By all together.
    Process,
}

/// What a dispatch said about a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MembershipUpdate {
    /// This is what they are now.
    Is(Membership),
    /// They may be something else now.
    Invalidated,
}

/// What the machine may look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RightsContext<'a> {
    /// The world with everything applied that was put out so far.
    pub world: &'a World,
    /// Guilds that are not in the world and may come yet.
    pub expected: ExpectedGuilds<'a>,
    /// Whether Discord's Gateway can be asked.
    pub live: bool,
    /// The time.
    pub now: Instant,
}

/// Guilds that are not in the world and may come yet. Of any other one the bot is no member.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ExpectedGuilds<'a> {
    /// Discord has not said yet which there are.
    Any,
    /// Discord has named these.
    These(&'a BTreeSet<GuildId>),
}

impl ExpectedGuilds<'_> {
    fn includes(self, guild_id: GuildId) -> bool {
        match self {
            Self::Any => true,
            Self::These(guilds) => guilds.contains(&guild_id),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Rights {
    limits: Limits,
    members: BTreeMap<MemberKey, WatchedMember>,
    watched_guilds: WatchedGuilds,
    /// Members that somebody waits for and whose guild is not there.
    awaiting_guild: BTreeSet<MemberKey>,
    pending_watches: PendingWatches,
    timers: Timers,
    queue: LookUpQueue,
    rest: RestSlots,
    /// Op-8 requests in flight.
    requests: BTreeMap<Nonce, Op8Request>,
    next_nonce: Nonce,
    op8_rate: Op8RateLimit,
    /// The last request was for somebody who waits: the two priorities take turns.
    reset_is_next: bool,
    outputs: Vec<Output>,
    /// When what is due was last looked for.
    ticked_at: Option<Instant>,
    /// When a request may go that could not go before.
    send_at: Option<Instant>,
}

impl Rights {
    /// `first_nonce`: of the first op-8 request. Greater than any that an earlier process may have
    /// used of the same session, since Discord replays answers after a RESUME.
    pub(crate) fn new(limits: Limits, first_nonce: Nonce) -> Self {
        Self {
            limits,
            members: BTreeMap::new(),
            watched_guilds: WatchedGuilds::default(),
            awaiting_guild: BTreeSet::new(),
            pending_watches: PendingWatches::default(),
            timers: Timers::default(),
            queue: LookUpQueue::default(),
            rest: RestSlots::default(),
            requests: BTreeMap::new(),
            next_nonce: first_nonce,
            op8_rate: Op8RateLimit::default(),
            reset_is_next: false,
            outputs: Vec::new(),
            ticked_at: None,
            send_at: None,
        }
    }

    /// So long after the last watch rights are forgotten.
    pub(crate) fn kept_for(&self) -> Duration {
        self.limits.rights_kept
    }

    /// Takes in what an earlier process left in the log: to be looked up again when its users are
    /// watched, and forgotten after this time if they are not. Returns whether there is any. What
    /// the bot itself is nobody looks up, and nobody forgets.
    pub(crate) fn restore(
        &mut self,
        left: Duration,
        bot: Option<UserId>,
        context: RightsContext<'_>,
    ) -> bool {
        for (guild_id, guild) in &context.world.guilds {
            let people = guild.memberships.keys();
            for user_id in people.filter(|user_id| Some(**user_id) != bot) {
                let key = (*guild_id, *user_id);
                let unwatched = WatchedMember {
                    watched_until: context.now,
                    expires_at: context.now + left,
                    ..WatchedMember::new(&self.limits, context.now)
                };
                self.members.entry(key).or_insert(unwatched);
                self.watched_guilds.insert(key);
                self.set_timer(key, context);
            }
        }
        !self.members.is_empty()
    }

    /// A dispatch said something about a member.
    pub(crate) fn member_updated(
        &mut self,
        key: MemberKey,
        update: MembershipUpdate,
        context: RightsContext<'_>,
    ) {
        let Some(known) = self.members.get_mut(&key) else {
            return;
        };
        let in_flight = match &mut known.look_up {
            LookUp::InFlight { validity, .. } => Some(validity),
            LookUp::None | LookUp::Queued => None,
        };
        match (update, in_flight) {
            (MembershipUpdate::Is(membership), in_flight) => {
                if let Some(validity) = in_flight {
                    *validity = Validity::Superseded;
                }
                known.as_of = Some(context.now);
                known.failures = 0;
                self.changed(key, membership, context.world);
                self.set_timer(key, context);
                self.resolve(key, answer_if_there(key, context.world));
            }
            (MembershipUpdate::Invalidated, Some(validity)) => *validity = Validity::Invalidated,
            (MembershipUpdate::Invalidated, None) => {
                self.enqueue(key, Priority::Awaited, context);
                self.set_timer(key, context);
                self.send_out(context);
            }
        }
    }

    /// The connection is gone, and with it each op-8 request in flight: all of them are asked
    /// again, where they stood in the queue. The next connection has its own rate limit.
    pub(crate) fn connection_lost(&mut self, context: RightsContext<'_>) {
        self.op8_rate.reset();
        self.requests_lost(context);
        self.send_out(context);
    }

    /// Time has passed [`Rights::deadline`], or any other time; or Discord is live again.
    pub(crate) fn time_passed(&mut self, context: RightsContext<'_>) {
        self.answer_late_watches(context);
        self.give_up_late_requests(context);
        let ticked = self.ticked_at.is_some_and(|at| context.now < at + TICK);
        let unseen_due = self.timers.first_urgent();
        if !ticked || unseen_due.is_some_and(|at| at <= context.now) {
            self.ticked_at = Some(context.now);
            while let Some((at, key)) = self.timers.first()
                && at <= context.now
            {
                self.timer_fired(key, context);
            }
        }
        self.send_out(context);
    }

    /// When to come back if nothing happens before.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let (timer, _) = self.timers.first().unzip();
        let next_tick = self.ticked_at.map(|at| at + TICK);
        let tick = timer.map(|at| next_tick.map_or(at, |next| at.max(next)));
        let others = [
            self.pending_watches.deadline(),
            self.request_deadline(),
            self.send_at,
            self.timers.first_urgent(),
            tick,
        ];
        others.into_iter().flatten().min()
    }

    /// What is to be done now.
    pub(crate) fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// How many members wait for their look-up.
    pub(crate) fn count_waiting(&self) -> usize {
        self.queue.len()
    }

    /// How old the oldest of the rights in use are. Looks at every member.
    pub(crate) fn oldest(&self, now: Instant) -> Duration {
        let watched = self.members.values().filter(|known| known.is_watched(now));
        let ages = watched.filter_map(|known| Some(now.saturating_duration_since(known.as_of?)));
        ages.max().unwrap_or_default()
    }

    /// How many members are watched now. Looks at every one that is kept.
    pub(crate) fn count_watched(&self, now: Instant) -> usize {
        let members = self.members.values();
        members.filter(|known| known.is_watched(now)).count()
    }
}

fn is_there((guild_id, _): MemberKey, world: &World) -> bool {
    world.guilds.contains_key(&guild_id)
}

/// What a look-up that was answered comes to: in the log is only what is of a guild that is there.
fn answer_if_there(key: MemberKey, world: &World) -> GuildAnswer {
    if is_there(key, world) {
        GuildAnswer::Known
    } else {
        GuildAnswer::Failed
    }
}

fn is_known((guild_id, user_id): MemberKey, world: &World) -> bool {
    let guild = world.guilds.get(&guild_id);
    guild.is_some_and(|guild| guild.memberships.contains_key(&user_id))
}

#[cfg(test)]
mod tests;
