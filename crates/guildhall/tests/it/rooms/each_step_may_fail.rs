//! For each request that leads to a room, to its changes and to its end: Discord refuses it, does not
//! find it, wants to be left alone, breaks, falls silent, and the gateway is killed before and after it.
//! Each time the end is what was told, and nothing of it is left that nobody knows: no channel, role,
//! overwrite or message, and nothing twice. The requests are found by doing it once without a fault, so
//! that one that is new is tried as well.
//!
//! Not among them: `createInvite` and `revokeInvite`, which ask Discord for nothing, and `claimRoom`, before
//! which an owner has to be gone for five minutes. The executor's own tests try that one with each fault.
//!
//! `ROOM_SAGA=joinRoom cargo test -p guildhall --test it each_step_may_fail -- --nocapture` tries one and
//! prints its table; `ROOM_MODE=role` or `overwrites` tries those of one mode.

/// What goes wrong with one request.
mod fault;
/// What is done to rooms.
mod saga;

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, future::join_all};
use serde_json::{Value, json};

use super::stage::Stage;
use crate::house::SOON;
use fault::{Fault, Step};
use saga::Saga;

/// How rooms are kept.
const MODES: [&str; 2] = ["overwrites", "role"];

/// One line of the table.
struct Line {
    mode: &'static str,
    saga: Saga,
    step: Step,
    fault: Fault,
    told: Result<String, String>,
}

/// Side by side: most of it is waiting.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_step_fails_what_is_told_is_so_and_nothing_is_left() {
    let (only, only_mode) = (wanted("ROOM_SAGA"), wanted("ROOM_MODE"));
    let of =
        |mode: &'static str, sagas: &'static [Saga]| sagas.iter().map(move |saga| (mode, *saga));
    let columns = of(MODES[0], &Saga::ALL).chain(of(MODES[1], &Saga::WITH_ROLES));
    let columns = columns.filter(|(_, saga)| only.as_ref().is_none_or(|only| saga.title() == only));
    let columns = columns.filter(|(mode, _)| only_mode.as_ref().is_none_or(|only| mode == only));
    let lines = join_all(columns.map(|(mode, saga)| column(mode, saga))).await;
    let lines: Vec<Line> = lines.into_iter().flatten().collect();
    println!("| rooms by | what is done | request | fault | told |\n|---|---|---|---|---|");
    for line in &lines {
        let Line {
            mode,
            saga,
            step,
            fault,
            told,
        } = line;
        let (title, fault) = (saga.title(), fault.name());
        let told = told.as_ref().map_or("FAILED", String::as_str);
        println!(
            "| {mode} | {title} | {} #{} | {fault} | {told} |",
            step.route,
            step.behind + 1
        );
    }
    let failed = lines.iter().filter_map(|line| line.told.as_ref().err());
    let failed: Vec<&String> = failed.collect();
    assert!(failed.is_empty(), "{failed:#?}");
    println!("{} cases, nothing left, nothing double", lines.len());
    assert!(
        only.is_some() || only_mode.is_some() || lines.len() >= Fault::ALL.len() * Saga::ALL.len()
    );
}

/// A route whose limit lasts for two days.
const MAKE_ROLE: &str = "POST /guilds/{guild_id}/roles";

/// Every fault of every step of one saga, in a house of its own.
async fn column(mode: &'static str, saga: Saga) -> Vec<Line> {
    let own = saga.settings();
    let mut settings: Vec<(&str, &str)> = vec![("ROOM_MODE", mode)];
    settings.extend(own.iter().map(|(name, value)| (*name, value.as_str())));
    let mut stage = Stage::open(&settings).await;
    let steps = steps(&stage, saga).await;
    assert!(!steps.is_empty(), "{saga:?} asks Discord for nothing");
    let faults = |step: Step| Fault::ALL.map(|fault| (step.clone(), fault));
    let mut cases: Vec<(Step, Fault)> = steps.into_iter().flat_map(faults).collect();
    // Last what lasts: the limit of roles is over in two days.
    cases.sort_by_key(|(step, fault)| step.route == MAKE_ROLE && *fault == Fault::TooMany);
    let mut lines = Vec::new();
    for (number, (step, fault)) in (1..).zip(cases) {
        let case = AssertUnwindSafe(case(&mut stage, saga, &step, fault, number));
        // The other sagas are tried all the same: one run tells of all that is to be mended.
        let told = case.catch_unwind().await.map_err(|panic| in_words(&*panic));
        let failed = told.is_err();
        lines.push(Line {
            mode,
            saga,
            step,
            fault,
            told,
        });
        if failed {
            break;
        }
    }
    lines
}

fn in_words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "it panicked".to_owned())
}

/// The requests to which it leads where nothing goes wrong.
async fn steps(stage: &Stage, saga: Saga) -> Vec<Step> {
    let scene = saga.set_up(stage, 0).await;
    let before = stage.truth().await;
    saga.begin(stage, &scene).await;
    saga.end(stage, &scene).await;
    let mut steps = Step::between(&before, &stage.truth().await);
    if saga == Saga::Idle {
        // The room's making is another saga.
        steps.retain(|step| step.route.starts_with("DELETE "));
    }
    saga.clear(stage, &scene).await;
    steps
}

/// One fault; answers with what was told.
#[expect(clippy::print_stdout, reason = "tells in which case it failed")]
async fn case(stage: &mut Stage, saga: Saga, step: &Step, fault: Fault, number: usize) -> String {
    println!(
        "{saga:?}, {} #{}, {}",
        step.route,
        step.behind + 1,
        fault.name()
    );
    let scene = saga.set_up(stage, number).await;
    let came = step.came(&stage.truth().await);
    fault.prepare(stage, step).await;
    if !fault.kills() && !fault.is_overtaken(step) {
        saga.begin(stage, &scene).await;
    } else {
        let begins = saga.begin(stage, &scene);
        let meanwhile = async {
            let arrives = |truth: &Value| step.came(truth) > came + step.behind;
            stage
                .until_within("the request is at Discord", 2 * SOON, arrives)
                .await;
            if fault.kills() {
                stage.house.gateway.signal("KILL");
            } else {
                saga.take_away(stage, &scene, step).await;
            }
        };
        tokio::join!(begins, meanwhile);
    }
    if fault.kills() {
        stage.house.gateway.ended().await;
        stage.house.discord.fault(json!({"kind": "heal"})).await;
        stage.house.restart_gateway();
        stage.ready().await;
    }
    let told = saga.end(stage, &scene).await;
    stage.house.discord.fault(json!({"kind": "heal"})).await;
    saga.clear(stage, &scene).await;
    told
}

/// The one that whoever runs this asked for.
fn wanted(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's own argument, which cargo has no other way to hand over"
    )]
    std::env::var(name).ok()
}
