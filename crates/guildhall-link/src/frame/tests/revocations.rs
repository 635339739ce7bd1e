use super::*;

pub(super) fn of_revocations() -> Vec<Frame> {
    let request = |id, revocation| {
        Frame::Request(Request {
            id,
            deadline: Duration::from_secs(5),
            body: RequestBody::Revoke(revocation),
        })
    };
    let told = |revocations, more| Frame::Tell(Tell::Revoked { revocations, more });
    let session = Revocation::Session {
        id: SessionId::new("mGs0r8cq1b2vWc4pQz6yXw9A".to_owned()),
        user_id: UserId(80_351_110_224_678_912),
        ends_at: NOW + 2_592_000_000,
    };
    let user = Revocation::User {
        user_id: UserId(80_351_110_224_678_912),
        not_before: NOW + 60_001,
    };
    let everybody = Revocation::Everybody {
        not_before: NOW - 86_400_000,
    };
    vec![
        request(11, session.clone()),
        request(12, user.clone()),
        request(13, everybody.clone()),
        Frame::Reply(Reply {
            id: 11,
            result: Ok(ReplyBody::Revoked { known: false }),
        }),
        Frame::Reply(Reply {
            id: 12,
            result: Ok(ReplyBody::Revoked { known: true }),
        }),
        told(vec![everybody, user], true),
        told(vec![session], false),
        told(Vec::new(), false),
    ]
}

/// Of one that does not say it nobody knows whether something that is good once was used before.
#[test]
fn a_gateway_that_does_not_say_what_it_knew_may_have_known_it() {
    let text = r#"{"type":"reply","data":{"kind":"revoke"},"requestId":7,"ts":1}"#;
    let reply = Reply {
        id: 7,
        result: Ok(ReplyBody::Revoked { known: true }),
    };
    assert_eq!(Frame::decode(text).ok(), Some(Frame::Reply(reply)));
}

#[test]
fn no_name_of_a_session_is_in_a_log() {
    for frame in of_revocations() {
        let said = format!("{frame:?}");
        assert!(!said.contains("mGs0r8cq1b2vWc4pQz6yXw9A"), "{said}");
    }
}

#[test]
fn a_revocation_that_cannot_be_read_is_malformed_and_a_tell_of_one_no_frame() {
    for revocation in [
        r#"{"whose":"session","userId":"5","endsAt":1}"#,
        r#"{"whose":"session","id":"","userId":"5","endsAt":1}"#,
        r#"{"whose":"session","id":"a b","userId":"5","endsAt":1}"#,
        r#"{"whose":"session","id":"a","endsAt":1}"#,
        &format!(
            r#"{{"whose":"session","id":"{}","userId":"5","endsAt":1}}"#,
            "x".repeat(65)
        ),
        r#"{"whose":"user","userId":"5"}"#,
        r#"{"whose":"everybody","notBefore":-1}"#,
        r#"{"whose":"nobody","notBefore":1}"#,
        "null",
    ] {
        let text = format!(
            r#"{{"type":"request","requestId":1,"data":{{"kind":"revoke","deadlineMs":9,"revocation":{revocation}}}}}"#
        );
        let Ok(Frame::Request(request)) = Frame::decode(&text) else {
            panic!("no request: {text}");
        };
        assert_eq!(request.body, RequestBody::Malformed, "{revocation}");
        let text = format!(
            r#"{{"type":"tell","data":{{"kind":"revoked","revocations":[{revocation}]}}}}"#
        );
        assert!(Frame::decode(&text).is_err(), "{text}");
    }
}
