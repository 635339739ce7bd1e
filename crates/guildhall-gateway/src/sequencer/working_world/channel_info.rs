//! Asking Discord for the status of a guild's voice channels (Request Channel Info): no channel object
//! has it, and its changes alone are told.
//!
//! A connection takes 120 messages in a minute. What is asked here stays within what heartbeats and
//! look-ups leave of them at most, so that nobody who waits for their rights waits for it.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use guildhall_model::{Change, GuildId, World};

use super::{Effect, WorkingWorld};

/// So many at once, and then one in each [`EVERY`]: 48 in a minute.
const AT_ONCE: u32 = 8;
const EVERY: Duration = Duration::from_millis(1_500);

/// What has no answer by then is asked again, [`TRIES`] times in all.
const ANSWER_TIME: Duration = Duration::from_mins(1);
const TRIES: u32 = 3;

/// Guilds to be asked about, and those that were.
#[derive(Debug, Default)]
pub(super) struct ChannelInfoQueue {
    /// How often each was asked about in vain.
    wanted: BTreeMap<GuildId, u32>,
    /// In the order in which they were.
    asked: VecDeque<UnansweredInfo>,
    /// By then all of [`AT_ONCE`] may be asked again.
    rested_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct UnansweredInfo {
    guild_id: GuildId,
    since: Instant,
    tries: u32,
}

impl ChannelInfoQueue {
    /// What is known of a guild may be old. If it was just asked about, the answer may be, too.
    pub(super) fn want(&mut self, guild_id: GuildId) {
        self.wanted.insert(guild_id, 0);
    }

    /// Discord has answered.
    pub(super) fn answered(&mut self, guild_id: GuildId) {
        self.asked.retain(|asked| asked.guild_id != guild_id);
    }

    /// The guild is not there any more.
    pub(super) fn forget(&mut self, guild_id: GuildId) {
        self.answered(guild_id);
        self.wanted.remove(&guild_id);
    }

    /// A session began: each guild comes and is asked about then.
    pub(super) fn begun(&mut self) {
        *self = Self::default();
    }

    /// The connection is gone, and with it what was asked on it.
    pub(super) fn lost(&mut self) {
        self.rested_at = None;
        while let Some(asked) = self.asked.pop_front() {
            self.wanted.entry(asked.guild_id).or_insert(asked.tries);
        }
    }

    /// The next guild to ask about, if one may be now.
    pub(super) fn next(&mut self, now: Instant) -> Option<GuildId> {
        self.give_up(now);
        if self.free_at().is_some_and(|at| at > now) {
            return None;
        }
        let (guild_id, tries) = self.wanted.pop_first()?;
        let rested = self.rested_at.map_or(now, |at| at.max(now));
        self.rested_at = Some(rested + EVERY);
        self.asked.push_back(UnansweredInfo {
            guild_id,
            since: now,
            tries: tries + 1,
        });
        Some(guild_id)
    }

    /// When to come back if nothing happens before, and nothing can be asked now.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let first = self.asked.front().map(|asked| asked.since + ANSWER_TIME);
        let next = self.free_at().filter(|_| !self.wanted.is_empty());
        [first, next].into_iter().flatten().min()
    }

    fn free_at(&self) -> Option<Instant> {
        self.rested_at?.checked_sub(EVERY * (AT_ONCE - 1))
    }

    fn give_up(&mut self, now: Instant) {
        while let Some(late) = self.asked.front().copied()
            && late.since + ANSWER_TIME <= now
        {
            self.asked.pop_front();
            if late.tries < TRIES {
                self.wanted.entry(late.guild_id).or_insert(late.tries);
            }
        }
    }
}

impl WorkingWorld {
    /// Asks about as many as may be asked about now.
    pub(super) fn ask_for_channel_info(&mut self, now: Instant) {
        if !self.availability.is_live() {
            return;
        }
        while let Some(guild_id) = self.channel_info.next(now) {
            self.effects.push(Effect::AskForChannelInfo(guild_id));
        }
    }
}

/// Whether a room that the bot could not view is one that it can.
pub(super) fn reveals(world: &World, guild_id: GuildId, change: &Change) -> bool {
    let Change::RoomRights { channel_id, rights } = change else {
        return false;
    };
    let guild = world.guilds.get(&guild_id);
    let known = guild.and_then(|guild| guild.rooms.get(channel_id));
    !rights.obfuscated && known.is_some_and(|known| known.rights.obfuscated)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "any instant will do as a start")]

    use super::*;

    fn ask(queue: &mut ChannelInfoQueue, now: Instant) -> usize {
        std::iter::from_fn(|| queue.next(now)).count()
    }

    #[test]
    fn many_guilds_are_asked_about_little_by_little_and_each_once() {
        let mut queue = ChannelInfoQueue::default();
        for id in 0..200 {
            queue.want(GuildId(id));
        }
        let start = Instant::now();
        let mut now = start;
        let mut at: Vec<Instant> = Vec::new();
        while !queue.wanted.is_empty() {
            while let Some(guild_id) = queue.next(now) {
                queue.answered(guild_id);
                at.push(now);
            }
            now = queue.deadline().unwrap_or(now);
        }
        assert_eq!(at.len(), 200);
        let within = |from: Instant| {
            let until = from + Duration::from_secs(61);
            at.iter().filter(|at| (from..until).contains(*at)).count()
        };
        assert_eq!(at.iter().map(|from| within(*from)).max(), Some(48));
        assert!(now - start < Duration::from_mins(5));
    }

    #[test]
    fn what_has_no_answer_is_asked_again_and_not_for_ever() {
        let mut queue = ChannelInfoQueue::default();
        let mut now = Instant::now();
        queue.want(GuildId(1));
        for _ in 0..TRIES {
            assert_eq!(ask(&mut queue, now), 1);
            assert_eq!(ask(&mut queue, now), 0);
            now = queue.deadline().expect("an answer is waited for");
        }
        assert_eq!(ask(&mut queue, now), 0);
        assert_eq!(queue.deadline(), None);
    }

    #[test]
    fn what_was_asked_on_a_connection_that_is_gone_is_asked_on_the_next() {
        let mut queue = ChannelInfoQueue::default();
        let now = Instant::now();
        queue.want(GuildId(1));
        queue.want(GuildId(2));
        assert_eq!(ask(&mut queue, now), 2);
        queue.answered(GuildId(1));
        queue.lost();
        assert_eq!(queue.next(now), Some(GuildId(2)));
        queue.forget(GuildId(2));
        assert_eq!(queue.deadline(), None);
    }
}
