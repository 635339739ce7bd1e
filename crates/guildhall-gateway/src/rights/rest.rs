//! Look-ups by REST, one member each: how many at a time, and which goes next.

use std::collections::BTreeMap;

use guildhall_model::{GuildId, UserId};

use super::{
    MemberKey, Output, Rights, RightsContext,
    fair_queue::QueueHead,
    op8_batch::WORTH_A_REQUEST,
    queue::{LookUpQueue, Priority},
};
use crate::inbox::USERS_PER_REQUEST;

/// Look-ups by REST at one time.
pub(super) const REST_AT_ONCE: usize = 10;
/// Of these at most so many are of one user, or of one guild: whatever they wait for (Discord has
/// a limit for each guild), two slots are left to others.
pub(super) const REST_OF_ONE: usize = 8;
/// Of these at most so many are refreshes, so that a login never waits behind them.
pub(super) const REST_REFRESHES: usize = 4;

/// Look-ups that are with Discord's REST interface. Each priority keeps one slot as long as
/// somebody waits in it, and no user and no guild gets all of them.
#[derive(Debug, Default)]
pub(super) struct RestSlots {
    in_flight: BTreeMap<MemberKey, Priority>,
}

impl RestSlots {
    /// Whether one more may be sent, and one waits.
    pub(super) fn has_room(&self, priority: Priority, queue: &LookUpQueue) -> bool {
        let most = match priority {
            Priority::Awaited | Priority::Reset => REST_AT_ONCE,
            Priority::Refresh => REST_REFRESHES,
        };
        !queue.is_empty(priority)
            && self.count(priority) < most
            && self.in_flight.len() + self.kept_from(priority, queue) < REST_AT_ONCE
    }

    /// Slots that are kept from a priority for those behind it: a storm of logins must not hide
    /// from us who was thrown out meanwhile, nor a guild from those who look at it.
    fn kept_from(&self, priority: Priority, queue: &LookUpQueue) -> usize {
        let kept = Priority::ALL.into_iter().filter(|other| {
            *other > priority && !queue.is_empty(*other) && self.count(*other) == 0
        });
        kept.count()
    }

    fn count(&self, priority: Priority) -> usize {
        let in_flight = self.in_flight.values();
        in_flight.filter(|other| **other == priority).count()
    }

    /// Takes the next of a priority out of the queue and gives it a slot.
    pub(super) fn take_next(
        &mut self,
        priority: Priority,
        queue: &mut LookUpQueue,
    ) -> Option<MemberKey> {
        let kept = self.kept_from(priority, queue);
        let in_flight = &self.in_flight;
        let has_room = |count: usize| count + kept < REST_OF_ONE;
        let guild_may =
            |guild_id: GuildId| has_room(in_flight.keys().filter(|key| key.0 == guild_id).count());
        let user_may =
            |user_id: UserId| has_room(in_flight.keys().filter(|key| key.1 == user_id).count());
        let key = queue.take_single(priority, guild_may, user_may)?;
        self.in_flight.insert(key, priority);
        Some(key)
    }

    /// A look-up has ended; its slot is free. False: there was none.
    pub(super) fn ended(&mut self, key: MemberKey) -> bool {
        self.in_flight.remove(&key).is_some()
    }
}

impl Rights {
    /// Sends one look-up by REST, if one may go.
    pub(super) fn send_by_rest(&mut self, context: RightsContext<'_>) -> bool {
        for priority in Priority::ALL {
            if self.rest.has_room(priority, &self.queue)
                && !self.is_left_to_op8(priority, context)
                && let Some(key) = self.rest.take_next(priority, &mut self.queue)
            {
                self.mark_sent(key, context);
                self.outputs.push(Output::LookUpByRest(key));
                return true;
            }
        }
        false
    }

    /// Whether the first of a priority is to be left to an op-8 request, now or when one of those
    /// in flight ends. One who waits: it would fill one, and by REST all the others that do would
    /// pass it.
    fn is_left_to_op8(&self, priority: Priority, context: RightsContext<'_>) -> bool {
        let free_at = self
            .op8_rate
            .free_at(self.requests_for(priority), context.now);
        let requests_are_answered = || self.requests_late_at().is_none_or(|at| at > context.now);
        let would_go = |head: &QueueHead| match priority {
            Priority::Awaited => head.count >= USERS_PER_REQUEST && requests_are_answered(),
            Priority::Reset => head.count >= WORTH_A_REQUEST && requests_are_answered(),
            Priority::Refresh => self.is_worth_a_request(head, context),
        };
        context.live
            && free_at.is_some_and(|at| at <= context.now)
            && self
                .queue
                .head(priority)
                .is_some_and(|head| head.first && would_go(&head))
    }
}
