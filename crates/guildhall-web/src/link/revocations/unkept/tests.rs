use guildhall_model::{SessionId, UserId};

use super::*;

type Answer = oneshot::Receiver<Result<(), Unavailable>>;

#[test]
fn what_no_gateway_was_there_for_is_sent_to_the_next_and_then_no_more() {
    let (mut unkept, now) = (UnkeptRevocations::default(), now());
    let mut answer = unkept.add(user(1));
    assert_eq!(told(&mut answer), Some(Err(no_gateway())), "at once");
    assert_eq!(unkept.next(now), None);
    unkept.attached();
    assert_eq!(unkept.next(now), Some(user(1)));
    unkept.detached();
    assert_eq!(unkept.next(now), None);
    unkept.attached();
    assert_eq!(unkept.next(now), Some(user(1)));
    assert_eq!(unkept.next(now), None);
    unkept.answered(&user(1), &Ok(()), now);
    unkept.detached();
    unkept.attached();
    assert_eq!((unkept.next(now), unkept.len()), (None, 0));
}

#[test]
fn whoever_asks_for_the_same_gets_the_same_answer() {
    let (mut unkept, now) = (UnkeptRevocations::default(), now());
    unkept.attached();
    let mut answers = vec![unkept.add(user(1))];
    assert_eq!(unkept.next(now), Some(user(1)));
    answers.push(unkept.add(user(1)));
    assert_eq!(unkept.next(now), None, "it is on its way");
    assert!(answers.iter_mut().all(|answer| told(answer).is_none()));
    unkept.answered(&user(1), &Ok(()), now);
    assert!(answers.iter_mut().all(|it| told(it) == Some(Ok(()))));
}

#[test]
fn what_was_not_kept_is_sent_again_after_a_rest_or_when_it_is_asked_for() {
    let (mut unkept, now) = (UnkeptRevocations::default(), now());
    unkept.attached();
    let mut answer = unkept.add(user(1));
    unkept.next(now);
    let why = Err(Unavailable("the disk is full".to_owned()));
    unkept.answered(&user(1), &why, now);
    assert_eq!(told(&mut answer), Some(why.clone()));
    assert_eq!((unkept.next(now), unkept.len()), (None, 1));
    assert_eq!(unkept.deadline(), Some(now + REST));
    assert_eq!(unkept.next(now + REST), Some(user(1)));
    unkept.answered(&user(1), &why, now + REST);
    drop(unkept.add(user(1)));
    assert_eq!(unkept.next(now + REST), Some(user(1)));
}

#[test]
fn whoever_waits_when_the_gateway_goes_is_told_and_an_answer_that_was_under_way_harms_nobody() {
    let (mut unkept, now) = (UnkeptRevocations::default(), now());
    unkept.attached();
    let mut answers = [unkept.add(user(1)), unkept.add(user(2))];
    unkept.next(now);
    unkept.detached();
    for answer in &mut answers {
        assert_eq!(told(answer), Some(Err(no_gateway())));
    }
    unkept.answered(&user(1), &Err(no_gateway()), now);
    assert_eq!((unkept.next(now + REST), unkept.len()), (None, 2));
}

#[test]
fn few_are_under_way_at_one_time_and_all_are_sent() {
    let (mut unkept, now) = (UnkeptRevocations::default(), now());
    let all: Vec<Revocation> = (0..3 * UNDER_WAY as u64).map(user).collect();
    for revocation in &all {
        drop(unkept.add(revocation.clone()));
    }
    unkept.attached();
    let mut sent = Vec::new();
    while unkept.len() > 0 {
        let next: Vec<_> = std::iter::from_fn(|| unkept.next(now)).collect();
        assert_eq!(next.len(), UNDER_WAY);
        for revocation in next {
            unkept.answered(&revocation, &Ok(()), now);
            sent.push(revocation);
        }
    }
    assert_eq!(sent, all);
}

#[test]
fn when_full_what_matters_no_more_first_makes_room() {
    let mut unkept = UnkeptRevocations::default();
    drop(unkept.add(user(1)));
    let session = |number: u64| Revocation::Session {
        id: SessionId::new(number.to_string()),
        user_id: UserId(number),
        ends_at: number,
    };
    for number in 0..=MOST as u64 {
        drop(unkept.add(session(number)));
    }
    assert_eq!(unkept.len(), MOST);
    let kept = |revocation| unkept.askers.contains_key(&revocation);
    assert!(kept(user(1)) && kept(session(MOST as u64)));
    assert!(!kept(session(0)) && !kept(session(1)) && kept(session(2)));
}

fn told(answer: &mut Answer) -> Option<Result<(), Unavailable>> {
    answer.try_recv().ok()
}

fn user(id: u64) -> Revocation {
    Revocation::User {
        user_id: UserId(id),
        not_before: 1_764_300_000_000,
    }
}

#[expect(clippy::disallowed_methods, reason = "any instant will do as a start")]
fn now() -> Instant {
    Instant::now()
}
