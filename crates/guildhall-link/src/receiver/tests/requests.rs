use guildhall_model::{
    ChannelId,
    command::{Command, CommandError, CommandErrorCode, InviteClaims, InviteToken},
};

use super::*;
use crate::frame::{AccessToken, AdmitRequestBody, Admitted, Newcomer, RefusalCode};

#[test]
fn a_watch_is_answered_by_its_reply_or_at_its_deadline_by_nothing() {
    let mut driven = Driven::subscribed(None, at(0));
    driven.ask(70);
    assert_eq!(driven.take(), [Output::Send(watch(1))]);
    driven.ask(71);
    assert_eq!(driven.take(), [Output::Send(watch(2))]);
    driven.frames([watched(2), watched(2), watched(99)]);
    let answered = [Output::Answer {
        reply: 71,
        answer: Ok(ReplyBody::Watched(answer())),
    }];
    assert_eq!(
        driven.take(),
        answered,
        "an answer that nobody waits for is nobody's trouble"
    );
    driven.now += WATCH_LIMIT;
    driven.input(SocketInput::TimePassed);
    assert_eq!(driven.take(), [Output::Ping, none(70, Unanswered::Late)]);
}

#[test]
fn each_request_has_its_own_deadline_and_says_how_long_it_is() {
    let mut driven = Driven::subscribed(None, at(0));
    let begin = driven.now;
    for (reply, millis) in [(1, 900), (2, 300), (3, 600)] {
        let limit = Duration::from_millis(millis);
        driven.input(asked(reply, begin + limit));
        assert_eq!(driven.take(), [Output::Send(watch_for(reply, limit))]);
    }
    for (millis, reply) in [(300, 2), (600, 3), (900, 1)] {
        let due = begin + Duration::from_millis(millis);
        assert_eq!(driven.machine.deadline(), Some(due));
        driven.now = due;
        driven.input(SocketInput::TimePassed);
        assert_eq!(driven.take(), [none(reply, Unanswered::Late)]);
    }
}

#[test]
fn what_the_gateway_refuses_is_refused_to_who_asked() {
    let mut driven = Driven::subscribed(None, at(0));
    driven.ask(70);
    driven.take();
    let refusal = Err(RefusalCode::Busy.refusal());
    let reply = Reply {
        id: 1,
        result: refusal,
    };
    driven.frames([Frame::Reply(reply.clone()), Frame::Reply(reply)]);
    let refused = none(70, Unanswered::Refused(RefusalCode::Busy));
    assert_eq!(driven.take(), [refused]);
}

#[test]
fn when_the_link_falls_nobody_waits_on() {
    let mut driven = Driven::new(None);
    driven.ask(1);
    let down = |reply| none(reply, Unanswered::Down);
    assert_eq!(driven.take(), [down(1)], "before the hello");
    driven.frames([hello(at(0))]);
    driven.ask(2);
    driven.ask(3);
    driven.take();
    driven.input(SocketInput::ConnectionLost);
    assert_eq!(driven.take(), [down(2), down(3), Output::End(End::Lost)]);
    driven.ask(4);
    assert_eq!(driven.take(), [down(4)]);
}

#[test]
fn more_watches_than_may_wait_are_refused_at_once() {
    let mut driven = Driven::subscribed(None, at(0));
    for reply in 0..REQUESTS_IN_FLIGHT as u64 {
        driven.ask(reply);
        assert!(matches!(
            driven.take()[..],
            [Output::Send(Frame::Request(_))]
        ));
    }
    driven.ask(9_999);
    assert_eq!(driven.take(), [none(9_999, Unanswered::Busy)]);
}

#[test]
fn a_command_is_asked_with_its_deadline_and_told_what_came_of_it() {
    let mut driven = Driven::subscribed(None, at(0));
    let request = CommandRequest {
        actor: UserId(5),
        key: None,
        command: Command::Disconnect {
            guild_id: GuildId(1),
        },
    };
    let due = driven.now + WATCH_LIMIT;
    driven.input(Input::CommandAsked {
        request: Box::new(request.clone()),
        due,
        reply: 70,
    });
    let asked = Frame::Request(Request {
        id: 1,
        deadline: WATCH_LIMIT,
        body: RequestBody::Command(Box::new(request)),
    });
    assert_eq!(driven.take(), [Output::Send(asked)]);
    let failed = Err(CommandError::new(CommandErrorCode::RoomFull, "full"));
    let body = ReplyBody::Command(failed);
    driven.frames([Frame::Reply(Reply {
        id: 1,
        result: Ok(body.clone()),
    })]);
    let answer = Ok(body);
    assert_eq!(driven.take(), [Output::Answer { reply: 70, answer }]);
}

#[test]
fn an_admission_is_asked_and_answered_and_an_older_gateway_refuses_it() {
    let mut driven = Driven::subscribed(None, at(0));
    let claims = InviteClaims {
        guild_id: GuildId(1),
        channel_id: ChannelId(2),
        room: 3,
        expires_at: 4,
        id: [5; 16],
    };
    let request = Box::new(AdmitRequestBody {
        invite: InviteToken::new(claims, [6; 32]),
        newcomer: Some(Newcomer {
            user_id: UserId(5),
            access_token: AccessToken::new("x".to_owned()),
        }),
    });
    let due = driven.now + WATCH_LIMIT;
    for (id, reply) in [(1, 70), (2, 71)] {
        driven.input(Input::AdmitAsked {
            request: request.clone(),
            due,
            reply,
        });
        let asked = Frame::Request(Request {
            id,
            deadline: WATCH_LIMIT,
            body: RequestBody::Admit(request.clone()),
        });
        assert_eq!(driven.take(), [Output::Send(asked)]);
    }
    let added = ReplyBody::Admitted(Ok(Admitted::Added.answer()));
    let unknown = Err(RefusalCode::UnknownKind.refusal());
    for (id, result) in [(1, Ok(added.clone())), (2, unknown)] {
        driven.frames([Frame::Reply(Reply { id, result })]);
    }
    let answered = Output::Answer {
        reply: 70,
        answer: Ok(added),
    };
    let refused = none(71, Unanswered::Refused(RefusalCode::UnknownKind));
    assert_eq!(driven.take(), [answered, refused]);
}

#[test]
fn an_answer_about_a_log_that_there_is_not_breaks_the_rules() {
    let mut driven = Driven::subscribed(None, at(0));
    driven.ask(70);
    let elsewhere = Watched {
        at: Position::start(LogId(9), 1_000).into(),
        failed: Vec::new(),
    };
    let result = Ok(ReplyBody::Watched(elsewhere));
    driven.frames([Frame::Reply(Reply { id: 1, result })]);
    let end = End::Violated(Violation::Unexpected);
    assert_eq!(driven.ended_with("protocol"), end);
}

fn none(reply: u64, why: Unanswered) -> Out {
    Output::Answer {
        reply,
        answer: Err(why),
    }
}
