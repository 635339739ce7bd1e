//! `kill -9` of the gateway before and after Discord did what was asked: the key tells, and nothing is
//! done twice.

use futures_util::future::join_all;
use serde_json::json;

use super::{
    stage::{Act, Stage, requests_of_commands},
    teller::{Answer, Teller},
};
use crate::house::{House, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_before_discord_did_it_does_it_once_when_it_is_back() {
    killed(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_after_discord_did_it_says_so_when_it_is_back() {
    killed(false).await;
}

/// All commands are under way when the process dies.
async fn killed(undone: bool) {
    let (mut house, stages, moderators) = opened().await;
    for act in Act::ALL {
        let hang = json!({"kind": "hang", "undone": undone, "route": act.route()});
        house.discord.fault(hang).await;
    }
    let given = all(&house, &stages, &moderators);
    let dies = async {
        all_arrived(&house).await;
        house.gateway.signal("KILL");
    };
    let (told, ()) = tokio::join!(given, dies);
    for (act, answer) in Act::ALL.into_iter().zip(told) {
        assert_eq!(answer.told(), (503, "unavailable"), "{}", act.name());
        assert!(answer.retry_after.is_some(), "{answer:?}");
    }
    let truth = house.discord.state().await;
    for (act, stage) in Act::ALL.into_iter().zip(&stages) {
        assert_eq!(
            stage.times_done(&truth, act),
            usize::from(!undone),
            "{}",
            act.name()
        );
    }
    come_back(&mut house).await;
    let told = all(&house, &stages, &moderators).await;
    let truth = house.discord.state().await;
    for ((act, stage), answer) in Act::ALL.into_iter().zip(&stages).zip(&told) {
        assert_eq!(answer.told(), (200, "done"), "{}: {answer:?}", act.name());
        assert_eq!(stage.times_done(&truth, act), 1, "{}", act.name());
        assert!(act.is_so(&truth, stage), "{}", act.name());
    }
    assert_eq!(
        all(&house, &stages, &moderators).await,
        told,
        "the same keys"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_answered_again_by_another_gateway_and_another_web() {
    let (mut house, stages, moderators) = opened().await;
    let told = all(&house, &stages, &moderators).await;
    let before = house.discord.state().await["requests"].clone();
    come_back(&mut house).await;
    house.web.signal("KILL");
    house.web.ended().await;
    house.restart_web().await;
    assert_eq!(all(&house, &stages, &moderators).await, told);
    let truth = house.discord.state().await;
    for (act, stage) in Act::ALL.into_iter().zip(&stages) {
        assert_eq!(stage.times_done(&truth, act), 1, "{}", act.name());
        assert_eq!(truth["requests"][act.route()], before[act.route()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_role_that_dies_meanwhile_changes_nothing() {
    let (mut house, stages, moderators) = opened().await;
    for act in Act::ALL {
        let slow = json!({"kind": "latency", "latencyMs": 500, "route": act.route()});
        house.discord.fault(slow).await;
    }
    let given = Act::ALL.into_iter().zip(&stages).zip(&moderators);
    let given = given.map(|((act, stage), moderator)| {
        let body = act.body(&house.discord.guild, stage);
        let request = moderator.request(&house, act.name(), Some(act.name()), &body);
        request.send()
    });
    let given = join_all(given);
    let dies = async {
        all_arrived(&house).await;
        house.web.signal("KILL");
    };
    let (cut, ()) = tokio::join!(given, dies);
    assert!(cut.iter().all(Result::is_err), "{cut:?}");
    house.web.ended().await;
    house.restart_web().await;
    let told = all(&house, &stages, &moderators).await;
    let truth = house.discord.state().await;
    for ((act, stage), answer) in Act::ALL.into_iter().zip(&stages).zip(&told) {
        assert_eq!(answer.told(), (200, "done"), "{}: {answer:?}", act.name());
        assert_eq!(stage.times_done(&truth, act), 1, "{}", act.name());
    }
}

async fn opened() -> (House, Vec<Stage>, Vec<Teller>) {
    let mut stages = Vec::new();
    let house = House::whose("standing", &[], async |discord| {
        stages = Stage::set_up(discord, Act::ALL.len() + 1).await;
    })
    .await;
    let mut moderators = Vec::new();
    for stage in &stages {
        moderators.push(Teller::sign_in(&house, &stage.moderator).await);
    }
    // What is not known of a route's limit is found out by one request alone.
    let (last, moderator) = (&stages[Act::ALL.len()], &moderators[Act::ALL.len()]);
    let answer = last.act(&house, moderator, Act::Connect).await;
    assert_eq!(answer.told(), (200, "done"), "{answer:?}");
    (house, stages, moderators)
}

/// Waits until Discord has been asked for each command, and for the one before them.
async fn all_arrived(house: &House) {
    until("all of them at Discord", async || {
        let truth = house.discord.state().await;
        requests_of_commands(&truth) == 7
    })
    .await;
}

/// Each command on a stage of its own, all at once.
async fn all(house: &House, stages: &[Stage], moderators: &[Teller]) -> Vec<Answer> {
    let each = Act::ALL.into_iter().zip(stages).zip(moderators);
    let given = each.map(|((act, stage), moderator)| stage.act(house, moderator, act));
    join_all(given).await
}

async fn come_back(house: &mut House) {
    house.gateway.signal("KILL");
    house.gateway.ended().await;
    house.restart_gateway();
    house.until_ready(house.ports.gateway_ops).await;
    house.until_ready(house.ports.web_ops).await;
}
