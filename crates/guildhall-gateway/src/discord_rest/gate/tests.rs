use std::time::Duration;

use guildhall_model::{ChannelId, UserId};
use tokio::task::JoinSet;

use super::{
    super::{
        limiter::{RestBudget, RestCaller},
        route::RestRoute,
    },
    *,
};

const SECOND: Duration = Duration::from_secs(1);

fn gate() -> Arc<Gate> {
    Gate::new(Limiter::new(RestBudget {
        look_ups: 25,
        commands: 25,
    }))
}

fn asked(channel: u64) -> CallRequest {
    CallRequest {
        route: RestRoute::ModifyChannel(ChannelId(channel)).key(),
        caller: RestCaller::Command(UserId(channel)),
        patience_until: now() + 60 * SECOND,
    }
}

/// In a task of its own, so that it waits whoever else is polled.
fn ask(tasks: &mut JoinSet<Result<SendPermit, NotSent>>, gate: &Arc<Gate>, channel: u64) {
    let gate = Arc::clone(gate);
    tasks.spawn(async move { gate.admitted(asked(channel), now() + 60 * SECOND).await });
}

fn success(permit: SendPermit) {
    permit.answered(AnswerKind::Success, &RateHeaders::default());
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_are_woken_in_their_time_whoever_gives_up_meanwhile() {
    let gate = gate();
    let mut calls = JoinSet::new();
    let begun = now();
    for channel in 0..400 {
        ask(&mut calls, &gate, channel);
    }
    let mut gave_up = JoinSet::new();
    for channel in 0..10 {
        ask(&mut gave_up, &gate, 1_000 + channel);
    }
    let mut sent = Vec::new();
    while let Some(permit) = calls.join_next().await {
        success(
            permit
                .expect("it did not panic")
                .expect("it was let through"),
        );
        sent.push(now());
        // Whoever looks at the clock for all is as likely among these as anybody.
        gave_up.abort_all();
    }
    for second in sent.windows(51) {
        assert!(second[50] - second[0] >= SECOND, "51 in a second");
    }
    assert!(now() - begun < 11 * SECOND, "{:?}", now() - begun);
    assert!(gate.lock().waiting.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_counts_as_sent_and_keeps_nobody_waiting() {
    let gate = gate();
    let far = now() + 60 * SECOND;
    let permit = gate.admitted(asked(1), far).await.expect("the first");
    let mut calls = JoinSet::new();
    ask(&mut calls, &gate, 1);
    tokio::task::yield_now().await;
    assert!(calls.try_join_next().is_none(), "one finds out");
    drop(permit);
    let next = calls.join_next().await.expect("a call");
    success(next.expect("it did not panic").expect("the next finds out"));

    // Of a bucket that is known, too.
    let told = RateHeaders {
        bucket: Some("abc".into()),
        limit: Some(2),
        remaining: Some(1),
        reset_after: Some(5 * SECOND),
        ..RateHeaders::default()
    };
    let permit = gate.admitted(asked(2), far).await.expect("the first");
    permit.answered(AnswerKind::Success, &told);
    drop(gate.admitted(asked(2), far).await.expect("the second"));
    let begun = now();
    let permit = gate.admitted(asked(2), far).await.expect("the third");
    assert!(now() - begun >= 5 * SECOND);
    success(permit);
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_until_its_deadline_and_says_what_for() {
    let gate = gate();
    let permit = gate.admitted(asked(1), now() + SECOND).await;
    let permit = permit.expect("the first");
    let begun = now();
    let late = gate.admitted(asked(1), begun + SECOND).await;
    assert_eq!(late.expect_err("one is in flight"), NotSent::Late(now()));
    assert!(now() - begun >= SECOND);
    assert!(gate.lock().waiting.is_empty());
    let told = RateHeaders {
        remaining: Some(0),
        reset_after: Some(5 * SECOND),
        bucket: Some("abc".into()),
        limit: Some(1),
        ..RateHeaders::default()
    };
    let until = now() + 5 * SECOND;
    permit.answered(AnswerKind::Success, &told);
    let throttled = gate.admitted(asked(1), now() + SECOND).await;
    assert_eq!(throttled.expect_err("not yet"), NotSent::Throttled(until));
}
