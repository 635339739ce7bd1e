//! The suite of [`EventBus`]: every promise that one process can see.

/// Random sequences of calls, compared with a list of events.
mod random;

use std::sync::Arc;

use guildhall_model::{
    Change, ChannelId, Envelope, Event, GuildId, LogId, Position, SealedEvent, UnixMs,
};

use crate::{
    event_bus::{AppendError, EventBus, EventTail, ReadError},
    fence::{Fence, Fenced},
};

const LOG: LogId = LogId(3);
const EPOCH: UnixMs = 1_700_000_000_000;
const FENCE: Fence = Fence(5);

/// Every promise of [`EventBus`] that one process can see. `fresh` makes a bus without logs.
pub async fn event_bus(fresh: impl AsyncFn() -> Arc<dyn EventBus>) {
    Box::pin(a_log_that_was_not_begun_is_refused_and_not_read(
        fresh().await,
    ))
    .await;
    Box::pin(what_was_appended_is_read_in_order(fresh().await)).await;
    Box::pin(a_writer_that_is_not_at_the_head_is_refused_and_changes_nothing(fresh().await)).await;
    Box::pin(a_stale_fence_is_refused_and_a_higher_one_takes_over(
        fresh().await,
    ))
    .await;
    Box::pin(what_was_trimmed_is_said_to_be_gone(fresh().await)).await;
    Box::pin(a_log_that_begins_anew_has_nothing_of_before(fresh().await)).await;
    Box::pin(followers_are_told_of_an_append_and_not_of_an_empty_one(
        fresh().await,
    ))
    .await;
    Box::pin(logs_are_apart(fresh().await)).await;
    Box::pin(a_tail_that_is_dropped_and_asked_again_skips_and_repeats_nothing(fresh().await)).await;
    Box::pin(random::any_steps_end_as_with_a_list(fresh)).await;
}

async fn a_log_that_was_not_begun_is_refused_and_not_read(bus: Arc<dyn EventBus>) {
    let fenced = AppendError::Fenced(Fenced::NotBegun(LOG));
    let batch = following(start(), 1);
    assert_eq!(
        bus.append(FENCE, start(), &batch).await,
        Err(fenced.clone())
    );
    assert_eq!(bus.trim(FENCE, start()).await, Err(fenced));
    let expired = ReadError::Expired(start());
    assert_eq!(bus.read(start(), 9).await, Err(expired.clone()));
    assert!(bus.follow(LOG).is_none());
    assert_eq!(bus.oldest(LOG), None);
    assert_eq!(EventTail::new(bus, start()).map(drop), Err(expired));
}

async fn what_was_appended_is_read_in_order(bus: Arc<dyn EventBus>) {
    bus.begin(FENCE, start().at(7)).await.expect("begins");
    assert_eq!(bus.oldest(LOG), Some(start().at(7)));
    let all = following(start().at(7), 10);
    let (first, second) = all.split_at(4);
    let head = bus.append(FENCE, start().at(7), first).await;
    assert_eq!(head, Ok(start().at(11)));
    let head = bus.append(FENCE, start().at(11), second).await;
    assert_eq!(head, Ok(start().at(17)));
    assert_eq!(
        bus.oldest(LOG),
        Some(start().at(7)),
        "an append drops nothing"
    );
    for after in 7..=17 {
        for most in 1..=11 {
            let read = bus.read(start().at(after), most).await.expect("is there");
            let from = usize::try_from(after - 7).expect("small");
            let expected: Vec<_> = all.iter().skip(from).take(most).cloned().collect();
            assert_eq!(read, expected, "{most} after {after}");
        }
    }
    for gone in [start(), start().at(6), start().at(18), other_epoch().at(9)] {
        let read = bus.read(gone, 9).await;
        assert_eq!(read, Err(ReadError::Expired(gone)));
    }
}

async fn a_writer_that_is_not_at_the_head_is_refused_and_changes_nothing(bus: Arc<dyn EventBus>) {
    bus.begin(FENCE, start()).await.expect("begins");
    append(&bus, FENCE, 2).await.expect("at the head");
    let head = start().at(2);
    let wrong = [
        (start(), following(start(), 1)),
        (start().at(1), following(start().at(1), 1)),
        (start().at(3), following(start().at(3), 1)),
        (start().at(1), Vec::new()),
        (other_epoch().at(2), following(other_epoch().at(2), 1)),
        // It says where it stands, and brings something else.
        (head, following(start().at(1), 1)),
        (head, following(start().at(3), 1)),
        (head, following(other_epoch().at(2), 1)),
        (
            head,
            [
                following(head, 1),
                following(start().at(3), 1),
                following(head, 1),
            ]
            .concat(),
        ),
    ];
    for (after, batch) in wrong {
        let answer = bus.append(Fence(FENCE.0 + 1), after, &batch).await;
        let fenced = matches!(
            answer,
            Err(AppendError::Fenced(Fenced::NotAtHead { head: at, .. })) if at == head
        );
        assert!(fenced, "{answer:?}");
        assert_eq!(bus.read(start(), 9).await, Ok(following(start(), 2)));
    }
    // Nor has it taken over.
    append(&bus, FENCE, 1).await.expect("goes on");
}

async fn a_stale_fence_is_refused_and_a_higher_one_takes_over(bus: Arc<dyn EventBus>) {
    bus.begin(FENCE, start()).await.expect("begins");
    append(&bus, FENCE, 1).await.expect("at the head");
    let higher = Fence(FENCE.0 + 1);
    let stale = AppendError::Fenced(Fenced::Stale {
        log: LOG,
        fence: FENCE,
        kept: higher,
    });
    // An append of nothing is one.
    assert_eq!(
        bus.append(higher, start().at(1), &[]).await,
        Ok(start().at(1))
    );
    for _ in 0..2 {
        let batch = following(start().at(1), 1);
        let answer = bus.append(FENCE, start().at(1), &batch).await;
        assert_eq!(answer, Err(stale.clone()));
        assert_eq!(
            bus.append(FENCE, start().at(1), &[]).await,
            Err(stale.clone())
        );
        assert_eq!(bus.trim(FENCE, start().at(1)).await, Err(stale.clone()));
        assert_eq!(bus.begin(FENCE, other_epoch()).await, Err(stale.clone()));
        assert_eq!(bus.read(start(), 9).await, Ok(following(start(), 1)));
    }
    append(&bus, higher, 1).await.expect("has the log");
    let highest = Fence(FENCE.0 + 9);
    bus.begin(highest, other_epoch()).await.expect("takes over");
    let answer = bus.append(higher, other_epoch(), &[]).await;
    assert!(matches!(answer, Err(AppendError::Fenced(_))), "{answer:?}");
}

async fn what_was_trimmed_is_said_to_be_gone(bus: Arc<dyn EventBus>) {
    bus.begin(FENCE, start()).await.expect("begins");
    append(&bus, FENCE, 10).await.expect("at the head");
    for (upto, first) in [(start().at(4), 4), (start().at(2), 4), (start().at(11), 4)] {
        bus.trim(FENCE, upto).await.expect("may");
        assert_eq!(bus.oldest(LOG), Some(start().at(first)));
        for after in 0..=10 {
            let read = bus.read(start().at(after), 1).await;
            assert_eq!(read.is_ok(), after >= first, "{after} of {first}");
        }
    }
    bus.trim(FENCE, other_epoch().at(9))
        .await
        .expect("is passed over");
    let left = bus.read(start().at(4), 99).await;
    assert_eq!(left, Ok(following(start().at(4), 6)));
    assert_eq!(bus.oldest(LOG), Some(start().at(4)));
    bus.trim(FENCE, start().at(10)).await.expect("may");
    assert_eq!(bus.oldest(LOG), Some(start().at(10)), "it is the head");
    assert_eq!(bus.read(start().at(10), 9).await, Ok(Vec::new()));
    append(&bus, FENCE, 1).await.expect("goes on where it was");
}

async fn a_log_that_begins_anew_has_nothing_of_before(bus: Arc<dyn EventBus>) {
    bus.begin(FENCE, start()).await.expect("begins");
    append(&bus, FENCE, 3).await.expect("at the head");
    bus.begin(FENCE, other_epoch()).await.expect("begins anew");
    for gone in [start(), start().at(3), other_epoch().at(1)] {
        assert_eq!(bus.read(gone, 9).await, Err(ReadError::Expired(gone)));
    }
    assert_eq!(bus.read(other_epoch(), 9).await, Ok(Vec::new()));
    assert_eq!(bus.oldest(LOG), Some(other_epoch()));
    let late = following(start().at(3), 1);
    let answer = bus.append(FENCE, start().at(3), &late).await;
    assert!(matches!(answer, Err(AppendError::Fenced(_))), "{answer:?}");
    append(&bus, FENCE, 2).await.expect("at the head");
}

async fn followers_are_told_of_an_append_and_not_of_an_empty_one(bus: Arc<dyn EventBus>) {
    bus.begin(FENCE, start()).await.expect("begins");
    let mut head = bus.follow(LOG).expect("it was begun");
    assert_eq!(*head.borrow_and_update(), start());
    bus.append(FENCE, start(), &[]).await.expect("at the head");
    assert!(!head.has_changed().expect("the bus lives"));
    append(&bus, FENCE, 2).await.expect("at the head");
    assert!(head.has_changed().expect("the bus lives"));
    assert_eq!(*head.borrow_and_update(), start().at(2));
}

async fn logs_are_apart(bus: Arc<dyn EventBus>) {
    let logs = [LogId(0), LOG, LogId(u16::MAX)];
    for log in logs {
        let at = Position::start(log, EPOCH);
        bus.begin(Fence(FENCE.0 + u64::from(log.0)), at)
            .await
            .expect("begins");
    }
    for (count, log) in (1..).zip(logs) {
        let at = Position::start(log, EPOCH);
        let batch = following(at, count);
        let fence = Fence(FENCE.0 + u64::from(log.0));
        bus.append(fence, at, &batch).await.expect("at the head");
    }
    bus.trim(FENCE, Position::start(LogId(0), EPOCH).at(1))
        .await
        .expect("may");
    for (count, log) in (1..).zip(logs).skip(1) {
        let at = Position::start(log, EPOCH);
        assert_eq!(bus.read(at, 9).await, Ok(following(at, count)));
        assert_eq!(bus.oldest(log), Some(at));
    }
}

async fn a_tail_that_is_dropped_and_asked_again_skips_and_repeats_nothing(bus: Arc<dyn EventBus>) {
    const BATCHES: u64 = 40;
    bus.begin(FENCE, start()).await.expect("begins");
    let mut tail = EventTail::new(Arc::clone(&bus), start()).expect("it was begun");
    let mut read = Vec::new();
    for batch in 0..BATCHES {
        append(&bus, FENCE, batch % 4).await.expect("at the head");
        // Until one waits, which is dropped.
        while let Some(events) = poll_once(tail.next(2)).await {
            let events = events.expect("is there");
            assert!((1..=2).contains(&events.len()));
            read.extend(events);
            if batch % 3 == 0 {
                break;
            }
        }
    }
    let head = *bus.follow(LOG).expect("it was begun").borrow();
    while tail.position() != head {
        let events = tail.next(3).await.expect("is there");
        assert!((1..=3).contains(&events.len()));
        read.extend(events);
    }
    assert_eq!(read, following(start(), head.seq));

    // One that waits is woken, and one that is overtaken is told.
    let (woken, ()) = tokio::join!(tail.next(9), async {
        append(&bus, FENCE, 1).await.expect("at the head");
    });
    assert_eq!(woken, Ok(following(head, 1)));
    append(&bus, FENCE, 3).await.expect("at the head");
    bus.trim(FENCE, head.at(head.seq + 2)).await.expect("may");
    let expired = ReadError::Expired(head.at(head.seq + 1));
    assert_eq!(tail.next(9).await, Err(expired));
}

/// Lets a future run until it waits, once, and drops it then.
async fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = future => Some(done),
        () = std::future::ready(()) => None,
    }
}

/// Appends so many events at the head.
async fn append(
    bus: &Arc<dyn EventBus>,
    fence: Fence,
    count: u64,
) -> Result<Position, AppendError> {
    let head = *bus.follow(LOG).expect("it was begun").borrow();
    bus.append(fence, head, &following(head, count)).await
}

fn start() -> Position {
    Position::start(LOG, EPOCH)
}

fn other_epoch() -> Position {
    Position::start(LOG, EPOCH + 1)
}

/// The so many events after a position; the same ones in each call.
fn following(after: Position, count: u64) -> Vec<Arc<SealedEvent>> {
    let numbers = after.seq + 1..=after.seq + count;
    numbers.map(|seq| event(after.at(seq))).collect()
}

fn event(at: Position) -> Arc<SealedEvent> {
    Arc::new(SealedEvent::new(Envelope {
        at,
        more: at.seq.is_multiple_of(3),
        event: Event {
            guild_id: GuildId(at.seq % 4 + 1),
            ts: at.seq,
            synthetic: false,
            change: Change::RoomDeleted {
                channel_id: ChannelId(at.seq),
            },
        },
    }))
}

#[cfg(test)]
mod tests;
