//! The classes of one guild's viewers: who sees the same rooms is in one, and reads its buffers.
//!
//! A class is a number. What its viewers see may change without anybody leaving it: if a room is
//! made that all of them see, it goes on with that room, and nobody has to join again. Where a
//! change divides a class, the most of its viewers go on with it, and the others join again.

/// Sets of classes.
mod class_set;

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use guildhall_model::{ChannelId, VisibleRooms};

use super::class_buffer::ClassBuffer;
use crate::{replica::BufferBounds, visible::Selector};

use class_set::ClassSet;

/// One class among those of a guild. Of one that is over, the number may be given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ClassId(u32);

/// All of one guild.
#[derive(Debug)]
pub(super) struct Classes {
    /// Of each buffer.
    bounds: BufferBounds,
    slots: Vec<Option<Class>>,
    free: Vec<ClassId>,
    by_rooms: HashMap<VisibleRooms, ClassId>,
    /// The classes that see a room.
    seeing: HashMap<ChannelId, ClassSet>,
}

/// Viewers who see the same rooms, with a buffer for each of their queries.
#[derive(Debug)]
pub(super) struct Class {
    rooms: VisibleRooms,
    /// How many viewers are in it; at least one.
    viewers: usize,
    buffers: Vec<Arc<ClassBuffer>>,
}

impl Class {
    /// What its viewers see.
    pub(super) fn rooms(&self) -> &VisibleRooms {
        &self.rooms
    }

    /// How many viewers are in it.
    pub(super) fn viewers(&self) -> usize {
        self.viewers
    }

    /// What they are shown, for each query.
    pub(super) fn buffers(&self) -> &[Arc<ClassBuffer>] {
        &self.buffers
    }
}

impl Classes {
    /// None as yet.
    pub(super) fn new(bounds: BufferBounds) -> Self {
        Self {
            bounds,
            slots: Vec::new(),
            free: Vec::new(),
            by_rooms: HashMap::new(),
            seeing: HashMap::new(),
        }
    }

    /// All of them are over.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.bounds);
    }

    /// One of them. `None`: it is over.
    pub(super) fn get(&self, id: ClassId) -> Option<&Class> {
        self.slots.get(id.0 as usize)?.as_ref()
    }

    /// One that somebody is in, and that is therefore not over.
    pub(super) fn live(&self, id: ClassId) -> &Class {
        self.get(id)
            .expect("a class is there while somebody is in it")
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ClassId, &Class)> {
        let classes = (0..).zip(&self.slots);
        classes.filter_map(|(number, class)| Some((ClassId(number), class.as_ref()?)))
    }

    /// Those that see a room.
    pub(super) fn seeing(&self, room: ChannelId) -> impl Iterator<Item = (ClassId, &Class)> {
        let ids = self.seeing.get(&room).into_iter().flat_map(ClassSet::iter);
        ids.filter_map(|id| Some((id, self.get(id)?)))
    }

    /// The class of those who see these rooms.
    #[cfg(test)]
    pub(super) fn of(&self, rooms: &VisibleRooms) -> Option<ClassId> {
        self.by_rooms.get(rooms).copied()
    }

    /// A viewer comes into the class of those who see these rooms.
    pub(super) fn enter(&mut self, rooms: &VisibleRooms) -> ClassId {
        if let Some(id) = self.by_rooms.get(rooms).copied()
            && let Some(class) = self.get_mut(id)
        {
            class.viewers += 1;
            return id;
        }
        let class = Class {
            rooms: rooms.clone(),
            viewers: 1,
            buffers: Vec::new(),
        };
        let id = if let Some(id) = self.free.pop() {
            self.slots[id.0 as usize] = Some(class);
            id
        } else {
            self.slots.push(Some(class));
            let last = self.slots.len() - 1;
            ClassId(u32::try_from(last).expect("fewer than 2^32 viewers"))
        };
        self.by_rooms.insert(rooms.clone(), id);
        for room in rooms.ids() {
            self.seeing.entry(*room).or_default().insert(id);
        }
        id
    }

    /// So many viewers go out of a class. With the last of them it is over.
    pub(super) fn leave(&mut self, id: ClassId, viewers: usize) {
        let Some(class) = self.get_mut(id) else {
            return;
        };
        class.viewers = class.viewers.saturating_sub(viewers);
        if class.viewers == 0 {
            self.end(id);
        }
    }

    /// A class goes on with all who are in it, who see these rooms from now on. To be called for
    /// each that changes before any [`Classes::settle`]: until then it is found by nobody who
    /// comes.
    pub(super) fn move_to(&mut self, id: ClassId, rooms: &VisibleRooms) {
        let Some(class) = self.get_mut(id) else {
            return;
        };
        let before = std::mem::replace(&mut class.rooms, rooms.clone());
        if self.by_rooms.get(&before) == Some(&id) {
            self.by_rooms.remove(&before);
        }
        for room in before.difference(rooms) {
            self.unsee(room, id);
        }
        for room in rooms.difference(&before) {
            self.seeing.entry(room).or_default().insert(id);
        }
    }

    /// A class that has moved takes its place. If another sees the same rooms already, that with
    /// fewer viewers is over; it is returned, and its viewers are in no class.
    pub(super) fn settle(&mut self, id: ClassId) -> Option<ClassId> {
        let class = self.get(id)?;
        let viewers = class.viewers;
        let other = match self.by_rooms.entry(class.rooms.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(id);
                return None;
            }
            Entry::Occupied(entry) => *entry.get(),
        };
        if other == id {
            return None;
        }
        let fewer = match self.get(other) {
            Some(other) if other.viewers >= viewers => id,
            _ => other,
        };
        let rooms = self.get(id)?.rooms.clone();
        self.end(fewer);
        let stays = if fewer == id { other } else { id };
        self.by_rooms.insert(rooms, stays);
        Some(fewer)
    }

    /// The buffer of a class for a query. `now`: where the replica stands in the guild's log.
    pub(super) fn buffer(
        &mut self,
        id: ClassId,
        selector: &Selector,
        now: u64,
    ) -> Option<Arc<ClassBuffer>> {
        let bounds = self.bounds;
        let class = self.get_mut(id)?;
        let mut known = class.buffers.iter();
        if let Some(known) = known.find(|buffer| buffer.selector() == selector) {
            return Some(Arc::clone(known));
        }
        let buffer = ClassBuffer::new(selector.clone(), class.rooms.clone(), now, bounds);
        let buffer = Arc::new(buffer);
        class.buffers.push(Arc::clone(&buffer));
        Some(buffer)
    }

    /// Nobody reads a buffer of a class any more.
    pub(super) fn remove_buffer(&mut self, id: ClassId, buffer: &Arc<ClassBuffer>) {
        // The number may be that of another class by now.
        if let Some(class) = self.get_mut(id) {
            class.buffers.retain(|known| !Arc::ptr_eq(known, buffer));
        }
    }

    fn end(&mut self, id: ClassId) {
        let Some(slot) = self.slots.get_mut(id.0 as usize) else {
            return;
        };
        let Some(class) = slot.take() else {
            return;
        };
        self.free.push(id);
        if self.by_rooms.get(&class.rooms) == Some(&id) {
            self.by_rooms.remove(&class.rooms);
        }
        for room in class.rooms.ids() {
            self.unsee(*room, id);
        }
    }

    fn unsee(&mut self, room: ChannelId, id: ClassId) {
        if let Entry::Occupied(mut entry) = self.seeing.entry(room)
            && entry.get_mut().remove(id)
        {
            entry.remove();
        }
    }

    fn get_mut(&mut self, id: ClassId) -> Option<&mut Class> {
        self.slots.get_mut(id.0 as usize)?.as_mut()
    }
}

#[cfg(test)]
mod tests;
