use guildhall_model::{Revocation, UserId};

use super::*;
use crate::frame::Tell;

#[test]
fn all_that_was_revoked_is_known_with_its_last_part() {
    let mut driven = Driven::subscribed(Some(at(5)), at(5));
    driven.frames([told(&[1, 2], true)]);
    assert_eq!(driven.take(), [Output::Revoked(users(&[1, 2]))]);
    driven.frames([told(&[3], false), status(), end_at(5)]);
    assert_eq!(
        driven.take(),
        [
            Output::Revoked(users(&[3])),
            Output::AllRevokedTold,
            Output::Status(live()),
            Output::Complete(cursor(5)),
        ]
    );
    driven.frames([told(&[4], false)]);
    assert_eq!(driven.take(), [Output::Revoked(users(&[4]))], "said once");
}

#[test]
fn where_nothing_was_revoked_that_is_known() {
    let mut driven = Driven::subscribed(None, at(0));
    driven.frames([told(&[], false)]);
    assert_eq!(driven.take(), [Output::AllRevokedTold]);
}

#[test]
fn what_cannot_be_read_of_it_has_to_be_told_again() {
    for known in [false, true] {
        let mut driven = Driven::subscribed(Some(at(5)), at(5));
        if known {
            driven.frames([told(&[], false), status(), end_at(5)]);
        }
        driven.take();
        let text = r#"{"type":"tell","data":{"kind":"revoked","revocations":[{"whose":"pet"}]}}"#;
        driven.input(SocketInput::FrameCame(Frame::decode(text)));
        let end = End::Violated(Violation::Undecodable);
        assert_eq!(driven.take().pop(), Some(Output::End(end)));
    }
}

#[test]
fn a_revocation_is_a_request() {
    let mut driven = Driven::subscribed(None, at(0));
    let [revocation] = &users(&[7])[..] else {
        panic!("one");
    };
    let ask = |reply| Input::RevokeAsked {
        revocation: revocation.clone(),
        due: driven.now + Duration::from_secs(5),
        reply,
    };
    let (first, second) = (ask(1), ask(2));
    driven.input(first);
    let outputs = driven.take();
    let [Output::Send(Frame::Request(Request { id, deadline, body }))] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    let expected = (
        Duration::from_secs(5),
        &RequestBody::Revoke(revocation.clone()),
    );
    assert_eq!((*deadline, body), expected);
    driven.frames([Frame::Reply(Reply {
        id: *id,
        result: Ok(ReplyBody::Revoked { known: true }),
    })]);
    let answer = Ok(ReplyBody::Revoked { known: true });
    assert_eq!(driven.take(), [Output::Answer { reply: 1, answer }]);
    // A gateway of an earlier release.
    driven.input(second);
    driven.take();
    driven.frames([Frame::Reply(Reply {
        id: *id + 1,
        result: Err(RefusalCode::UnknownKind.refusal()),
    })]);
    let answer = Err(Unanswered::Refused(RefusalCode::UnknownKind));
    assert_eq!(driven.take(), [Output::Answer { reply: 2, answer }]);
}

fn told(ids: &[u64], more: bool) -> Frame {
    let revocations = users(ids);
    Frame::Tell(Tell::Revoked { revocations, more })
}

fn users(ids: &[u64]) -> Vec<Revocation> {
    let user = |id: &u64| Revocation::User {
        user_id: UserId(*id),
        not_before: 9,
    };
    ids.iter().map(user).collect()
}
