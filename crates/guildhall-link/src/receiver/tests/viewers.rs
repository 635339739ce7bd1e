use std::collections::BTreeMap;

use guildhall_model::ChannelId;

use super::*;
use crate::frame::{Tell, ViewerTable};

#[test]
fn the_table_is_told_behind_the_subscription_and_then_once_a_second_at_most() {
    let mut driven = Driven::new(Some(cursor(3)));
    driven.input(Input::ViewersChanged);
    assert_eq!(driven.take(), [], "there is nobody to be told yet");
    driven.frames([hello(at(3))]);
    let subscribe = Output::Send(Frame::Subscribe {
        after: Some(at(3).into()),
    });
    assert_eq!(driven.take(), [subscribe, Output::CountViewers]);
    let begin = driven.now;
    driven.now += Duration::from_millis(400);
    driven.input(Input::ViewersChanged);
    driven.input(Input::ViewersChanged);
    assert_eq!(driven.take(), []);
    assert_eq!(driven.machine.deadline(), Some(begin + VIEWERS_EVERY));
    driven.now = begin + VIEWERS_EVERY;
    driven.input(SocketInput::TimePassed);
    assert_eq!(driven.take(), [Output::CountViewers], "both as one");
    driven.now += VIEWERS_EVERY;
    driven.input(SocketInput::TimePassed);
    assert_eq!(driven.take(), [], "nothing has changed");
    driven.input(Input::ViewersChanged);
    assert_eq!(
        driven.take(),
        [Output::CountViewers],
        "after a rest at once"
    );
}

#[test]
fn an_empty_table_is_told_too() {
    let mut driven = Driven::subscribed(None, at(0));
    driven.input(Input::ViewersCounted(table(0)));
    assert_eq!(driven.take(), [Output::Send(told(table(0), false))]);
}

#[test]
fn a_big_table_goes_in_parts_that_the_gateway_reads() {
    let mut driven = Driven::subscribed(None, at(0));
    let rooms = 2 * ROOMS_PER_TELL + 1;
    driven.input(Input::ViewersCounted(table(rooms)));
    let mut parts = Vec::new();
    for output in driven.take() {
        let Output::Send(frame) = output else {
            panic!("nothing else: {output:?}");
        };
        let bytes = frame.encode(u64::MAX).len();
        assert!(
            bytes < crate::attachment::MESSAGE_BYTES_TO_GATEWAY / 2 + 4_096,
            "{bytes}"
        );
        let Frame::Tell(Tell::Viewers { table, more }) = frame else {
            panic!("nothing else: {frame:?}");
        };
        parts.push((table.rooms.len(), more));
    }
    let full = (ROOMS_PER_TELL, true);
    assert_eq!(parts, [full, full, (1, false)]);
    driven.input(Input::ViewersCounted(table(ROOMS_PER_TELL)));
    assert_eq!(driven.take().len(), 1, "what fits goes as one");
}

#[test]
fn a_gateway_tells_nobody_of_viewers() {
    let mut driven = Driven::subscribed(None, at(0));
    driven.frames([told(table(1), false)]);
    assert_eq!(driven.take(), [Output::Report(Violation::UnknownTell)]);
}

fn told(table: ViewerTable, more: bool) -> Frame {
    Frame::Tell(Tell::Viewers { table, more })
}

/// Rooms with the longest ids, and as many on each as there can be.
fn table(rooms: usize) -> ViewerTable {
    let room = |number| (ChannelId(u64::MAX - number), u32::MAX);
    ViewerTable {
        instance: "i".parse().expect("visible ASCII"),
        rooms: (0..rooms as u64).map(room).collect::<BTreeMap<_, _>>(),
    }
}
