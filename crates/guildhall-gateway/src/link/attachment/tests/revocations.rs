use guildhall_model::SessionId;

use super::*;

#[tokio::test]
async fn what_was_revoked_is_told_first_and_then_to_every_attachment_at_once() {
    let harness = Harness::open().await;
    let all: Vec<Revocation> = (0..=REVOCATIONS_PER_TELL as u64).map(user).collect();
    for revocation in &all {
        harness.revocations.revoke(revocation.clone()).await;
    }
    let beginning = Revocation::of_everybody(NOW);
    let (mut one, mut two) = (harness.dial(None).await, harness.dial(None).await);
    for web in [&mut one, &mut two] {
        web.next().await;
        let told: Vec<_> = web.revoked.drain(..).collect();
        assert_eq!(told[0], beginning);
        assert_eq!(told[1..], all, "before anything of the log");
        while !matches!(web.next().await, Output::Complete(_)) {}
    }

    let id = SessionId::new("one".to_owned());
    let session = Revocation::Session {
        id,
        user_id: UserId(1),
        ends_at: 9,
    };
    let ask = receiver::Input::RevokeAsked {
        revocation: session.clone(),
        due: now() + PATIENCE,
        reply: 7,
    };
    one.machine.handle(ask, now());
    let answer = Ok(ReplyBody::Revoked { known: false });
    assert_eq!(one.next().await, Output::Answer { reply: 7, answer });
    // By then everybody is being told.
    harness.append(1);
    for web in [&mut one, &mut two] {
        web.expect_events(1..=1).await;
        assert_eq!(web.revoked, std::slice::from_ref(&session));
    }
    let kept = harness.revocations.read(0, usize::MAX).revocations;
    assert_eq!(kept.len(), all.len() + 2);
    assert_eq!(kept.last(), Some(&session));
}

/// A copy of the file that was put back may have lost revocations.
#[tokio::test]
async fn where_a_journal_was_brought_back_every_session_is_over() {
    let harness = Harness::open().await;
    let mut following = harness.revocations.follow();
    following.mark_unchanged();
    let mut web = harness.dial(Some(at(9))).await;
    while !matches!(web.next().await, Output::End(_)) {}
    following.changed().await.expect("somebody keeps them");
    let kept = harness.revocations.read(0, 9).revocations;
    assert_eq!(kept.last(), Some(&Revocation::of_everybody(NOW + 1)));
}

fn user(id: u64) -> Revocation {
    Revocation::User {
        user_id: UserId(id),
        not_before: 9,
    }
}
