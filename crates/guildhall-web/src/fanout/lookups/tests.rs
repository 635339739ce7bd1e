use std::time::Duration;

use guildhall_model::LogId;

use super::*;

const TTL: LookupTtl = LookupTtl {
    known: Duration::from_mins(1),
    failed: Duration::from_secs(15),
};

fn at(epoch: u64, seq: u64) -> Position {
    Position {
        log: LogId(0),
        epoch,
        seq,
    }
}

fn ids(ids: impl IntoIterator<Item = u64>) -> Vec<GuildId> {
    ids.into_iter().map(GuildId).collect()
}

/// Guilds whose log stands there.
fn located(at: Position, guilds: impl IntoIterator<Item = u64>) -> Vec<LocatedGuild> {
    let located = ids(guilds).into_iter();
    located.map(|id| LocatedGuild { id, at }).collect()
}

fn unresolved(guilds: impl IntoIterator<Item = u64>) -> Unresolved {
    Unresolved {
        guilds: ids(guilds),
        logs: Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn each_answer_grows_old_by_itself_however_often_others_are_asked_for() {
    let begin = Instant::now();
    let mut lookups = RightsLookups::default();
    lookups.record(&located(at(1, 1), [1]), &[], |_| false, begin);
    for minute in 0..6 {
        let now = begin + Duration::from_secs(10 * minute);
        lookups.record(&located(at(1, 1), [100 + minute]), &[], |_| false, now);
    }
    let now = begin + Duration::from_mins(1);
    assert_eq!(
        lookups.due_for_refresh(&at(1, 2).into(), |id| id == GuildId(1), TTL, now),
        ids([1])
    );
    assert_eq!(
        lookups.due(&located(at(1, 2), [1, 105]), TTL, now),
        ids([1])
    );
}

#[tokio::test(start_paused = true)]
async fn what_nobody_could_find_out_is_asked_for_again_sooner() {
    let begin = Instant::now();
    let mut lookups = RightsLookups::default();
    lookups.record(&located(at(1, 1), [1, 2]), &ids([2]), |_| false, begin);
    assert_eq!(
        lookups.unresolved(&located(at(1, 1), [1, 2, 3])),
        unresolved([2, 3])
    );
    let soon = begin + Duration::from_secs(15);
    let replica = at(1, 1).into();
    assert_eq!(
        lookups.due_for_refresh(&replica, |_| true, TTL, soon),
        ids([2])
    );
    assert!(
        lookups
            .due_for_refresh(&replica, |_| false, TTL, soon)
            .is_empty(),
        "nobody wants it"
    );
    let other_epoch = Unresolved {
        logs: vec![LogId(0)],
        ..unresolved([1])
    };
    assert_eq!(
        lookups.unresolved(&located(at(2, 1), [1])),
        other_epoch,
        "another epoch of the log"
    );
}

#[tokio::test(start_paused = true)]
async fn an_epoch_that_is_over_in_one_log_voids_the_answers_about_its_guilds_alone() {
    let begin = Instant::now();
    let mut lookups = RightsLookups::default();
    let in_other = |epoch, seq| Position {
        log: LogId(5),
        ..at(epoch, seq)
    };
    lookups.record(&located(at(1, 9), [1, 2]), &[], |_| false, begin);
    lookups.record(
        &located(in_other(1, 3), [3, 4]),
        &ids([4]),
        |_| false,
        begin,
    );
    let reborn = LogPositions::of([at(1, 9), in_other(2, 0)]).expect("two");
    let here = [located(at(1, 9), [1, 2]), located(in_other(2, 0), [3, 4])].concat();
    let void = Unresolved {
        logs: vec![LogId(5)],
        ..unresolved([3, 4])
    };
    assert_eq!(lookups.unresolved(&here), void);
    assert_eq!(lookups.due(&here, TTL, begin), ids([3, 4]));
    assert_eq!(
        lookups.due_for_refresh(&reborn, |_| true, TTL, begin),
        ids([3, 4])
    );

    lookups.note_failure(&here, begin);
    assert_eq!(lookups.unresolved(&here), void, "a failure begins nothing");
    let three = located(in_other(2, 6), [3]);
    assert!(lookups.record(&three, &[], |_| false, begin).changed);
    assert_eq!(lookups.unresolved(&here), unresolved([4]));
    assert!(!lookups.resolved_since(in_other(2, 0)), "nobody lacked it");
    lookups.note_failure(&here, begin);
    lookups.note_lacking(&located(in_other(2, 6), [4]), begin);
    lookups.record(&located(in_other(2, 7), [4]), &[], |_| false, begin);
    assert!(lookups.resolved_since(in_other(2, 7)));
    assert!(!lookups.resolved_since(in_other(2, 8)));
    assert!(!lookups.resolved_since(in_other(1, 3)) && !lookups.resolved_since(at(1, 0)));
}

#[tokio::test(start_paused = true)]
async fn one_person_is_remembered_in_so_many_guilds_and_what_streams_are_about_stays() {
    let begin = Instant::now();
    let mut lookups = RightsLookups::default();
    let wanted = |id: GuildId| id == GuildId(1);
    lookups.record(&located(at(1, 1), [1]), &[], wanted, begin);
    let mut dropped = 0;
    for round in 0..100_u64 {
        let now = begin + Duration::from_millis(round);
        let asked = located(at(1, 1), (0..100).map(|id| 1_000 + 100 * round + id));
        dropped += lookups.record(&asked, &[], wanted, now).dropped;
        assert!(lookups.len() <= GUILDS_PER_VIEWER);
    }
    assert_eq!(dropped, 10_001 - GUILDS_PER_VIEWER);
    assert_eq!(lookups.unresolved(&located(at(1, 1), [1])), unresolved([]));
    let later = begin + Duration::from_mins(2);
    lookups.forget(wanted, TTL.known, later);
    assert_eq!(lookups.len(), 1, "the others are over");
}

#[tokio::test(start_paused = true)]
async fn a_guild_that_a_stream_lacked_is_resolved_and_one_that_nobody_missed_is_not() {
    let now = Instant::now();
    let mut lookups = RightsLookups::default();
    let nobody = |_| false;
    lookups.record(&located(at(1, 5), [1]), &[], nobody, now);
    lookups.record(&located(at(1, 6), [2]), &[], nobody, now);
    assert!(!lookups.resolved_since(at(1, 5)));
    lookups.note_lacking(&located(at(1, 6), [1, 3]), now);
    assert_eq!(
        lookups.unresolved(&located(at(1, 6), [1, 3])),
        unresolved([3]),
        "what is known stays"
    );
    lookups.record(&located(at(1, 7), [3]), &[], nobody, now);
    assert!(lookups.resolved_since(at(1, 7)) && !lookups.resolved_since(at(1, 8)));
    lookups.note_failure(&located(at(1, 9), [1, 4]), now);
    assert_eq!(
        lookups.unresolved(&located(at(1, 9), [1, 4])),
        unresolved([4])
    );
    lookups.note_lacking(&located(at(1, 9), [4]), now);
    lookups.note_failure(&located(at(1, 9), [4]), now);
    lookups.record(&located(at(1, 9), [4]), &[], nobody, now);
    assert!(lookups.resolved_since(at(1, 9)));
}

#[tokio::test(start_paused = true)]
async fn what_failed_before_any_stream_joined_was_missed_by_nobody() {
    let now = Instant::now();
    let mut lookups = RightsLookups::default();
    let nobody = |_| false;
    lookups.note_failure(&located(at(1, 5), [1]), now);
    lookups.record(&located(at(1, 6), [1]), &ids([1]), nobody, now);
    lookups.record(&located(at(1, 7), [1]), &[], nobody, now);
    assert!(!lookups.resolved_since(at(1, 0)));
    assert_eq!(lookups.unresolved(&located(at(1, 7), [1])), unresolved([]));
}
