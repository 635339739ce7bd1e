use guildhall_model::{Cursor, LogId, Position, event::SnapshotReason as Reason};

use super::{QueriedLog, QueriedLogs, judge_cursor, judge_position};
use crate::{auth::LoginHeads, replica::LogPositions};

const WINDOW: u64 = 10;

fn at(epoch: u64, seq: u64) -> Position {
    Position {
        log: LogId(0),
        epoch,
        seq,
    }
}

fn in_log(log: u16, epoch: u64, seq: u64) -> Position {
    Position {
        log: LogId(log),
        ..at(epoch, seq)
    }
}

fn positions(positions: &[Position]) -> LogPositions {
    LogPositions::of(positions.iter().copied()).expect("some")
}

fn cursor(positions: &[Position]) -> Cursor {
    Cursor::new(positions.iter().copied()).expect("one of each log")
}

/// Each stands at 100 and keeps what came after 60.
fn queried(logs: &[u16]) -> QueriedLogs {
    let logs = logs.iter().map(|log| QueriedLog {
        now: in_log(*log, 7, 100),
        floor: 60,
    });
    QueriedLogs {
        logs: logs.collect(),
        awaits_some: false,
    }
}

#[test]
fn each_cursor_has_one_answer() {
    let other_log = in_log(3, 7, 80);
    let login = [at(7, 70)];
    let old_login = [at(6, 9_000)];
    let after = |seq| Ok(LogPositions::from(at(7, seq)));
    let expired = Err(Reason::CursorExpired);
    let other_epoch = Err(Reason::EpochChanged);
    let none = Err(Reason::NoCursor);
    let (old, later) = (Some(at(6, 80)), Some(at(8, 80)));
    let table: [(&str, Option<Position>, &[Position], Result<_, _>); 13] = [
        ("none came", None, &[], none.clone()),
        (
            "of a log that is no more",
            Some(other_log),
            &[],
            other_epoch.clone(),
        ),
        ("an earlier epoch", old, &[], other_epoch.clone()),
        ("a later epoch", later, &[], other_epoch),
        ("below the floor", Some(at(7, 59)), &[], expired.clone()),
        ("at the floor", Some(at(7, 60)), &[], after(60)),
        ("in the window", Some(at(7, 80)), &[], after(80)),
        ("at the head", Some(at(7, 100)), &[], after(100)),
        ("a faster instance's", Some(at(7, 110)), &[], after(110)),
        ("too far ahead", Some(at(7, 111)), &[], expired),
        ("before the login", Some(at(7, 69)), &login, none),
        ("at the login", Some(at(7, 70)), &login, after(70)),
        ("an older login", Some(at(7, 61)), &old_login, after(61)),
    ];
    for (what, cursor, heads, expected) in table {
        let cursor = cursor.map(Cursor::from);
        let heads = LoginHeads::from(heads.to_vec());
        let replica = at(7, 100).into();
        assert_eq!(
            judge_cursor(cursor.as_ref(), &heads, &queried(&[0]), &replica, WINDOW),
            expected,
            "{what}"
        );
    }
}

/// What a browser comes with, for a query on which logs, and what becomes of it.
type Case<'a> = (
    &'a str,
    &'a [Position],
    &'a [u16],
    Result<&'a [Position], Reason>,
);

#[test]
#[expect(clippy::too_many_lines, reason = "one flat table")]
fn a_cursor_of_several_logs_is_good_in_all_logs_behind_the_query_or_not_at_all() {
    let replica = positions(&[0, 2, 5].map(|log| in_log(log, 7, 100)));
    let fresh = |log| in_log(log, 7, 80);
    let ahead = |by: u64| in_log(0, 7, 100 + by);
    let over = |log| in_log(log, 6, 80);
    let expired = in_log(2, 7, 59);
    let both = &[fresh(0), fresh(2)][..];
    let never = LoginHeads::default();
    let login = LoginHeads::from(vec![in_log(2, 7, 90)]);
    let table: [Case<'_>; 12] = [
        ("of these", both, &[0, 2], Ok(both)),
        (
            "a narrower query",
            &[fresh(0), fresh(2), fresh(5)],
            &[2],
            Ok(&[fresh(2)]),
        ),
        (
            "with a log that is no more",
            &[fresh(0), fresh(9)],
            &[0],
            Ok(&[fresh(0)]),
        ),
        (
            "a wider query",
            &[fresh(0)],
            &[0, 2],
            Err(Reason::AuthzChanged),
        ),
        ("another query", &[fresh(5)], &[0, 2], Err(Reason::NoCursor)),
        (
            "one epoch is over",
            &[fresh(0), over(2)],
            &[0, 2],
            Err(Reason::EpochChanged),
        ),
        (
            "that one is not asked for",
            &[fresh(0), over(2)],
            &[0],
            Ok(&[fresh(0)]),
        ),
        (
            "guilds went to other logs",
            &[fresh(9)],
            &[0, 2],
            Err(Reason::EpochChanged),
        ),
        (
            "some of them did",
            &[fresh(0), over(5)],
            &[0, 2],
            Err(Reason::EpochChanged),
        ),
        (
            "one is expired",
            &[fresh(0), expired],
            &[0, 2],
            Err(Reason::CursorExpired),
        ),
        (
            "one is far ahead",
            &[ahead(11), fresh(2)],
            &[0, 2],
            Err(Reason::CursorExpired),
        ),
        (
            "one is a bit ahead",
            &[ahead(10), fresh(2)],
            &[0, 2],
            Ok(&[ahead(10), fresh(2)]),
        ),
    ];
    for (what, given, logs, expected) in table {
        let given = cursor(given);
        let judged = |heads| judge_cursor(Some(&given), heads, &queried(logs), &replica, WINDOW);
        let expected = expected.map(positions);
        assert_eq!(judged(&never), expected, "{what}");
        if expected.is_ok_and(|expected| expected.in_log(LogId(2)).is_some()) {
            let before_login = Err(Reason::NoCursor);
            assert_eq!(judged(&login), before_login, "{what}, before the login");
        }
    }
}

#[test]
fn a_guild_that_is_in_no_log_any_more_may_have_been_in_one_that_is_over() {
    let replica = positions(&[0, 2].map(|log| in_log(log, 7, 100)));
    let awaits_some = QueriedLogs {
        awaits_some: true,
        ..queried(&[0])
    };
    let judged = |other: Position, queried: &QueriedLogs| {
        let given = cursor(&[at(7, 80), other]);
        judge_cursor(
            Some(&given),
            &LoginHeads::default(),
            queried,
            &replica,
            WINDOW,
        )
    };
    let good = Ok(LogPositions::from(at(7, 80)));
    for over in [in_log(2, 6, 80), in_log(9, 7, 80)] {
        assert_eq!(judged(over, &awaits_some), Err(Reason::EpochChanged));
        assert_eq!(judged(over, &queried(&[0])), good, "a narrower query");
    }
    assert_eq!(judged(in_log(2, 7, 80), &awaits_some), good);
}

#[test]
fn an_open_stream_below_the_floor_was_slow() {
    let judged = |stands: &[Position], logs: &[u16]| {
        judge_position(&positions(stands), &queried(logs), WINDOW)
    };
    assert_eq!(judged(&[at(7, 59)], &[0]), Err(Reason::SlowConsumer));
    assert_eq!(judged(&[at(7, 60)], &[0]), Ok(()));
    assert_eq!(judged(&[at(6, 99)], &[0]), Err(Reason::EpochChanged));

    let both = [at(7, 60), in_log(2, 7, 59)];
    assert_eq!(judged(&both, &[0, 2]), Err(Reason::SlowConsumer));
    assert_eq!(judged(&both, &[0]), Ok(()), "the other is not asked for");
    assert_eq!(judged(&[at(7, 60)], &[0, 2]), Ok(()), "the other is new");
    let over = [at(7, 60), in_log(2, 6, 99)];
    assert_eq!(judged(&over, &[0, 2]), Err(Reason::EpochChanged));
}
