//! Each command against each answer of Discord's: what is told, what Discord did, how often it was
//! asked, and that the same key is told the same.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    stage::{Act, Stage},
    teller::{Answer, Teller, requests, unix_ms},
};
use crate::house::{House, until};

/// A status, and the outcome or the error in a word.
type Told = (u16, &'static str);

/// An answer of Discord's, and what comes of it.
struct Case {
    name: &'static str,
    /// What meets the next requests; its route is the command's.
    fault: Value,
    told: fn(Act) -> Told,
    /// How often it is done in the end.
    done: fn(Act) -> usize,
    /// How many requests arrive.
    tries: u64,
    acts: fn(Act) -> bool,
}

const DONE: Told = (200, "done");

/// Longer than anybody waits in silence, in seconds.
const LONG: u64 = 40;

/// What is only tried once, or waits for moments.
fn cases() -> Vec<Case> {
    let refused = |code: u32, status: u16| json!({"kind": "status", "status": status, "code": code, "undone": true});
    let limited = |scope: &str| json!({"kind": "rate_limit", "scope": scope, "retryAfterMs": 200});
    let broken = |undone: bool| json!({"kind": "status", "status": 500, "undone": undone});
    let torn = |undone: bool| json!({"kind": "tear", "undone": undone});
    let case = |name, fault, told, done: fn(Act) -> usize, tries| Case {
        name,
        fault,
        told,
        done,
        tries,
        acts: |_| true,
    };
    let of_moves = |case| Case {
        acts: Act::moves_somebody,
        ..case
    };
    vec![
        case("done", Value::Null, |_| DONE, |_| 1, 1),
        case(
            "50013",
            refused(50_013, 403),
            |_| (409, "bot_forbidden"),
            |_| 0,
            1,
        ),
        case(
            "50001",
            refused(50_001, 403),
            |_| (409, "bot_forbidden"),
            |_| 0,
            1,
        ),
        case(
            "10003",
            refused(10_003, 404),
            |_| (404, "not_found"),
            |_| 0,
            1,
        ),
        case(
            "50035",
            refused(50_035, 400),
            |_| (400, "invalid"),
            |_| 0,
            1,
        ),
        of_moves(case(
            "10007",
            refused(10_007, 404),
            |_| (404, "not_found"),
            |_| 0,
            1,
        )),
        case("429 user", limited("user"), |_| DONE, |_| 1, 2),
        case("429 shared", limited("shared"), |_| DONE, |_| 1, 2),
        case("429 global", limited("global"), |_| DONE, |_| 1, 2),
        case("500 undone", broken(true), |_| DONE, |_| 1, 2),
        case("500 done", broken(false), |_| DONE, |_| 1, 1),
        case("torn undone", torn(true), |_| DONE, |_| 1, 2),
        case("torn done", torn(false), |_| DONE, |_| 1, 1),
    ]
}

/// Acts whose requests arrive on the same route go one after the other.
const LANES: [&[Act]; 3] = [
    &[Act::Connect, Act::Kick, Act::Disconnect],
    &[Act::Rename, Act::Limit],
    &[Act::Status],
];

#[tokio::test(flavor = "multi_thread")]
async fn each_command_says_what_each_answer_of_discord_means_and_is_done_at_most_once() {
    // What shuts every route of the bot's is tried when nothing else is under way.
    let (alone, beside): (Vec<Case>, Vec<Case>) = cases()
        .into_iter()
        .partition(|case| case.fault["scope"] == "global");
    let mut stages = Vec::new();
    let flags = ["--interval", "bucket=100ms"];
    let house = House::simulated(&flags, &[], async |discord| {
        stages = Stage::set_up(discord, (beside.len() + alone.len()) * LANES.len()).await;
    })
    .await;
    let (stages, apart) = stages.split_at(beside.len() * LANES.len());
    let lanes = LANES.into_iter().zip(stages.chunks(beside.len()));
    let run = lanes.map(async |(acts, stages)| {
        for (case, stage) in beside.iter().zip(stages) {
            try_acts(&house, case, stage, acts).await;
        }
    });
    join_all(run).await;
    for (acts, stages) in LANES.into_iter().zip(apart.chunks(alone.len())) {
        for (case, stage) in alone.iter().zip(stages) {
            try_acts(&house, case, stage, acts).await;
        }
    }
}

async fn try_acts(house: &House, case: &Case, stage: &Stage, acts: &[Act]) {
    let moderator = Teller::sign_in(house, &stage.moderator).await;
    for act in acts.iter().filter(|act| (case.acts)(**act)) {
        try_case(house, case, stage, &moderator, *act).await;
    }
}

async fn try_case(house: &House, case: &Case, stage: &Stage, moderator: &Teller, act: Act) {
    let what = format!("{} of {}", case.name, act.name());
    if !case.fault.is_null() {
        let mut fault = case.fault.clone();
        fault["route"] = json!(act.route());
        house.discord.fault(fault).await;
    }
    let before = requests(&house.discord.state().await, act.route());
    let answer = stage.act(house, moderator, act).await;
    assert_eq!(answer.told(), (case.told)(act), "{what}: {answer:?}");
    says_what_is_missing(&answer, &what);
    let again = stage.act(house, moderator, act).await;
    assert_eq!(again.text, answer.text, "{what} is told twice");
    let truth = house.discord.state().await;
    let tried = requests(&truth, act.route()) - before;
    let done = (case.done)(act);
    assert_eq!(
        (stage.times_done(&truth, act), tried),
        (done, case.tries),
        "{what}: how often it was done, and tried"
    );
    assert_eq!(act.is_so(&truth, stage), done == 1, "{what}");
}

/// Whoever is refused for want of the bot's rights learns which, and who can give them.
fn says_what_is_missing(answer: &Answer, what: &str) {
    let missing = answer.body["error"]["missing"].as_array();
    let told = answer.told().1 == "bot_forbidden";
    assert_eq!(
        missing.is_some_and(|all| !all.is_empty()),
        told,
        "{what}: {answer:?}"
    );
    let message = answer.body["error"]["message"].as_str().unwrap_or_default();
    assert_eq!(
        message.contains("can give it to the bot"),
        told,
        "{what}: {message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_in_voice_for_discord_is_waited_for_or_is_out_already() {
    let mut stages = Vec::new();
    let house = House::whose("standing", &[], async |discord| {
        stages = Stage::set_up(discord, 1).await;
    })
    .await;
    let stage = &stages[0];
    let moderator = Teller::sign_in(&house, &stage.moderator).await;
    let gone = |act: Act| json!({"kind": "status", "status": 400, "code": 40_032, "undone": true, "route": act.route()});
    // A moment ago they left: the event is still on its way.
    for act in [Act::Kick, Act::Disconnect] {
        house.discord.fault(gone(act)).await;
        let answer = stage.act(&house, &moderator, act).await;
        assert_eq!(answer.told(), DONE, "{}", act.name());
    }
    house.discord.fault(gone(Act::Connect)).await;
    let answer = stage.act(&house, &moderator, Act::Connect).await;
    assert_eq!(answer.told(), (200, "waiting"));
    let link = answer.body["discordUrl"].as_str().unwrap_or_default();
    assert!(link.ends_with(&stage.room), "{answer:?}");
    // As far as the log says they are there, so it is tried again at once.
    until("the move", async || {
        let truth = house.discord.state().await;
        Act::Connect.is_so(&truth, stage)
    })
    .await;
    let truth = house.discord.state().await;
    assert_eq!(stage.times_done(&truth, Act::Connect), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_discord_makes_wait_for_long_is_said_with_a_time_and_not_waited_for() {
    let mut stages = Vec::new();
    let house = House::whose("standing", &[], async |discord| {
        stages = Stage::set_up(discord, Act::ALL.len()).await;
    })
    .await;
    for (act, stage) in Act::ALL.into_iter().zip(&stages) {
        let moderator = Teller::sign_in(&house, &stage.moderator).await;
        let before = house.discord.state().await;
        let limit = json!({"kind": "rate_limit", "scope": "user", "retryAfterMs": LONG * 1_000, "route": act.route()});
        // The bucket of moves is closed by the first of them already.
        let closed = act.moves_somebody() && act != Act::Connect;
        if !closed {
            house.discord.fault(limit).await;
        }
        let asked_at = unix_ms();
        let answer = stage.act(&house, &moderator, act).await;
        if act.moves_somebody() {
            assert_eq!(answer.told(), (503, "busy"), "{}", act.name());
            let seconds = answer.retry_after.expect("a time");
            assert!((LONG - 20..=LONG).contains(&seconds), "{answer:?}");
            assert_eq!(answer.body["error"]["retryAfter"], seconds);
        } else {
            assert_eq!(answer.told(), (200, "queued"), "{}", act.name());
            let after = answer.number("doneAt") - asked_at;
            assert!(
                (LONG * 1_000 - 500..=LONG * 1_000 + 20_000).contains(&after),
                "{answer:?}"
            );
            let again = stage.act(&house, &moderator, act).await;
            assert_eq!(again.text, answer.text, "the same key");
        }
        let truth = house.discord.state().await;
        let tried = requests(&truth, act.route()) - requests(&before, act.route());
        assert_eq!(tried, u64::from(!closed), "{}", act.name());
        assert_eq!(stage.times_done(&truth, act), 0);
    }
}
