//! When look-ups of one guild are batched into an op-8 request.
//!
//! Who waits goes first, shared out by user and guild: by REST while there is a slot and not
//! enough wait to fill a request, else batched with others of the same guild. A request names a
//! hundred users, and few requests may be sent, so one that has room left waits for more to join
//! it; a full one goes at once. After a reset all viewers of a guild wait from the start, so its
//! request waits for nobody; the guild with most of them goes first. Refreshes are batched where
//! that is worth a request, and go by REST where it is not.

use std::time::{Duration, Instant};

use guildhall_model::{GuildId, UserId};

use super::{
    Rights, RightsContext,
    fair_queue::{QueueHead, Via},
    op8_rate_limit::WINDOW,
    queue::{Priority, QueueEntry},
};
use crate::inbox::USERS_PER_REQUEST;

/// Requests in flight at one time, of which refreshes leave half.
const REQUESTS_AT_ONCE: usize = 16;
const REFRESH_REQUESTS_AT_ONCE: usize = 8;
/// How long a request with room left waits for more to join it, if none was sent of late.
const COALESCE: Duration = Duration::from_millis(100);
/// Within this a request is answered. One that is not, and nobody is left to op 8 any longer.
const ANSWER_EXPECTED: Duration = Duration::from_millis(500);
/// How long a request waits for more where nobody waits for it.
const COALESCE_REFRESHES: Duration = Duration::from_secs(10);
/// So many refreshes of one guild are worth a request: a request is a bigger part of its rate
/// limit than fewer of them, each by REST, are of theirs.
pub(super) const WORTH_A_REQUEST: usize = 10;

/// A guild of which a request may go at that time.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    guild_id: GuildId,
    at: Instant,
}

impl Rights {
    /// The users of the request that may go now, if there is one, all of one guild.
    pub(super) fn next_batch(
        &mut self,
        context: RightsContext<'_>,
    ) -> Option<(GuildId, Vec<(UserId, QueueEntry)>)> {
        let (guild_id, first) = self.guild_to_request(context)?;
        self.reset_is_next = first == Priority::Awaited;
        let mut users = Vec::with_capacity(USERS_PER_REQUEST);
        for priority in Priority::ALL {
            let room = USERS_PER_REQUEST - users.len();
            users.extend(self.queue.take_batch(guild_id, priority, room));
        }
        let room = USERS_PER_REQUEST - users.len();
        for user_id in self.due_soon(guild_id, room, context) {
            let entry = QueueEntry {
                priority: Priority::Refresh,
                via: Via::Any,
                ticket: self
                    .queue
                    .ticket((guild_id, user_id), Priority::Refresh, context.now),
            };
            users.push((user_id, entry));
        }
        Some((guild_id, users))
    }

    /// The guild of which a request may go now, and the priority it goes for.
    fn guild_to_request(&self, context: RightsContext<'_>) -> Option<(GuildId, Priority)> {
        let mut priorities = Priority::ALL;
        if self.reset_is_next {
            priorities.swap(0, 1);
        }
        priorities.into_iter().find_map(|priority| {
            let mut candidates = self.candidates(priority, context);
            let ready = candidates.find(|candidate| candidate.at <= context.now)?;
            Some((ready.guild_id, priority))
        })
    }

    /// Guilds of which a request may go for a priority, the first choice first, and when it may.
    fn candidates(
        &self,
        priority: Priority,
        context: RightsContext<'_>,
    ) -> impl Iterator<Item = Candidate> {
        let room = context.live
            && self.requests.len() < REQUESTS_AT_ONCE
            && (priority != Priority::Refresh
                || self.refresh_requests() < REFRESH_REQUESTS_AT_ONCE);
        let (head, full, largest) = (
            self.queue.head(priority),
            self.queue.first_full(priority),
            self.queue.largest(priority),
        );
        let all = self.requests_for(priority);
        // The first of the queue has waited longest: others pass only if a request is left for it.
        let all_but_one = match priority {
            Priority::Awaited => all.saturating_sub(1),
            Priority::Reset | Priority::Refresh => all,
        };
        let of_head = |head: QueueHead| {
            // A request for a few is a bigger part of the requests than they are of those who go
            // by REST. Who has many waiting in as many guilds leaves half of the requests to others.
            let few =
                head.count < WORTH_A_REQUEST && (head.deferred || priority == Priority::Reset);
            (
                head,
                if few {
                    all.min(self.half_of_requests())
                } else {
                    all
                },
            )
        };
        let choices = match priority {
            Priority::Awaited | Priority::Refresh => {
                let large = largest.filter(|head| head.count >= WORTH_A_REQUEST);
                [
                    head.map(of_head),
                    full.map(|head| (head, all_but_one)),
                    large.map(|head| (head, all_but_one)),
                ]
            }
            Priority::Reset => [largest.map(of_head), None, None],
        };
        let choices = choices.into_iter().flatten().filter(move |_| room);
        choices.filter_map(move |(head, most)| {
            let free_at = self.op8_rate.free_at(most, context.now)?;
            Some(Candidate {
                guild_id: head.guild_id,
                at: self.ready_at(&head, priority, context).max(free_at),
            })
        })
    }

    /// When a request for the first of a guild waits no longer for others to join it: the longer
    /// the more requests are spent, so that the others last, whatever comes.
    fn ready_at(
        &self,
        head: &QueueHead,
        priority: Priority,
        context: RightsContext<'_>,
    ) -> Instant {
        let requests = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let most = requests(self.limits.member_calls).max(1);
        let coalesce = match priority {
            _ if head.count >= USERS_PER_REQUEST => Duration::ZERO,
            Priority::Awaited => {
                COALESCE + WINDOW * 2 / most * requests(self.op8_rate.spent()) / most
            }
            Priority::Reset => Duration::ZERO,
            Priority::Refresh if self.is_worth_a_request(head, context) => Duration::ZERO,
            Priority::Refresh => COALESCE_REFRESHES,
        };
        head.since + coalesce
    }

    pub(super) fn is_worth_a_request(&self, head: &QueueHead, context: RightsContext<'_>) -> bool {
        let missing = WORTH_A_REQUEST.saturating_sub(head.count);
        self.due_soon(head.guild_id, missing, context).len() >= missing
    }

    /// Users of a guild that will be looked up again soon, at most so many: they may as well join
    /// a request that has room for them, and from then on are batched.
    fn due_soon(&self, guild_id: GuildId, most: usize, context: RightsContext<'_>) -> Vec<UserId> {
        if most == 0 {
            return Vec::new();
        }
        let until = context.now + self.limits.rights_refresh / 3;
        // Nearly every timer is for a refresh; where many are not, fewer join.
        let timers = self.timers.of_guild(guild_id, until);
        let soon = timers.take(2 * USERS_PER_REQUEST).filter(|user_id| {
            let key = (guild_id, *user_id);
            let known = self.members.get(&key);
            let due = known.and_then(|known| self.refresh_at(key, known, context));
            due.is_some_and(|at| at <= until)
        });
        soon.take(most).collect()
    }

    /// Requests that a priority may have of the rate limit: all but those of who waits leave some
    /// to them, of 56 six.
    pub(super) fn requests_for(&self, priority: Priority) -> usize {
        match priority {
            Priority::Awaited => self.limits.member_calls,
            Priority::Reset | Priority::Refresh => self.limits.member_calls.saturating_mul(9) / 10,
        }
    }

    fn half_of_requests(&self) -> usize {
        self.limits.member_calls.div_ceil(2)
    }

    /// When the first of the requests in flight is one that ought to have been answered.
    pub(super) fn requests_late_at(&self) -> Option<Instant> {
        Some(self.first_request_at()? + ANSWER_EXPECTED)
    }

    /// When a request may go that can't go now and for which nothing but time is needed.
    pub(super) fn next_request_at(&self, context: RightsContext<'_>) -> Option<Instant> {
        let priorities = Priority::ALL.into_iter();
        let requests = priorities.flat_map(|priority| self.candidates(priority, context));
        // Who was left to a request then goes by REST.
        let waits = [Priority::Awaited, Priority::Reset];
        let waits = waits
            .into_iter()
            .any(|priority| self.rest.has_room(priority, &self.queue));
        let late = self
            .requests_late_at()
            .filter(|at| waits && *at > context.now);
        requests.map(|candidate| candidate.at).chain(late).min()
    }
}
