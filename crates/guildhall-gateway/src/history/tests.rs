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

/// Appends so many events at the head.
async fn append(bus: &dyn EventBus, after: Position, count: u64) {
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
        let at = after.at(seq);
        Arc::new(SealedEvent::new(Envelope { at, more, event }))
    };
    let numbers = after.seq + 1..=after.seq + count;
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
    append(&*bus, at(0), 3).await;
    let following = follow(&store, &bus, at(3));
    append(&*bus, at(3), 2).await;
    store.has(2).await;
    drop(following);
    append(&*bus, at(5), 4).await;
    let _following = follow(&store, &bus, at(9));
    store.has(6).await;
    assert_eq!(store.numbers(), [4, 5, 6, 7, 8, 9]);
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_the_log_goes_on_and_nothing_is_missed() {
    let (store, bus) = (Arc::new(MayBeAway::default()), bus().await);
    store.is_away.store(true, Ordering::Relaxed);
    let _following = follow(&store, &bus, at(0));
    append(&*bus, at(0), 600).await;
    store.took.notified().await;
    append(&*bus, at(600), 100).await;
    store.is_away.store(false, Ordering::Relaxed);
    store.has(700).await;
    assert_eq!(store.numbers(), (1..=700).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn what_was_evicted_before_it_was_taken_is_a_hole() {
    let (store, bus) = (Arc::new(MayBeAway::default()), bus().await);
    append(&*bus, at(0), 5).await;
    let following = follow(&store, &bus, at(0));
    store.has(5).await;
    drop(following);
    append(&*bus, at(5), 15).await;
    bus.trim(Fence(1), at(15)).await.expect("it is the writer");
    let _following = follow(&store, &bus, at(20));
    tokio::task::yield_now().await;
    append(&*bus, at(20), 2).await;
    store.has(12).await;
    // What is still in the log behind the hole is none of it.
    let taken: Vec<_> = (1..=5).chain(16..=22).collect();
    assert_eq!(store.numbers(), taken);
}

#[tokio::test(start_paused = true)]
async fn of_a_log_that_began_anew_everything_that_it_has_is_taken() {
    let (store, bus) = (Arc::new(MayBeAway::default()), bus().await);
    append(&*bus, at(0), 5).await;
    let following = follow(&store, &bus, at(0));
    store.has(5).await;
    drop(following);
    let anew = Position::start(LogId(3), EPOCH + 1);
    bus.begin(Fence(1), anew).await.expect("it is the writer");
    append(&*bus, anew, 4).await;
    let _following = follow(&store, &bus, anew.at(4));
    store.has(9).await;
    let taken = store.kept.events(LogId(3));
    let taken: Vec<_> = taken.iter().map(|event| event.at).collect();
    let before = (1..=5).map(at);
    let expected: Vec<_> = before.chain((1..=4).map(|seq| anew.at(seq))).collect();
    assert_eq!(taken, expected);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_begins_anew_under_its_follower_loses_nothing_of_the_new_one() {
    let (store, bus) = (Arc::new(MayBeAway::default()), bus().await);
    append(&*bus, at(0), 5).await;
    let _following = follow(&store, &bus, at(0));
    store.has(5).await;
    let anew = Position::start(LogId(3), EPOCH + 1);
    bus.begin(Fence(1), anew).await.expect("it is the writer");
    append(&*bus, anew, 3).await;
    store.has(8).await;
    append(&*bus, anew.at(3), 1).await;
    store.has(9).await;
    assert_eq!(store.numbers(), [1, 2, 3, 4, 5, 1, 2, 3, 4]);
}
