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

#[tokio::test(start_paused = true)]
async fn each_answer_grows_old_by_itself_however_often_others_are_asked_for() {
    let begin = Instant::now();
    let mut lookups = RightsLookups::default();
    lookups.record(at(1, 1), &ids([1]), &[], |_| false, begin);
    for minute in 0..6 {
        let now = begin + Duration::from_secs(10 * minute);
        lookups.record(at(1, 1), &ids([100 + minute]), &[], |_| false, now);
    }
    let now = begin + Duration::from_mins(1);
    assert_eq!(
        lookups.due_for_refresh(1, |id| id == GuildId(1), TTL, now),
        ids([1])
    );
    assert_eq!(lookups.due(1, &ids([1, 105]), TTL, now), ids([1]));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_could_find_out_is_asked_for_again_sooner() {
    let begin = Instant::now();
    let mut lookups = RightsLookups::default();
    lookups.record(at(1, 1), &ids([1, 2]), &ids([2]), |_| false, begin);
    assert_eq!(lookups.unresolved(1, &ids([1, 2, 3])), Some(ids([2, 3])));
    let soon = begin + Duration::from_secs(15);
    assert_eq!(lookups.due_for_refresh(1, |_| true, TTL, soon), ids([2]));
    assert!(
        lookups.due_for_refresh(1, |_| false, TTL, soon).is_empty(),
        "nobody wants it"
    );
    assert_eq!(
        lookups.unresolved(2, &ids([1])),
        None,
        "another epoch of the log"
    );
}

#[tokio::test(start_paused = true)]
async fn one_person_is_remembered_in_so_many_guilds_and_what_streams_are_about_stays() {
    let begin = Instant::now();
    let mut lookups = RightsLookups::default();
    let wanted = |id: GuildId| id == GuildId(1);
    lookups.record(at(1, 1), &ids([1]), &[], wanted, begin);
    let mut dropped = 0;
    for round in 0..100_u64 {
        let now = begin + Duration::from_millis(round);
        let asked = ids((0..100).map(|id| 1_000 + 100 * round + id));
        dropped += lookups.record(at(1, 1), &asked, &[], wanted, now).dropped;
        assert!(lookups.len() <= GUILDS_PER_VIEWER);
    }
    assert_eq!(dropped, 10_001 - GUILDS_PER_VIEWER);
    assert_eq!(lookups.unresolved(1, &ids([1])), Some(Vec::new()));
    let later = begin + Duration::from_mins(2);
    lookups.forget(wanted, TTL.known, later);
    assert_eq!(lookups.len(), 1, "the others are over");
}

#[tokio::test(start_paused = true)]
async fn a_guild_that_a_stream_lacked_is_resolved_and_one_that_nobody_missed_is_not() {
    let now = Instant::now();
    let mut lookups = RightsLookups::default();
    let nobody = |_| false;
    lookups.record(at(1, 5), &ids([1]), &[], nobody, now);
    lookups.record(at(1, 6), &ids([2]), &[], nobody, now);
    assert!(!lookups.resolved_since(at(1, 5)));
    lookups.note_lacking(1, &ids([1, 3]), now);
    assert_eq!(
        lookups.unresolved(1, &ids([1, 3])),
        Some(ids([3])),
        "what is known stays"
    );
    lookups.record(at(1, 7), &ids([3]), &[], nobody, now);
    assert!(lookups.resolved_since(at(1, 7)) && !lookups.resolved_since(at(1, 8)));
    lookups.note_failure(at(1, 9), &ids([1, 4]), now);
    assert_eq!(lookups.unresolved(1, &ids([1, 4])), Some(ids([4])));
    lookups.record(at(1, 9), &ids([4]), &[], nobody, now);
    assert!(lookups.resolved_since(at(1, 9)));
}
