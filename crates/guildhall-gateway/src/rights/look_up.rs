//! The life cycle of a look-up, whichever way it is asked: queued, sent, answered or put back.

use guildhall_model::{World, guild::Membership};

use super::{
    MemberKey, Output, RETRY, RETRY_UNSEEN, Rights, RightsContext, answer_if_there,
    fair_queue::Via,
    pending_watches::GuildAnswer,
    queue::{Priority, QueueEntry},
    watched_member::{LookUp, Validity},
};

impl Rights {
    /// Puts a member into the queue. The caller sets its timer.
    pub(super) fn enqueue(
        &mut self,
        key: MemberKey,
        priority: Priority,
        context: RightsContext<'_>,
    ) {
        let Some(known) = self.members.get_mut(&key) else {
            return;
        };
        if matches!(known.look_up, LookUp::InFlight { .. }) {
            return;
        }
        known.look_up = LookUp::Queued;
        let guild = context.world.guilds.get(&key.0);
        // In an outage nobody would answer an op-8 request.
        let via = if guild.is_some_and(|guild| guild.available) {
            Via::Any
        } else {
            Via::RestOnly
        };
        self.queue.add(key, priority, via, context.now);
    }

    /// Sends look-ups as far as there is room.
    pub(super) fn send_out(&mut self, context: RightsContext<'_>) {
        self.op8_rate.time_passed(context.now);
        while self.send_by_rest(context) || self.send_by_op8(context) {}
        self.send_at = self.next_request_at(context);
    }

    pub(super) fn mark_sent(&mut self, key: MemberKey, context: RightsContext<'_>) {
        if let Some(known) = self.members.get_mut(&key) {
            known.look_up = LookUp::InFlight {
                since: context.now,
                validity: Validity::Valid,
            };
        }
        self.set_timer(key, context);
    }

    /// A look-up by REST has ended. `None`: without an answer.
    pub(crate) fn rest_answered(
        &mut self,
        key: MemberKey,
        membership: Option<Membership>,
        context: RightsContext<'_>,
    ) {
        if self.rest.ended(key) {
            self.look_up_ended(key, membership, context);
        }
        self.send_out(context);
    }

    /// A member's look-up has ended, whichever way it went.
    pub(super) fn look_up_ended(
        &mut self,
        key: MemberKey,
        membership: Option<Membership>,
        context: RightsContext<'_>,
    ) {
        let Some(known) = self.members.get_mut(&key) else {
            return;
        };
        let LookUp::InFlight { since, validity } = known.look_up else {
            return;
        };
        known.look_up = LookUp::None;
        match (validity, membership) {
            (Validity::Valid, Some(membership)) => {
                known.as_of = Some(since);
                known.failures = 0;
                self.changed(key, membership, context.world);
                self.resolve(key, answer_if_there(key, context.world));
            }
            (Validity::Valid, None) => {
                let doubled = 2_u32.saturating_pow(known.failures.min(10));
                // Whoever waits is told that it failed, and asks again.
                let unseen = known.waiting.is_empty() && known.as_of.is_none();
                let first = if unseen { RETRY_UNSEEN } else { RETRY[0] };
                let wait = first.saturating_mul(doubled).min(RETRY[1]);
                known.failures = known.failures.saturating_add(1);
                known.retry_at = context.now + wait;
                self.resolve(key, GuildAnswer::Failed);
            }
            (Validity::Invalidated, _) => {
                let priority = known.priority_again();
                self.enqueue(key, priority, context);
            }
            (Validity::Superseded, _) if !known.waiting.is_empty() => {
                self.enqueue(key, Priority::Awaited, context);
            }
            (Validity::Superseded, _) => {}
        }
        self.set_timer(key, context);
    }

    /// Puts a member whose look-up was in flight back into the queue.
    pub(super) fn put_back(
        &mut self,
        key: MemberKey,
        entry: QueueEntry,
        context: RightsContext<'_>,
    ) {
        let Some(known) = self.members.get_mut(&key) else {
            return;
        };
        let LookUp::InFlight { validity, .. } = known.look_up else {
            return;
        };
        let waited_for = !known.waiting.is_empty();
        if validity == Validity::Superseded && !waited_for {
            known.look_up = LookUp::None;
            self.set_timer(key, context);
            return;
        }
        known.look_up = LookUp::Queued;
        let priority = match validity {
            Validity::Invalidated => known.priority_again(),
            Validity::Valid | Validity::Superseded if waited_for => Priority::Awaited,
            Validity::Valid | Validity::Superseded => entry.priority,
        };
        if priority == entry.priority {
            self.queue.put_back(key, entry);
        } else {
            let since = entry.ticket.since;
            self.queue.add(key, priority, entry.via, since);
        }
    }

    /// Says what a member is now, if that is not in the log yet.
    pub(super) fn changed(&mut self, key: MemberKey, membership: Membership, world: &World) {
        let guild = world.guilds.get(&key.0);
        if guild.is_some_and(|guild| guild.memberships.get(&key.1) != Some(&membership)) {
            let membership = Some(membership);
            self.outputs.push(Output::Changed { key, membership });
        }
    }
}
