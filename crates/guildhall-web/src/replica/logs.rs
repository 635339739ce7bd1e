//! All guilds, each log's at one position, and what is evicted when too many of their records are
//! kept.

use std::collections::{BTreeMap, BinaryHeap};

use guildhall_link::frame::Base;
use guildhall_model::{Envelope, GuildId, LogId, Position};

use super::{
    bounds::Bounds,
    guild::GuildLog,
    positions::LogPositions,
    record::{GroupSpan, Record},
};

/// At a bound of bytes this share of it is freed at once, so that finding the guild that holds
/// most is not done anew for every event.
const FREED_AT_ONCE: usize = 64;

/// The guilds of several logs, each log's at one position.
#[derive(Debug)]
pub(crate) struct GuildLogs {
    /// None until they were complete for the first time.
    logs: BTreeMap<LogId, LogState>,
    guilds: BTreeMap<GuildId, GuildLog>,
    pub(super) bounds: Bounds,
}

/// One log.
#[derive(Debug)]
struct LogState {
    position: Position,
    /// Bytes of records kept, all of its guilds together.
    cost: usize,
}

/// A guild that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LocatedGuild {
    pub(crate) id: GuildId,
    /// Where the replica stands in its log.
    pub(crate) at: Position,
}

/// An event that does not follow: the replica would have a hole. Ask for everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event at {got} does not follow {after:?}")]
pub(crate) struct OutOfOrder {
    /// The replica's position in that log.
    pub(crate) after: Option<Position>,
    /// The event's position.
    pub(crate) got: Position,
}

impl GuildLogs {
    /// Without a log.
    pub(super) fn empty(bounds: Bounds) -> Self {
        Self {
            logs: BTreeMap::new(),
            guilds: BTreeMap::new(),
            bounds,
        }
    }

    /// One without a log, with the bounds of this.
    pub(crate) fn empty_like(&self) -> Self {
        Self::empty(self.bounds)
    }

    /// Where it stands, in each log. `None`: it has no log yet.
    pub(crate) fn positions(&self) -> Option<LogPositions> {
        LogPositions::of(self.logs.values().map(|log| log.position))
    }

    /// Where it stands in one log.
    pub(crate) fn position(&self, log: LogId) -> Option<Position> {
        self.logs.get(&log).map(|log| log.position)
    }

    /// Where it stands in its first log: good where any position is.
    pub(crate) fn first_position(&self) -> Option<Position> {
        self.logs.values().next().map(|log| log.position)
    }

    /// Where it stands in the log that a guild is in. `None`: the guild was never seen.
    pub(crate) fn position_of(&self, id: GuildId) -> Option<Position> {
        self.position(self.guild(id)?.log_id())
    }

    /// Records kept per guild at most, and how far ahead another instance may be believed.
    pub(crate) fn window(&self) -> usize {
        self.bounds.window
    }

    /// A guild's part of its log.
    pub(crate) fn guild(&self, id: GuildId) -> Option<&GuildLog> {
        self.guilds.get(&id)
    }

    /// Whether a guild is there.
    pub(crate) fn contains(&self, id: GuildId) -> bool {
        self.guild(id).is_some_and(|log| log.guild().is_some())
    }

    /// Those of these guilds that are there, in the same order.
    pub(crate) fn located(&self, ids: &[GuildId]) -> Vec<LocatedGuild> {
        let here = ids.iter().copied().filter(|id| self.contains(*id));
        let here = here.filter_map(|id| {
            let at = self.position_of(id)?;
            Some(LocatedGuild { id, at })
        });
        here.collect()
    }

    /// The guilds that are there.
    pub(crate) fn guild_ids(&self) -> impl Iterator<Item = GuildId> {
        let there = self.guilds.iter().filter(|(_, log)| log.guild().is_some());
        there.map(|(id, _)| *id)
    }

    /// All that were ever seen.
    pub(crate) fn seen_ids(&self) -> impl Iterator<Item = GuildId> {
        self.guilds.keys().copied()
    }

    /// All that were ever seen in a log.
    pub(crate) fn ids_in(&self, log: LogId) -> impl Iterator<Item = GuildId> {
        let there = self.guilds.iter();
        let there = there.filter(move |(_, guild)| guild.log_id() == log);
        there.map(|(id, _)| *id)
    }

    /// A guild's floor in its log; one that no record was ever kept of has none above the start.
    pub(crate) fn floor(&self, id: GuildId) -> u64 {
        self.guilds.get(&id).map_or(0, GuildLog::floor)
    }

    /// Takes a guild at its floor into a replica that is being built.
    pub(crate) fn insert_base(&mut self, base: Base) {
        let Base {
            guild_id,
            floor,
            guild,
        } = base;
        self.remove(guild_id);
        // Which epoch this is; the events after it move the position on.
        self.log_mut(floor.at(0));
        let log = GuildLog::new(guild_id, floor, guild, self.bounds.transitions);
        self.guilds.insert(guild_id, log);
    }

    /// Takes a group into a replica that is not complete yet. Between the floors of two guilds
    /// there are numbers that nobody kept, so they only ascend.
    pub(crate) fn append_backlog(&mut self, group: Vec<Envelope>) -> Result<(), OutOfOrder> {
        let Some(span) = GroupSpan::of(&group) else {
            return Ok(());
        };
        for envelope in group {
            let at = envelope.at;
            let guild_id = envelope.event.guild_id;
            let known = self.position(at.log);
            let follows = known.is_none_or(|known| known.comparable(at) && known.seq < at.seq);
            let in_it = self.guilds.get(&guild_id);
            let refused = in_it.is_some_and(|log| log.log_id() != at.log || at.seq <= log.head());
            if !follows || refused {
                return Err(OutOfOrder {
                    after: known,
                    got: at,
                });
            }
            let record = self.guild_log_mut(guild_id, at).append(envelope, span);
            self.log_mut(at).position = at;
            self.count(&record);
            if record.ends_group() {
                self.evict_over_bounds(guild_id);
            }
        }
        Ok(())
    }

    /// The position of the last event of a group, if all of it follows in its log, and each event
    /// is in the log of its guild.
    pub(crate) fn follows(&self, group: &[Envelope]) -> Result<Option<Position>, OutOfOrder> {
        let Some(first) = group.first() else {
            return Ok(None);
        };
        let after = self.position(first.at.log);
        let mut last = after;
        for envelope in group {
            let got = envelope.at;
            let log = self.guild(envelope.event.guild_id).map(GuildLog::log_id);
            let elsewhere = log.is_some_and(|log| log != got.log);
            let next = last.is_some_and(|last| last.comparable(got) && last.seq + 1 == got.seq);
            if elsewhere || !next {
                return Err(OutOfOrder { after, got });
            }
            last = Some(got);
        }
        Ok(last)
    }

    /// Everything of its log up to here is in it.
    pub(crate) fn move_to(&mut self, position: Position) {
        self.log_mut(position).position = position;
    }

    /// Takes another's log in the place of its own. Guilds that are in both are the other's.
    pub(crate) fn replace(&mut self, log: LogId, by: Self) {
        self.remove_log(log);
        for id in by.guilds.keys() {
            self.remove(*id);
        }
        self.guilds.extend(by.guilds);
        self.logs.extend(by.logs);
        self.evict_over_bytes(log);
    }

    /// Forgets a log with its guilds.
    pub(crate) fn remove_log(&mut self, log: LogId) {
        self.guilds.retain(|_, guild| guild.log_id() != log);
        self.logs.remove(&log);
    }

    /// A guild's part of a log, to append to. `at`: any position in the log.
    pub(crate) fn guild_log_mut(&mut self, id: GuildId, at: Position) -> &mut GuildLog {
        let transitions = self.bounds.transitions;
        self.guilds
            .entry(id)
            .or_insert_with(|| GuildLog::new(id, at.at(0), None, transitions))
    }

    fn count(&mut self, record: &Record) {
        self.log_mut(record.at).cost += record.cost();
    }

    /// Counts what a guild costs after something was appended to it. `before`: what it did cost.
    pub(crate) fn count_growth(&mut self, id: GuildId, before: usize) {
        let guild = self.guilds.get(&id);
        let grown = guild.map(|guild| (guild.log_id(), guild.cost()));
        if let Some((log, now)) = grown
            && let Some(log) = self.logs.get_mut(&log)
        {
            log.cost = log.cost + now - before;
        }
    }

    /// At the end of a group evicts what is too much: of the guild itself beyond its window, then
    /// of the guild that holds most, so that a busy guild evicts nobody but itself.
    pub(crate) fn evict_over_bounds(&mut self, id: GuildId) {
        let Some(guild) = self.guilds.get_mut(&id) else {
            return;
        };
        let log = guild.log_id();
        let mut freed = 0;
        while guild.len() > self.bounds.window {
            freed += guild.evict_group();
        }
        self.uncount(log, freed);
        self.evict_over_bytes(log);
    }

    fn evict_over_bytes(&mut self, log: LogId) {
        let Bounds {
            log_bytes,
            process_bytes,
            ..
        } = self.bounds;
        let of_log = self.logs.get(&log).map_or(0, |log| log.cost);
        if of_log > log_bytes {
            let kept = log_bytes - log_bytes / FREED_AT_ONCE;
            self.evict_largest(of_log - kept, |guild| guild.log_id() == log);
        }
        let of_all = self.cost();
        if of_all > process_bytes {
            let kept = process_bytes - process_bytes / FREED_AT_ONCE;
            self.evict_largest(of_all - kept, |_| true);
        }
    }

    /// Frees so many bytes, little by little, always of that guild among some that holds most.
    fn evict_largest(&mut self, bytes: usize, among: impl Fn(&GuildLog) -> bool) {
        let guilds = self.guilds.iter().filter(|(_, guild)| among(guild));
        let mut largest: BinaryHeap<_> = guilds.map(|(id, guild)| (guild.cost(), *id)).collect();
        let mut freed = 0;
        while freed < bytes {
            let Some((_, id)) = largest.pop() else {
                return;
            };
            let Some(guild) = self.guilds.get_mut(&id) else {
                continue;
            };
            let (log, of_it) = (guild.log_id(), guild.evict_some());
            if of_it > 0 {
                largest.push((guild.cost(), id));
            }
            freed += of_it;
            self.uncount(log, of_it);
        }
    }

    /// What the records of all logs cost.
    fn cost(&self) -> usize {
        self.logs.values().map(|log| log.cost).sum()
    }

    fn uncount(&mut self, log: LogId, freed: usize) {
        if let Some(log) = self.logs.get_mut(&log) {
            log.cost -= freed;
        }
    }

    fn remove(&mut self, id: GuildId) {
        if let Some(guild) = self.guilds.remove(&id) {
            self.uncount(guild.log_id(), guild.cost());
        }
    }

    /// The log of a position. One that is not there yet begins at it.
    fn log_mut(&mut self, position: Position) -> &mut LogState {
        self.logs
            .entry(position.log)
            .or_insert(LogState { position, cost: 0 })
    }
}

#[cfg(test)]
mod tests;
