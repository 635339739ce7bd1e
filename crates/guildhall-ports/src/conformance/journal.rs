//! The suite of [`Journal`]: every promise that one process can see.

/// One writer: fences, and logs that are kept side by side.
mod fences;
/// Random sequences of calls, compared with the reference.
mod random;
/// What is put into a journal.
mod sample;

use std::{collections::BTreeSet, sync::Arc};

use guildhall_model::{Change, Event, Guild, GuildId, LogId, Position, SealedEvent, arbitrary};

use crate::{
    fence::Fenced,
    journal::{
        Commit, Journal, JournalBase, JournalContents, JournalError, JournalState, Journals,
        NewEpoch,
    },
};

use sample::{
    LOG, ONE, TWO, any_of, bare, base, floor_of, following, nothing, sealed, start, state,
    two_guilds,
};

/// Every promise of [`Journals`] and [`Journal`] that one process can see.
///
/// `fresh` makes a place where no journal is yet; calling the place opens the journals there. The
/// suite drops all handles on it before it opens it again. They ask for bases beyond
/// [`Surplus::LEAST`](crate::journal::Surplus::LEAST).
pub async fn journal<Place>(fresh: impl Fn() -> Place)
where
    Place: AsyncFn() -> Arc<dyn Journals>,
{
    Box::pin(what_was_never_begun_is_nothing(fresh())).await;
    Box::pin(a_new_epoch_is_loaded_as_it_was_told(fresh())).await;
    Box::pin(commits_follow_one_another(fresh())).await;
    Box::pin(a_commit_that_is_not_at_the_head_changes_nothing(fresh())).await;
    Box::pin(a_base_drops_what_it_has_in_it_and_nothing_else(fresh())).await;
    Box::pin(a_floor_that_cannot_be_changes_nothing(fresh())).await;
    Box::pin(a_new_epoch_replaces_everything(fresh())).await;
    Box::pin(what_was_committed_is_there_when_it_is_opened_again(fresh())).await;
    Box::pin(every_event_and_guild_is_read_back_as_it_was_written(fresh())).await;
    Box::pin(what_is_kept_in_vain_is_asked_for_and_goes(fresh())).await;
    Box::pin(fences::a_stale_fence_is_refused_and_changes_nothing(fresh())).await;
    Box::pin(fences::whoever_opens_it_has_a_higher_fence(fresh())).await;
    Box::pin(fences::logs_are_kept_apart(fresh())).await;
    Box::pin(random::any_steps_end_as_with_the_reference(fresh)).await;
}

/// While a journal is open nobody else can open it, and then somebody can at once.
pub async fn one_owner(open: impl AsyncFn() -> Result<Arc<dyn Journals>, JournalError>) {
    let first = opened(open().await.expect("nobody has it"), LOG).await;
    begin(&first, Vec::new()).await;
    let second = open().await.map(|_| "a second owner");
    assert!(matches!(second, Err(JournalError::InUse(_))), "{second:?}");
    add(&first, vec![bare(ONE)]).await;

    drop(first);
    let third = opened(open().await.expect("nobody has it any more"), LOG).await;
    assert_eq!(saved(&third).await.head.seq, 1);
}

async fn what_was_never_begun_is_nothing(place: impl AsyncFn() -> Arc<dyn Journals>) {
    let journal = open(&place).await;
    assert_eq!(journal.load().await, Ok(None));
    let commit = Commit {
        events: vec![sealed(start().at(1), bare(ONE))],
        ..nothing(start())
    };
    for commit in [commit, nothing(start())] {
        let answer = journal.commit(commit).await;
        assert_eq!(answer, Err(Fenced::NotBegun(LOG).into()));
    }
    assert_eq!(journal.load().await, Ok(None));
    drop(journal);
    assert_eq!(open(&place).await.load().await, Ok(None));
}

async fn a_new_epoch_is_loaded_as_it_was_told(place: impl AsyncFn() -> Arc<dyn Journals>) {
    let journal = open(&place).await;
    let elsewhere = Position::start(LogId(LOG.0 + 1), start().epoch);
    for start in [start().at(1), elsewhere] {
        let wrong = NewEpoch {
            start,
            guilds: Vec::new(),
            state: JournalState::default(),
        };
        let wrong = journal.begin(wrong).await;
        assert!(matches!(wrong, Err(JournalError::Failed(_))), "{wrong:?}");
        assert_eq!(journal.load().await, Ok(None));
    }

    let [one, two] = two_guilds();
    let told = NewEpoch {
        start: start(),
        guilds: vec![(TWO, two.clone()), (ONE, one.clone())],
        state: state(7),
    };
    journal.begin(told).await.expect("begins");
    let loaded = JournalContents {
        head: start(),
        bases: vec![base(ONE, 0, Some(one)), base(TWO, 0, Some(two))],
        events: Vec::new(),
        state: state(7),
    };
    assert_eq!(saved(&journal).await, loaded);
}

async fn commits_follow_one_another(place: impl AsyncFn() -> Arc<dyn Journals>) {
    let journal = open(&place).await;
    begin(&journal, Vec::new()).await;
    let mut all = Vec::new();
    for number in 1..=5_u64 {
        let batch = (0..number).map(|at| [ONE, TWO][usize::from(at % 2 == 1)]);
        let head = saved(&journal).await.head;
        let commit = Commit {
            events: following(head, batch.map(bare)),
            state: Arc::new(state(number)),
            ..nothing(head)
        };
        all.extend(commit.events.iter().map(|event| (**event).clone()));
        journal.commit(commit).await.expect("is at the head");

        let now = saved(&journal).await;
        assert_eq!(now.head, start().at(u64::try_from(all.len()).expect("few")));
        assert_eq!(now.events, all);
        assert_eq!(now.state, state(number));
    }
    let silent = Commit {
        state: Arc::new(state(99)),
        ..nothing(saved(&journal).await.head)
    };
    journal.commit(silent).await.expect("may be without events");
    let now = saved(&journal).await;
    assert_eq!((now.events, now.state), (all, state(99)));
}

async fn a_commit_that_is_not_at_the_head_changes_nothing(
    place: impl AsyncFn() -> Arc<dyn Journals>,
) {
    let journal = open(&place).await;
    begin(&journal, Vec::new()).await;
    add(&journal, vec![bare(ONE), bare(ONE)]).await;
    let before = saved(&journal).await;

    let head = before.head;
    let other_epoch = Position::start(head.log, head.epoch + 1);
    let other_log = Position::start(LogId(head.log.0 + 1), head.epoch);
    let wrong = [
        vec![head.at(2)],
        vec![head.at(4)],
        vec![head.at(1)],
        vec![head.at(0)],
        vec![other_epoch.at(3)],
        vec![other_log.at(3)],
        vec![head.at(3), head.at(5)],
        vec![head.at(3), head.at(3)],
        vec![head.at(4), head.at(3)],
    ];
    // From the head, and from where they would follow.
    let wrong = wrong.into_iter().flat_map(|places| {
        let first = places[0];
        let before = first.at(first.seq.saturating_sub(1));
        [head, before].map(|after| (after, places.clone()))
    });
    let elsewhere = [head.at(1), head.at(3), other_epoch.at(2), other_log.at(2)];
    let right = elsewhere.map(|after| (after, vec![head.at(3)]));
    let silent = elsewhere.map(|after| (after, Vec::new()));
    for (after, places) in wrong.chain(right).chain(silent) {
        let events = places.into_iter().map(|at| sealed(at, bare(ONE)));
        let commit = Commit {
            events: events.collect(),
            state: Arc::new(state(66)),
            bases: vec![base(ONE, 1, None)],
            ..nothing(after)
        };
        let answer = journal.commit(commit).await;
        let fenced = matches!(
            answer,
            Err(JournalError::Fenced(Fenced::NotAtHead { head, .. })) if head == before.head
        );
        assert!(fenced, "{answer:?}");
        assert_eq!(saved(&journal).await, before);
    }
    add(&journal, vec![bare(ONE)]).await;
    assert_eq!(saved(&journal).await.head, head.at(3));
}

async fn a_base_drops_what_it_has_in_it_and_nothing_else(
    place: impl AsyncFn() -> Arc<dyn Journals>,
) {
    let journal = open(&place).await;
    let [one, two] = two_guilds();
    begin(&journal, vec![(ONE, one.clone())]).await;
    add(&journal, [ONE, TWO, ONE, TWO, ONE].map(bare).to_vec()).await;

    // Above the floor: its own later events, those of the same commit, and all of the other's.
    let commit = Commit {
        events: following(start().at(5), [ONE, TWO].map(bare)),
        state: Arc::new(state(0)),
        bases: vec![base(ONE, 4, Some(two.clone()))],
        ..nothing(start().at(5))
    };
    journal.commit(commit).await.expect("is at the head");
    let now = saved(&journal).await;
    assert_eq!(now.bases, [base(ONE, 4, Some(two))]);
    assert_eq!(
        places(&now),
        [(2, TWO), (4, TWO), (5, ONE), (6, ONE), (7, TWO)]
    );

    // Up to and with the floor, of a guild without a base so far, and of one that is gone.
    let commit = Commit {
        bases: vec![
            base(TWO, 7, None),
            base(ONE, 5, None),
            base(ONE, 6, Some(one.clone())),
        ],
        ..nothing(start().at(7))
    };
    journal.commit(commit).await.expect("is at the head");
    let now = saved(&journal).await;
    assert_eq!(now.bases, [base(ONE, 6, Some(one)), base(TWO, 7, None)]);
    assert_eq!(places(&now), []);
    assert_eq!(now.head, start().at(7));
}

async fn a_floor_that_cannot_be_changes_nothing(place: impl AsyncFn() -> Arc<dyn Journals>) {
    let journal = open(&place).await;
    begin(&journal, Vec::new()).await;
    add(&journal, [ONE, ONE, TWO, ONE].map(bare).to_vec()).await;
    let commit = Commit {
        bases: vec![base(ONE, 2, None)],
        ..nothing(start().at(4))
    };
    journal.commit(commit).await.expect("is at the head");
    let before = saved(&journal).await;

    let wrong = [
        vec![base(ONE, 1, None)],
        vec![base(ONE, 5, None)],
        vec![base(TWO, 5, None)],
        vec![base(ONE, 4, None), base(ONE, 3, None)],
    ];
    for bases in wrong {
        let commit = Commit {
            events: following(start().at(4), [ONE, TWO].map(bare)),
            state: Arc::new(state(66)),
            bases,
            ..nothing(start().at(4))
        };
        refused(&journal, commit).await;
        assert_eq!(saved(&journal).await, before);
    }
}

async fn a_new_epoch_replaces_everything(place: impl AsyncFn() -> Arc<dyn Journals>) {
    let journal = open(&place).await;
    let [one, two] = two_guilds();
    begin(&journal, vec![(ONE, one)]).await;
    add(&journal, [ONE, TWO, ONE].map(bare).to_vec()).await;
    let commit = Commit {
        bases: vec![base(TWO, 2, None)],
        ..nothing(start().at(3))
    };
    journal.commit(commit).await.expect("is at the head");

    let before = saved(&journal).await;
    for epoch in [start().epoch, start().epoch - 1, 0] {
        let again = NewEpoch {
            start: Position::start(LOG, epoch),
            guilds: vec![(GuildId(9), two.clone())],
            state: state(4),
        };
        let again = journal.begin(again).await;
        assert!(matches!(again, Err(JournalError::Failed(_))), "{again:?}");
        assert_eq!(saved(&journal).await, before);
    }
    let start = Position::start(LOG, start().epoch + 5);
    let new_epoch = NewEpoch {
        start,
        guilds: vec![(GuildId(9), two.clone())],
        state: state(4),
    };
    journal.begin(new_epoch).await.expect("begins");
    let afresh = JournalContents {
        head: start,
        bases: vec![base(GuildId(9), 0, Some(two))],
        events: Vec::new(),
        state: state(4),
    };
    assert_eq!(saved(&journal).await, afresh);

    let commit = Commit {
        events: following(start, [bare(ONE)]),
        ..nothing(start)
    };
    journal.commit(commit).await.expect("numbers begin again");
    assert_eq!(saved(&journal).await.head, start.at(1));
}

async fn what_was_committed_is_there_when_it_is_opened_again(
    place: impl AsyncFn() -> Arc<dyn Journals>,
) {
    let journal = open(&place).await;
    let [one, two] = two_guilds();
    begin(&journal, vec![(ONE, one)]).await;
    add(&journal, [ONE, TWO, ONE, TWO].map(bare).to_vec()).await;
    let commit = Commit {
        events: following(start().at(4), [bare(ONE)]),
        state: Arc::new(state(12)),
        bases: vec![base(TWO, 2, Some(two)), base(ONE, 1, None)],
        ..nothing(start().at(4))
    };
    journal.commit(commit).await.expect("is at the head");
    let before = saved(&journal).await;
    drop(journal);

    let again = open(&place).await;
    assert_eq!(saved(&again).await, before);
    add(&again, vec![bare(TWO)]).await;
    drop(again);
    let third = open(&place).await;
    assert_eq!(saved(&third).await.head, start().at(6));
}

async fn every_event_and_guild_is_read_back_as_it_was_written(
    place: impl AsyncFn() -> Arc<dyn Journals>,
) {
    let last_log = LogId(u16::MAX);
    let journal = opened(place().await, last_log).await;
    let far = GuildId(u64::MAX);
    let guilds = any_of(&arbitrary::guild(), 60);
    let guilds = (1..=59).map(GuildId).chain([far]).zip(guilds);
    let new_epoch = NewEpoch {
        start: Position::start(last_log, u64::MAX),
        guilds: guilds.collect(),
        state: state(u64::MAX),
    };
    let head = new_epoch.start;
    journal.begin(new_epoch.clone()).await.expect("begins");

    let mut events = any_of(&arbitrary::event(), 600);
    let kinds: BTreeSet<&str> = events.iter().map(|event| event.change.name()).collect();
    assert_eq!(kinds.len(), 22, "every kind comes: {kinds:?}");
    events.push(Event {
        guild_id: far,
        ts: u64::MAX,
        synthetic: true,
        change: Change::Unknown,
    });
    events.push(bare(GuildId(1 << 63)));
    let events = following(head, events);
    let commit = Commit {
        events: events.clone(),
        ..nothing(head)
    };
    journal.commit(commit).await.expect("is at the head");
    drop(journal);

    let loaded = saved(&opened(place().await, last_log).await).await;
    let events: Vec<SealedEvent> = events.iter().map(|event| (**event).clone()).collect();
    assert_eq!(loaded.events, events);
    let guilds = new_epoch.guilds.into_iter();
    let bases: Vec<JournalBase> = guilds.map(|(id, guild)| base(id, 0, Some(guild))).collect();
    assert_eq!(loaded.bases, bases);
}

/// As the gateway does it: whoever is asked for a base brings it with the next commit.
async fn what_is_kept_in_vain_is_asked_for_and_goes(place: impl AsyncFn() -> Arc<dyn Journals>) {
    let journal = open(&place).await;
    begin(&journal, Vec::new()).await;
    for _ in 0..12 {
        add(&journal, [ONE; 500].map(bare).to_vec()).await;
    }
    add(&journal, [TWO, TWO].map(bare).to_vec()).await;
    let floors = |one: u64, two: u64| Commit {
        floors: [(ONE, one), (TWO, two)]
            .map(|(guild_id, floor)| floor_of(guild_id, floor))
            .into(),
        ..nothing(start().at(6_002))
    };
    assert_eq!(journal.commit(floors(4_000, 0)).await, Ok(Vec::new()));
    assert_eq!(journal.commit(floors(4_500, 6_001)).await, Ok(vec![ONE]));
    assert_eq!(
        journal.commit(floors(4_600, 6_001)).await,
        Ok(Vec::new()),
        "asked once"
    );
    let based = Commit {
        bases: vec![base(ONE, 4_600, None)],
        ..nothing(start().at(6_002))
    };
    assert_eq!(journal.commit(based).await, Ok(Vec::new()));
    drop(journal);

    // What was not told again is needed, as far as it knows.
    let journal = open(&place).await;
    let now = saved(&journal).await;
    assert_eq!(now.events.len(), 1_400 + 2);
    assert_eq!(journal.commit(floors(5_999, 6_001)).await, Ok(Vec::new()));
}

fn places(saved: &JournalContents) -> Vec<(u64, GuildId)> {
    let place = |event: &SealedEvent| (event.at.seq, event.event.guild_id);
    saved.events.iter().map(place).collect()
}

/// The log of most of the suite, in journals that are opened for it.
async fn open(place: &impl AsyncFn() -> Arc<dyn Journals>) -> Arc<dyn Journal> {
    opened(place().await, LOG).await
}

async fn opened(journals: Arc<dyn Journals>, log: LogId) -> Arc<dyn Journal> {
    let fence = journals.fence().await.expect("can be read");
    journals.journal(log, fence)
}

async fn begin(journal: &Arc<dyn Journal>, guilds: Vec<(GuildId, Guild)>) {
    let new_epoch = NewEpoch {
        start: start(),
        guilds,
        state: state(0),
    };
    journal.begin(new_epoch).await.expect("begins");
}

async fn add(journal: &Arc<dyn Journal>, events: Vec<Event>) {
    let head = saved(journal).await.head;
    let commit = Commit {
        events: following(head, events),
        ..nothing(head)
    };
    journal.commit(commit).await.expect("is at the head");
}

async fn saved(journal: &Arc<dyn Journal>) -> JournalContents {
    let loaded = journal.load().await.expect("can be read");
    loaded.expect("was begun")
}

async fn refused(journal: &Arc<dyn Journal>, commit: Commit) {
    let answer = journal.commit(commit).await;
    assert!(matches!(answer, Err(JournalError::Failed(_))), "{answer:?}");
}

#[cfg(test)]
mod tests;
