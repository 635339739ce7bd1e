//! Random histories.

use std::{collections::BTreeMap, sync::Arc};

use guildhall_model::{ChannelId, UserId};
use proptest::{
    collection::vec,
    prelude::{Just, prop_oneof},
    strategy::Strategy,
};

use super::{
    NOTHING,
    sample::{habit, invite, key, room},
};
use crate::{
    conformance::history::{self, StoreCall},
    journal::JournalFuture,
    room_store::{KeptRooms, RoomChange, RoomNumber, RoomStore},
};

/// See [`history::any_history_ends_as_with_a_list`].
pub(super) async fn any_history_ends_as_with_a_list<Place>(fresh: impl Fn() -> Place)
where
    Place: AsyncFn() -> Arc<dyn RoomStore>,
{
    history::any_history_ends_as_with_a_list(fresh, vec(change(), 0..4)).await;
}

fn change() -> impl Strategy<Value = RoomChange> + Clone {
    let number = || prop_oneof![8 => 1..=5_u64, 1 => Just(u64::MAX)];
    prop_oneof![
        4 => (number(), 0..4_u64).prop_map(|(number, phase)| RoomChange::Room(room(number, phase))),
        2 => number().prop_map(|number| RoomChange::RoomGone(RoomNumber(number))),
        4 => (0..6_u8, number(), 0..4_u64)
            .prop_map(|(id, room, taken)| RoomChange::Invite(invite(id, room, taken))),
        1 => (0..6_u8).prop_map(|id| RoomChange::InviteGone(invite(id, 1, 0).id)),
        2 => (0..3_u64, 0..3_u64, 0..7_usize)
            .prop_map(|(lobby, user, text)| RoomChange::Habit(habit(lobby, user, text))),
        1 => (0..3_u64, 0..3_u64).prop_map(|(lobby, user)| RoomChange::HabitGone {
            lobby: ChannelId(lobby),
            user_id: UserId(user),
        }),
    ]
}

impl StoreCall for Vec<RoomChange> {
    type Store = dyn RoomStore;
    type Kept = KeptRooms;

    fn on(&self, store: &dyn RoomStore) -> JournalFuture<()> {
        store.save(self.clone())
    }

    fn load(store: &dyn RoomStore) -> JournalFuture<KeptRooms> {
        store.load(key(1))
    }

    fn replay(calls: &[Self]) -> KeptRooms {
        let (mut rooms, mut invites, mut habits) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut last_number = NOTHING;
        for change in calls.iter().flatten().cloned() {
            match change {
                RoomChange::Room(room) => {
                    last_number = last_number.max(room.number);
                    rooms.insert(room.number, room);
                }
                RoomChange::RoomGone(number) => {
                    rooms.remove(&number);
                    invites.retain(|_, (room, _)| *room != number);
                }
                RoomChange::Invite(invite) => {
                    invites.insert(invite.id, (invite.room, invite));
                }
                RoomChange::InviteGone(id) => drop(invites.remove(&id)),
                RoomChange::Habit(habit) => {
                    habits.insert((habit.lobby, habit.user_id), habit);
                }
                RoomChange::HabitGone { lobby, user_id } => drop(habits.remove(&(lobby, user_id))),
            }
        }
        KeptRooms {
            signing_key: key(1),
            last_number,
            rooms: rooms.into_values().collect(),
            invites: invites.into_values().map(|(_, invite)| invite).collect(),
            habits: habits.into_values().collect(),
        }
    }
}
