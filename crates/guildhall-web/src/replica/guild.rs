//! One guild of the replica: as it is now, its recent records, and as it was before them.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use guildhall_model::{
    Change, ChannelId, Envelope, Guild, GuildId, LogId, Position, UserId, World,
};

use super::{
    ViewerId,
    bounds::TransitionBounds,
    fragments::RoomFragments,
    record::{GroupSpan, Record},
    transition::{RoomTransitions, RoomsAhead, RoomsToTell, TransitionWindow, Untold},
    window::RecordWindow,
};

/// So many rooms that were deleted are remembered.
const ENDED_ROOMS: usize = 64;

/// A guild with its part of the log.
///
/// Promise: the base with the kept records applied is the guild as it is now, so what anybody saw
/// at any position from the floor on can be computed.
#[derive(Debug)]
pub(crate) struct GuildLog {
    id: GuildId,
    log: LogId,
    /// The guild at the floor of `world`.
    base: World,
    now: World,
    world: RecordWindow,
    transitions: TransitionWindow,
    rooms: RoomFragments,
    /// Rooms that were deleted, the latest last.
    ended: VecDeque<ChannelId>,
}

impl GuildLog {
    /// The guild at its floor, with no record after it yet.
    pub(crate) fn new(
        id: GuildId,
        floor: Position,
        guild: Option<Guild>,
        transitions: TransitionBounds,
    ) -> Self {
        let mut base = World::default();
        base.guilds.extend(guild.map(|guild| (id, guild)));
        Self {
            id,
            log: floor.log,
            now: base.clone(),
            base,
            world: RecordWindow::new(floor.seq),
            transitions: TransitionWindow::new(transitions),
            rooms: RoomFragments::default(),
            ended: VecDeque::new(),
        }
    }

    /// The log that it is in.
    pub(crate) fn log_id(&self) -> LogId {
        self.log
    }

    /// The last evicted position: below it no replay is complete.
    pub(crate) fn floor(&self) -> u64 {
        self.world.floor()
    }

    /// The guild as it is now; `None`: not there yet, or no more.
    pub(crate) fn guild(&self) -> Option<&Guild> {
        self.now.guilds.get(&self.id)
    }

    /// Whether there was such a room not long ago.
    pub(crate) fn has_had(&self, room: ChannelId) -> bool {
        self.ended.contains(&room)
    }

    /// The sequence number of the last record, or the floor.
    pub(crate) fn head(&self) -> u64 {
        self.world.head()
    }

    /// The kept records after a sequence number, oldest first.
    pub(crate) fn records_after(&self, seq: u64) -> impl Iterator<Item = &Arc<Record>> {
        self.world.after(seq)
    }

    /// What the kept records cost in memory, and what open streams are told around them.
    pub(crate) fn cost(&self) -> usize {
        self.world.cost() + self.transitions.cost()
    }

    /// Renders the rooms that the newest record shows or hides, and keeps them for streams that
    /// still have to be told. `None`: it is too much, so they need the guild again.
    pub(crate) fn keep_transitions(
        &mut self,
        record: &Record,
        tell: &RoomsToTell,
        ahead: &RoomsAhead,
    ) -> Option<Arc<RoomTransitions>> {
        let now = self.now.guilds.get(&self.id)?;
        let rendered = self
            .transitions
            .render(record, tell, ahead, now, &self.rooms);
        let rendered = rendered.map(Arc::new);
        self.transitions.push(record, rendered.clone());
        rendered
    }

    /// The rooms that the record at a position showed or hid. `Err`, too, where there were none.
    pub(crate) fn transitions_at(&self, seq: u64) -> Result<&RoomTransitions, Untold> {
        self.transitions.at(seq).map(|kept| &**kept)
    }

    /// Appends an event of a group and returns its record.
    pub(crate) fn append(&mut self, envelope: Envelope, group: GroupSpan) -> Arc<Record> {
        let record = Arc::new(Record::new(envelope, group, self.guild()));
        self.rooms
            .forget(&record.event.change, self.now.guilds.get(&self.id));
        self.now.apply(&record.event);
        if let Change::RoomDeleted { channel_id } = record.event.change {
            self.ended.push_back(channel_id);
            if self.ended.len() > ENDED_ROOMS {
                self.ended.pop_front();
            }
        }
        self.world.push(Arc::clone(&record));
        record
    }

    /// Lets the oldest group of records go; the base moves past it, so the floor is never inside
    /// one. Returns what that freed.
    pub(crate) fn evict_group(&mut self) -> usize {
        let before = self.cost();
        while let Some(record) = self.world.pop() {
            self.base.apply(&record.event);
            if record.ends_group() {
                break;
            }
        }
        self.transitions.trim(self.floor());
        before - self.cost()
    }

    /// Lets go what is needed least: what streams that are behind would be told of changed rights,
    /// then the oldest group of records. Returns what that freed.
    pub(crate) fn evict_some(&mut self) -> usize {
        let before = self.cost();
        if self.transitions.pop() {
            before - self.cost()
        } else {
            self.evict_group()
        }
    }

    /// How many records are kept.
    pub(crate) fn len(&self) -> usize {
        self.world.len()
    }

    /// The guild at its floor with nobody in it but one viewer: all it takes to compute what
    /// the viewer saw. To be moved on by [`World::apply`].
    pub(crate) fn base_for(&self, viewer: ViewerId) -> World {
        let only = |guild: &Guild| Guild {
            info: guild.info.clone(),
            available: guild.available,
            owner_id: guild.owner_id,
            roles: guild.roles.clone(),
            categories: std::collections::BTreeMap::default(),
            rooms: guild.rooms.clone(),
            voice: one(&guild.voice, viewer),
            pending_voice: std::collections::BTreeMap::default(),
            memberships: one(&guild.memberships, viewer),
        };
        let base = self
            .base
            .guilds
            .iter()
            .map(|(id, guild)| (*id, only(guild)));
        World {
            guilds: base.collect(),
        }
    }

    /// A room with its people as JSON, serialised once for each of its versions.
    pub(crate) fn room_fragment(&self, channel: ChannelId) -> Option<Bytes> {
        self.rooms.get(self.guild()?, channel)
    }
}

fn one<T: Clone>(
    of: &std::collections::BTreeMap<UserId, T>,
    viewer: ViewerId,
) -> std::collections::BTreeMap<UserId, T> {
    viewer
        .person()
        .and_then(|user| Some((user, of.get(&user)?.clone())))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests;
