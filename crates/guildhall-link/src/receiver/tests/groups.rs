use super::*;
use crate::attachment::GROUP_EVENTS;

#[test]
fn a_group_is_handed_over_when_its_last_event_has_come() {
    let mut driven = Driven::subscribed(Some(at(3)), at(3));
    driven.frames([status(), end_at(3)]);
    driven.take();
    driven.frames([more(4), more(5)]);
    assert_eq!(driven.take(), []);
    driven.frames([status()]);
    assert_eq!(
        driven.take(),
        [Output::Status(live())],
        "nothing else waits"
    );
    driven.frames([event(6), event(7)]);
    let group = vec![more_of(4), more_of(5), envelope(6)];
    assert_eq!(
        driven.take(),
        [Output::Apply(group), Output::Apply(vec![envelope(7)])]
    );
}

#[test]
fn of_a_group_that_is_cut_off_nothing_is_handed_over() {
    let mut driven = Driven::subscribed(Some(at(3)), at(3));
    driven.frames([status(), end_at(3), event(4), more(5)]);
    driven.take();
    driven.input(SocketInput::ConnectionLost);
    assert_eq!(driven.take(), [Output::End(End::Lost)]);
}

#[test]
fn a_replay_does_not_end_inside_a_group() {
    for after in [Some(at(3)), None] {
        let mut driven = Driven::subscribed(after, at(5));
        driven.frames([more(4), more(5), end_at(5)]);
        assert_eq!(driven.ended_with("out_of_order"), End::OutOfOrder);
    }
}

#[test]
fn a_new_replica_goes_on_without_an_event_of_a_group_that_cannot_be_read() {
    let mut driven = Driven::subscribed(None, at(9));
    driven.frames([base(1, 0), more(1), more(2)]);
    driven.text(r#"{"type":"event","data":{}}"#);
    driven.frames([more(4), event(5), more(6), end_at(7)]);
    let applied = |output: Out| match output {
        Output::Apply(group) => Some(group.iter().map(|envelope| envelope.at.seq).collect()),
        _ => None,
    };
    let groups: Vec<Vec<u64>> = driven.take().into_iter().filter_map(applied).collect();
    assert_eq!(groups, [vec![1, 2], vec![4, 5], vec![6]]);
    assert!(driven.machine.caught_up());
}

#[test]
fn a_group_without_an_end_ends_the_attachment() {
    let mut driven = Driven::subscribed(Some(at(0)), at(0));
    driven.frames([status(), end_at(0)]);
    driven.take();
    let longest = GROUP_EVENTS as u64;
    driven.frames((1..longest).map(more).chain([event(longest)]));
    let outputs = driven.take();
    assert!(matches!(&outputs[..], [Output::Apply(group)] if group.len() == GROUP_EVENTS));
    driven.frames((longest + 1..=2 * longest).map(more));
    assert_eq!(
        driven.ended_with("protocol"),
        End::Violated(Violation::Endless)
    );
}

fn more_of(seq: u64) -> Envelope {
    Envelope {
        more: true,
        ..envelope(seq)
    }
}

/// An event with more of its group after it.
fn more(seq: u64) -> Frame {
    Frame::Event(more_of(seq))
}
