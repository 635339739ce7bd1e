//! What each answer of Discord leads to, and what a kill in the middle does.

use guildhall_model::command::CommandErrorCode as Code;
use guildhall_ports::Clock;
use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn what_discord_has_done_is_done_and_answered_behind_its_event() {
    let house = House::open().await;
    let result = house.give(by(ANNA, "k", connect(ANNA, OTHER_ROOM))).await;
    assert_eq!(outcome(&result), Outcome::Done);
    assert!(result.expect("done").at.is_some());
    assert_eq!(house.discord.done(), ["101 in 11"]);
}

#[tokio::test]
async fn each_command_asks_discord_for_what_it_says() {
    let guild_id = GUILD;
    let channel_id = ROOM;
    let commands = [
        (rename("den"), "10 is den"),
        (
            Command::SetRoomLimit {
                guild_id,
                channel_id,
                limit: 7,
            },
            "10 holds 7",
        ),
        (
            Command::SetRoomStatus {
                guild_id,
                channel_id,
                status: Some("chess".to_owned()),
            },
            "10 says \"chess\"",
        ),
        (
            Command::KickFromRoom {
                guild_id,
                channel_id,
                user_id: ANNA,
                allow_return: false,
            },
            "101 out",
        ),
        (Command::Disconnect { guild_id }, "100 out"),
    ];
    let house = House::open().await;
    for (command, does) in commands {
        let result = house.give(by(OWNER, "", command.clone())).await;
        assert_eq!(outcome(&result), Outcome::Done, "{command:?}");
        assert_eq!(house.discord.done().last().map(String::as_str), Some(does));
    }
}

#[tokio::test]
async fn a_key_that_comes_again_is_one_command_while_it_runs_and_after() {
    let house = House::open().await;
    let first = house.give(by(ANNA, "k", rename("den")));
    let second = house.give(by(ANNA, "k", rename("den")));
    assert_eq!(first.await, second.await);
    let third = house.give(by(ANNA, "k", rename("den"))).await;
    assert_eq!(outcome(&third), Outcome::Done);
    assert_eq!(house.discord.done(), ["10 is den"]);
    let other = house.give(by(ANNA, "k", rename("hall"))).await;
    assert_eq!(code(&other), Code::KeyReused);
}

#[tokio::test]
async fn each_error_of_discord_says_what_is_wrong_and_who_can_mend_it() {
    let fields = json!({"name": {"_errors": [{"code": "X", "message": "Too odd."}]}});
    let cases = [
        (
            403,
            json!({"code": 50_013}),
            Code::BotForbidden,
            "MANAGE_CHANNELS",
        ),
        (
            403,
            json!({"code": 50_001}),
            Code::BotForbidden,
            "VIEW_CHANNEL",
        ),
        (404, json!({"code": 10_003}), Code::NotFound, "room"),
        (
            400,
            json!({"code": 50_035, "errors": fields}),
            Code::Invalid,
            "Too odd.",
        ),
        (
            401,
            json!({"code": 60_003}),
            Code::BotForbidden,
            "two-factor",
        ),
        (418, json!({"code": 1}), Code::DiscordFailed, "418"),
    ];
    for (status, body, expected, names) in cases {
        let house = House::open().await;
        house.discord.react([refusal(status, body)]);
        let result = house.give(by(ANNA, "k", rename("den"))).await;
        let error = result.expect_err("refused");
        assert_eq!(error.code, expected, "{status}");
        assert!(error.message.contains(names), "{error}");
        assert_eq!(house.discord.done(), [""; 0]);
    }
}

#[tokio::test]
async fn a_401_ends_the_executor() {
    let mut house = House::open().await;
    house.discord.react([refusal(401, json!({"code": 0}))]);
    let result = house.give(by(ANNA, "k", rename("den"))).await;
    assert_eq!(code(&result), Code::Stopping);
    let exit = house.tasks.join_next().await.expect("it ended");
    assert_eq!(exit.expect("no panic"), ExecutorExit::TokenRefused);
}

#[tokio::test]
async fn who_left_voice_a_moment_ago_is_waited_for() {
    let house = House::open().await;
    house.discord.react([refusal(400, json!({"code": 40_032}))]);
    let result = house.give(by(ANNA, "k", connect(ANNA, OTHER_ROOM))).await;
    assert!(matches!(outcome(&result), Outcome::Waiting { .. }));
}

#[tokio::test]
async fn who_is_not_in_voice_is_moved_once_they_are() {
    let mut house = House::open().await;
    let result = house.give(by(BEN, "k", connect(BEN, OTHER_ROOM))).await;
    let waiting = outcome(&result);
    assert!(matches!(waiting, Outcome::Waiting { .. }));
    // Across a kill, too.
    house.kill().await;
    let again = house.give(by(BEN, "k", connect(BEN, OTHER_ROOM))).await;
    assert_eq!(outcome(&again), waiting);
    house.discord.puts(BEN, ROOM);
    house.discord.has_got(1).await;
    assert_eq!(house.discord.done(), ["102 in 11"]);
    let after = house.settled(by(BEN, "k", connect(BEN, OTHER_ROOM))).await;
    assert_eq!(outcome(&after), Outcome::Done);
}

#[tokio::test]
async fn what_discord_makes_wait_is_queued_survives_a_kill_and_is_replaced_by_a_newer_one() {
    let mut house = House::open().await;
    house.discord.react([throttle(3.0), throttle(3.0)]);
    let first = house.give(by(ANNA, "first", rename("den"))).await;
    assert!(matches!(outcome(&first), Outcome::Queued { .. }));
    let second = house.give(by(BEN, "second", rename("hall"))).await;
    assert!(matches!(outcome(&second), Outcome::Queued { .. }));
    let replaced = house.settled(by(ANNA, "first", rename("den"))).await;
    assert_eq!(code(&replaced), Code::Superseded);
    house.kill().await;
    let done = house.settled(by(BEN, "second", rename("hall"))).await;
    assert_eq!(outcome(&done), Outcome::Done);
    assert_eq!(house.discord.done(), ["10 is hall"]);
}

#[tokio::test]
async fn what_is_due_while_discord_is_not_live_is_done_once_it_is() {
    let mut house = House::open().await;
    let (queued, waiting) = (
        by(ANNA, "k", rename("den")),
        by(BEN, "k", connect(BEN, OTHER_ROOM)),
    );
    let until = SystemClock.now() + 60_000;
    for (id, request, state) in [
        (1, &queued, CommandState::Queued { due: 1 }),
        (2, &waiting, CommandState::Waiting { until }),
    ] {
        let kept = KeptCommand {
            id,
            request: request.clone(),
            asked_at: 1,
            state,
        };
        house.journal.keep(kept).await.expect("in memory");
    }
    house.discord.puts(BEN, ROOM);
    house.discord.is_live(false);
    house.kill().await;
    // When the person is there, and both commands go on.
    house.discord.was_asked(3).await;
    assert_eq!(house.discord.requests(), 0);
    house.discord.is_live(true);
    for request in [queued, waiting] {
        let done = house.settled(request).await;
        assert_eq!(outcome(&done), Outcome::Done);
    }
    let mut done = house.discord.done();
    done.sort();
    assert_eq!(done, ["10 is den", "102 in 11"]);
}

#[tokio::test]
async fn what_was_waited_for_in_vain_is_not_done_later() {
    let mut house = House::open().await;
    let request = by(BEN, "k", connect(BEN, OTHER_ROOM));
    let kept = KeptCommand {
        id: 1,
        request: request.clone(),
        asked_at: 1,
        state: CommandState::Waiting { until: 2 },
    };
    house.journal.keep(kept).await.expect("in memory");
    // The gateway was away, and they come when it is back.
    house.discord.puts(BEN, ROOM);
    house.kill().await;
    let ended = house.settled(request).await;
    assert_eq!(code(&ended), Code::NotInRoom);
    assert_eq!(house.discord.requests(), 0);
}

#[tokio::test]
async fn a_promised_move_that_fails_ends_with_its_error() {
    let house = House::open().await;
    let request = by(BEN, "k", connect(BEN, OTHER_ROOM));
    let waiting = house.give(request.clone()).await;
    assert!(matches!(outcome(&waiting), Outcome::Waiting { .. }));
    house.discord.react([throttle(60.0)]);
    house.discord.puts(BEN, ROOM);
    house.discord.has_got(1).await;
    // Whether this meets the first or is another one: it is not told to wait for who is there.
    let again = house.give(request).await;
    assert_eq!(code(&again), Code::Busy);
    assert_eq!(house.discord.requests(), 1);
}

#[tokio::test]
async fn without_an_answer_discords_state_says_whether_it_was_done() {
    for (done, expected) in [(true, Ok(Outcome::Done)), (false, Err(Code::Unknown))] {
        let house = House::open().await;
        // A move is not safe to be sent again.
        house.discord.react([Reaction::Answer {
            done,
            status: 502,
            body: Value::Null,
            retry_after: None,
        }]);
        let result = house.give(by(ANNA, "k", connect(ANNA, OTHER_ROOM))).await;
        let told = result.map(|done| done.outcome).map_err(|error| error.code);
        let is_retried = told == Ok(Outcome::Done);
        assert!(told == expected || is_retried, "{told:?}");
        assert!(house.discord.done().len() <= 1 || is_retried);
    }
}

#[tokio::test]
async fn after_a_kill_before_discord_did_it_it_is_done_once_and_after_it_not_again() {
    for done in [true, false] {
        let mut house = House::open().await;
        house.discord.react([Reaction::Hang { done }]);
        let _lost = house.give(by(ANNA, "k", connect(ANNA, OTHER_ROOM)));
        house.discord.has_got(1).await;
        house.kill().await;
        let result = house.give(by(ANNA, "k", connect(ANNA, OTHER_ROOM))).await;
        assert_eq!(outcome(&result), Outcome::Done);
        assert_eq!(
            house.discord.done(),
            ["101 in 11"],
            "done before the kill: {done}"
        );
    }
}

#[tokio::test]
async fn what_was_changed_by_somebody_else_meanwhile_is_not_known_and_not_done_again() {
    let mut house = House::open().await;
    house.discord.react([Reaction::Hang { done: true }]);
    let _lost = house.give(by(ANNA, "k", rename("den")));
    house.discord.has_got(1).await;
    house.discord.change(|guild| {
        let room = guild.rooms.get_mut(&ROOM).expect("a room");
        "by hand".clone_into(&mut room.info.name);
    });
    house.kill().await;
    let result = house.give(by(ANNA, "k", rename("den"))).await;
    assert_eq!(code(&result), Code::Unknown);
    assert_eq!(house.discord.requests(), 1);
}

#[tokio::test]
async fn somebody_who_was_moved_and_came_back_is_left_where_they_are() {
    let kick = Command::KickFromRoom {
        guild_id: GUILD,
        channel_id: ROOM,
        user_id: ANNA,
        allow_return: false,
    };
    let mut house = House::open().await;
    house.discord.react([Reaction::Hang { done: true }]);
    let _lost = house.give(by(OWNER, "k", kick.clone()));
    house.discord.has_got(1).await;
    // All is as it was before, and something has happened.
    house.discord.puts(ANNA, ROOM);
    house.kill().await;
    let result = house.give(by(OWNER, "k", kick)).await;
    assert_eq!(code(&result), Code::Unknown);
    assert_eq!(house.discord.done(), ["101 out"]);
}

#[tokio::test]
async fn nobody_waits_for_somebody_who_is_no_member() {
    let house = House::open().await;
    let stranger = UserId(999);
    let result = house.give(by(OWNER, "k", connect(stranger, ROOM))).await;
    assert_eq!(code(&result), Code::NotFound);
}

#[tokio::test]
async fn one_person_may_have_so_many_under_way_and_others_go_on() {
    let house = House::open().await;
    house.discord.react([Reaction::Hang { done: false }]);
    let mut given: Vec<_> = (0..=COMMANDS_PER_ACTOR)
        .map(|number| Box::pin(house.give(by(ANNA, "", rename(&number.to_string())))))
        .collect();
    let last = given.pop().expect("one too many").await;
    assert_eq!(code(&last), Code::Busy);
    let other = connect(OWNER, OTHER_ROOM);
    assert_eq!(
        outcome(&house.give(by(OWNER, "", other)).await),
        Outcome::Done
    );
}

#[tokio::test]
async fn what_is_not_begun_by_its_deadline_is_not_done() {
    let house = House::open().await;
    let late = house.executor.execute(by(ANNA, "k", rename("den")), now());
    assert_eq!(code(&late.await), Code::Deadline);
    assert_eq!(house.discord.requests(), 0);
    // The same key is another try.
    let again = house.give(by(ANNA, "k", rename("den"))).await;
    assert_eq!(outcome(&again), Outcome::Done);
}

fn refusal(status: u16, body: Value) -> Reaction {
    Reaction::Answer {
        done: false,
        status,
        body,
        retry_after: None,
    }
}

fn throttle(seconds: f64) -> Reaction {
    Reaction::Answer {
        done: false,
        status: 429,
        body: json!({"message": "slow down", "retry_after": seconds, "global": false}),
        retry_after: Some(seconds),
    }
}
