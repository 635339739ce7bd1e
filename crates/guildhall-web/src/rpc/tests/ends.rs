//! Sessions that end while a request of theirs is under way.

use guildhall_model::command::{CommandDone, Outcome};

use super::*;
use crate::auth::EndReason;

fn done() -> CommandDone {
    CommandDone {
        outcome: Outcome::Done,
        at: None,
        made: None,
    }
}

#[tokio::test(start_paused = true)]
async fn whose_session_ends_while_a_command_is_under_way_is_not_told_what_came_of_it() {
    for everywhere in [false, true] {
        let mut desk = Desk::open();
        let answer = desk.begin(desk.request("disconnect", r#"{"guildId":"100"}"#));
        let (_, asker) = desk.gateway.command().await;
        let (_, second) = desk.sign_in(BEN, &[HALL]);
        let others = desk.request("disconnect", r#"{"guildId":"100"}"#);
        let others = desk.begin(as_of(others, &second));
        let (_, others_asker) = desk.gateway.command().await;
        let sessions = desk.auth.sessions();
        let ended = if everywhere {
            sessions.revoke_all_of(ANNA, EndReason::Deauthorized).await
        } else {
            let session = &desk.harness.session;
            sessions.revoke_session(session, EndReason::SignedOut).await
        };
        ended.expect("kept");
        let answer = answer.await.expect("no panic");
        assert_eq!(answer.error(), (401, "unauthorized"));
        // It was sent, and stays done: nobody listens any more.
        asker.answer_nobody(Ok(Ok(done())));
        others_asker.tell(Ok(Ok(done())));
        let others = others.await.expect("no panic");
        assert_eq!(others.status, StatusCode::OK, "somebody else's goes on");
        let again = desk.request("disconnect", r#"{"guildId":"100"}"#);
        assert_eq!(desk.send(again).await.error(), (401, "unauthorized"));
        assert!(desk.gateway.was_given_no_command());
    }
}

#[tokio::test(start_paused = true)]
async fn until_it_is_known_which_sessions_are_over_nothing_is_asked_or_done() {
    let mut desk = Desk::open();
    let knows = |is: bool| {
        desk.revocations.knows.send_replace(is);
    };
    knows(false);
    for (name, body) in [
        ("disconnect", r#"{"guildId":"100"}"#),
        ("checkRoomExists", r#"{"channelId":"201"}"#),
    ] {
        let answer = desk.send(desk.request(name, body)).await;
        assert_eq!(answer.error(), (503, "unavailable"), "{name}");
        assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    }
    knows(true);
    let question = desk.request("checkRoomExists", r#"{"channelId":"201"}"#);
    assert_eq!(desk.send(question).await.status, StatusCode::OK);
    assert!(desk.gateway.was_given_no_command());
}

fn as_of(mut request: Request<Body>, cookie: &HeaderValue) -> Request<Body> {
    request.headers_mut().insert(header::COOKIE, cookie.clone());
    request
}
