//! Scripts by their seed: the same seed says the same.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;

use super::script::{End, Greeting, Part, ResumeAt, Script, Step, guild, op, voice_state};

/// Messages that Discord does not send, and that end nothing.
const ODD: [&str; 12] = [
    "",
    "[]",
    "null",
    r#"{"op":0,"t":"X","s":3,"d":{"#,
    r#"{"t":"X","s":3,"d":{}}"#,
    r#"{"op":"0","t":"X","s":3,"d":{}}"#,
    r#"{"op":99,"d":{"op":7}}"#,
    r#"{"op":0,"t":"X","s":null,"d":{}}"#,
    r#"{"op":0,"t":null,"s":3,"d":{}}"#,
    r#"{"op":0,"t":"X","s":"500","d":{}}"#,
    r#"{"op":0,"t":"X","s":-1,"d":{}}"#,
    r#"{"op":11,"d":null,"s":null,"t":null}"#,
];

/// Codes of Discord's, of the WebSocket protocol, and of nobody's.
const CODES: [u16; 22] = [
    1000, 1001, 1008, 1011, 1012, 3000, 3999, 4000, 4001, 4002, 4003, 4004, 4005, 4007, 4008, 4009,
    4010, 4013, 4014, 4200, 4500, 4999,
];

pub(super) fn script(seed: u64) -> Script {
    let mut rng = StdRng::seed_from_u64(seed);
    let count = rng.random_range(1..=4);
    Script {
        name: format!("the script of seed {seed}"),
        connections: (0..count).map(|_| part(&mut rng)).collect(),
    }
}

fn part(rng: &mut StdRng) -> Part {
    let interval = Duration::from_millis(pick(rng, &[5_000, 10_000, 41_250]));
    let mut part = match rng.random_range(0..16) {
        0 => Part::new([]).greeting(Greeting::Refusal(pick(rng, &[500, 503]))),
        1 => {
            let first = match rng.random_range(0..2) {
                0 => end_of_server(rng),
                _ => op(7, &Value::Null),
            };
            Part::new([first, clients(10)]).greeting(Greeting::Silence)
        }
        2 => Part::new([Step::AwaitAsk, end(rng), clients(10)]).every(interval),
        3 => silence(rng, interval),
        _ => live(rng, interval),
    };
    part.resume_at = match rng.random_range(0..16) {
        0 => ResumeAt::Dead,
        1 => ResumeAt::Missing,
        2 => ResumeAt::Null,
        _ => ResumeAt::Another,
    };
    part.answers_close = rng.random_range(0..10) > 0;
    if rng.random_range(0..3) == 0 {
        part = part.compressed();
    }
    part
}

/// Nothing comes any more, acknowledgements included.
fn silence(rng: &mut StdRng, interval: Duration) -> Part {
    let mut steps = vec![Step::Answer, guild()];
    steps.truncate(rng.random_range(0..=2));
    steps.push(Step::End(End::Clients(interval * 3)));
    Part::new(steps).every(interval).deaf()
}

/// A session, and what happens in it until the end.
fn live(rng: &mut StdRng, interval: Duration) -> Part {
    let mut part = Part::live([]).every(interval);
    for _ in 0..rng.random_range(0..8) {
        let step = match rng.random_range(0..10) {
            0..4 => wait(rng),
            4..6 => voice_state(),
            6 => guild(),
            7 => Step::AskForHeartbeat,
            8 => Step::RequestMembers(rng.random_range(1..5)),
            _ => Step::Say(pick(rng, &ODD).to_owned()),
        };
        part.steps.push(step);
    }
    part.steps.extend([end(rng), clients(10)]);
    part
}

fn end(rng: &mut StdRng) -> Step {
    match rng.random_range(0..8) {
        0 => op(7, &Value::Null),
        1 => op(9, &true.into()),
        2 => op(9, &false.into()),
        3 => Step::Binary(b"this is no zstd".to_vec()),
        _ => end_of_server(rng),
    }
}

fn end_of_server(rng: &mut StdRng) -> Step {
    Step::End(match rng.random_range(0..6) {
        0 | 1 => End::Drop,
        2 => End::Close(None),
        _ => End::Close(Some(pick(rng, &CODES))),
    })
}

fn clients(seconds: u64) -> Step {
    Step::End(End::Clients(Duration::from_secs(seconds)))
}

fn wait(rng: &mut StdRng) -> Step {
    Step::Wait(Duration::from_millis(rng.random_range(1..20_000)))
}

fn pick<T: Copy>(rng: &mut StdRng, all: &[T]) -> T {
    all[rng.random_range(0..all.len())]
}
