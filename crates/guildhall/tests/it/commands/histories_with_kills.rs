//! Random histories: commands with keys, faults of Discord's, and kills of gateway and web. When all is
//! quiet, Discord's audit log is the judge: each key had its effect at most once, what is told is true,
//! and what was given after an answer came after it.
//!
//! `COMMAND_SEED=7 cargo test -p guildhall --test it histories_with_kills` repeats one;
//! `COMMAND_HISTORIES` says how many there are.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{task::JoinSet, time::timeout};

use super::{
    stage::{CHANNELS, MOVES, Stage, member, room_of},
    teller::{Answer, Teller, is_worth_another_try},
};
use crate::house::{House, SOON, retry};

/// How many there are, if nobody says otherwise.
const HISTORIES: u64 = 2;
/// People who give commands, about each other's rooms too.
const TELLERS: usize = 6;
/// Each of them may ask for the end of each as well, without being limited.
const COMMANDS: usize = TELLERS * 5;

/// Random numbers from a seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let end = u64::try_from(end).expect("small");
        usize::try_from((mixed ^ (mixed >> 31)) % end).expect("small")
    }
}

/// A command whose effect no other has.
#[derive(Clone, Debug)]
struct Given {
    number: usize,
    teller: usize,
    name: &'static str,
    body: Value,
    room: String,
    effect: Effect,
    /// When it was given and when answered, in turns of the history.
    at: usize,
    answered: Option<(usize, Answer)>,
}

/// What it leaves in Discord.
#[derive(Clone, Debug)]
enum Effect {
    /// Somebody whom nobody else moves is in the room.
    Moved(String),
    /// A line of the audit log has this change of the room.
    Changed(Value),
}

struct History {
    house: House,
    chance: Chance,
    stages: Vec<Stage>,
    tellers: Vec<Teller>,
    /// Who is to be moved, each by one command.
    people: Vec<String>,
    given: Vec<Given>,
    turn: usize,
    open: JoinSet<(usize, Option<Answer>)>,
}

#[tokio::test(flavor = "multi_thread")]
async fn each_key_has_its_effect_at_most_once_and_what_is_told_is_true_and_in_order() {
    let seed = number("COMMAND_SEED");
    let count = number("COMMAND_HISTORIES").unwrap_or(HISTORIES);
    let seeds = seed.map_or(0..count, |seed| seed..seed + 1);
    for seed in seeds {
        println!("COMMAND_SEED={seed}");
        let mut history = History::open(seed).await;
        history.drive().await;
        history.settle().await;
        let truth = history.house.discord.state().await;
        judge(&history.given, &truth);
    }
}

impl History {
    async fn open(seed: u64) -> Self {
        let (mut stages, mut people) = (Vec::new(), Vec::new());
        let flags = ["--interval", "rename=1ms", "--interval", "bucket=200ms"];
        let house = House::simulated(&flags, &[], async |discord| {
            stages = Stage::set_up(discord, TELLERS).await;
            for number in 0..COMMANDS {
                let person = member(discord, &format!("person{number}"), &[]).await;
                discord.voice(&person, Some(&discord.rooms[0])).await;
                people.push(person);
            }
        })
        .await;
        let mut tellers = Vec::new();
        for stage in &stages {
            tellers.push(Teller::sign_in(&house, &stage.moderator).await);
        }
        Self {
            house,
            chance: Chance(seed),
            stages,
            tellers,
            people,
            given: Vec::new(),
            turn: 0,
            open: JoinSet::new(),
        }
    }

    async fn drive(&mut self) {
        while self.given.len() < COMMANDS {
            match self.chance.below(16) {
                0..=8 => self.give(),
                9..=11 => self.fault().await,
                12 | 13 => self.kill_gateway().await,
                14 => self.kill_web().await,
                _ => {}
            }
            let wait = Duration::from_millis(u64::try_from(self.chance.below(60)).expect("small"));
            if let Ok(Some(ended)) = timeout(wait, self.open.join_next()).await {
                self.answered(ended.expect("no panic"));
            }
        }
    }

    /// The next, of whoever's turn it is.
    fn give(&mut self) {
        let number = self.given.len();
        let teller = number % TELLERS;
        // Few rooms, so that there is an order to be kept.
        let room = self.stages[self.chance.below(3)].room.clone();
        let (name, body, effect) = match self.chance.below(3) {
            0 => {
                let person = self.people[number].clone();
                let body = json!({"channelId": room, "userId": person});
                ("connectUserToVoiceChannel", body, Effect::Moved(person))
            }
            1 => {
                let limit = json!({"channelId": room, "limit": number + 1});
                ("setRoomLimit", limit, Effect::Changed(json!(number + 1)))
            }
            _ => {
                let new = format!("name {number}");
                let body = json!({"channelId": room, "name": new});
                ("renameRoom", body, Effect::Changed(json!(new)))
            }
        };
        let key = format!("key-{number}");
        let request = self.tellers[teller].request(&self.house, name, Some(&key), &body);
        self.open.spawn(async move {
            let answer = match request.send().await {
                Ok(response) => Answer::read(response).await.ok(),
                Err(_) => None,
            };
            (number, answer)
        });
        self.turn += 1;
        self.given.push(Given {
            number,
            teller,
            name,
            body,
            room,
            effect,
            at: self.turn,
            answered: None,
        });
    }

    fn answered(&mut self, (number, answer): (usize, Option<Answer>)) {
        self.turn += 1;
        let turn = self.turn;
        self.given[number].answered = answer.map(|answer| (turn, answer));
    }

    async fn fault(&mut self) {
        let route = [MOVES, CHANNELS][self.chance.below(2)];
        let undone = self.chance.below(2) == 0;
        let fault = match self.chance.below(5) {
            0 => json!({"kind": "status", "status": 502, "undone": undone, "route": route}),
            1 => json!({"kind": "tear", "undone": undone, "route": route}),
            2 => json!({"kind": "rate_limit", "retryAfterMs": 150, "route": route}),
            3 => json!({"kind": "latency", "latencyMs": 300, "route": route}),
            _ => {
                json!({"kind": "status", "status": 403, "code": 50_013, "undone": true, "route": route})
            }
        };
        self.house.discord.fault(fault).await;
    }

    async fn kill_gateway(&mut self) {
        self.house.gateway.signal("KILL");
        self.house.gateway.ended().await;
        self.house.restart_gateway();
    }

    async fn kill_web(&mut self) {
        self.house.web.signal("KILL");
        self.house.web.ended().await;
        self.house.restart_web().await;
    }

    /// Asks each key how it ended.
    async fn settle(&mut self) {
        self.house.discord.fault(json!({"kind": "heal"})).await;
        while let Some(ended) = self.open.join_next().await {
            self.answered(ended.expect("no panic"));
        }
        self.house.until_ready(self.house.ports.gateway_ops).await;
        self.house.until_ready(self.house.ports.web_ops).await;
        for one in 0..self.given.len() {
            let Given {
                number,
                teller,
                name,
                body,
                answered,
                ..
            } = self.given[one].clone();
            let key = format!("key-{number}");
            let teller = &self.tellers[teller];
            let ends = async {
                loop {
                    let answer = teller.give(&self.house, name, Some(&key), &body).await;
                    if !is_worth_another_try(&answer) {
                        break answer;
                    }
                    retry().await;
                }
            };
            let last = timeout(SOON, ends).await.expect("it ends");
            let first = answered.filter(|(_, first)| !is_worth_another_try(first));
            if let Some((_, first)) = &first {
                assert_eq!(last.text, first.text, "{key} is told differently now");
            }
            let turn = first.map_or(usize::MAX, |(turn, _)| turn);
            self.given[one].answered = Some((turn, last));
        }
    }
}

fn judge(given: &[Given], truth: &Value) {
    let log = truth["guilds"][0]["auditLog"].as_array().expect("a log");
    let mut places = Vec::new();
    for one in given {
        let reason = format!("{} by ", one.name);
        let is_its = |entry: &&Value| match &one.effect {
            Effect::Moved(_) => false,
            Effect::Changed(new) => {
                let changes = entry["changes"].as_array().into_iter().flatten();
                let mut new_ones = changes.map(|change| &change["new_value"]);
                let why = entry["reason"].as_str().unwrap_or_default();
                why.starts_with(&reason) && new_ones.any(|value| value == new)
            }
        };
        let times = match &one.effect {
            Effect::Moved(person) => {
                usize::from(room_of(truth, person).as_ref() == Some(&one.room))
            }
            Effect::Changed(_) => log.iter().filter(is_its).count(),
        };
        let (turn, answer) = one.answered.as_ref().expect("it was asked in the end");
        assert!(times <= 1, "{one:?} had its effect {times} times");
        match answer.told() {
            (200, "done") => assert_eq!(times, 1, "{one:?}"),
            (502, "unknown") => {}
            (409, "bot_forbidden") => assert_eq!(times, 0, "{one:?}"),
            other => panic!("{other:?}: {one:?}"),
        }
        let place = log.iter().position(|entry| is_its(&entry));
        places.push((one, *turn, place));
    }
    for (earlier, answered, before) in &places {
        for (later, _, after) in &places {
            let in_order = *answered < later.at && earlier.room == later.room;
            if let (true, Some(before), Some(after)) = (in_order, before, after) {
                assert!(before < after, "{later:?} was done before {earlier:?}");
            }
        }
    }
    let moves = log
        .iter()
        .filter(|entry| entry["action_type"] == 26)
        .count();
    let people = given.iter().filter(|one| match &one.effect {
        Effect::Moved(person) => room_of(truth, person).as_ref() == Some(&one.room),
        Effect::Changed(_) => false,
    });
    assert_eq!(moves, people.count(), "nobody was moved twice");
}

/// A number that whoever runs this gave.
fn number(name: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's own argument, which cargo has no other way to hand over"
    )]
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}
