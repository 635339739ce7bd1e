use guildhall_model::{Cursor, LogId, Position};

use super::{CursorVerdict, judge_cursor, judge_position};
use crate::visible::SnapshotReason as Reason;

fn at(epoch: u64, seq: u64) -> Position {
    Position {
        log: LogId(0),
        epoch,
        seq,
    }
}

#[test]
fn each_cursor_has_one_answer() {
    const WINDOW: u64 = 10;
    let now = at(7, 100);
    let floor = 60;
    let other_log = Position {
        log: LogId(3),
        ..at(7, 80)
    };
    let login = [at(7, 70)];
    let old_login = [at(6, 9_000)];
    let table: [(&str, Option<Position>, &[Position], CursorVerdict); 13] = [
        (
            "none came",
            None,
            &[],
            CursorVerdict::Snapshot(Reason::NoCursor),
        ),
        (
            "of another log",
            Some(other_log),
            &[],
            CursorVerdict::Snapshot(Reason::NoCursor),
        ),
        (
            "an earlier epoch",
            Some(at(6, 80)),
            &[],
            CursorVerdict::Snapshot(Reason::EpochChanged),
        ),
        (
            "a later epoch",
            Some(at(8, 80)),
            &[],
            CursorVerdict::Snapshot(Reason::EpochChanged),
        ),
        (
            "below the floor",
            Some(at(7, 59)),
            &[],
            CursorVerdict::Snapshot(Reason::CursorExpired),
        ),
        (
            "at the floor",
            Some(at(7, 60)),
            &[],
            CursorVerdict::After(60),
        ),
        (
            "in the window",
            Some(at(7, 80)),
            &[],
            CursorVerdict::After(80),
        ),
        (
            "at the head",
            Some(at(7, 100)),
            &[],
            CursorVerdict::After(100),
        ),
        (
            "a faster instance's",
            Some(at(7, 110)),
            &[],
            CursorVerdict::After(110),
        ),
        (
            "too far ahead",
            Some(at(7, 111)),
            &[],
            CursorVerdict::Snapshot(Reason::CursorExpired),
        ),
        (
            "before the login",
            Some(at(7, 69)),
            &login,
            CursorVerdict::Snapshot(Reason::NoCursor),
        ),
        (
            "at the login",
            Some(at(7, 70)),
            &login,
            CursorVerdict::After(70),
        ),
        (
            "a login of an earlier epoch",
            Some(at(7, 61)),
            &old_login,
            CursorVerdict::After(61),
        ),
    ];
    for (what, cursor, heads, expected) in table {
        let cursor = cursor.map(Cursor::from);
        assert_eq!(
            judge_cursor(cursor.as_ref(), heads, now, floor, WINDOW),
            expected,
            "{what}"
        );
    }
}

#[test]
fn a_cursor_of_several_logs_is_read_where_this_log_is_in_it() {
    let both = Cursor::new(vec![
        at(7, 80),
        Position {
            log: LogId(1),
            ..at(9, 5)
        },
    ]);
    let both = both.expect("two logs in order");
    assert_eq!(
        judge_cursor(Some(&both), &[], at(7, 100), 60, 10),
        CursorVerdict::After(80)
    );
}

#[test]
fn an_open_stream_below_the_floor_was_slow() {
    let now = at(7, 100);
    assert_eq!(
        judge_position(at(7, 59), now, 60, 10),
        CursorVerdict::Snapshot(Reason::SlowConsumer)
    );
    assert_eq!(
        judge_position(at(7, 60), now, 60, 10),
        CursorVerdict::After(60)
    );
    assert_eq!(
        judge_position(at(6, 99), now, 60, 10),
        CursorVerdict::Snapshot(Reason::EpochChanged)
    );
}
