//! Random histories, compared with a list of the calls.

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
    conformance::property::holds,
    room_store::{KeptRooms, RoomChange, RoomNumber, RoomStore},
};

const HISTORIES: usize = 48;

/// What happens to a store.
#[derive(Clone, Debug)]
enum Step {
    Save(Vec<RoomChange>),
    /// The same, and nobody waits for the answer.
    SaveUnawaited(Vec<RoomChange>),
    Load,
    Reopen,
}

/// Whatever was called and awaited is there. What was not awaited is there whole or not at all, and
/// nothing that was called after it without it.
pub(super) async fn any_history_ends_as_with_a_list<Place>(fresh: impl Fn() -> Place)
where
    Place: AsyncFn() -> Arc<dyn RoomStore>,
{
    let steps = vec(step(), 1..40);
    holds(HISTORIES, &steps, async |steps: Vec<Step>| {
        run(fresh(), steps).await
    })
    .await;
}

fn step() -> impl Strategy<Value = Step> {
    let changes = || vec(change(), 0..4);
    prop_oneof![
        6 => changes().prop_map(Step::Save),
        6 => changes().prop_map(Step::SaveUnawaited),
        1 => Just(Step::Load),
        2 => Just(Step::Reopen),
    ]
}

fn change() -> impl Strategy<Value = RoomChange> {
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

async fn run(place: impl AsyncFn() -> Arc<dyn RoomStore>, steps: Vec<Step>) -> Result<(), String> {
    let mut checked = CheckedStore {
        calls: Vec::new(),
        certain: 0,
    };
    let mut store = place().await;
    for step in steps {
        match step {
            Step::Save(changes) => {
                let answer = store.save(changes.clone()).await;
                answer.map_err(|error| format!("{changes:?}: {error}"))?;
                // In order: what was called before and not awaited is there too.
                checked.calls.push(changes);
                checked.certain = checked.calls.len();
            }
            Step::SaveUnawaited(changes) => {
                drop(store.save(changes.clone()));
                checked.calls.push(changes);
            }
            Step::Load => checked.compare(&*store).await?,
            Step::Reopen => {
                drop(store);
                store = place().await;
                checked.compare(&*store).await?;
            }
        }
    }
    checked.compare(&*store).await
}

struct CheckedStore {
    /// Every call.
    calls: Vec<Vec<RoomChange>>,
    /// So many of them are there.
    certain: usize,
}

impl CheckedStore {
    async fn compare(&mut self, store: &dyn RoomStore) -> Result<(), String> {
        let loaded = store.load(key(1)).await;
        let loaded = loaded.map_err(|error| format!("cannot be read: {error}"))?;
        for there in (self.certain..=self.calls.len()).rev() {
            if replay(&self.calls[..there]) == loaded {
                self.calls.truncate(there);
                self.certain = there;
                return Ok(());
            }
        }
        let expected = replay(&self.calls);
        Err(format!("holds {loaded:#?}\nand should hold {expected:#?}"))
    }
}

fn replay(calls: &[Vec<RoomChange>]) -> KeptRooms {
    let (mut rooms, mut invites, mut habits) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
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
