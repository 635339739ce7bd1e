use super::*;
use crate::frame::{Discord, DiscordStatus};

#[test]
fn each_log_goes_on_or_begins_anew_by_itself() {
    let after = Cursor::new([place(0, 3), place(1, 8)]).expect("two");
    let mut driven = greeted(Some(after.clone()), [place(0, 4), place(1, 9), place(2, 1)]);
    assert_eq!(
        driven.take(),
        [Output::Send(Frame::Subscribe { after: Some(after) })]
    );
    let at_end = Cursor::new([place(0, 4), place(1, 9), place(2, 1)]).expect("three");
    driven.frames([
        floor(1, 6),
        floor(2, 0),
        of(0, 4),
        of(2, 1),
        of(1, 9),
        Frame::SnapshotEnd { at: at_end.clone() },
        of(2, 2),
        of(0, 5),
    ]);
    assert_eq!(
        driven.take(),
        [
            Output::Begin(LogId(1)),
            based(1, 6),
            Output::Begin(LogId(2)),
            based(2, 0),
            applied(0, 4),
            applied(2, 1),
            applied(1, 9),
            Output::Complete(at_end),
            applied(2, 2),
            applied(0, 5),
        ]
    );
}

#[test]
fn a_hole_in_one_log_is_a_hole_whatever_the_others_do() {
    let heads = [place(0, 4), place(1, 9)];
    let end = Cursor::new(heads).expect("two");
    for hole in [
        vec![of(0, 6)],
        vec![of(1, 10), of(0, 5), of(0, 5)],
        vec![of(7, 1)],
        vec![Frame::SnapshotEnd { at: end.clone() }],
    ] {
        let mut driven = greeted(Some(end.clone()), heads);
        driven.frames([Frame::SnapshotEnd { at: end.clone() }]);
        driven.take();
        driven.frames(hole.clone());
        let ended = driven.take();
        assert!(
            matches!(
                ended.last(),
                Some(Output::End(
                    End::OutOfOrder | End::Violated(Violation::Unexpected)
                ))
            ),
            "{hole:?}: {ended:?}"
        );
    }
}

#[test]
fn the_end_of_a_replay_names_every_log_and_no_other() {
    let heads = [place(0, 0), place(1, 0)];
    for end in [
        vec![place(0, 0)],
        vec![place(0, 0), place(2, 0)],
        vec![place(0, 0), place(1, 0), place(2, 0)],
    ] {
        let mut driven = greeted(None, heads);
        let at = Cursor::new(end).expect("few");
        driven.frames([Frame::SnapshotEnd { at }]);
        assert_eq!(driven.ended_with("out_of_order"), End::OutOfOrder);
    }
}

#[test]
fn the_status_of_a_log_that_the_hello_did_not_name_ends_the_attachment() {
    let status = |log| {
        let status = DiscordStatus {
            discord: Discord::Live,
            since: 1,
            guild_ids: Vec::new(),
            complete: true,
        };
        let at = place(log, 0);
        LogStatus { at, status }
    };
    let mut driven = greeted(None, [place(0, 0), place(1, 0)]);
    driven.take();
    driven.frames([Frame::Status(status(1))]);
    assert_eq!(driven.take(), [Output::Status(status(1))]);
    driven.frames([Frame::Status(status(7))]);
    let unexpected = End::Violated(Violation::Unexpected);
    assert_eq!(driven.ended_with("protocol"), unexpected);
}

#[test]
fn groups_of_several_logs_come_in_pieces_and_are_handed_over_whole() {
    let heads = [place(0, 0), place(1, 0)];
    let at = Cursor::new(heads).expect("two");
    let mut driven = greeted(Some(at.clone()), heads);
    // The end of the replay may come while both are inside one.
    driven.frames([
        more_of(0, 1),
        more_of(1, 1),
        Frame::SnapshotEnd { at: at.clone() },
    ]);
    driven.frames([more_of(0, 2), of(1, 2), of(0, 3)]);
    let group = |seqs: &[(u16, u64, bool)]| {
        let seqs = seqs.iter();
        Output::Apply(
            seqs.map(|(log, seq, more)| piece(*log, *seq, *more))
                .collect(),
        )
    };
    assert_eq!(
        driven.take()[1..],
        [
            Output::Complete(at),
            group(&[(1, 1, true), (1, 2, false)]),
            group(&[(0, 1, true), (0, 2, true), (0, 3, false)]),
        ]
    );
}

#[test]
fn where_the_logs_stand_is_passed_on() {
    let mut driven = greeted(None, [place(0, 0), place(1, 0)]);
    driven.take();
    let at = Cursor::new([place(0, 7), place(1, 9)]).expect("two");
    driven.frames([Frame::Heads { at: at.clone() }]);
    assert_eq!(driven.take(), [Output::Heads(at)]);
}

fn greeted<const LOGS: usize>(after: Option<Cursor>, heads: [Position; LOGS]) -> Driven {
    let mut driven = Driven::new(after);
    let heads = Cursor::new(heads).expect("a few");
    driven.frames([Frame::Hello { heads }]);
    driven
}

fn piece(log: u16, seq: u64, more: bool) -> Envelope {
    Envelope {
        at: place(log, seq),
        more,
        ..envelope(seq)
    }
}

fn of(log: u16, seq: u64) -> Frame {
    Frame::Event(piece(log, seq, false))
}

fn more_of(log: u16, seq: u64) -> Frame {
    Frame::Event(piece(log, seq, true))
}

fn applied(log: u16, seq: u64) -> Out {
    Output::Apply(vec![piece(log, seq, false)])
}

fn floor(log: u16, seq: u64) -> Frame {
    Frame::Snapshot(bare_of(log, seq))
}

fn based(log: u16, seq: u64) -> Out {
    Output::Base(bare_of(log, seq))
}

fn bare_of(log: u16, seq: u64) -> Box<Base> {
    Box::new(Base {
        floor: place(log, seq),
        ..*bare(u64::from(log) + 1, 0)
    })
}

fn place(log: u16, seq: u64) -> Position {
    Position::start(LogId(log), 1_000).at(seq)
}
