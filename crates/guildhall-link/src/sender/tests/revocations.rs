use super::*;

#[test]
fn all_that_was_revoked_is_told_in_parts_before_anything_of_the_logs() {
    let mut driven = Driven::new(at(1), complete());
    driven.machine.handle(Input::RevokedMoved(3), driven.now);
    assert_eq!(polled(&mut driven), [said_hello(at(1))]);
    driven.subscribe(Some(at(0)));
    let join = Output::Join {
        log: LogId(0),
        after: Some(at(0)),
    };
    assert_eq!(polled(&mut driven), [join, Output::ReadRevoked(0)]);
    driven.input(Input::JoinedAfter {
        after: at(0),
        head: at(1),
    });
    assert_eq!(polled(&mut driven), [], "the log waits");
    driven.input(read_revoked(1..=2, true));
    let outputs = polled(&mut driven);
    assert_eq!(outputs, [told(1..=2, true), Output::ReadRevoked(2)]);
    driven.input(read_revoked(3..=3, false));
    let outputs = polled(&mut driven);
    assert_eq!(outputs, [told(3..=3, false), Output::Read(at(0))]);
}

#[test]
fn that_nothing_was_revoked_is_told_too_and_once() {
    let mut driven = Driven::new(at(0), complete());
    driven.subscribe(None);
    let reads = polled(&mut driven).pop();
    assert_eq!(reads, Some(Output::ReadRevoked(0)));
    driven.input(nothing_revoked(0));
    let nothing = Output::Send(Frame::Tell(Tell::Revoked {
        revocations: Vec::new(),
        more: false,
    }));
    assert_eq!(polled(&mut driven), [nothing]);
    driven.input(Input::RevokedMoved(1));
    assert_eq!(polled(&mut driven), [Output::ReadRevoked(0)]);
    driven.input(nothing_revoked(1));
    assert_eq!(polled(&mut driven), [], "it has ended meanwhile");
}

/// However much of the logs is waiting.
#[test]
fn what_is_new_goes_ahead_of_what_waits() {
    let mut driven = Driven::following(at(0));
    driven.input(Input::HeadMoved(at(3)));
    driven.take();
    driven.input(read(vec![event(1), event(2), event(3)]));
    assert_eq!(driven.machine.poll_output(), Some(Output::Relay(event(1))));
    driven.input(Input::RevokedMoved(1));
    assert_eq!(driven.machine.poll_output(), Some(Output::ReadRevoked(0)));
    driven.input(read_revoked(1..=1, false));
    let outputs = polled(&mut driven);
    let [revoked, Output::Relay(_), Output::Relay(_)] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    assert_eq!(*revoked, told(1..=1, false));
}

#[test]
fn a_revocation_is_answered_once_it_is_kept() {
    let mut driven = Driven::following(at(0));
    let body = RequestBody::Revoke(user(7));
    let request = Request {
        id: 4,
        deadline: Duration::from_secs(5),
        body,
    };
    driven.input(SocketInput::FrameCame(Ok(Frame::Request(request))));
    let revoke = Output::Revoke {
        request_id: 4,
        revocation: user(7),
    };
    assert_eq!(driven.take(), [revoke]);
    driven.input(Input::Revoked {
        request_id: 4,
        known: false,
    });
    let reply = Output::Send(Frame::Reply(Reply {
        id: 4,
        result: Ok(ReplyBody::Revoked { known: false }),
    }));
    assert_eq!(driven.take(), [reply]);
}

#[test]
fn a_web_role_tells_nobody_what_was_revoked() {
    let mut driven = Driven::following(at(0));
    let Output::Send(frame) = told(1..=1, false) else {
        panic!("it is a frame");
    };
    driven.input(SocketInput::FrameCame(Ok(frame)));
    let end = End::Violated(Violation::Unexpected);
    assert_eq!(driven.ended_with("protocol"), end);
}

#[test]
fn a_part_fits_into_a_frame_many_times_over() {
    let revocation = || Revocation::Session {
        id: guildhall_model::SessionId::new("x".repeat(64)),
        user_id: UserId(u64::MAX),
        ends_at: u64::MAX,
    };
    let tell = Tell::Revoked {
        revocations: (0..REVOCATIONS_PER_TELL).map(|_| revocation()).collect(),
        more: true,
    };
    let bytes = Frame::Tell(tell).encode(u64::MAX).len();
    assert!(bytes < 200 * 1_024, "{bytes}");
}

fn polled(driven: &mut Driven) -> Vec<Output> {
    std::iter::from_fn(|| driven.machine.poll_output()).collect()
}

fn read_revoked(users: std::ops::RangeInclusive<u64>, more: bool) -> Input {
    let end = *users.end();
    Input::RevokedRead {
        revocations: users.map(user).collect(),
        end,
        more,
    }
}

fn told(users: std::ops::RangeInclusive<u64>, more: bool) -> Output {
    let revocations = users.map(user).collect();
    Output::Send(Frame::Tell(Tell::Revoked { revocations, more }))
}

fn user(id: u64) -> Revocation {
    Revocation::User {
        user_id: UserId(id),
        not_before: 9,
    }
}
