use guildhall_model::SessionId;
use guildhall_ports::SessionFacts;

use super::*;
use crate::link::Revocations;

#[tokio::test]
async fn nobody_is_known_before_a_gateway_told_and_what_it_told_stays() {
    let house = House::open().await;
    let revocations = house.link.revocations();
    let mut known = revocations.known();
    assert!(!revocations.are_known());
    let mut gateway = house.accept().await;
    gateway.revoked = vec![session("one"), session("two")];
    gateway.greet(at(0));
    assert_eq!(gateway.next().await, joins(None));
    let all_known = async {
        known.wait_for(|known| *known).await.expect("it dials");
    };
    gateway.run_until(all_known).await;
    assert!(is_over(&house, "one") && is_over(&house, "two") && !is_over(&house, "three"));

    let mut changes = house.sessions.changes();
    changes.mark_unchanged();
    gateway.revoked.push(session("three"));
    gateway.input(sender::Input::RevokedMoved(3));
    gateway
        .run_until(async { changes.changed().await.expect("it dials") })
        .await;
    assert!(is_over(&house, "three"));
    drop(gateway);
    let _next = house.accept().await;
    assert!(revocations.are_known() && is_over(&house, "one"));
}

#[tokio::test]
async fn what_is_sent_is_answered_once_the_gateway_has_kept_it() {
    let house = House::open().await;
    let revocations = house.link.revocations();
    let mut gateway = attached(&house).await;
    let mut known = revocations.known();
    let all_known = async {
        known.wait_for(|known| *known).await.expect("it dials");
    };
    gateway.run_until(all_known).await;
    let keeps = async {
        gateway.keep(&session("one")).await;
        gateway.run_until(pending::<()>()).await;
    };
    select! {
        sent = revocations.send(session("one")) => assert_eq!(sent, Ok(())),
        () = keeps => unreachable!("it runs for ever"),
    }
}

#[tokio::test]
async fn what_nobody_could_keep_is_sent_to_the_next_gateway_until_one_has_kept_it() {
    let house = House::open().await;
    let revocations = house.link.revocations();
    let sent = revocations.send(session("one")).await;
    assert!(sent.is_err(), "nobody is there");
    let mut gateway = attached(&house).await;
    assert!(matches!(
        gateway.next().await,
        sender::Output::Revoke { .. }
    ));
    drop(gateway);
    let mut gateway = attached(&house).await;
    gateway.keep(&session("one")).await;
    // It has kept it: nothing is left to be sent.
    let kept = gateway.runs_for(&revocations, session("two")).await;
    assert_eq!(kept, session("two"));
}

/// It has a file of its own, or an older copy.
#[tokio::test]
async fn what_one_gateway_told_is_taught_to_the_next_that_does_not_know_it() {
    let house = House::open().await;
    let mut gateway = house.accept().await;
    gateway.revoked = vec![session("one"), session("two")];
    gateway.greet(at(0));
    let revocations = house.link.revocations();
    let mut known = revocations.known();
    let all_known = async {
        known.wait_for(|known| *known).await.expect("it dials");
    };
    assert_eq!(gateway.next().await, joins(None));
    gateway.run_until(all_known).await;
    drop(gateway);

    let mut gateway = house.accept().await;
    gateway.revoked = vec![session("two")];
    gateway.greet(at(0));
    while !matches!(gateway.next().await, sender::Output::Join { .. }) {}
    gateway.keep(&session("one")).await;
    // The other is known there.
    let next = gateway.runs_for(&revocations, session("three")).await;
    assert_eq!(next, session("three"));
}

/// Its answers are of another kind, too.
#[tokio::test]
async fn a_gateway_that_knows_no_revocations_lets_nobody_in() {
    let house = House::open().await;
    let mut gateway = house.accept().await;
    let heads = at(0).into();
    gateway.say(&Frame::Hello { heads }).await;
    gateway
        .say(&Frame::Status(guildhall_link::frame::LogStatus {
            at: at(0),
            status: live(),
        }))
        .await;
    let at = at(0).into();
    gateway.say(&Frame::SnapshotEnd { at }).await;
    let mut health = house.link.health.clone();
    let up = health.wait_for(|health| *health == LinkHealth::Up);
    timeout(PATIENCE, up)
        .await
        .expect("in time")
        .expect("dials");
    let check = house.link.check();
    assert_eq!(check.condition, Condition::Failing);
    assert!(check.detail.contains("update it"), "{}", check.detail);
    let revocations = house.link.revocations();
    assert!(!revocations.are_known());
    assert!(revocations.send(session("one")).await.is_err());
}

async fn attached(house: &House) -> Gateway {
    let mut gateway = house.accept().await;
    gateway.greet(at(0));
    while !matches!(gateway.next().await, sender::Output::Join { .. }) {}
    gateway.input(sender::Input::JoinedBases {
        bases: Vec::new(),
        backlog: Vec::new(),
        head: at(0),
    });
    gateway
}

impl Gateway {
    /// It is asked to keep this next, and does.
    async fn keep(&mut self, expected: &Revocation) {
        let sender::Output::Revoke {
            request_id,
            revocation,
        } = self.next().await
        else {
            panic!("no revocation");
        };
        assert_eq!(revocation, *expected);
        self.input(sender::Input::Revoked {
            request_id,
            known: false,
        });
    }

    /// Goes on until it is asked to keep something, which is sent meanwhile.
    async fn runs_for(&mut self, revocations: &Revocations, sent: Revocation) -> Revocation {
        select! {
            _ = revocations.send(sent) => panic!("nobody has kept it"),
            output = self.next() => match output {
                sender::Output::Revoke { revocation, .. } => revocation,
                other => panic!("{other:?}"),
            }
        }
    }
}

fn session(name: &str) -> Revocation {
    let id = SessionId::new(name.to_owned());
    Revocation::Session {
        id,
        user_id: UserId(1),
        ends_at: u64::MAX,
    }
}

fn is_over(house: &House, name: &str) -> bool {
    house.sessions.is_revoked(SessionFacts {
        id: &SessionId::new(name.to_owned()),
        user_id: UserId(1),
        issued_at: 1,
    })
}
