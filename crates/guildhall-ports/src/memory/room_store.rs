//! Rooms in memory, for as long as handles on them live.

use std::{collections::BTreeMap, future::ready, sync::Arc};

use guildhall_model::{ChannelId, UserId};
use parking_lot::Mutex;

use crate::{
    journal::JournalFuture,
    room_store::{
        InviteId, InviteRecord, KeptRooms, LobbyHabit, RoomChange, RoomNumber, RoomRecord,
        RoomStore, SigningKey,
    },
};

/// Rooms in memory: the reference of the port. Clones are handles on the same ones, so what was
/// saved outlives the gateway that saved it.
#[derive(Clone, Debug, Default)]
pub struct MemoryRoomStore(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    signing_key: Option<SigningKey>,
    last_number: RoomNumber,
    rooms: BTreeMap<RoomNumber, RoomRecord>,
    invites: BTreeMap<InviteId, InviteRecord>,
    habits: BTreeMap<(ChannelId, UserId), LobbyHabit>,
}

impl RoomStore for MemoryRoomStore {
    fn load(&self, fresh_key: SigningKey) -> JournalFuture<KeptRooms> {
        let kept = self.0.lock().load(fresh_key);
        Box::pin(ready(Ok(kept)))
    }

    fn save(&self, changes: Vec<RoomChange>) -> JournalFuture<()> {
        let mut rooms = self.0.lock();
        for change in changes {
            rooms.take(change);
        }
        Box::pin(ready(Ok(())))
    }
}

impl Kept {
    fn load(&mut self, fresh_key: SigningKey) -> KeptRooms {
        KeptRooms {
            signing_key: self.signing_key.get_or_insert(fresh_key).clone(),
            last_number: self.last_number,
            rooms: self.rooms.values().cloned().collect(),
            invites: self.invites.values().cloned().collect(),
            habits: self.habits.values().cloned().collect(),
        }
    }

    fn take(&mut self, change: RoomChange) {
        match change {
            RoomChange::Room(room) => {
                self.last_number = self.last_number.max(room.number);
                self.rooms.insert(room.number, room);
            }
            RoomChange::RoomGone(number) => {
                self.rooms.remove(&number);
                self.invites.retain(|_, invite| invite.room != number);
            }
            RoomChange::Invite(invite) => drop(self.invites.insert(invite.id, invite)),
            RoomChange::InviteGone(id) => drop(self.invites.remove(&id)),
            RoomChange::Habit(habit) => {
                self.habits.insert((habit.lobby, habit.user_id), habit);
            }
            RoomChange::HabitGone { lobby, user_id } => {
                self.habits.remove(&(lobby, user_id));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn the_reference_keeps_the_promises() {
        conformance::room_store(|| {
            let kept = MemoryRoomStore::default();
            async move || Arc::new(kept.clone()) as Arc<dyn RoomStore>
        })
        .await;
    }
}
