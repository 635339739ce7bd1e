//! One writer: fences, and logs that are kept side by side.

use std::sync::Arc;

use guildhall_model::{LogId, Position};

use super::{
    add, begin, open, opened, places,
    sample::{LOG, ONE, TWO, bare, base, following, nothing, start, state},
    saved,
};
use crate::{
    fence::{Fence, Fenced},
    journal::{Commit, JournalError, Journals, NewEpoch},
};

pub(super) async fn a_stale_fence_is_refused_and_changes_nothing(
    place: impl AsyncFn() -> Arc<dyn Journals>,
) {
    let journals = place().await;
    let fence = journals.fence().await.expect("can be read");
    let old = journals.journal(LOG, fence);
    begin(&old, Vec::new()).await;
    add(&old, vec![bare(ONE)]).await;

    let higher = Fence(fence.0 + 3);
    let new = journals.journal(LOG, higher);
    // A look takes nothing over.
    let before = saved(&new).await;
    add(&old, vec![bare(ONE)]).await;
    let head = before.head.at(2);
    // A refused commit neither.
    let not_at_head = Commit {
        events: following(before.head.at(7), [bare(ONE)]),
        ..nothing(before.head.at(7))
    };
    let answer = new.commit(not_at_head).await;
    assert!(matches!(answer, Err(JournalError::Fenced(_))), "{answer:?}");
    add(&old, vec![bare(TWO)]).await;
    let head = head.at(head.seq + 1);

    let taken_over = Commit {
        state: Arc::new(state(8)),
        ..nothing(head)
    };
    new.commit(taken_over).await.expect("takes over");
    let before = saved(&new).await;
    assert_eq!((before.head, &before.state), (head, &state(8)));
    let stale = JournalError::Fenced(Fenced::Stale {
        log: LOG,
        fence,
        kept: higher,
    });
    let commits = [
        nothing(head),
        Commit {
            events: following(head, [bare(ONE)]),
            ..nothing(head)
        },
        Commit {
            bases: vec![base(ONE, 1, None)],
            ..nothing(head)
        },
    ];
    for commit in commits {
        assert_eq!(old.commit(commit).await, Err(stale.clone()));
        assert_eq!(saved(&new).await, before);
    }
    let anew = NewEpoch {
        start: Position::start(LOG, start().epoch + 1),
        guilds: Vec::new(),
        state: state(0),
    };
    assert_eq!(old.begin(anew.clone()).await, Err(stale.clone()));
    assert_eq!(saved(&new).await, before);
    add(&new, vec![bare(ONE)]).await;
    new.begin(anew).await.expect("has the log");
    let commit = nothing(Position::start(LOG, start().epoch + 1));
    assert_eq!(old.commit(commit).await, Err(stale));
}

pub(super) async fn whoever_opens_it_has_a_higher_fence(
    place: impl AsyncFn() -> Arc<dyn Journals>,
) {
    let mut highest = Fence(0);
    for round in 0..3 {
        let journals = place().await;
        let fence = journals.fence().await.expect("can be read");
        assert!(fence > highest, "{fence} after {highest}");
        highest = fence;
        let journal = journals.journal(LOG, fence);
        if round == 0 {
            begin(&journal, Vec::new()).await;
        }
        add(&journal, vec![bare(ONE)]).await;
        assert_eq!(journals.fence().await, Ok(fence), "as long as it is open");
        let before = journals.journal(LOG, Fence(fence.0 - 1));
        let answer = before.commit(nothing(start().at(round + 1))).await;
        let stale = matches!(answer, Err(JournalError::Fenced(Fenced::Stale { .. })));
        assert!(stale, "{answer:?}");
    }
}

pub(super) async fn logs_are_kept_apart(place: impl AsyncFn() -> Arc<dyn Journals>) {
    // Numbers whose places in one table would be far apart, or one behind the other.
    const LOGS: [LogId; 4] = [LogId(0), LogId(1), LogId(32_768), LogId(u16::MAX)];
    let start_of = |log: LogId| Position::start(log, 5 + u64::from(log.0));
    let journals = place().await;
    for log in LOGS {
        let journal = opened(Arc::clone(&journals), log).await;
        let new_epoch = NewEpoch {
            start: start_of(log),
            guilds: Vec::new(),
            state: state(log.0.into()),
        };
        journal.begin(new_epoch).await.expect("begins");
    }
    // The same guilds and the same numbers in each, and floors of their own: each below those before
    // it, so that another log's floor would refuse it.
    let floors = || [3_u64, 2, 1, 0].into_iter().zip(LOGS);
    for (floor, log) in floors() {
        let journal = opened(Arc::clone(&journals), log).await;
        add(&journal, [ONE, TWO, ONE, ONE, ONE].map(bare).to_vec()).await;
        let commit = Commit {
            state: Arc::new(state(floor)),
            bases: vec![base(ONE, floor, None)],
            ..nothing(start_of(log).at(5))
        };
        journal.commit(commit).await.expect("is at the head");
    }
    let expected = |floor: u64, log: LogId| {
        let all = [(1, ONE), (2, TWO), (3, ONE), (4, ONE), (5, ONE)];
        let kept = all
            .into_iter()
            .filter(|(seq, guild_id)| *guild_id == TWO || *seq > floor);
        (start_of(log).at(5), kept.collect::<Vec<_>>(), state(floor))
    };
    for (floor, log) in floors() {
        let now = saved(&opened(Arc::clone(&journals), log).await).await;
        assert_eq!((now.head, places(&now), now.state), expected(floor, log));
    }
    drop(journals);
    let journals = place().await;
    let first = opened(Arc::clone(&journals), LOGS[0]).await;
    let anew = NewEpoch {
        start: Position::start(LOGS[0], 99),
        guilds: Vec::new(),
        state: state(0),
    };
    first.begin(anew).await.expect("begins");
    for (floor, log) in floors().skip(1) {
        let now = saved(&opened(Arc::clone(&journals), log).await).await;
        assert_eq!((now.head, places(&now), now.state), expected(floor, log));
    }
    drop((journals, first));
    let journal = open(&place).await;
    assert_eq!(saved(&journal).await.head, start_of(LOG).at(5));
}
