//! Discord does not answer for long: its state says whether it was done, and if that is not told,
//! neither is a lie.

use futures_util::future::join_all;
use serde_json::json;

use super::{
    stage::{Act, Stage},
    teller::{Answer, Teller, requests},
};
use crate::house::House;

/// So often is a command tried that nobody has answered.
const TRIES: u64 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn errors_to_the_end_are_not_known_and_not_done() {
    let fault = json!({"kind": "status", "status": 502, "undone": true});
    for (act, answer, done) in lost(fault, TRIES).await {
        assert_eq!(answer.told(), (502, "unknown"), "{}", act.name());
        assert_eq!(done, 0, "{}", act.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_to_the_end_of_what_was_done_are_found_out_about() {
    let fault = json!({"kind": "status", "status": 502});
    for (act, answer, done) in lost(fault, TRIES).await {
        is_found_out(act, &answer, done);
    }
}

/// Side by side: most of it is waiting.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_discord_is_asked_again_and_then_for_what_it_did() {
    let undone = json!({"kind": "hang", "undone": true});
    let done = json!({"kind": "hang"});
    let (once, done, undone) = tokio::join!(
        lost(undone.clone(), 1),
        lost(done, 2),
        lost(undone.clone(), 2)
    );
    for (act, answer, done) in once {
        assert_eq!((answer.told(), done), ((200, "done"), 1), "{}", act.name());
    }
    for (act, answer, done) in done {
        is_found_out(act, &answer, done);
    }
    for (act, answer, done) in undone {
        assert_eq!(answer.told(), (502, "unknown"), "{}", act.name());
        assert_eq!(done, 0, "{}", act.name());
    }
}

/// An event tells of each that it was done.
fn is_found_out(act: Act, answer: &Answer, done: usize) {
    let is_done = ((200, "done"), 1);
    assert_eq!((answer.told(), done), is_done, "{}", act.name());
}

/// All commands side by side, each of whose first tries meet a fault. Answers with what each was told,
/// and how often Discord did it.
async fn lost(fault: serde_json::Value, tries: u64) -> Vec<(Act, Answer, usize)> {
    let mut stages = Vec::new();
    let flags = ["--interval", "bucket=100ms"];
    let house = House::simulated(&flags, &[], async |discord| {
        stages = Stage::set_up(discord, Act::ALL.len() + 1).await;
    })
    .await;
    // What is not known of a route's limit is found out by one request alone.
    let last = &stages[Act::ALL.len()];
    let moderator = Teller::sign_in(&house, &last.moderator).await;
    let answer = last.act(&house, &moderator, Act::Connect).await;
    assert_eq!(answer.told(), (200, "done"), "{answer:?}");
    for act in Act::ALL {
        let mut fault = fault.clone();
        fault["route"] = json!(act.route());
        fault["times"] = json!(tries);
        house.discord.fault(fault).await;
    }
    let given = Act::ALL.into_iter().zip(&stages).map(async |(act, stage)| {
        let moderator = Teller::sign_in(&house, &stage.moderator).await;
        let answer = stage.act(&house, &moderator, act).await;
        let again = stage.act(&house, &moderator, act).await;
        assert_eq!(again.text, answer.text, "{} again", act.name());
        (act, answer, stage)
    });
    let told = join_all(given).await;
    let truth = house.discord.state().await;
    for act in [Act::Connect, Act::Rename, Act::Status] {
        let on_route = Act::ALL
            .into_iter()
            .filter(|one| one.route() == act.route());
        // What turned out to be done is not tried again.
        let at_least = u64::try_from(on_route.count()).expect("six");
        let came = requests(&truth, act.route());
        assert!(came >= at_least, "{came} requests at {}", act.route());
    }
    let ended = told.into_iter().map(|(act, answer, stage)| {
        let done = stage.times_done(&truth, act);
        assert_eq!(act.is_so(&truth, stage), done == 1, "{}", act.name());
        (act, answer, done)
    });
    ended.collect()
}
