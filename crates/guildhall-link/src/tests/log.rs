//! A naive log of the gateway's.

use super::*;

/// A log with bases and floors, and the world at the end of every group there ever was.
pub(super) struct Log {
    pub(super) head: Position,
    pub(super) kept: Vec<Arc<SealedEvent>>,
    pub(super) floors: BTreeMap<GuildId, u64>,
    pub(super) bases: World,
    pub(super) world: World,
    pub(super) history: BTreeMap<Position, World>,
}

impl Log {
    pub(super) fn new(log: LogId, epoch: u64) -> Self {
        let head = Position::start(log, epoch);
        Self {
            head,
            kept: Vec::new(),
            floors: BTreeMap::new(),
            bases: World::default(),
            world: World::default(),
            history: BTreeMap::from([(head, World::default())]),
        }
    }

    pub(super) fn restart(&mut self) {
        let history = std::mem::take(&mut self.history);
        *self = Self::new(self.head.log, self.head.epoch + 1);
        self.history.extend(history);
    }

    pub(super) fn append(&mut self, group: Vec<Event>) {
        let guild_id = group[0].guild_id;
        self.floors.entry(guild_id).or_insert(0);
        let length = group.len();
        for (index, event) in group.into_iter().enumerate() {
            self.head = self.head.at(self.head.seq + 1);
            self.world.apply(&event);
            self.kept.push(Arc::new(SealedEvent::new(Envelope {
                at: self.head,
                more: index + 1 < length,
                event,
            })));
        }
        self.history.insert(self.head, self.world.clone());
        let of_guild = |kept: &&Arc<SealedEvent>| kept.event.guild_id == guild_id;
        while self.kept.iter().filter(of_guild).count() > WINDOW {
            self.evict_group(guild_id);
        }
    }

    pub(super) fn evict_group(&mut self, guild_id: GuildId) {
        let of_guild = |kept: &Arc<SealedEvent>| kept.event.guild_id == guild_id;
        while let Some(oldest) = self.kept.iter().position(of_guild) {
            let evicted = self.kept.remove(oldest);
            self.bases.apply(&evicted.event);
            self.floors.insert(guild_id, evicted.at.seq);
            if !evicted.more {
                return;
            }
        }
    }

    pub(super) fn join(&self, after: Option<Position>) -> sender::Input {
        match after {
            Some(after) if self.goes_back_to(after) => sender::Input::JoinedAfter {
                after,
                head: self.head,
            },
            _ => sender::Input::JoinedBases {
                bases: self
                    .floors
                    .iter()
                    .map(|(id, floor)| self.base(*id, *floor))
                    .collect(),
                backlog: self.kept.clone(),
                head: self.head,
            },
        }
    }

    pub(super) fn read(&self, after: Position) -> sender::Input {
        if !self.goes_back_to(after) {
            return sender::Input::LogExpired;
        }
        let later = self.kept.iter().filter(|kept| kept.at.seq > after.seq);
        sender::Input::EventsRead {
            log: self.head.log,
            events: later.take(3).cloned().collect(),
        }
    }

    pub(super) fn goes_back_to(&self, after: Position) -> bool {
        let floor = self.floors.values().max().copied().unwrap_or(0);
        after.comparable(self.head) && (floor..=self.head.seq).contains(&after.seq)
    }

    pub(super) fn base(&self, guild_id: GuildId, floor: u64) -> Base {
        Base {
            guild_id,
            floor: self.head.at(floor),
            guild: self.bases.guilds.get(&guild_id).cloned(),
        }
    }

    pub(super) fn world_at(&self, at: Position) -> &World {
        self.history.get(&at).expect("the end of a group")
    }
}
