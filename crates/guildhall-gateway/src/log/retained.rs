//! What the log retains: each guild's last events, and its world before them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use guildhall_link::frame::Base;
use guildhall_model::{GuildId, Position, SealedEvent, World};
use guildhall_ports::journal::JournalBase;
use tokio::sync::watch;

use super::Retention;

/// The log as it is kept: its readers ask, its writer pushes.
#[derive(Debug)]
pub(super) struct RetainedLog {
    pub(super) head: watch::Sender<Position>,
    pub(super) retention: Retention,
    /// Retained events by number.
    pub(super) events: BTreeMap<u64, Arc<SealedEvent>>,
    /// Of all of them.
    pub(super) bytes: usize,
    pub(super) guilds: BTreeMap<GuildId, GuildIndex>,
    /// Each guild at its own floor.
    pub(super) bases: World,
    /// No position below this is usable: a reader here follows every guild.
    highest_floor: u64,
    /// Evicted since their guilds' bases were last given to the journal.
    pub(super) evicted: Amount,
}

/// What is retained of a guild.
#[derive(Debug, Default)]
pub(super) struct GuildIndex {
    /// Numbers of its retained events, ascending.
    pub(super) retained: VecDeque<u64>,
    /// Number of its last evicted event; 0: none was.
    pub(super) floor: u64,
    /// Evicted since its base was last given to the journal.
    pub(super) evicted: Amount,
}

/// Events, by their number and their bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Amount {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

impl Amount {
    pub(super) fn is_within(self, most: Self) -> bool {
        self.events <= most.events && self.bytes <= most.bytes
    }

    fn add(&mut self, bytes: usize) {
        self.events += 1;
        self.bytes += bytes;
    }

    pub(super) fn take(&mut self, other: Self) {
        self.events -= other.events;
        self.bytes -= other.bytes;
    }
}

impl RetainedLog {
    /// Nothing is retained yet.
    pub(super) fn new(head: Position, retention: Retention) -> Self {
        Self {
            head: watch::Sender::new(head),
            retention,
            events: BTreeMap::new(),
            bytes: 0,
            guilds: BTreeMap::new(),
            bases: World::default(),
            highest_floor: 0,
            evicted: Amount::default(),
        }
    }

    /// A guild as it was kept.
    pub(super) fn restore_base(&mut self, base: JournalBase) {
        let index = self.guilds.entry(base.guild_id).or_default();
        index.floor = base.floor;
        self.highest_floor = self.highest_floor.max(base.floor);
        if let Some(guild) = base.guild {
            self.bases.guilds.insert(base.guild_id, guild);
        }
    }

    pub(super) fn head(&self) -> Position {
        *self.head.borrow()
    }

    /// Whether everything after a position is retained.
    pub(super) fn goes_back_to(&self, after: Position) -> bool {
        let head = self.head();
        after.comparable(head) && (self.highest_floor..=head.seq).contains(&after.seq)
    }

    /// Whether a position of this epoch is beyond the head.
    pub(super) fn is_behind(&self, position: Position) -> bool {
        let head = self.head();
        position.comparable(head) && position.seq > head.seq
    }

    /// Appends an event, and evicts what is too much then.
    pub(super) fn push(&mut self, sealed: Arc<SealedEvent>) {
        let guild_id = sealed.event.guild_id;
        let (seq, more) = (sealed.at.seq, sealed.more);
        self.bytes += sealed.weight();
        self.events.insert(seq, sealed);
        let index = self.guilds.entry(guild_id).or_default();
        index.retained.push_back(seq);
        if !more {
            self.make_room(guild_id);
        }
    }

    /// Evicts what is too much once a group of a guild is whole.
    fn make_room(&mut self, guild_id: GuildId) {
        let most = self.retention.records_per_guild;
        while let Some(index) = self.guilds.get(&guild_id)
            && index.retained.len() > most
            && let Some(oldest) = index.retained.front().copied()
        {
            self.evict_group(oldest);
        }
        while self.bytes > self.retention.bytes
            && let Some(oldest) = self.events.keys().next().copied()
        {
            self.evict_group(oldest);
        }
    }

    /// Evicts a guild's oldest group. `first`: its first event.
    fn evict_group(&mut self, first: u64) {
        let mut next = first;
        // A group is of one guild and has no hole: nobody else's numbers are between its own.
        while self.evict(next) {
            next += 1;
        }
    }

    /// Returns whether the group goes on.
    ///
    /// INVARIANT(base): what leaves the retained events enters the base in the same step.
    fn evict(&mut self, seq: u64) -> bool {
        let Some(kept) = self.events.remove(&seq) else {
            return false;
        };
        let bytes = kept.weight();
        self.bytes -= bytes;
        let event = &kept.event;
        self.bases.apply(event);
        let index = self.guilds.entry(event.guild_id).or_default();
        // Both evictions take the guild's oldest: either it was asked for, or it is the oldest
        // of all.
        index.retained.pop_front();
        index.floor = seq;
        index.evicted.add(bytes);
        self.evicted.add(bytes);
        self.highest_floor = self.highest_floor.max(seq);
        kept.more
    }

    /// Each guild at its floor.
    pub(super) fn bases(&self) -> Vec<Base> {
        let head = self.head();
        let base = |(guild_id, index): (&GuildId, &GuildIndex)| Base {
            guild_id: *guild_id,
            floor: head.at(index.floor),
            guild: self.bases.guilds.get(guild_id).cloned(),
        };
        self.guilds.iter().map(base).collect()
    }
}
