use std::collections::BTreeMap;

use super::{
    requests::{answered, done},
    *,
};

#[test]
fn each_log_is_joined_where_the_replica_stands_in_it() {
    let mut driven = three(&complete());
    driven.take();
    let after = Cursor::new([place(0, 4), place(2, 1), place(7, 9)]).expect("few");
    driven.input(SocketInput::FrameCame(Ok(Frame::Subscribe {
        after: Some(after),
    })));
    let join = |log, after| Output::Join {
        log: LogId(log),
        after,
    };
    assert_eq!(
        driven.take(),
        [
            join(0, Some(place(0, 4))),
            join(1, None),
            join(2, Some(place(2, 1))),
        ],
        "of a log that is no more nothing is asked"
    );
}

#[test]
fn the_replay_ends_once_when_all_logs_are_complete() {
    let mut driven = subscribed(&coming());
    assert_eq!(driven.take(), []);
    for log in [0, 2] {
        driven.input(Input::StatusChanged {
            status: complete(),
            head: place(log, 0),
        });
        assert_eq!(driven.take(), [], "another is still to come");
    }
    driven.input(Input::StatusChanged {
        status: complete(),
        head: place(1, 2),
    });
    driven.input(Input::HeadMoved(place(1, 2)));
    assert_eq!(driven.take(), [Output::Read(place(1, 0))]);
    driven.input(read(vec![of(1, 1), of(1, 2)]));
    let at = Cursor::new([place(0, 0), place(1, 2), place(2, 0)]).expect("three");
    assert_eq!(
        driven.take(),
        [
            Output::Relay(of(1, 1)),
            Output::Relay(of(1, 2)),
            said(complete(), place(0, 0)),
            said(complete(), place(1, 2)),
            said(complete(), place(2, 0)),
            Output::Send(Frame::SnapshotEnd { at }),
        ]
    );
    driven.input(Input::StatusChanged {
        status: coming(),
        head: place(2, 0),
    });
    let changed = [said(coming(), place(2, 0))];
    assert_eq!(driven.take(), changed, "of the log alone that it is of");
}

#[test]
fn a_log_that_grows_and_grows_holds_up_neither_the_others_nor_the_end_of_the_replay() {
    let mut driven = subscribed(&complete());
    let mut sent: BTreeMap<u16, u64> = BTreeMap::new();
    let mut ended = None;
    driven.input(Input::HeadMoved(place(0, u64::MAX)));
    for log in [1, 2] {
        driven.input(Input::HeadMoved(place(log, 100)));
    }
    for outputs in 1..=2_000 {
        match driven.machine.poll_output().expect("there is always more") {
            Output::Read(after) => {
                let next = (1..=EVENTS_PER_READ as u64).map(|seq| after.seq + seq);
                let there = next.filter(|seq| after.log == LogId(0) || *seq <= 100);
                driven.input(read(there.map(|seq| of(after.log.0, seq)).collect()));
            }
            Output::Relay(event) => _ = sent.insert(event.at.log.0, event.at.seq),
            Output::Send(Frame::SnapshotEnd { .. }) => ended = Some(outputs),
            _ => {}
        }
        if sent.get(&1) == Some(&100) && sent.get(&2) == Some(&100) {
            assert!(sent[&0] <= 4 * 32 + 32, "it had its turns alone: {sent:?}");
            assert!(ended.is_some_and(|after| after < 400), "{ended:?}");
            return;
        }
    }
    panic!("the small ones never had their turn: {sent:?}");
}

#[test]
fn an_answer_waits_for_each_of_its_logs_and_for_no_other() {
    let mut driven = subscribed(&complete());
    driven.take();
    for id in [1, 2] {
        driven.input(SocketInput::FrameCame(Ok(watch(id))));
    }
    driven.take();
    let both = Cursor::new([place(0, 1), place(1, 1)]).expect("two");
    driven.input(done(1, both.clone()));
    driven.input(done(2, place(1, 1).into()));
    // The first log grows, and is slow to be read.
    driven.input(Input::HeadMoved(place(0, 1)));
    driven.input(Input::HeadMoved(place(1, 1)));
    let reads = [Output::Read(place(1, 0)), Output::Read(place(0, 0))];
    assert_eq!(driven.take(), reads);
    driven.input(read(vec![of(1, 1)]));
    assert_eq!(
        driven.take(),
        [Output::Relay(of(1, 1)), answered(2, place(1, 1).into())]
    );
    driven.input(read(vec![of(0, 1)]));
    assert_eq!(driven.take(), [Output::Relay(of(0, 1)), answered(1, both)]);
}

#[test]
fn what_was_said_of_a_log_before_it_was_joined_is_not_forgotten() {
    let mut driven = three(&complete());
    driven.subscribe(None);
    driven.take();
    // Marked on the bus, and not yet among what the join finds.
    driven.input(Input::HeadMoved(place(1, 1)));
    for log in 0..3 {
        driven.input(Input::JoinedBases {
            bases: Vec::new(),
            backlog: Vec::new(),
            head: place(log, 0),
        });
    }
    assert_eq!(driven.take(), [Output::Read(place(1, 0))]);
    driven.input(read(vec![of(1, 1)]));
    let sent = driven.take();
    assert_eq!(sent.first(), Some(&Output::Relay(of(1, 1))));
    let at = Cursor::new([place(0, 0), place(1, 1), place(2, 0)]).expect("three");
    assert_eq!(sent.last(), Some(&Output::Send(Frame::SnapshotEnd { at })));
}

fn three(status: &DiscordStatus) -> Driven {
    let heads = Cursor::new((0..3).map(|log| place(log, 0))).expect("three");
    let mut driven = Driven::new(place(0, 0), status.clone());
    driven.machine = Sender::new(heads.clone(), driven.now);
    for head in heads.positions() {
        driven.input(Input::StatusChanged {
            status: status.clone(),
            head: *head,
        });
    }
    driven
}

/// Three logs with nothing in them.
fn subscribed(status: &DiscordStatus) -> Driven {
    let mut driven = three(status);
    driven.subscribe(None);
    driven.take();
    for log in 0..3 {
        driven.input(Input::JoinedBases {
            bases: Vec::new(),
            backlog: Vec::new(),
            head: place(log, 0),
        });
    }
    driven
}

fn of(log: u16, seq: u64) -> Arc<SealedEvent> {
    let envelope = Envelope {
        at: place(log, seq),
        ..(**event(seq)).clone()
    };
    Arc::new(SealedEvent::new(envelope))
}

fn place(log: u16, seq: u64) -> Position {
    Position::start(LogId(log), EPOCH).at(seq)
}
