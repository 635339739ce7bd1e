//! A watch from its request to its answer: all its members are known, or known to have failed.

use std::collections::{BTreeMap, BTreeSet};

use guildhall_model::{GuildId, UserId};

use super::{
    MemberKey, Output, Quota, Rights, RightsContext, WatchId, is_there,
    pending_watches::{GuildAnswer, PendingWatch},
    queue::Priority,
};

/// So many members may wait for a guild that is not there and may come yet. Before READY that is
/// any guild somebody names. In use only within the first seconds of a process whose journal is
/// lost, a few for each user who comes; so many are some 12 MB.
pub(super) const AWAITING_GUILD: usize = 20_000;

/// What came of one guild of a watch.
enum WatchOutcome {
    /// It is known there already.
    Known,
    /// It is to be looked up.
    Waits,
    /// The bot is not in the guild: nothing is kept of it.
    NotThere,
}

impl Rights {
    /// A web role watches a user. `guilds`: bridged ones; others the caller answers itself, as
    /// `failed`.
    pub(crate) fn watch(
        &mut self,
        watch: WatchId,
        user_id: UserId,
        guilds: impl IntoIterator<Item = GuildId>,
        mut failed: Vec<GuildId>,
        context: RightsContext<'_>,
    ) {
        let guilds: BTreeSet<GuildId> = guilds.into_iter().collect();
        let mut open = BTreeSet::new();
        let mut refused = BTreeMap::new();
        for guild_id in guilds {
            let key = (guild_id, user_id);
            let entered = self.enter(watch, key, context);
            match entered {
                Ok(WatchOutcome::Known) => {}
                Ok(WatchOutcome::Waits) => _ = open.insert(guild_id),
                Ok(WatchOutcome::NotThere) => failed.push(guild_id),
                Err(quota) => {
                    failed.push(guild_id);
                    *refused.entry(quota).or_default() += 1;
                }
            }
            self.set_timer(key, context);
        }
        for (quota, guilds) in refused {
            self.outputs.push(Output::Refused {
                user_id,
                guilds,
                quota,
            });
        }
        if open.is_empty() {
            self.outputs.push(Output::Answered { watch, failed });
        } else {
            let pending = PendingWatch {
                user_id,
                open,
                failed,
            };
            let answer_by = context.now + self.limits.watch_answer;
            self.pending_watches.begin(watch, pending, answer_by);
        }
        self.send_out(context);
    }

    /// One guild of a watch.
    fn enter(
        &mut self,
        watch: WatchId,
        key: MemberKey,
        context: RightsContext<'_>,
    ) -> Result<WatchOutcome, Quota> {
        let there = is_there(key, context.world);
        if !there && !context.expected.includes(key.0) {
            return Ok(WatchOutcome::NotThere);
        }
        let awaiting = &self.awaiting_guild;
        if !there && awaiting.len() >= AWAITING_GUILD && !awaiting.contains(&key) {
            return Err(Quota::Process);
        }
        let fresh = self.begin(key, context).ok_or(Quota::User)?;
        if fresh {
            return Ok(WatchOutcome::Known);
        }
        if let Some(known) = self.members.get_mut(&key) {
            known.waiting.insert(watch);
        }
        if there {
            self.enqueue(key, Priority::Awaited, context);
        } else {
            self.awaiting_guild.insert(key);
        }
        Ok(WatchOutcome::Waits)
    }

    /// A member is known, or is known to have failed: whoever waited for it goes on.
    pub(super) fn resolve(&mut self, key: MemberKey, answer: GuildAnswer) {
        self.awaiting_guild.remove(&key);
        let waiting = self.members.get_mut(&key).map(|member| &mut member.waiting);
        for watch in waiting.map(std::mem::take).unwrap_or_default() {
            if let Some(done) = self.pending_watches.answered(watch, key.0, answer) {
                let failed = done.failed;
                self.outputs.push(Output::Answered { watch, failed });
            }
        }
    }

    pub(super) fn answer_late_watches(&mut self, context: RightsContext<'_>) {
        while let Some((watch, pending)) = self.pending_watches.late(context.now) {
            let mut failed = pending.failed;
            for guild_id in pending.open {
                let key = (guild_id, pending.user_id);
                if let Some(known) = self.members.get_mut(&key) {
                    known.waiting.remove(&watch);
                    if known.waiting.is_empty() {
                        self.awaiting_guild.remove(&key);
                        self.forget_if_absent(key, context);
                    }
                }
                failed.push(guild_id);
            }
            self.outputs.push(Output::Answered { watch, failed });
        }
    }
}
