use guildhall_model::{Cursor, LogId, Position};

use super::{CursorVerdict, judge_cursor, judge_position};
use guildhall_model::event::SnapshotReason as Reason;

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
    let (after, snapshot) = (CursorVerdict::After, CursorVerdict::Snapshot);
    let expired = snapshot(Reason::CursorExpired);
    let other_epoch = snapshot(Reason::EpochChanged);
    let none = snapshot(Reason::NoCursor);
    let (old, later) = (Some(at(6, 80)), Some(at(8, 80)));
    let table: [(&str, Option<Position>, &[Position], CursorVerdict); 13] = [
        ("none came", None, &[], none),
        ("of another log", Some(other_log), &[], none),
        ("an earlier epoch", old, &[], other_epoch),
        ("a later epoch", later, &[], other_epoch),
        ("below the floor", Some(at(7, 59)), &[], expired),
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
