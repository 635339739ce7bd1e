//! The suite of [`RoomStore`]: every promise that one process can see.

/// Random histories, compared with a list of the calls.
mod random;
/// What is kept: rooms in every phase, invites and habits.
mod sample;

use std::sync::Arc;

use guildhall_model::{ChannelId, UserId};

use crate::room_store::{
    InviteRecord, KeptRooms, LobbyHabit, RoomChange, RoomNumber, RoomRecord, RoomStore,
};

use sample::{habit, habits, invite, key, room, rooms};

/// The number of the last room where there was none.
const NOTHING: RoomNumber = RoomNumber(0);

/// Every promise of [`RoomStore`] that one process can see.
///
/// `fresh` makes a place where nothing is kept yet; calling the place opens the store there. The
/// suite drops all handles on it before it opens it again.
pub async fn room_store<Place>(fresh: impl Fn() -> Place)
where
    Place: AsyncFn() -> Arc<dyn RoomStore>,
{
    Box::pin(nothing_is_there_that_was_not_saved(fresh())).await;
    Box::pin(the_first_key_is_the_one_of_every_load(fresh())).await;
    Box::pin(everything_is_read_back_as_it_was_saved(fresh())).await;
    Box::pin(what_is_saved_takes_the_place_of_what_was(fresh())).await;
    Box::pin(what_is_gone_is_gone_and_nothing_else(fresh())).await;
    Box::pin(the_invites_of_a_room_go_with_it(fresh())).await;
    Box::pin(the_last_number_never_falls(fresh())).await;
    Box::pin(calls_take_effect_in_their_order_awaited_or_not(fresh())).await;
    Box::pin(random::any_history_ends_as_with_a_list(fresh)).await;
}

async fn nothing_is_there_that_was_not_saved(place: impl AsyncFn() -> Arc<dyn RoomStore>) {
    let store = place().await;
    save(&store, Vec::new()).await;
    let nothing = vec![
        RoomChange::RoomGone(RoomNumber(7)),
        RoomChange::InviteGone(invite(1, 1, 0).id),
        RoomChange::HabitGone {
            lobby: ChannelId(1),
            user_id: UserId(u64::MAX),
        },
    ];
    save(&store, nothing).await;
    assert_eq!(load(&store).await, empty());
    drop(store);
    assert_eq!(load(&place().await).await, empty());
}

async fn the_first_key_is_the_one_of_every_load(place: impl AsyncFn() -> Arc<dyn RoomStore>) {
    let store = place().await;
    for fresh in [1, 2] {
        let kept = store.load(key(fresh)).await.expect("is read");
        assert_eq!(kept.signing_key, key(1));
    }
    save(&store, vec![RoomChange::Room(room(1, 0))]).await;
    drop(store);
    let kept = place().await.load(key(3)).await.expect("is read");
    assert_eq!(kept.signing_key, key(1));
    assert_eq!(kept.rooms, [room(1, 0)]);

    // Dropped before it was answered: a key is kept or none, and what is answered stays.
    let store = place().await;
    drop(store.load(key(4)));
    drop(store);
    let kept = place().await.load(key(5)).await.expect("is read");
    assert_eq!(kept.signing_key, key(1));
}

async fn everything_is_read_back_as_it_was_saved(place: impl AsyncFn() -> Arc<dyn RoomStore>) {
    let store = place().await;
    let mut expected = KeptRooms {
        last_number: RoomNumber(u64::MAX),
        rooms: rooms(),
        invites: (0..=u8::MAX)
            .map(|id| invite(id, u64::from(id) + 4, u64::from(id) % 5))
            .collect(),
        habits: habits(),
        ..empty()
    };
    // SQLite's numbers have a sign, and these have none.
    expected.rooms.push(room((1 << 63) - 1, 1));
    expected.rooms.push(room(1 << 63, 1));
    expected.rooms.push(room(u64::MAX, 1));
    let rooms = expected.rooms.iter().rev().cloned().map(RoomChange::Room);
    save(&store, rooms.collect()).await;
    let invites = expected.invites.iter().rev().cloned();
    save(&store, invites.map(RoomChange::Invite).collect()).await;
    let habits = expected.habits.iter().rev().cloned();
    save(&store, habits.map(RoomChange::Habit).collect()).await;
    assert_eq!(load(&store).await, expected);
    drop(store);
    assert_eq!(load(&place().await).await, expected);
}

async fn what_is_saved_takes_the_place_of_what_was(place: impl AsyncFn() -> Arc<dyn RoomStore>) {
    let mut store = place().await;
    let other = (room(2, 1), invite(2, 2, 1), habit(1, 2, 1));
    save(&store, everything(&other)).await;
    for step in 0..5 {
        let now = (
            room(1, step),
            invite(1, 1, step),
            habit(1, 1, usize::try_from(step).expect("is small")),
        );
        save(&store, everything(&now)).await;
        // As it is, once more.
        save(&store, everything(&now)).await;
        let expected = KeptRooms {
            last_number: RoomNumber(2),
            rooms: vec![now.0, other.0.clone()],
            invites: vec![now.1, other.1.clone()],
            habits: vec![now.2, other.2.clone()],
            ..empty()
        };
        assert_eq!(load(&store).await, expected);
        drop(store);
        store = place().await;
        assert_eq!(load(&store).await, expected);
    }
    // Within one call the last word counts.
    let twice = vec![
        RoomChange::Room(room(1, 0)),
        RoomChange::Room(room(1, 1)),
        RoomChange::RoomGone(RoomNumber(2)),
        RoomChange::Room(room(2, 3)),
    ];
    save(&store, twice).await;
    assert_eq!(load(&store).await.rooms, [room(1, 1), room(2, 3)]);
}

async fn what_is_gone_is_gone_and_nothing_else(place: impl AsyncFn() -> Arc<dyn RoomStore>) {
    let store = place().await;
    for number in 1..=3 {
        let id = u8::try_from(number).expect("is small");
        let all = (room(number, 1), invite(id, 3, 1), habit(1, number, 1));
        save(&store, everything(&all)).await;
    }
    let gone = vec![
        RoomChange::RoomGone(RoomNumber(2)),
        RoomChange::RoomGone(RoomNumber(2)),
        RoomChange::InviteGone(invite(2, 3, 1).id),
        RoomChange::HabitGone {
            lobby: ChannelId(1),
            user_id: UserId(2),
        },
        RoomChange::HabitGone {
            lobby: ChannelId(2),
            user_id: UserId(1),
        },
    ];
    save(&store, gone).await;
    let expected = KeptRooms {
        last_number: RoomNumber(3),
        rooms: vec![room(1, 1), room(3, 1)],
        invites: vec![invite(1, 3, 1), invite(3, 3, 1)],
        habits: vec![habit(1, 1, 1), habit(1, 3, 1)],
        ..empty()
    };
    assert_eq!(load(&store).await, expected);
    drop(store);
    assert_eq!(load(&place().await).await, expected);
}

async fn the_invites_of_a_room_go_with_it(place: impl AsyncFn() -> Arc<dyn RoomStore>) {
    let store = place().await;
    let mut all: Vec<RoomChange> = (1..=2)
        .map(|number| RoomChange::Room(room(number, 1)))
        .collect();
    all.extend((0..6).map(|id| RoomChange::Invite(invite(id, 1 + u64::from(id % 2), 2))));
    save(&store, all).await;
    save(&store, vec![RoomChange::RoomGone(RoomNumber(1))]).await;
    let expected = KeptRooms {
        last_number: RoomNumber(2),
        rooms: vec![room(2, 1)],
        invites: [1, 3, 5].map(|id| invite(id, 2, 2)).to_vec(),
        ..empty()
    };
    assert_eq!(load(&store).await, expected);
    drop(store);
    assert_eq!(load(&place().await).await, expected);
}

async fn the_last_number_never_falls(place: impl AsyncFn() -> Arc<dyn RoomStore>) {
    let store = place().await;
    save(&store, vec![RoomChange::Room(room(9, 1))]).await;
    save(&store, vec![RoomChange::Room(room(4, 1))]).await;
    save(&store, vec![RoomChange::RoomGone(RoomNumber(9))]).await;
    assert_eq!(load(&store).await.last_number, RoomNumber(9));
    save(&store, vec![RoomChange::RoomGone(RoomNumber(4))]).await;
    drop(store);
    let kept = load(&place().await).await;
    assert_eq!((kept.last_number, kept.rooms), (RoomNumber(9), Vec::new()));
}

/// Whoever waits for the last has all of them, and so does whoever opens it next.
async fn calls_take_effect_in_their_order_awaited_or_not(
    place: impl AsyncFn() -> Arc<dyn RoomStore>,
) {
    let store = place().await;
    let before = store.load(key(1));
    drop(store.save(vec![
        RoomChange::Room(room(1, 0)),
        RoomChange::Room(room(2, 0)),
    ]));
    drop(store.save(vec![RoomChange::RoomGone(RoomNumber(1))]));
    let between = store.load(key(2));
    drop(store.save(vec![RoomChange::Room(room(2, 1))]));
    drop(store.save(vec![RoomChange::Invite(invite(1, 2, 0))]));
    save(&store, vec![RoomChange::Invite(invite(1, 2, 1))]).await;
    assert_eq!(between.await.expect("is read").rooms, [room(2, 0)]);
    assert_eq!(before.await, Ok(empty()));
    drop(store);
    let kept = load(&place().await).await;
    assert_eq!(kept.rooms, [room(2, 1)]);
    assert_eq!(kept.invites, [invite(1, 2, 1)]);
}

fn everything((room, invite, habit): &(RoomRecord, InviteRecord, LobbyHabit)) -> Vec<RoomChange> {
    vec![
        RoomChange::Room(room.clone()),
        RoomChange::Invite(invite.clone()),
        RoomChange::Habit(habit.clone()),
    ]
}

fn empty() -> KeptRooms {
    KeptRooms {
        signing_key: key(1),
        last_number: NOTHING,
        rooms: Vec::new(),
        invites: Vec::new(),
        habits: Vec::new(),
    }
}

async fn load(store: &Arc<dyn RoomStore>) -> KeptRooms {
    store.load(key(1)).await.expect("is read")
}

async fn save(store: &Arc<dyn RoomStore>, changes: Vec<RoomChange>) {
    assert_eq!(store.save(changes).await, Ok(()));
}
