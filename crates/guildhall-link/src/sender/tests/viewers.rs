use std::collections::BTreeMap;

use guildhall_model::ChannelId;

use super::*;
use crate::frame::{Tell, ViewerTable};

#[test]
fn a_table_is_handed_over_once_it_is_whole() {
    let mut driven = Driven::following(at(0));
    driven.input(told("a", 1..3, true));
    driven.input(told("a", 3..4, true));
    assert_eq!(driven.take(), []);
    driven.input(told("a", 4..5, false));
    assert_eq!(driven.take(), [Output::Viewers(table("a", 1..5))]);
    driven.input(told("a", 0..0, false));
    assert_eq!(driven.take(), [Output::Viewers(table("a", 0..0))]);
}

#[test]
fn a_table_that_was_not_told_to_its_end_is_none() {
    let mut driven = Driven::following(at(0));
    driven.input(told("a", 1..3, true));
    driven.input(told("b", 7..8, false));
    assert_eq!(driven.take(), [Output::Viewers(table("b", 7..8))]);
}

#[test]
fn a_table_without_an_end_ends_the_attachment() {
    let mut driven = Driven::following(at(0));
    let half = MOST_VIEWED_ROOMS as u64 / 2;
    driven.input(told("a", 0..half, true));
    driven.input(told("a", half..2 * half, true));
    assert_eq!(driven.take(), []);
    driven.input(told("a", 0..2 * half + 1, true));
    let end = End::Violated(Violation::Oversized);
    assert_eq!(driven.ended_with("protocol"), end);
}

#[test]
fn nothing_is_told_before_the_subscription() {
    let mut driven = Driven::new(at(0), complete());
    driven.take();
    driven.input(told("a", 1..2, false));
    let end = End::Violated(Violation::Unexpected);
    assert_eq!(driven.ended_with("protocol"), end);
}

fn told(instance: &str, rooms: std::ops::Range<u64>, more: bool) -> Input {
    let table = table(instance, rooms);
    let tell = Frame::Tell(Tell::Viewers { table, more });
    SocketInput::FrameCame(Ok(tell)).into()
}

fn table(instance: &str, rooms: std::ops::Range<u64>) -> ViewerTable {
    ViewerTable {
        instance: instance.parse().expect("visible ASCII"),
        rooms: rooms
            .map(|id| (ChannelId(id), 2))
            .collect::<BTreeMap<_, _>>(),
    }
}
