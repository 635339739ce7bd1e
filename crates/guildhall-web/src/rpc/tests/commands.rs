use std::time::Duration;

use guildhall_link::{frame::RefusalCode, receiver::Unanswered};
use guildhall_model::{
    Change, Position,
    command::{CommandDone, CommandError, CommandErrorCode as Code, Outcome},
};
use tokio::{task::yield_now, time::advance};

use super::*;
use crate::stream::tests::harness::{LOBBY, VAULT, at, joined, left, room};

fn done(outcome: Outcome, position: Option<Position>) -> CommandDone {
    CommandDone {
        outcome,
        at: position.map(Into::into),
        made: None,
    }
}

fn renamed(name: &str) -> Change {
    Change::RoomUpdated(room(LOBBY, name, guildhall_model::guild::RoomRights::default()).info)
}

fn den() -> String {
    refused_rename().to_string()
}

/// What is sent, and as what it goes on: beside that, `call` is its name and `guildId` the hall's.
const RESOLVED: &[(&str, &str, &str)] = &[
    (
        "renameRoom",
        r#"{"channelId":"201","name":"Den"}"#,
        r#"{"channelId":"201","name":"Den"}"#,
    ),
    (
        "renameRoom",
        r#"{"channelId":"201","name":"  Den \u2764\ufe0f "}"#,
        r#"{"channelId":"201","name":"Den \u2764\ufe0f"}"#,
    ),
    (
        "setRoomStatus",
        r#"{"channelId":"201","status":"chess"}"#,
        r#"{"channelId":"201","status":"chess"}"#,
    ),
    (
        "setRoomStatus",
        r#"{"channelId":"201","status":""}"#,
        r#"{"channelId":"201","status":null}"#,
    ),
    (
        "setRoomStatus",
        r#"{"status":null,"channelId":"201"}"#,
        r#"{"channelId":"201","status":null}"#,
    ),
    (
        "setRoomLimit",
        r#"{"channelId":"201","limit":7}"#,
        r#"{"channelId":"201","limit":7}"#,
    ),
    (
        "kickFromRoom",
        r#"{"channelId":"201","userId":"12","allowReturn":true}"#,
        r#"{"channelId":"201","userId":"12","allowReturn":true}"#,
    ),
    (
        "kickFromRoom",
        r#"{"channelId":"201","userId":"12"}"#,
        r#"{"channelId":"201","userId":"12"}"#,
    ),
    (
        "connectUserToVoiceChannel",
        r#"{"channelId":"201"}"#,
        r#"{"channelId":"201","userId":"11"}"#,
    ),
    (
        "connectUserToVoiceChannel",
        r#"{"channelId":"201","userId":"12"}"#,
        r#"{"channelId":"201","userId":"12"}"#,
    ),
    ("disconnect", r#"{"guildId":"100"}"#, "{}"),
];

#[tokio::test(start_paused = true)]
async fn commands_reach_the_gateway_resolved() {
    let mut desk = Desk::open();
    for (name, body, resolved) in RESOLVED {
        let answer = desk.begin(with_key(desk.request(name, *body), "key"));
        let (given, asker) = desk.gateway.command().await;
        assert_eq!((given.actor, given.key.as_deref()), (ANNA, Some("key")));
        let mut expected: Value = serde_json::from_str(resolved).expect("JSON");
        expected["call"] = json!(name);
        expected["guildId"] = json!("100");
        assert_eq!(
            serde_json::to_value(&given.command).expect("JSON"),
            expected
        );
        asker.tell(Ok(Ok(done(Outcome::Done, None))));
        let answer = answer.await.expect("no panic");
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.body, json!({ "outcome": "done" }));
        advance(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_waits_for_the_replica_and_the_streams_of_its_session_are_told() {
    let mut desk = Desk::open();
    let mut stream = desk.harness.open(ANNA, None);
    let mut second = desk.harness.open(ANNA, None);
    let (session, _) = desk.sign_in(ANNA, &[HALL]);
    let own = std::mem::replace(&mut desk.harness.session, session);
    let mut elsewhere = desk.harness.open(ANNA, None);
    desk.harness.session = own;
    let mut ben = desk.harness.open(BEN, None);
    for listener in [&mut stream, &mut second, &mut elsewhere, &mut ben] {
        assert_eq!(listener.names(), ["snapshot"]);
    }

    let request = with_key(desk.request("renameRoom", den()), "my-key");
    let answer = desk.begin(request);
    let (_, asker) = desk.gateway.command().await;
    asker.tell(Ok(Ok(done(Outcome::Done, Some(at(1))))));
    advance(Duration::from_millis(900)).await;
    for _ in 0..10 {
        yield_now().await;
    }
    assert!(!answer.is_finished(), "the replica has not seen it");
    assert_eq!(stream.names(), [""; 0]);

    desk.harness.tell(renamed("Den"));
    let answer = answer.await.expect("no panic");
    let position = at(1).to_string();
    assert_eq!(
        answer.body,
        json!({ "outcome": "done", "position": position })
    );
    for listener in [&mut stream, &mut second] {
        let events = listener.events();
        let names: Vec<&str> = events.iter().map(|event| event.event.as_str()).collect();
        assert_eq!(names, ["room.updated", "checkpoint"], "behind what it did");
        assert_eq!(events[1].data["settled"], json!(["my-key"]));
        assert_eq!(events[1].id.as_deref(), Some(position.as_str()));
    }
    for listener in [&mut elsewhere, &mut ben] {
        assert_eq!(listener.names(), ["room.updated"], "no other session's");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_waits_a_second_and_the_streams_as_long_as_it_takes() {
    let mut desk = Desk::open();
    let mut stream = desk.harness.open(ANNA, None);
    stream.events();
    let request = with_key(desk.request("renameRoom", den()), "my-key");
    let answer = desk.begin(request);
    let (_, asker) = desk.gateway.command().await;
    asker.tell(Ok(Ok(done(Outcome::Done, Some(at(2))))));
    // Time goes on by itself as long as nobody has anything to do.
    let answer = answer.await.expect("no panic");
    assert_eq!(answer.status, StatusCode::OK);
    desk.harness.tell(joined(UserId(77), LOBBY));
    assert_eq!(stream.names(), ["voice.joined"]);
    desk.harness.tell(renamed("Den"));
    assert_eq!(stream.names(), ["room.updated", "checkpoint"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_woken_for_a_key_whose_effect_it_does_not_show() {
    let mut desk = Desk::open();
    let mut stream = desk.harness.open(ANNA, None);
    stream.events();
    let request = with_key(desk.request("disconnect", r#"{"guildId":"100"}"#), "my-key");
    let answer = desk.begin(request);
    let (_, asker) = desk.gateway.command().await;
    desk.harness.tell(left(UserId(77), VAULT));
    let woken = stream.woken();
    asker.tell(Ok(Ok(done(Outcome::Done, Some(at(1))))));
    answer.await.expect("no panic");
    assert_eq!(stream.woken(), woken + 1);
    let events = stream.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].data["settled"], json!(["my-key"]));
}

#[tokio::test(start_paused = true)]
async fn what_waits_says_until_when_and_settles_nothing() {
    let mut desk = Desk::open();
    let mut stream = desk.harness.open(ANNA, None);
    stream.events();
    for (outcome, body) in [
        (
            Outcome::Waiting {
                until: 1_763_000_300_000,
            },
            json!({
                "outcome": "waiting",
                "until": 1_763_000_300_000_u64,
                "discordUrl": "https://discord.com/channels/100/201",
            }),
        ),
        (
            Outcome::Queued {
                done_at: 1_763_000_600_000,
            },
            json!({ "outcome": "queued", "doneAt": 1_763_000_600_000_u64 }),
        ),
    ] {
        let request = desk.request("connectUserToVoiceChannel", r#"{"channelId":"201"}"#);
        let answer = desk.begin(with_key(request, "my-key"));
        let (_, asker) = desk.gateway.command().await;
        asker.tell(Ok(Ok(done(outcome, None))));
        assert_eq!(answer.await.expect("no panic").body, body);
    }
    assert_eq!(stream.names(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_keeps_its_word_sentence_permissions_and_time() {
    let cases = [
        (Code::Invalid, 400, "invalid"),
        (Code::Forbidden, 403, "forbidden"),
        (Code::TimedOut, 403, "timed_out"),
        (Code::NotFound, 404, "not_found"),
        (Code::NotInRoom, 409, "not_in_room"),
        (Code::RoomFull, 409, "room_full"),
        (Code::NotManaged, 409, "not_managed"),
        (Code::RoomLocked, 409, "room_locked"),
        (Code::Blocked, 403, "blocked"),
        (Code::InviteInvalid, 403, "invite_invalid"),
        (Code::InviteExpired, 403, "invite_expired"),
        (Code::InviteRevoked, 403, "invite_revoked"),
        (Code::NoSeatsLeft, 409, "no_seats_left"),
        (Code::TooManyRooms, 409, "too_many_rooms"),
        (Code::TooManyInvites, 409, "too_many_invites"),
        (Code::OwnerPresent, 409, "owner_present"),
        (Code::BotForbidden, 409, "bot_forbidden"),
        (Code::Superseded, 409, "superseded"),
        (Code::KeyReused, 409, "key_reused"),
        (Code::DiscordFailed, 502, "discord_failed"),
        (Code::Unknown, 502, "unknown"),
        (Code::Other, 502, "unknown"),
        (Code::GuildUnavailable, 503, "guild_unavailable"),
        (Code::Busy, 503, "busy"),
        (Code::Stopping, 503, "stopping"),
        (Code::Deadline, 504, "deadline"),
    ];
    let mut desk = Desk::open();
    for (code, status, word) in cases {
        let answer = desk.begin(with_key(desk.request("renameRoom", den()), "key"));
        let (_, asker) = desk.gateway.command().await;
        let error = CommandError::new(code, "The bot lacks it.").missing(&["MANAGE_CHANNELS"]);
        asker.tell(Ok(Err(error.retry_after_ms(1_001))));
        let answer = answer.await.expect("no panic");
        assert_eq!(answer.error(), (status, word), "{code}");
        let error = json!({
            "code": word,
            "message": "The bot lacks it.",
            "retryAfter": 2,
            "missing": ["MANAGE_CHANNELS"],
        });
        assert_eq!(answer.body["error"], error);
        assert_eq!(answer.headers["retry-after"], "2");
        advance(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_answer_of_the_gateway_is_said_as_what_it_is() {
    let refused = Unanswered::Refused;
    let cases = [
        (Unanswered::Down, 503, "unavailable"),
        (Unanswered::Busy, 503, "busy"),
        (Unanswered::Late, 504, "deadline"),
        (refused(RefusalCode::Busy), 503, "busy"),
        (refused(RefusalCode::Deadline), 504, "deadline"),
        (refused(RefusalCode::UnknownKind), 503, "unavailable"),
        (refused(RefusalCode::Malformed), 503, "unavailable"),
        (refused(RefusalCode::Other), 503, "unavailable"),
    ];
    let mut desk = Desk::open();
    for (why, status, word) in cases {
        let answer = desk.begin(with_key(desk.request("renameRoom", den()), "key"));
        let (_, asker) = desk.gateway.command().await;
        asker.tell(Err(why));
        let answer = answer.await.expect("no panic");
        assert_eq!(answer.error(), (status, word), "{why:?}");
        let again = &answer.body["error"]["retryAfter"];
        assert_eq!(again.is_number(), status == 503, "{why:?}");
        advance(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_says_nothing_is_not_waited_for_for_ever() {
    let mut desk = Desk::open();
    let began = tokio::time::Instant::now();
    let answer = desk.begin(with_key(desk.request("renameRoom", den()), "key"));
    let (_, _asker) = desk.gateway.command().await;
    let answer = answer.await.expect("no panic");
    assert_eq!(answer.error(), (504, "deadline"));
    assert_eq!(began.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn what_the_replica_forbids_is_refused_early_unless_it_may_be_a_repeat() {
    let mut desk = Desk::open();
    let (_, ben) = desk.sign_in(BEN, &[HALL]);
    let vault = json!({ "channelId": "202", "name": "Den" });
    let hidden = desk.ask("renameRoom", &vault).await;
    let nowhere = desk
        .ask("renameRoom", &json!({ "channelId": "999", "name": "Den" }))
        .await;
    assert_eq!(
        (hidden.error(), nowhere.error()),
        ((404, "not_found"), (404, "not_found"))
    );
    let lobby = desk.ask_as(&ben, "renameRoom", &refused_rename()).await;
    assert_eq!(lobby.error(), (403, "forbidden"));
    assert_eq!(lobby.body["error"]["missing"], json!(["MANAGE_CHANNELS"]));
    let kick = desk
        .ask(
            "kickFromRoom",
            &json!({ "channelId": "201", "userId": "12" }),
        )
        .await;
    assert_eq!(kick.body["error"]["missing"], json!(["MOVE_MEMBERS"]));
    assert!(desk.gateway.was_asked_nothing());

    let answer = desk.begin(with_key(desk.request("renameRoom", den()), "key"));
    let (given, asker) = desk.gateway.command().await;
    assert_eq!(given.key.as_deref(), Some("key"));
    asker.tell(Ok(Ok(done(Outcome::Done, None))));
    assert_eq!(answer.await.expect("no panic").status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn who_is_no_member_gives_no_commands() {
    let mut desk = Desk::open();
    for body in [json!({ "guildId": "999" }), json!({ "guildId": "0" })] {
        let request = with_key(desk.request("disconnect", body.to_string()), "key");
        assert_eq!(desk.send(request).await.error(), (404, "not_found"));
    }
    assert!(desk.gateway.was_asked_nothing());
}
