use super::*;

const SNAPSHOT: &str = r#"{"reason":"no_cursor","guilds":[]}"#;

fn frame(event: &str, seq: u64, data: &str) -> Frame {
    Frame {
        event: event.to_owned(),
        id: Some(format!("0.1700000000000-{seq}")),
        data: data.to_owned(),
        ..Frame::default()
    }
}

fn stamped(seq: u64, sequence: u64) -> Frame {
    let data = format!(
        r#"{{"channelId":"5","userId":"7","username":"{sequence}:100","selfMute":false,"selfDeaf":false,"mute":false,"deaf":false}}"#
    );
    frame("voice.updated", seq, &data)
}

/// A book of two streams that had their picture.
fn opened() -> Book {
    let mut book = Book::of(2);
    for stream in 0..2 {
        book.take(stream, &frame("snapshot", 1, SNAPSHOT), 0);
    }
    book
}

#[test]
fn what_came_once_in_order_to_all_has_no_fault() {
    let mut book = opened();
    assert_eq!(book.open(), 2);
    for stream in 0..2 {
        book.take(stream, &stamped(2, 1), 150);
        book.take(stream, &frame("status", 2, "{}"), 0);
        book.take(stream, &frame("resumed", 2, "{}"), 0);
        book.take(stream, &stamped(3, 2), 150);
    }
    let sums = book.sums(2);
    assert_eq!((sums.deliveries, sums.lost, sums.uneven), (4, 0, 0));
    assert_eq!((sums.doubled, sums.reordered), (0, 0));
    assert_eq!(book.count.fallen_ids + book.count.two_payloads, 0);
    assert_eq!((book.at(2), book.at(3)), (2, 0));
    assert_eq!(book.picture(0), book.picture(1));
    assert!(book.faults().is_empty(), "{:?}", book.faults());
}

#[test]
fn a_loss_on_one_stream_is_found_twice() {
    let mut book = opened();
    for stream in 0..2 {
        book.take(stream, &stamped(2, 1), 150);
    }
    book.take(0, &stamped(3, 2), 150);
    let sums = book.sums(2);
    assert_eq!((sums.lost, sums.uneven), (1, 1));
}

#[test]
fn a_position_that_is_used_twice_is_found() {
    let mut book = opened();
    book.take(0, &stamped(2, 1), 150);
    book.take(1, &stamped(2, 9), 150);
    assert_eq!(book.count.two_payloads, 1);
    // On one stream the same is an id that did not rise.
    book.take(0, &stamped(2, 1), 150);
    assert_eq!(book.count.fallen_ids, 1);
    assert_eq!(book.sums(1).doubled, 1);
}

#[test]
fn a_cursor_beyond_what_was_sent_is_found_with_the_next_event() {
    let mut book = opened();
    book.take(0, &frame("checkpoint", 5, "{}"), 0);
    book.take(0, &stamped(4, 1), 150);
    assert_eq!(book.count.fallen_ids, 1);
}

#[test]
fn snapshots_after_the_first_and_what_was_found_by_comparing_are_counted() {
    let mut book = opened();
    book.take(0, &frame("snapshot", 9, SNAPSHOT), 0);
    book.take(1, &frame("gap", 10, "{}"), 0);
    book.take(1, &frame("room.created", 11, r#"{"synthetic":true}"#), 0);
    assert_eq!((book.count.snapshots, book.count.synthetic), (1, 2));
    assert_eq!(book.faults().len(), 1);
}
