//! What the log retains: each guild's last events, and its world before them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound,
    sync::Arc,
};

use guildhall_link::frame::Base;
use guildhall_model::{GuildId, Position, SealedEvent, World, event::Window};
use guildhall_ports::{
    Fence,
    journal::{Floor, JournalBase},
};

use super::{Join, Retention};

/// The log as it is kept: its readers ask, its writer pushes.
#[derive(Debug)]
pub(super) struct RetainedLog {
    /// Of the last event that was pushed.
    head: Position,
    /// Of its writer.
    fence: Fence,
    retention: Retention,
    /// Retained events by number.
    pub(super) events: BTreeMap<u64, Arc<SealedEvent>>,
    /// Of all of them.
    bytes: usize,
    pub(super) windows: BTreeMap<WindowKey, RetainedWindow>,
    /// Those that have any, by their bytes.
    by_bytes: BTreeSet<(usize, WindowKey)>,
    /// Each guild at its own floor.
    bases: World,
    /// No position below this is usable: a reader here follows every guild.
    highest_floor: u64,
    /// Whose floors have risen since they were last told.
    risen: BTreeSet<WindowKey>,
}

/// A window of a guild's.
pub(super) type WindowKey = (GuildId, Window);

/// What is retained of a guild in one window.
#[derive(Debug, Default)]
pub(super) struct RetainedWindow {
    /// Numbers of its retained events, ascending.
    pub(super) retained: VecDeque<u64>,
    /// Of them.
    pub(super) bytes: usize,
    /// Number of its last evicted event; 0: none was.
    pub(super) floor: u64,
}

impl RetainedLog {
    /// Nothing is retained yet.
    pub(super) fn new(head: Position, fence: Fence, retention: Retention) -> Self {
        Self {
            head,
            fence,
            retention,
            events: BTreeMap::new(),
            bytes: 0,
            windows: BTreeMap::new(),
            by_bytes: BTreeSet::new(),
            bases: World::default(),
            highest_floor: 0,
            risen: BTreeSet::new(),
        }
    }

    /// A guild as it was kept.
    pub(super) fn restore_base(&mut self, base: JournalBase) {
        let key = (base.guild_id, Window::World);
        self.windows.entry(key).or_default().floor = base.floor;
        self.highest_floor = self.highest_floor.max(base.floor);
        if let Some(guild) = base.guild {
            self.bases.guilds.insert(base.guild_id, guild);
        }
    }

    pub(super) fn fence(&self) -> Fence {
        self.fence
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn highest_floor(&self) -> u64 {
        self.highest_floor
    }

    /// From here on no event is missing.
    pub(super) fn contiguous_from(&self) -> Position {
        self.head.at(self.highest_floor)
    }

    /// That place, and the events after it.
    pub(super) fn contiguous(&self) -> (Position, Vec<Arc<SealedEvent>>) {
        let from = self.contiguous_from();
        let later = (Bound::Excluded(from.seq), Bound::Unbounded);
        let later = self.events.range(later).map(|(_, event)| Arc::clone(event));
        (from, later.collect())
    }

    /// The window with the most bytes.
    pub(super) fn largest(&self) -> Option<(usize, WindowKey)> {
        self.by_bytes.last().copied()
    }

    /// Takes an event in, and evicts what is too much then.
    pub(super) fn push(&mut self, sealed: Arc<SealedEvent>) {
        let key = (sealed.event.guild_id, Window::of(&sealed.event.change));
        let (at, more, weight) = (sealed.at, sealed.more, sealed.weight());
        // While it is restored its events are older than the head.
        if at.seq > self.head.seq {
            self.head = at;
        }
        self.bytes += weight;
        self.events.insert(at.seq, sealed);
        let window = self.windows.entry(key).or_default();
        window.retained.push_back(at.seq);
        let before = window.bytes;
        window.bytes += weight;
        let now = window.bytes;
        self.weighed(key, before, now);
        if !more {
            self.make_room(key);
        }
    }

    /// Evicts what is too much once a group of a guild is whole.
    fn make_room(&mut self, key: WindowKey) {
        let Retention {
            records_per_guild,
            bytes_per_guild,
            bytes,
        } = self.retention;
        while let Some(window) = self.windows.get(&key)
            && (window.retained.len() > records_per_guild || window.bytes > bytes_per_guild)
            && self.evict_of(key)
        {}
        while self.bytes > bytes && self.evict_of_largest() {}
    }

    /// Evicts the oldest group of the window with the most bytes. `false`: nothing is retained.
    pub(super) fn evict_of_largest(&mut self) -> bool {
        match self.largest() {
            Some((_, key)) => self.evict_of(key),
            None => false,
        }
    }

    /// Evicts a window's oldest group. `false`: it retains nothing.
    fn evict_of(&mut self, key: WindowKey) -> bool {
        let window = self.windows.get(&key);
        let Some(first) = window.and_then(|window| window.retained.front().copied()) else {
            return false;
        };
        self.evict_group(key, first);
        true
    }

    fn evict_group(&mut self, key: WindowKey, first: u64) {
        let mut next = first;
        // A group is of one window and has no hole: nobody else's numbers are between its own.
        while self.evict(key, next) {
            next += 1;
        }
        self.risen.insert(key);
    }

    /// Evicts a window's oldest event. Returns whether the group goes on.
    ///
    /// INVARIANT(base): what leaves the retained events enters the base in the same step.
    fn evict(&mut self, key: WindowKey, seq: u64) -> bool {
        let Some(kept) = self.events.remove(&seq) else {
            return false;
        };
        let weight = kept.weight();
        self.bytes -= weight;
        self.bases.apply(&kept.event);
        let window = self.windows.entry(key).or_default();
        window.retained.pop_front();
        window.floor = seq;
        let before = window.bytes;
        window.bytes -= weight;
        let now = window.bytes;
        self.weighed(key, before, now);
        self.highest_floor = self.highest_floor.max(seq);
        kept.more
    }

    fn weighed(&mut self, key: WindowKey, before: usize, now: usize) {
        self.by_bytes.remove(&(before, key));
        if now > 0 {
            self.by_bytes.insert((now, key));
        }
    }

    /// The guilds as they are at the head.
    pub(super) fn world(&self) -> World {
        let mut world = self.bases.clone();
        for kept in self.events.values() {
            world.apply(&kept.event);
        }
        world
    }

    pub(super) fn risen_floors(&mut self) -> Vec<Floor> {
        let risen = std::mem::take(&mut self.risen).into_iter();
        let floor = |key: WindowKey| Floor {
            guild_id: key.0,
            window: key.1,
            floor: self.windows.get(&key).map_or(0, |window| window.floor),
        };
        risen.map(floor).collect()
    }

    /// A guild at its floor; `None`: nothing of it was ever kept.
    pub(super) fn journal_base(&self, guild_id: GuildId) -> Option<JournalBase> {
        let window = self.windows.get(&(guild_id, Window::World))?;
        Some(JournalBase {
            guild_id,
            floor: window.floor,
            guild: self.bases.guilds.get(&guild_id).cloned(),
        })
    }

    pub(super) fn join_anew(&self) -> Join {
        Join::Bases {
            bases: self.bases(),
            backlog: self.events.values().map(Arc::clone).collect(),
            head: self.head,
        }
    }

    /// Each guild at its floor.
    fn bases(&self) -> Vec<Base> {
        let worlds = self.windows.iter();
        let worlds = worlds.filter(|((_, window), _)| *window == Window::World);
        let base = |((guild_id, _), window): (&WindowKey, &RetainedWindow)| Base {
            guild_id: *guild_id,
            floor: self.head.at(window.floor),
            guild: self.bases.guilds.get(guild_id).cloned(),
        };
        worlds.map(base).collect()
    }
}
