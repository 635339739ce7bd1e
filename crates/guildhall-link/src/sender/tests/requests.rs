use guildhall_model::{
    ChannelId,
    command::{
        Command, CommandDone, CommandError, CommandErrorCode, InviteClaims, InviteToken, Outcome,
    },
};

use super::*;
use crate::frame::{AdmitDone, AdmitRequestBody, Admitted, Refusal, RefusalCode, Reply, ReplyBody};

#[test]
fn an_answer_follows_the_last_event_it_speaks_of_and_precedes_the_next() {
    let mut driven = Driven::subscribed(at(3), coming());
    driven.take();
    driven.input(SocketInput::FrameCame(Ok(watch(1))));
    driven.take();
    driven.input(done(1, cursor(5)));
    assert_eq!(driven.take(), [], "the log has not said that it grew");
    driven.input(Input::HeadMoved(at(6)));
    assert_eq!(driven.take(), [Output::Read(at(3))]);
    driven.input(read((4..=6).map(event).collect()));
    assert_eq!(
        driven.take(),
        [
            Output::Relay(event(4)),
            Output::Relay(event(5)),
            answered(1, cursor(5)),
            Output::Relay(event(6)),
        ]
    );
}

#[test]
fn an_answer_of_what_the_bases_hold_comes_behind_the_whole_replay() {
    let mut driven = Driven::new(at(5), complete());
    driven.subscribe(None);
    driven.input(SocketInput::FrameCame(Ok(watch(1))));
    driven.take();
    driven.input(done(1, cursor(4)));
    assert_eq!(driven.take(), [], "nothing is sent yet");
    driven.input(Input::JoinedBases {
        bases: vec![base(1, 4)],
        backlog: vec![event(3)],
        head: at(5),
    });
    let outputs = driven.take();
    assert_eq!(outputs[1], Output::Relay(event(3)));
    assert_eq!(outputs[2], answered(1, cursor(4)));
}

#[test]
fn more_watches_than_may_be_under_way_are_refused_at_once() {
    let mut driven = Driven::following(at(7));
    for request_id in 0..REQUESTS_UNDER_WAY as u64 {
        driven.input(SocketInput::FrameCame(Ok(watch(request_id))));
        assert!(matches!(driven.take()[..], [Output::Watch { .. }]));
    }
    driven.input(SocketInput::FrameCame(Ok(watch(9_999))));
    assert_eq!(driven.take(), [refused(9_999, RefusalCode::Busy)]);
    driven.input(done(3, cursor(7)));
    assert_eq!(driven.take(), [answered(3, cursor(7))]);
    driven.input(SocketInput::FrameCame(Ok(watch(10_001))));
    assert!(matches!(driven.take()[..], [Output::Watch { .. }]));
}

#[test]
fn each_request_is_given_up_at_its_own_deadline() {
    let mut driven = Driven::following(at(7));
    for (id, millis) in [(1, 900), (2, 300), (3, 600)] {
        let deadline = Duration::from_millis(millis);
        driven.input(SocketInput::FrameCame(Ok(watch_until(id, deadline))));
    }
    driven.take();
    let begin = driven.now;
    assert_eq!(
        driven.machine.deadline(),
        Some(begin + Duration::from_millis(300))
    );
    driven.pass(Duration::from_millis(300));
    driven.input(SocketInput::TimePassed);
    assert_eq!(driven.take(), [refused(2, RefusalCode::Deadline)]);
    // What is answered and waits for an event is given up as well: nobody waits any more.
    driven.input(done(3, cursor(8)));
    driven.pass(Duration::from_millis(300));
    driven.input(SocketInput::TimePassed);
    assert_eq!(driven.take(), [refused(3, RefusalCode::Deadline)]);
    driven.input(done(1, cursor(7)));
    assert_eq!(driven.take(), [answered(1, cursor(7))]);
    driven.input(done(2, cursor(7)));
    driven.input(Input::HeadMoved(at(8)));
    driven.take();
    driven.input(read(vec![event(8)]));
    assert_eq!(
        driven.take(),
        [Output::Relay(event(8))],
        "each is answered once"
    );
}

#[test]
fn what_was_given_up_counts_until_it_is_done() {
    let mut driven = Driven::following(at(7));
    for id in 0..REQUESTS_UNDER_WAY as u64 {
        let deadline = Duration::from_millis(1);
        driven.input(SocketInput::FrameCame(Ok(watch_until(id, deadline))));
    }
    driven.pass(Duration::from_millis(1));
    driven.input(SocketInput::TimePassed);
    driven.take();
    driven.input(SocketInput::FrameCame(Ok(watch(9_999))));
    assert_eq!(driven.take(), [refused(9_999, RefusalCode::Busy)]);
    driven.input(done(0, cursor(7)));
    driven.input(SocketInput::FrameCame(Ok(watch(10_000))));
    assert!(matches!(driven.take()[..], [Output::Watch { .. }]));
}

#[test]
fn no_deadline_is_later_than_the_latest() {
    let mut driven = Driven::following(at(7));
    let never = watch_until(1, Duration::MAX);
    driven.input(SocketInput::FrameCame(Ok(never)));
    driven.take();
    for _ in 0..12 {
        driven.pass(Duration::from_secs(5));
        driven.input(SocketInput::BeatCame);
        driven.input(SocketInput::TimePassed);
    }
    assert!(driven.take().contains(&refused(1, RefusalCode::Deadline)));
}

#[test]
fn a_request_that_is_not_understood_is_answered_so() {
    let mut driven = Driven::following(at(0));
    let unknown =
        r#"{"type":"request","requestId":4,"data":{"kind":"dance","deadlineMs":9,"name":"waltz"}}"#;
    driven.input(SocketInput::FrameCame(Frame::decode(unknown)));
    assert_eq!(
        driven.take(),
        [
            Output::Report(Violation::UnknownRequest),
            refused(4, RefusalCode::UnknownKind),
        ]
    );
    let broken =
        r#"{"type":"request","requestId":5,"data":{"kind":"watch","deadlineMs":9,"userId":true}}"#;
    driven.input(SocketInput::FrameCame(Frame::decode(broken)));
    assert_eq!(
        driven.take(),
        [
            Output::Report(Violation::Undecodable),
            refused(5, RefusalCode::Malformed),
        ]
    );
}

#[test]
fn a_command_is_handed_over_and_answered_behind_the_events_that_tell_its_effect() {
    let mut driven = Driven::following(at(3));
    let request = CommandRequest {
        actor: UserId(5),
        key: Some("k".to_owned()),
        command: Command::Disconnect {
            guild_id: GuildId(1),
        },
    };
    driven.input(SocketInput::FrameCame(Ok(Frame::Request(Request {
        id: 1,
        deadline: Duration::from_secs(5),
        body: RequestBody::Command(Box::new(request.clone())),
    }))));
    let handed_over = Output::Command {
        request_id: 1,
        request: Box::new(request),
        deadline: Duration::from_secs(5),
    };
    assert_eq!(driven.take(), [handed_over]);
    let result = Ok(CommandDone {
        outcome: Outcome::Done,
        at: Some(cursor(4)),
        made: None,
    });
    driven.input(Input::Commanded {
        request_id: 1,
        result: result.clone(),
    });
    assert_eq!(driven.take(), [], "the event is not sent yet");
    driven.input(Input::HeadMoved(at(4)));
    assert_eq!(driven.take(), [Output::Read(at(3))]);
    driven.input(read(vec![event(4)]));
    let reply = Frame::Reply(Reply {
        id: 1,
        result: Ok(ReplyBody::Command(result)),
    });
    assert_eq!(
        driven.take(),
        [Output::Relay(event(4)), Output::Send(reply)]
    );
}

#[test]
fn what_a_command_was_answered_before_is_looked_up_and_not_done() {
    let mut driven = Driven::following(at(3));
    let text = r#"{"type":"request","requestId":1,"data":{"kind":"repeat","deadlineMs":9,"actor":"5","key":"k","command":{"call":"disconnect","guildId":"1"}}}"#;
    driven.input(SocketInput::FrameCame(Frame::decode(text)));
    assert!(matches!(driven.take()[..], [Output::Repeat { .. }]));
    let result = Err(CommandError::nowhere());
    driven.input(Input::Commanded {
        request_id: 1,
        result: result.clone(),
    });
    let reply = Frame::Reply(Reply {
        id: 1,
        result: Ok(ReplyBody::Command(result)),
    });
    assert_eq!(driven.take(), [Output::Send(reply)]);
}

#[test]
fn a_command_that_failed_speaks_of_no_event_and_is_answered_at_once() {
    let mut driven = Driven::following(at(3));
    let text = r#"{"type":"request","requestId":1,"data":{"kind":"command","deadlineMs":9,"actor":"5","command":{"call":"disconnect","guildId":"1"}}}"#;
    driven.input(SocketInput::FrameCame(Frame::decode(text)));
    assert!(matches!(driven.take()[..], [Output::Command { .. }]));
    let result = Err(CommandError::new(CommandErrorCode::Forbidden, "no"));
    driven.input(Input::Commanded {
        request_id: 1,
        result: result.clone(),
    });
    let reply = Frame::Reply(Reply {
        id: 1,
        result: Ok(ReplyBody::Command(result)),
    });
    assert_eq!(driven.take(), [Output::Send(reply)]);
}

#[test]
fn an_invite_that_is_only_looked_at_is_answered_at_once() {
    let mut driven = Driven::following(at(3));
    let request = Box::new(AdmitRequestBody {
        invite: invite(),
        newcomer: None,
    });
    driven.input(SocketInput::FrameCame(Ok(Frame::Request(Request {
        id: 1,
        deadline: Duration::from_secs(5),
        body: RequestBody::Admit(request.clone()),
    }))));
    let handed_over = Output::Admit {
        request_id: 1,
        request,
        deadline: Duration::from_secs(5),
    };
    assert_eq!(driven.take(), [handed_over]);
    let result = Ok(Admitted::Valid.answer());
    driven.input(Input::Admitted {
        request_id: 1,
        result: result.clone(),
    });
    let reply = Frame::Reply(Reply {
        id: 1,
        result: Ok(ReplyBody::Admitted(result)),
    });
    assert_eq!(driven.take(), [Output::Send(reply)]);
}

#[test]
fn who_was_let_in_is_told_of_behind_the_event_that_says_so() {
    let mut driven = Driven::following(at(3));
    let request = Box::new(AdmitRequestBody {
        invite: invite(),
        newcomer: None,
    });
    driven.input(SocketInput::FrameCame(Ok(Frame::Request(Request {
        id: 1,
        deadline: Duration::from_secs(5),
        body: RequestBody::Admit(request),
    }))));
    driven.take();
    let result = Ok(AdmitDone {
        admitted: Admitted::Added,
        at: Some(cursor(4)),
    });
    driven.input(Input::Admitted {
        request_id: 1,
        result: result.clone(),
    });
    assert_eq!(driven.take(), [], "the event is not sent yet");
    driven.input(Input::HeadMoved(at(4)));
    driven.take();
    driven.input(read(vec![event(4)]));
    let reply = Frame::Reply(Reply {
        id: 1,
        result: Ok(ReplyBody::Admitted(result)),
    });
    assert_eq!(
        driven.take(),
        [Output::Relay(event(4)), Output::Send(reply)]
    );
}

fn invite() -> InviteToken {
    let claims = InviteClaims {
        guild_id: GuildId(1),
        channel_id: ChannelId(2),
        room: 3,
        expires_at: 4,
        id: [5; 16],
    };
    InviteToken::new(claims, [6; 32])
}

#[test]
fn a_number_of_a_request_that_is_under_way_is_not_used_again() {
    let mut driven = Driven::following(at(0));
    driven.input(SocketInput::FrameCame(Ok(watch(1))));
    driven.take();
    driven.input(SocketInput::FrameCame(Ok(watch(1))));
    let end = End::Violated(Violation::Unexpected);
    assert_eq!(driven.ended_with("protocol"), end);
}

pub(super) fn done(request_id: u64, at: Cursor) -> Input {
    let failed = vec![GuildId(2)];
    Input::Watched {
        request_id,
        watched: Watched { at, failed },
    }
}

pub(super) fn answered(id: u64, at: Cursor) -> Output {
    let failed = vec![GuildId(2)];
    let result = Ok(ReplyBody::Watched(Watched { at, failed }));
    Output::Send(Frame::Reply(Reply { id, result }))
}

fn refused(id: u64, code: RefusalCode) -> Output {
    let result: Result<ReplyBody, Refusal> = Err(code.refusal());
    Output::Send(Frame::Reply(Reply { id, result }))
}
