//! The suite of [`EventStore`].

use std::sync::Arc;

use guildhall_model::{Change, ChannelId, Envelope, Event, GuildId, LogId, Position, SealedEvent};

use crate::event_store::{EventStore, StorePosition};

const A: LogId = LogId(0);
const B: LogId = LogId(7);

/// Every promise of [`EventStore`], for one that keeps events. `fresh` opens one that is empty.
pub async fn event_store<Store: EventStore>(fresh: impl AsyncFn() -> Arc<Store>) {
    its_position_moves_with_what_it_takes(&*fresh().await).await;
    what_comes_again_changes_nothing(&*fresh().await).await;
    logs_are_apart_and_epochs_follow_one_another(&*fresh().await).await;
    an_empty_batch_changes_nothing(&*fresh().await).await;
}

async fn its_position_moves_with_what_it_takes(store: &dyn EventStore) {
    assert_eq!(store.position(A).await, Ok(StorePosition::Start));
    append(store, A, 1, 1..=3).await;
    assert_eq!(store.position(A).await, Ok(after(A, 1, 3)));
    // What it had no room for in the log is a hole, not an error.
    append(store, A, 1, 9..=10).await;
    assert_eq!(store.position(A).await, Ok(after(A, 1, 10)));
}

async fn what_comes_again_changes_nothing(store: &dyn EventStore) {
    append(store, A, 1, 1..=5).await;
    append(store, A, 1, 2..=3).await;
    assert_eq!(store.position(A).await, Ok(after(A, 1, 5)));
    append(store, A, 1, 4..=6).await;
    assert_eq!(store.position(A).await, Ok(after(A, 1, 6)));
}

async fn logs_are_apart_and_epochs_follow_one_another(store: &dyn EventStore) {
    append(store, A, 1, 1..=5).await;
    assert_eq!(store.position(B).await, Ok(StorePosition::Start));
    append(store, B, 1, 1..=2).await;
    append(store, A, 2, 1..=1).await;
    assert_eq!(store.position(A).await, Ok(after(A, 2, 1)));
    assert_eq!(store.position(B).await, Ok(after(B, 1, 2)));
}

async fn an_empty_batch_changes_nothing(store: &dyn EventStore) {
    assert_eq!(store.append(Vec::new()).await, Ok(()));
    assert_eq!(store.position(A).await, Ok(StorePosition::Start));
}

async fn append(
    store: &dyn EventStore,
    log: LogId,
    epoch: u64,
    numbers: impl IntoIterator<Item = u64>,
) {
    let at = |seq| Position { log, epoch, seq };
    let event = |seq| {
        let event = Event {
            guild_id: GuildId(1),
            ts: seq,
            synthetic: false,
            change: Change::RoomDeleted {
                channel_id: ChannelId(7),
            },
        };
        Arc::new(SealedEvent::new(Envelope {
            at: at(seq),
            more: false,
            event,
        }))
    };
    let events = numbers.into_iter().map(event).collect();
    assert_eq!(store.append(events).await, Ok(()));
}

fn after(log: LogId, epoch: u64, seq: u64) -> StorePosition {
    StorePosition::After(Position { log, epoch, seq })
}
