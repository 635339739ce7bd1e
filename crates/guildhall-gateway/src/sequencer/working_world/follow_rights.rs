//! The rights machine within the working world: what it may look at, and what it asks for.

use std::time::{Duration, Instant};

use guildhall_model::{Change, Event, UnixMs, UserId};
use guildhall_ports::millis;
use metrics::counter;
use tracing::warn;

use super::{Effect, WorkingWorld};
use crate::rights::{Output, Quota, Rights, RightsContext};

/// That a quota is used up is logged this often at most.
const LOGGED_APART: Duration = Duration::from_mins(10);

impl WorkingWorld {
    /// The rights machine, with all that it may look at.
    pub(super) fn rights_and_context(&mut self, now: Instant) -> (&mut Rights, RightsContext<'_>) {
        let context = RightsContext {
            world: &self.world,
            expected: self.availability.expected(),
            live: self.availability.is_live(),
            now,
        };
        (&mut self.rights, context)
    }

    /// Does what the rights machine asks for.
    pub(super) fn follow_rights(&mut self, wall: UnixMs) {
        for output in self.rights.take_outputs() {
            match output {
                Output::LookUpByRest(key) => self.effects.push(Effect::LookUpByRest(key)),
                Output::LookUpByOp8(request) => self.effects.push(Effect::LookUpByOp8(request)),
                Output::Answered { watch, failed } => {
                    self.effects.push(Effect::Answer { watch, failed });
                }
                Output::Refused {
                    user_id,
                    guilds,
                    quota,
                } => self.refused(user_id, guilds, quota, wall),
                Output::Changed {
                    key: (_, user_id),
                    membership: None,
                } if self.is_bot(user_id) => {}
                Output::Changed {
                    key: (guild_id, user_id),
                    membership,
                } => self.emit([Event {
                    guild_id,
                    ts: wall,
                    synthetic: false,
                    change: Change::Rights {
                        user_id,
                        membership,
                    },
                }]),
            }
        }
    }

    /// Counted each time, logged once in a while.
    fn refused(&mut self, user_id: UserId, guilds: usize, quota: Quota, wall: UnixMs) {
        let name = match quota {
            Quota::User => "user",
            Quota::Process => "process",
        };
        let count = u64::try_from(guilds).unwrap_or(u64::MAX);
        counter!("guildhall_rights_refused_total", "bound" => name).increment(count);
        let apart = millis(LOGGED_APART);
        let said_at = self.refused_logged_at.get(&quota);
        if said_at.is_none_or(|at| at.saturating_add(apart) <= wall) {
            self.refused_logged_at.insert(quota, wall);
            warn!(
                viewer.id = %user_id,
                guilds,
                "more guilds are asked for than one {name} may have looked up at a time: these are \
                 answered as not known. Said once in ten minutes"
            );
        }
    }

    /// Takes in the rights that an earlier process left. Their time does not start over with each
    /// start, or with a start a day nobody would ever be forgotten.
    pub(super) fn remember(&mut self, now: Instant, wall: UnixMs) {
        let kept = self.rights.kept_for();
        let longest = wall.saturating_add(millis(kept));
        let forget_at = self.forget_at.filter(|at| *at > wall).unwrap_or(longest);
        let forget_at = forget_at.min(longest);
        let left = Duration::from_millis(forget_at.saturating_sub(wall));
        let bot = self.bot;
        let (rights, context) = self.rights_and_context(now);
        let any = rights.restore(left, bot, context);
        self.forget_at = any.then_some(forget_at);
    }
}
