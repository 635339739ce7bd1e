//! When a watched member is looked up again, and when it is forgotten.

use std::time::Instant;

use super::{
    MemberKey, Output, Rights, RightsContext, TICK, is_known, is_there,
    queue::Priority,
    timers::Urgency,
    watched_member::{LookUp, WatchedMember},
};

impl Rights {
    /// Does what a member is due for.
    pub(super) fn timer_fired(&mut self, key: MemberKey, context: RightsContext<'_>) {
        let Some(known) = self.members.get(&key) else {
            return;
        };
        if known.expires_at <= context.now && known.is_idle() {
            self.forget(key, context);
            return;
        }
        let refresh_at = self.refresh_at(key, known, context);
        if refresh_at.is_some_and(|at| at <= context.now) {
            let priority = known.priority_unasked();
            self.enqueue(key, priority, context);
        }
        self.set_timer(key, context);
    }

    /// Users not watched for long leave the log.
    pub(super) fn forget(&mut self, key: MemberKey, context: RightsContext<'_>) {
        if let Some(at) = self.members.remove(&key).and_then(|known| known.timer) {
            self.timers.remove(key, at);
        }
        self.watched_guilds.remove(key);
        if is_known(key, context.world) {
            let membership = None;
            self.outputs.push(Output::Changed { key, membership });
        }
    }

    /// When a user who is watched is to be looked up again; `None`: not as things are.
    pub(super) fn refresh_at(
        &self,
        key: MemberKey,
        known: &WatchedMember,
        context: RightsContext<'_>,
    ) -> Option<Instant> {
        let watched = known.is_watched(context.now) && is_there(key, context.world);
        if !watched || known.look_up != LookUp::None {
            return None;
        }
        let stale_at = known.as_of.map(|at| at + self.limits.rights_refresh);
        let at = stale_at.unwrap_or(context.now).max(known.retry_at);
        (at < known.watched_until).then_some(at)
    }

    /// To be called whenever something has changed that the timer depends on.
    pub(super) fn set_timer(&mut self, key: MemberKey, context: RightsContext<'_>) {
        let Some(known) = self.members.get(&key) else {
            return;
        };
        let forget = if known.is_idle() {
            known.expires_at
        } else {
            known.expires_at.max(context.now + TICK)
        };
        let refresh = self.refresh_at(key, known, context);
        let at = refresh.map_or(forget, |at| at.min(forget));
        let urgency = match refresh {
            Some(_) if known.priority_unasked() == Priority::Reset => Urgency::Exact,
            _ => Urgency::WithOthers,
        };
        self.timers.set(key, known.timer, at, urgency);
        if let Some(known) = self.members.get_mut(&key) {
            known.timer = Some(at);
        }
    }
}
