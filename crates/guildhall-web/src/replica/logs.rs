//! All guilds at one position, and what is evicted when too many of their records are kept.

use std::collections::BTreeMap;

use guildhall_link::frame::Base;
use guildhall_model::{Envelope, GuildId, Position};

use super::{
    guild::GuildLog,
    record::{GroupSpan, Record},
};

/// Bytes of records kept for one log, all guilds together.
const LOG_BYTES: usize = 64 << 20;

/// The guilds at one position.
#[derive(Debug)]
pub(crate) struct GuildLogs {
    /// `None` until it was complete for the first time.
    position: Option<Position>,
    guilds: BTreeMap<GuildId, GuildLog>,
    window: usize,
    bytes: usize,
    /// Bytes of records kept, all guilds together.
    cost: usize,
}

/// An event that does not follow: the replica would have a hole. Ask for everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event at {got} does not follow {after:?}")]
pub(crate) struct OutOfOrder {
    /// The replica's position.
    pub(crate) after: Option<Position>,
    /// The event's position.
    pub(crate) got: Position,
}

impl GuildLogs {
    pub(super) fn empty(window: usize) -> Self {
        Self::bounded(window, LOG_BYTES)
    }

    /// An empty one with the bounds of this.
    pub(crate) fn empty_like(&self) -> Self {
        Self::bounded(self.window, self.bytes)
    }

    fn bounded(window: usize, bytes: usize) -> Self {
        Self {
            position: None,
            guilds: BTreeMap::new(),
            window,
            bytes,
            cost: 0,
        }
    }

    /// Its position.
    pub(crate) fn position(&self) -> Option<Position> {
        self.position
    }

    /// Records kept per guild at most, and how far ahead another instance may be believed.
    pub(crate) fn window(&self) -> usize {
        self.window
    }

    /// A guild's part of the log.
    pub(crate) fn guild(&self, id: GuildId) -> Option<&GuildLog> {
        self.guilds.get(&id)
    }

    /// Whether a guild is there.
    pub(crate) fn contains(&self, id: GuildId) -> bool {
        self.guild(id).is_some_and(|log| log.guild().is_some())
    }

    /// The guilds that are there.
    pub(crate) fn guild_ids(&self) -> impl Iterator<Item = GuildId> {
        let there = self.guilds.iter().filter(|(_, log)| log.guild().is_some());
        there.map(|(id, _)| *id)
    }

    /// A guild's floor; one that no record was ever kept of has none above the start.
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
        // Which epoch this is; the events after it move the position on.
        self.position.get_or_insert(floor.at(0));
        self.cost -= self.guilds.get(&guild_id).map_or(0, GuildLog::cost);
        let log = GuildLog::new(guild_id, floor.seq, guild);
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
            let follows = self
                .position
                .is_none_or(|known| known.comparable(at) && known.seq < at.seq);
            let log = self.guild_log_mut(guild_id);
            if !follows || at.seq <= log.head() {
                return Err(OutOfOrder {
                    after: self.position,
                    got: at,
                });
            }
            let record = log.append(envelope, span);
            self.position = Some(at);
            self.count(&record);
            if record.ends_group() {
                self.evict_over_bounds(guild_id);
            }
        }
        Ok(())
    }

    /// The position of the last event of a group, if all of it follows.
    pub(crate) fn follows(&self, group: &[Envelope]) -> Result<Option<Position>, OutOfOrder> {
        let mut last = self.position;
        for envelope in group {
            let got = envelope.at;
            if last.is_none_or(|last| !last.comparable(got) || last.seq + 1 != got.seq) {
                let after = self.position;
                return Err(OutOfOrder { after, got });
            }
            last = Some(got);
        }
        Ok(last)
    }

    /// Everything up to here is in it.
    pub(crate) fn move_to(&mut self, position: Position) {
        self.position = Some(position);
    }

    /// A guild's part of the log, to append to.
    pub(crate) fn guild_log_mut(&mut self, id: GuildId) -> &mut GuildLog {
        self.guilds
            .entry(id)
            .or_insert_with(|| GuildLog::new(id, 0, None))
    }

    /// Counts a record that was appended.
    pub(crate) fn count(&mut self, record: &Record) {
        self.cost += record.cost();
    }

    /// At the end of a group evicts what is too much: of the guild itself beyond its window, then
    /// of the guild that holds most, so that a busy guild evicts nobody but itself.
    pub(crate) fn evict_over_bounds(&mut self, id: GuildId) {
        if let Some(log) = self.guilds.get_mut(&id) {
            while log.len() > self.window {
                self.cost -= log.evict_group();
            }
        }
        while self.cost > self.bytes {
            let largest = self.guilds.values_mut().max_by_key(|log| log.cost());
            match largest.map(GuildLog::evict_group) {
                None | Some(0) => break,
                Some(freed) => self.cost -= freed,
            }
        }
    }
}

#[cfg(test)]
mod tests;
