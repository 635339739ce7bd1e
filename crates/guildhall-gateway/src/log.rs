//! The log in memory.
//!
//! One writer appends, any number of readers follow at their own pace. Retention is per guild, so
//! that a busy guild neither wakes nor evicts others: each guild has a *floor*, the number of its
//! last evicted event, and a *base*, its world at that floor. A base with the retained events
//! after it is the guild as it is at the head. Groups ([`Envelope::more`]) are evicted whole, so a
//! base is a world that there was.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, VecDeque},
    io,
    ops::Bound,
    sync::Arc,
};

use guildhall_link::frame::Base;
use guildhall_model::{Envelope, Event, GuildId, Position, World};
use guildhall_ports::journal::JournalBase;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

/// A handle on the log. Sections under its lock are short and never await.
#[derive(Clone, Debug)]
pub(crate) struct Log(Arc<Mutex<Inner>>);

/// How much is retained.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retention {
    /// Events per guild.
    pub records_per_guild: usize,
    /// All events of the log together, measured as their JSON on the link. Evicted events of half
    /// as many bytes may still be in the journal.
    pub bytes: usize,
    /// Evicted events that the journal may still have: more only in proportion to those kept.
    pub evicted_in_journal: usize,
}

/// Where a reader goes on from.
#[derive(Debug)]
pub(crate) enum Join {
    /// Its position is usable: [`Log::read`] goes on after it.
    After(Position),
    /// Its position is beyond the head of the same epoch. No such position was ever given, unless
    /// this log was rolled back to an older copy.
    Beyond(Position),
    /// It has to begin from the bases.
    Bases {
        /// Every guild the log has ever kept something of, at its own floor.
        bases: Vec<Base>,
        /// Every retained event, in log order. Numbers ascend, with holes where events below a
        /// guild's floor were evicted: those are in its base already.
        backlog: Vec<Arc<Envelope>>,
        /// Where that leads; [`Log::read`] goes on after it.
        head: Position,
    },
}

/// The writer was not at the head: somebody else wrote, or an answer came twice. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log's head is {head}, not where the writer stood")]
pub(crate) struct Fenced {
    /// The log's head.
    pub head: Position,
}

/// The position is of another epoch of the log, or some guild's floor is above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log no longer goes back that far")]
pub(crate) struct Expired;

impl Log {
    /// An empty log at the start of an epoch.
    pub(crate) fn new(start: Position, retention: Retention) -> Self {
        Self::restored(start, Vec::new(), Vec::new(), retention)
    }

    /// A log as it was kept: each guild at its floor, and all events after the floors, ascending.
    /// What the retention has no room for goes into the bases.
    pub(crate) fn restored(
        head: Position,
        bases: Vec<JournalBase>,
        events: Vec<Envelope>,
        retention: Retention,
    ) -> Self {
        let mut inner = Inner {
            head: watch::Sender::new(head),
            retention,
            events: BTreeMap::new(),
            bytes: 0,
            guilds: BTreeMap::new(),
            bases: World::default(),
            highest_floor: 0,
            evicted: Amount::default(),
        };
        for base in bases {
            let index = inner.guilds.entry(base.guild_id).or_default();
            index.floor = base.floor;
            inner.highest_floor = inner.highest_floor.max(base.floor);
            if let Some(guild) = base.guild {
                inner.bases.guilds.insert(base.guild_id, guild);
            }
        }
        for event in events {
            inner.push(Arc::new(event));
        }
        Self(Arc::new(Mutex::new(inner)))
    }

    /// The last position; before the first event, the start of the epoch.
    pub(crate) fn head(&self) -> Position {
        self.lock().head()
    }

    /// Marks a change after each append. Read the log from your own position then: marks of
    /// several appends may be one.
    pub(crate) fn follow(&self) -> watch::Receiver<Position> {
        self.lock().head.subscribe()
    }

    /// Appends in order, if the events follow the head without a hole. All or nothing; readers
    /// see all of it at once.
    pub(crate) fn append(&self, events: Vec<Arc<Envelope>>) -> Result<(), Fenced> {
        let mut inner = self.lock();
        let before = inner.head();
        let mut head = before;
        for event in &events {
            head = head.at(head.seq + 1);
            if event.at != head {
                return Err(Fenced { head: before });
            }
        }
        if head != before {
            for event in events {
                inner.push(event);
            }
            inner.head.send_replace(head);
        }
        Ok(())
    }

    /// The guilds as they are at the head: each base with the events after it.
    pub(crate) fn world(&self) -> World {
        let inner = self.lock();
        let mut world = inner.bases.clone();
        for kept in inner.events.values() {
            world.apply(&kept.envelope.event);
        }
        world
    }

    /// Bases that the journal is to have, if it keeps too much of what was evicted here: those of
    /// the guilds it keeps most of, until it keeps half of what it may. Each is answered once.
    pub(crate) fn compact(&self) -> Vec<JournalBase> {
        let evicted = self.lock().retention.evicted_in_journal;
        self.compact_beyond(evicted)
    }

    fn compact_beyond(&self, evicted: usize) -> Vec<JournalBase> {
        let mut inner = self.lock();
        let most = Amount {
            events: evicted.max(inner.events.len() / 2),
            bytes: inner.retention.bytes / 2,
        };
        if inner.evicted.is_within(most) {
            return Vec::new();
        }
        let half = Amount {
            events: most.events / 2,
            bytes: most.bytes / 2,
        };
        let mut bases = Vec::new();
        // Guilds with the most of what is too much first: as few bases as will do.
        let too_many = inner.evicted.events > most.events;
        let much = |amount: Amount| {
            if too_many {
                amount.events
            } else {
                amount.bytes
            }
        };
        let evicted = inner.guilds.iter().map(|(id, index)| (index.evicted, *id));
        let mut evicted: Vec<(Amount, GuildId)> =
            evicted.filter(|(amount, _)| amount.events > 0).collect();
        evicted.sort_unstable_by_key(|(amount, _)| Reverse(much(*amount)));
        for (amount, guild_id) in evicted {
            if inner.evicted.is_within(half) {
                break;
            }
            inner.evicted.take(amount);
            bases.extend(inner.journal_base(guild_id));
        }
        bases
    }

    /// Decides how a reader begins, and if from the bases, takes all it needs under one lock.
    pub(crate) fn join(&self, after: Option<Position>) -> Join {
        let inner = self.lock();
        match after {
            Some(after) if inner.goes_back_to(after) => Join::After(after),
            Some(after) if inner.is_behind(after) => Join::Beyond(after),
            _ => Join::Bases {
                bases: inner.bases(),
                backlog: inner
                    .events
                    .values()
                    .map(|kept| Arc::clone(&kept.envelope))
                    .collect(),
                head: inner.head(),
            },
        }
    }

    /// At most `most` events after a position, in log order and without a gap. Empty: `after` is
    /// the head.
    pub(crate) fn read(&self, after: Position, most: usize) -> Result<Vec<Arc<Envelope>>, Expired> {
        let inner = self.lock();
        if !inner.goes_back_to(after) {
            return Err(Expired);
        }
        let later = (Bound::Excluded(after.seq), Bound::Unbounded);
        let later = inner.events.range(later).take(most);
        Ok(later.map(|(_, kept)| Arc::clone(&kept.envelope)).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under the lock can leave it half done but a panic in the allocator.
        self.0.lock()
    }
}

#[derive(Debug)]
struct Inner {
    head: watch::Sender<Position>,
    retention: Retention,
    /// Retained events by number.
    events: BTreeMap<u64, Kept>,
    /// Of all of them.
    bytes: usize,
    guilds: BTreeMap<GuildId, GuildIndex>,
    /// Each guild at its own floor.
    bases: World,
    /// No position below this is usable: a reader here follows every guild.
    highest_floor: u64,
    /// Evicted since their guilds' bases were last given to the journal.
    evicted: Amount,
}

/// Events, by their number and their bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Amount {
    events: usize,
    bytes: usize,
}

impl Amount {
    fn is_within(self, most: Self) -> bool {
        self.events <= most.events && self.bytes <= most.bytes
    }

    fn add(&mut self, bytes: usize) {
        self.events += 1;
        self.bytes += bytes;
    }

    fn take(&mut self, other: Self) {
        self.events -= other.events;
        self.bytes -= other.bytes;
    }
}

#[derive(Debug)]
struct Kept {
    envelope: Arc<Envelope>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct GuildIndex {
    /// Numbers of its retained events, ascending.
    retained: VecDeque<u64>,
    /// Number of its last evicted event; 0: none was.
    floor: u64,
    /// Evicted since its base was last given to the journal.
    evicted: Amount,
}

impl Inner {
    fn head(&self) -> Position {
        *self.head.borrow()
    }

    fn goes_back_to(&self, after: Position) -> bool {
        let head = self.head();
        after.comparable(head) && (self.highest_floor..=head.seq).contains(&after.seq)
    }

    fn is_behind(&self, position: Position) -> bool {
        let head = self.head();
        position.comparable(head) && position.seq > head.seq
    }

    fn push(&mut self, envelope: Arc<Envelope>) {
        let guild_id = envelope.event.guild_id;
        let (seq, more) = (envelope.at.seq, envelope.more);
        let bytes = weight(&envelope.event);
        self.bytes += bytes;
        self.events.insert(seq, Kept { envelope, bytes });
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
        self.bytes -= kept.bytes;
        let event = &kept.envelope.event;
        self.bases.apply(event);
        let index = self.guilds.entry(event.guild_id).or_default();
        // Both evictions take the guild's oldest: either it was asked for, or it is the oldest
        // of all.
        index.retained.pop_front();
        index.floor = seq;
        index.evicted.add(kept.bytes);
        self.evicted.add(kept.bytes);
        self.highest_floor = self.highest_floor.max(seq);
        kept.envelope.more
    }

    fn journal_base(&mut self, guild_id: GuildId) -> Option<JournalBase> {
        let index = self.guilds.get_mut(&guild_id)?;
        index.evicted = Amount::default();
        Some(JournalBase {
            guild_id,
            floor: index.floor,
            guild: self.bases.guilds.get(&guild_id).cloned(),
        })
    }

    fn bases(&self) -> Vec<Base> {
        let head = self.head();
        let base = |(guild_id, index): (&GuildId, &GuildIndex)| Base {
            guild_id: *guild_id,
            floor: head.at(index.floor),
            guild: self.bases.guilds.get(guild_id).cloned(),
        };
        self.guilds.iter().map(base).collect()
    }
}

/// The length of the event's JSON: near enough to what it costs here and on the link.
fn weight(event: &Event) -> usize {
    struct Length(usize);
    impl io::Write for Length {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut length = Length(0);
    // Writing to a counter can't fail; were it so, the fixed part alone would count.
    let _infallible = serde_json::to_writer(&mut length, event);
    size_of::<Envelope>() + length.0
}

#[cfg(test)]
pub(crate) mod tests;
