use super::*;

const SNAPSHOT: &str = r#"{"reason":"no_cursor","guilds":[]}"#;

fn event(name: &str, seq: u64, data: &str) -> Event {
    Event {
        name: name.to_owned(),
        id: Some(format!("0.1700000000000-{seq}")),
        data: data.to_owned(),
        ..Event::default()
    }
}

fn stamped(seq: u64, sequence: u64) -> Event {
    let data = format!(
        r#"{{"channelId":"5","userId":"7","username":"{sequence}:100","selfMute":false,"selfDeaf":false,"mute":false,"deaf":false}}"#
    );
    event("voice.updated", seq, &data)
}

/// Of two streams that had their picture.
fn opened() -> Checker {
    let mut checker = Checker::of([0, 0].into_iter());
    for stream in 0..2 {
        checker.take(stream, &event("snapshot", 1, SNAPSHOT), 0);
    }
    checker
}

#[test]
fn what_came_once_in_order_to_all_has_no_fault() {
    let mut checker = opened();
    assert_eq!(checker.open(), 2);
    for stream in 0..2 {
        checker.take(stream, &stamped(2, 1), 150);
        checker.take(stream, &event("status", 2, "{}"), 0);
        checker.take(stream, &event("resumed", 2, "{}"), 0);
        checker.take(stream, &stamped(3, 2), 150);
    }
    let sums = checker.sums(2);
    assert_eq!((sums.deliveries, sums.lost, sums.uneven), (4, 0, 0));
    assert_eq!((sums.doubled, sums.reordered), (0, 0));
    assert_eq!(checker.count.fallen_ids + checker.count.two_payloads, 0);
    assert_eq!((checker.behind(2), checker.behind(3)), (0, 2));
    assert_eq!(checker.picture(0), checker.picture(1));
    assert!(checker.faults().is_empty(), "{:?}", checker.faults());
}

#[test]
fn a_loss_on_one_stream_is_found_twice() {
    let mut checker = opened();
    for stream in 0..2 {
        checker.take(stream, &stamped(2, 1), 150);
    }
    checker.take(0, &stamped(3, 2), 150);
    let sums = checker.sums(2);
    assert_eq!((sums.lost, sums.uneven), (1, 1));
}

#[test]
fn a_position_that_is_used_twice_is_found() {
    let mut checker = opened();
    checker.take(0, &stamped(2, 1), 150);
    checker.take(1, &stamped(2, 9), 150);
    assert_eq!(checker.count.two_payloads, 1);
    // On one stream the same is an id that did not rise.
    checker.take(0, &stamped(2, 1), 150);
    assert_eq!(checker.count.fallen_ids, 1);
    assert_eq!(checker.sums(1).doubled, 1);
}

#[test]
fn a_cursor_beyond_what_was_sent_is_found_with_the_next_event() {
    let mut checker = opened();
    checker.take(0, &event("checkpoint", 5, "{}"), 0);
    checker.take(0, &stamped(4, 1), 150);
    assert_eq!(checker.count.fallen_ids, 1);
}

#[test]
fn snapshots_after_the_first_and_what_was_found_by_comparing_are_counted() {
    let mut checker = opened();
    checker.take(0, &event("snapshot", 9, SNAPSHOT), 0);
    checker.take(1, &event("gap", 10, "{}"), 0);
    checker.take(1, &event("room.created", 11, r#"{"synthetic":true}"#), 0);
    assert_eq!((checker.count.snapshots, checker.count.synthetic), (1, 2));
    assert_eq!(checker.faults().len(), 1);
}

#[test]
fn whose_rights_change_may_miss_something_and_gets_a_snapshot_for_no_other_reason() {
    let mut checker = Checker::of([0, CHANGING].into_iter());
    for stream in 0..2 {
        checker.take(stream, &event("snapshot", 1, SNAPSHOT), 0);
    }
    checker.take(0, &stamped(2, 1), 150);
    let of_rights = SNAPSHOT.replace("no_cursor", "authz_changed");
    checker.take(1, &event("snapshot", 2, &of_rights), 0);
    assert_eq!(checker.behind(1), 0);
    let sums = checker.sums(1);
    assert_eq!((sums.lost, sums.uneven), (0, 0));
    let count = checker.count;
    assert_eq!((count.rights_snapshots, count.snapshots), (1, 0));
    checker.take(1, &event("snapshot", 3, SNAPSHOT), 0);
    checker.take(0, &event("snapshot", 3, &of_rights), 0);
    assert_eq!(checker.count.snapshots, 2);
}
