use std::{
    future::ready,
    sync::atomic::{AtomicBool, Ordering},
};

use guildhall_model::{Change, ChannelId, Envelope, Event, GuildId, LogId};
use guildhall_ports::{
    Fence, PortFuture,
    memory::{InMemoryEventBus, MemoryEventStore, NoOpEventStore},
};
use tokio::task::JoinSet;

use super::*;

const EPOCH: u64 = 1_700_000_000_000;

fn at(seq: u64) -> Position {
    Position {
        log: LogId(3),
        epoch: EPOCH,
        seq,
    }
}

async fn bus() -> Arc<dyn EventBus> {
    let bus = InMemoryEventBus::default();
    bus.begin(Fence(1), at(0)).await.expect("a new log");
    Arc::new(bus)
}

async fn append(bus: &dyn EventBus, numbers: std::ops::RangeInclusive<u64>) {
    let after = at(numbers.start() - 1);
    let event = |seq| {
        let change = Change::RoomDeleted {
            channel_id: ChannelId(7),
        };
        let event = Event {
            guild_id: GuildId(1),
            ts: seq,
            synthetic: false,
            change,
        };
        let more = false;
        let at = at(seq);
        Arc::new(SealedEvent::new(Envelope { at, more, event }))
    };
    let batch: Vec<_> = numbers.map(event).collect();
    bus.append(Fence(1), after, &batch).await.expect("the head");
}

/// A store in memory that may be away.
#[derive(Debug, Default)]
struct MayBeAway {
    kept: MemoryEventStore,
    is_away: AtomicBool,
    took: tokio::sync::Notify,
}

impl MayBeAway {
    fn numbers(&self) -> Vec<u64> {
        let events = self.kept.events(at(0).log);
        events.iter().map(|event| event.at.seq).collect()
    }

    async fn has(&self, count: usize) {
        while self.numbers().len() < count {
            self.took.notified().await;
        }
    }
}

impl EventStore for MayBeAway {
    fn position(&self, log: LogId) -> PortFuture<'_, Result<StorePosition, Unavailable>> {
        self.kept.position(log)
    }

    fn append(&self, events: Vec<Arc<SealedEvent>>) -> PortFuture<'_, Result<(), Unavailable>> {
        if self.is_away.load(Ordering::Relaxed) {
            self.took.notify_one();
            return Box::pin(ready(Err(Unavailable("it is away".to_owned()))));
        }
        let kept = self.kept.append(events);
        self.took.notify_one();
        kept
    }
}

fn follow(store: &Arc<MayBeAway>, bus: &Arc<dyn EventBus>, begun_at: Position) -> JoinSet<()> {
    let (store, bus) = (Arc::clone(store) as _, Arc::clone(bus));
    let mut tasks = JoinSet::new();
    tasks.spawn(HistoryFollower::new(store, bus, begun_at).run());
    tasks
}

#[tokio::test]
async fn a_store_that_keeps_nothing_is_not_followed_for() {
    let follower = HistoryFollower::new(Arc::new(NoOpEventStore), bus().await, at(0));
    follower.run().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_store_begins_where_the_log_stands_and_goes_on_after_a_restart() {
    let (store, bus) = (Arc::new(MayBeAway::default()), bus().await);
    append(&*bus, 1..=3).await;
    let following = follow(&store, &bus, at(3));
    append(&*bus, 4..=5).await;
    store.has(2).await;
    drop(following);
    append(&*bus, 6..=9).await;
    let _following = follow(&store, &bus, at(9));
    store.has(6).await;
    assert_eq!(store.numbers(), [4, 5, 6, 7, 8, 9]);
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_the_log_goes_on_and_nothing_is_missed() {
    let (store, bus) = (Arc::new(MayBeAway::default()), bus().await);
    store.is_away.store(true, Ordering::Relaxed);
    let _following = follow(&store, &bus, at(0));
    append(&*bus, 1..=600).await;
    store.took.notified().await;
    append(&*bus, 601..=700).await;
    store.is_away.store(false, Ordering::Relaxed);
    store.has(700).await;
    assert_eq!(store.numbers(), (1..=700).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn what_was_evicted_before_it_was_taken_is_a_hole() {
    let (store, bus) = (Arc::new(MayBeAway::default()), bus().await);
    append(&*bus, 1..=5).await;
    let following = follow(&store, &bus, at(0));
    store.has(5).await;
    drop(following);
    append(&*bus, 6..=20).await;
    bus.trim(Fence(1), at(15)).await.expect("it is the writer");
    let _following = follow(&store, &bus, at(20));
    tokio::task::yield_now().await;
    append(&*bus, 21..=22).await;
    store.has(7).await;
    assert_eq!(store.numbers(), [1, 2, 3, 4, 5, 21, 22]);
}
