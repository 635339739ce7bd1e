//! Random histories with faults and kills: each key has its effect at most once, what is answered is
//! true, and what is answered as done was done in the order in which it was given.

use std::collections::BTreeMap;

use guildhall_model::command::CommandErrorCode as Code;
use proptest::prelude::*;

use super::{
    discord::{Fault, faults},
    *,
};

#[derive(Clone, Debug)]
enum Step {
    /// One of three people renames a room, or sets its limit, to what nobody else asks for.
    Give {
        actor: u64,
        limit: bool,
    },
    /// The next request is met so.
    React(Fault),
    /// Wait for an answer.
    Answer,
    Kill,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn each_key_has_its_effect_once_and_what_is_answered_is_true(
        steps in prop::collection::vec(steps(), 1..30),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(live(steps));
    }
}

async fn live(steps: Vec<Step>) {
    let mut house = House::open().await;
    let mut given: BTreeMap<usize, CommandRequest> = BTreeMap::new();
    let mut told = Told::default();
    let mut open = JoinSet::new();
    for step in steps {
        match step {
            Step::Give { actor, limit } => {
                let number = given.len() + 1;
                let request = a_command(number, UserId(100 + actor), limit);
                given.insert(number, request.clone());
                let answer = house.give(request);
                open.spawn(async move { (number, answer.await) });
            }
            Step::React(fault) => house.discord.react([fault.reaction()]),
            Step::Answer => {
                let next = timeout(Duration::from_millis(20), told.take_next(&mut open));
                let _whether = next.await;
            }
            Step::Kill => {
                house.kill().await;
                told.take_all(&mut open).await;
            }
        }
    }
    // What hangs is cut off, so that all come to their end.
    house.discord.heal();
    house.kill().await;
    told.take_all(&mut open).await;
    let in_order = told.0.clone();
    for (number, request) in &given {
        let last = house.give(request.clone()).await;
        if let Some(Ok(first)) = told.0.get(number) {
            assert_eq!(outcome(&last), first.outcome, "{request:?}");
        }
        told.0.insert(*number, last);
    }
    let done = house.discord.done();
    let times = |number: usize| {
        done.iter()
            .filter(|what| **what == effect(number, &given))
            .count()
    };
    for (number, result) in &told.0 {
        let times = times(*number);
        assert!(
            times <= 1,
            "{number} had its effect {times} times: {done:?}"
        );
        match result {
            Ok(_) => assert_eq!(times, 1, "{number} is said to be done: {done:?}"),
            Err(error) if error.code == Code::Unknown => {}
            Err(error) => assert_eq!(times, 0, "{number}: {error}, and it was done: {done:?}"),
        }
    }
    let done_at_once = in_order.iter().filter(|(_, result)| result.is_ok());
    let places = done_at_once.map(|(number, _)| {
        let effect = effect(*number, &given);
        done.iter().position(|what| *what == effect)
    });
    assert!(places.is_sorted(), "not in the order given: {done:?}");
}

/// Whatever is asked for is asked for once.
fn a_command(number: usize, actor: UserId, limit: bool) -> CommandRequest {
    let command = if limit {
        Command::SetRoomLimit {
            guild_id: GUILD,
            channel_id: ROOM,
            limit: u32::try_from(number).expect("small"),
        }
    } else {
        rename(&number.to_string())
    };
    by(actor, &format!("key {number}"), command)
}

fn effect(number: usize, given: &BTreeMap<usize, CommandRequest>) -> String {
    match given[&number].command {
        Command::SetRoomLimit { .. } => format!("{ROOM} holds {number}"),
        _ => format!("{ROOM} is {number}"),
    }
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..3_u64, any::<bool>()).prop_map(|(actor, limit)| Step::Give { actor, limit }),
        2 => faults().prop_map(Step::React),
        3 => Just(Step::Answer),
        1 => Just(Step::Kill),
    ]
}
