//! The rooms of a guild that somebody sees: the key of their class.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use crate::ChannelId;

/// The rooms of a guild that a viewer sees, at one position of the log. Viewers who see the same are
/// one *class*, whatever makes them see it; equal values are that, and cost nothing to compare,
/// hash and copy.
#[derive(Clone)]
pub struct VisibleRooms {
    /// Of all of them, whatever their order: it follows each change of the set.
    hash: u64,
    /// Ascending.
    rooms: Arc<[ChannelId]>,
}

impl VisibleRooms {
    /// These, in ascending order.
    #[must_use]
    pub fn of(rooms: impl Iterator<Item = ChannelId>) -> Self {
        let rooms: Arc<[ChannelId]> = rooms.collect();
        debug_assert!(rooms.is_sorted_by(|a, b| a < b), "{rooms:?} ascend");
        let hash = rooms.iter().fold(0, |hash, room| hash ^ spread(*room));
        Self { hash, rooms }
    }

    /// Whether a room is among them.
    #[must_use]
    pub fn contains(&self, room: ChannelId) -> bool {
        self.rooms.binary_search(&room).is_ok()
    }

    /// Their ids, ascending.
    #[must_use]
    pub fn ids(&self) -> &[ChannelId] {
        &self.rooms
    }

    /// Those of these that are not in `other`.
    pub fn difference<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = ChannelId> + 'a {
        // Both ascend.
        let mut others = other.rooms.iter().copied().peekable();
        let missing = move |room: &ChannelId| {
            while others.next_if(|other| other < room).is_some() {}
            others.peek() != Some(room)
        };
        self.rooms.iter().copied().filter(missing)
    }

    /// The same with a room or without it.
    #[must_use]
    pub fn with(&self, room: ChannelId, seen: bool) -> Self {
        let found = self.rooms.binary_search(&room);
        let (before, after) = match found {
            Ok(_) if seen => return self.clone(),
            Err(_) if !seen => return self.clone(),
            Ok(at) => (&self.rooms[..at], &self.rooms[at + 1..]),
            Err(at) => self.rooms.split_at(at),
        };
        let new = seen.then_some(room);
        let rooms = before.iter().copied().chain(new);
        Self {
            hash: self.hash ^ spread(room),
            rooms: rooms.chain(after.iter().copied()).collect(),
        }
    }
}

/// A number whose bits are mixed (the finaliser of MurmurHash3), so that sets of neighbouring ids
/// differ.
fn spread(room: ChannelId) -> u64 {
    let mut bits = room.0;
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    bits ^ (bits >> 33)
}

impl PartialEq for VisibleRooms {
    fn eq(&self, other: &Self) -> bool {
        let same = || Arc::ptr_eq(&self.rooms, &other.rooms);
        self.hash == other.hash && (same() || self.rooms == other.rooms)
    }
}

impl Eq for VisibleRooms {}

impl Hash for VisibleRooms {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl fmt::Debug for VisibleRooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(&*self.rooms).finish()
    }
}
