use std::time::Duration;

use guildhall_model::{
    Change,
    command::{CommandDone, CommandError, CommandErrorCode as Code, Made, Outcome},
    guild::{Guild, RoomManagement},
};
use tokio::time::advance;

use super::*;
use crate::stream::tests::harness::{ANNEX, LOBBY, NOWHERE, VAULT, hall};

/// The lobby, as if Guildhall had made it for somebody.
fn owned_by(owner_id: UserId) -> Desk {
    let mut hall: Guild = hall();
    let lobby = hall.rooms.get_mut(&LOBBY).expect("a room");
    lobby.info.managed = Some(RoomManagement {
        owner_id,
        locked: false,
        hidden: false,
    });
    let harness = Harness::of(64, vec![(HALL, hall)]);
    harness.answer(ANNA, &[HALL], &[]);
    harness.answer(BEN, &[HALL], &[]);
    Desk::over(harness)
}

fn made(outcome: Outcome, made: Option<Made>) -> CommandDone {
    CommandDone {
        made,
        ..outcome.answer()
    }
}

/// What is sent, and as what it goes on: beside that, `call` is its name and `guildId` the hall's.
const RESOLVED: &[(&str, &str, &str)] = &[
    (
        "createRoom",
        r#"{"guildId":"100","name":"Den"}"#,
        r#"{"name":"Den","limit":4,"parentId":null,"private":true}"#,
    ),
    (
        "createRoom",
        r#"{"guildId":"100","name":"Den","limit":0,"parentId":"7","private":false}"#,
        r#"{"name":"Den","limit":0,"parentId":"7","private":false}"#,
    ),
    (
        "lockRoom",
        r#"{"channelId":"201","locked":true}"#,
        r#"{"channelId":"201","locked":true}"#,
    ),
    (
        "hideRoom",
        r#"{"channelId":"201","hidden":false}"#,
        r#"{"channelId":"201","hidden":false}"#,
    ),
    (
        "transferRoom",
        r#"{"channelId":"201","userId":"12"}"#,
        r#"{"channelId":"201","userId":"12"}"#,
    ),
    (
        "claimRoom",
        r#"{"channelId":"201"}"#,
        r#"{"channelId":"201"}"#,
    ),
    (
        "closeRoom",
        r#"{"channelId":"201"}"#,
        r#"{"channelId":"201"}"#,
    ),
    (
        "blockFromRoom",
        r#"{"channelId":"201","userId":"12"}"#,
        r#"{"channelId":"201","userId":"12"}"#,
    ),
    (
        "unblockFromRoom",
        r#"{"channelId":"201","userId":"12"}"#,
        r#"{"channelId":"201","userId":"12"}"#,
    ),
    (
        "createInvite",
        r#"{"channelId":"201"}"#,
        r#"{"channelId":"201","seats":null,"singleUse":false,"expiresInSeconds":86400}"#,
    ),
    (
        "createInvite",
        r#"{"channelId":"201","seats":1,"singleUse":true,"expiresInSeconds":1}"#,
        r#"{"channelId":"201","seats":1,"singleUse":true,"expiresInSeconds":1}"#,
    ),
    (
        "revokeInvite",
        r#"{"channelId":"201"}"#,
        r#"{"channelId":"201","token":null}"#,
    ),
];

#[tokio::test(start_paused = true)]
async fn commands_about_rooms_reach_the_gateway_resolved() {
    let mut desk = owned_by(ANNA);
    for (name, body, resolved) in RESOLVED {
        let answer = desk.begin(with_key(desk.request(name, *body), "key"));
        let (given, asker) = desk.gateway.command().await;
        assert_eq!((given.actor, given.key.as_deref()), (ANNA, Some("key")));
        let mut expected: Value = serde_json::from_str(resolved).expect("JSON");
        expected["call"] = json!(given.command.name());
        expected["guildId"] = json!("100");
        let mut command = serde_json::to_value(&given.command).expect("JSON");
        if *name == "revokeInvite" {
            // Its row in RPC and its word on the link differ by a letter.
            expected["call"] = command["call"].clone();
        } else {
            assert_eq!(command["call"], *name);
        }
        let left_out = |value: &mut Value| {
            let fields = value.as_object_mut().expect("an object");
            fields.retain(|_, field| !field.is_null() && *field != json!(false));
        };
        left_out(&mut command);
        left_out(&mut expected);
        assert_eq!(command, expected, "{name} {body}");
        let done = match *name {
            "createRoom" => Some(Made::Room { channel_id: VAULT }),
            "createInvite" => Some(Made::Invite {
                token: invite(HALL, LOBBY),
                expires_at: 1_763_086_400_000,
            }),
            _ => None,
        };
        asker.tell(Ok(Ok(made(Outcome::Done, done))));
        let answer = answer.await.expect("no panic");
        assert_eq!(answer.status, StatusCode::OK, "{name}");
        advance(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_made_is_answered_with_where_to_open_it() {
    let mut desk = owned_by(ANNA);
    let body = json!({ "guildId": "100", "name": "Den" });
    let answer = desk.begin(desk.request("createRoom", body.to_string()));
    let (_, asker) = desk.gateway.command().await;
    let room = Some(Made::Room {
        channel_id: ChannelId(777),
    });
    asker.tell(Ok(Ok(made(Outcome::Done, room))));
    let expected = json!({
        "outcome": "done",
        "channelId": "777",
        "discordUrl": "https://discord.com/channels/100/777",
    });
    assert_eq!(answer.await.expect("no panic").body, expected);

    let answer = desk.begin(desk.request("createInvite", r#"{"channelId":"201"}"#));
    let (_, asker) = desk.gateway.command().await;
    let token = invite(HALL, LOBBY);
    let new = Some(Made::Invite {
        token: token.clone(),
        expires_at: 1_763_086_400_000,
    });
    asker.tell(Ok(Ok(made(Outcome::Done, new))));
    let expected = json!({
        "outcome": "done",
        "token": token.to_string(),
        "url": format!("http://localhost:3000/join?invite={token}"),
        "expiresAt": 1_763_086_400_000_u64,
    });
    assert_eq!(answer.await.expect("no panic").body, expected);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_does_not_say_what_it_made_is_not_believed() {
    let mut desk = owned_by(ANNA);
    for (name, body, other) in [
        ("createRoom", r#"{"guildId":"100","name":"Den"}"#, None),
        (
            "createInvite",
            r#"{"channelId":"201"}"#,
            Some(Made::Room { channel_id: LOBBY }),
        ),
    ] {
        let answer = desk.begin(desk.request(name, body));
        let (_, asker) = desk.gateway.command().await;
        asker.tell(Ok(Ok(made(Outcome::Done, other))));
        let answer = answer.await.expect("no panic");
        assert_eq!(answer.error(), (502, "unknown"), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_key_that_closed_a_room_is_answered_when_it_is_gone() {
    let mut desk = owned_by(ANNA);
    let close = || desk.request("closeRoom", json!({ "channelId": LOBBY }).to_string());
    let (with, without) = (with_key(close(), "my-key"), close());
    desk.harness.tell(Change::RoomDeleted { channel_id: LOBBY });
    let none = desk.send(without).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    assert!(desk.gateway.was_given_no_command());
    let answer = desk.begin(with);
    let (given, asker) = desk.gateway.repeat().await;
    assert_eq!(given.key.as_deref(), Some("my-key"));
    assert_eq!(given.command.channel_id(), Some(LOBBY));
    asker.tell(Ok(Ok(Outcome::Done.answer())));
    let answer = answer.await.expect("no panic");
    assert_eq!(answer.body, json!({ "outcome": "done" }));
}

#[tokio::test(start_paused = true)]
async fn who_comes_by_an_invite_need_not_see_its_room() {
    let mut desk = owned_by(BEN);
    for (room, outcome, until) in [
        (VAULT, Outcome::Done, None),
        (LOBBY, Outcome::Waiting { until: 5 }, Some(5)),
        (ChannelId(999), Outcome::Done, None),
    ] {
        let token = invite(HALL, room);
        let body = json!({ "token": token.to_string() });
        let answer = desk.begin(desk.request("joinRoom", body.to_string()));
        let (given, asker) = desk.gateway.command().await;
        let expected = json!({
            "call": "joinRoom",
            "guildId": "100",
            "channelId": room.to_string(),
            "token": token.to_string(),
        });
        let command = serde_json::to_value(&given.command).expect("JSON");
        assert_eq!(command, expected, "ANNA does not see the vault");
        asker.tell(Ok(Ok(made(outcome, None))));
        let mut expected = json!({
            "outcome": if until.is_some() { "waiting" } else { "done" },
            "channelId": room.to_string(),
            "discordUrl": format!("https://discord.com/channels/100/{room}"),
        });
        if let Some(until) = until {
            expected["until"] = json!(until);
        }
        assert_eq!(answer.await.expect("no panic").body, expected);
        advance(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_is_no_member_is_told_how_to_become_one_and_nothing_of_the_guild() {
    let mut desk = owned_by(BEN);
    let (_, carl) = desk.sign_in(UserId(13), &[HALL]);
    let mut told = Vec::new();
    for guild in [ANNEX, NOWHERE, GuildId(7)] {
        let token = invite(guild, LOBBY).to_string();
        let answer = desk.ask("joinRoom", &json!({ "token": token })).await;
        assert_eq!(answer.error(), (403, "not_member"));
        let address = format!("http://localhost:3000/auth/login?invite={token}");
        assert_eq!(answer.body["error"]["signInUrl"], json!(address));
        told.push(answer.body.to_string().replace(&token, ""));
    }
    assert!(told.windows(2).all(|two| two[0] == two[1]), "{told:?}");
    // Whoever could not be looked up is no stranger.
    let token = invite(HALL, LOBBY).to_string();
    let unknown = desk
        .ask_as(&carl, "joinRoom", &json!({ "token": token }))
        .await;
    assert_eq!(unknown.error(), (503, "unavailable"));
    assert!(desk.gateway.was_given_no_command());
}

#[tokio::test(start_paused = true)]
async fn an_invite_that_was_tampered_with_is_refused_here_or_by_the_gateway() {
    let mut desk = owned_by(BEN);
    let genuine = invite(HALL, LOBBY).to_string();
    let cut = &genuine[..genuine.len() - 1];
    let other_version = format!("AgE{}", &genuine[3..]);
    let other_purpose = format!("AQI{}", &genuine[3..]);
    for token in [
        json!(""),
        json!(cut),
        json!(format!("{genuine}A")),
        json!(format!("{genuine}=")),
        json!(format!(" {genuine}")),
        json!(other_version),
        json!(other_purpose),
        json!(genuine.replace('A', "ä")),
        json!([genuine]),
        json!(null),
    ] {
        let answer = desk.ask("joinRoom", &json!({ "token": token })).await;
        assert_eq!(answer.error(), (400, "invalid"), "{token}");
        assert_eq!(answer.fields(), ["token"]);
        let said = String::from_utf8_lossy(&answer.bytes);
        assert!(!said.contains(&genuine[10..40]), "a token is not repeated");
    }
    assert!(desk.gateway.was_asked_nothing());

    let mut letters = genuine.into_bytes();
    let last = letters.len() - 3;
    letters[last] = if letters[last] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(letters).expect("ASCII");
    let body = json!({ "token": forged }).to_string();
    let answer = desk.begin(desk.request("joinRoom", body));
    let (_, asker) = desk.gateway.command().await;
    asker.tell(Ok(Err(CommandError::new(
        Code::InviteInvalid,
        "It is none.",
    ))));
    let answer = answer.await.expect("no panic");
    assert_eq!(answer.error(), (403, "invite_invalid"));
}

#[tokio::test(start_paused = true)]
async fn without_the_room_or_the_right_nothing_reaches_the_gateway() {
    let mut desk = owned_by(BEN);
    for (name, more, refusal) in [
        ("lockRoom", json!({ "locked": true }), (403, "forbidden")),
        ("hideRoom", json!({ "hidden": true }), (403, "forbidden")),
        (
            "transferRoom",
            json!({ "userId": "11" }),
            (403, "forbidden"),
        ),
        ("closeRoom", json!({}), (403, "forbidden")),
        (
            "blockFromRoom",
            json!({ "userId": "13" }),
            (403, "forbidden"),
        ),
        (
            "unblockFromRoom",
            json!({ "userId": "13" }),
            (403, "forbidden"),
        ),
        ("createInvite", json!({}), (403, "forbidden")),
        ("revokeInvite", json!({}), (403, "forbidden")),
        (
            "kickFromRoom",
            json!({ "userId": "12" }),
            (403, "forbidden"),
        ),
    ] {
        let mut body = more;
        body["channelId"] = json!(LOBBY.to_string());
        let answer = desk.ask(name, &body).await;
        assert_eq!(answer.error(), refusal, "{name}");
        body["channelId"] = json!(VAULT.to_string());
        let hidden = desk.ask(name, &body).await;
        assert_eq!(hidden.error(), (404, "not_found"), "{name}");
        advance(Duration::from_secs(2)).await;
    }
    let token = invite(HALL, VAULT).to_string();
    let hidden = desk.ask("revokeInvite", &json!({ "token": token })).await;
    assert_eq!(hidden.error(), (404, "not_found"));
    for guild in ["900", "999", "0"] {
        let body = json!({ "guildId": guild, "name": "Den" });
        let foreign = desk.ask("createRoom", &body).await;
        assert_eq!(foreign.error(), (404, "not_found"), "{guild}");
    }
    let body = json!({ "guildId": "100", "name": "Den", "parentId": "7" });
    let nowhere = desk.ask("createRoom", &body).await;
    assert_eq!(nowhere.error(), (404, "not_found"), "no category of hers");
    assert!(desk.gateway.was_given_no_command());
}

#[tokio::test(start_paused = true)]
async fn rooms_that_guildhall_did_not_make_are_nobodys() {
    let mut desk = Desk::open();
    let (_, ben) = desk.sign_in(BEN, &[HALL]);
    for (name, more) in [
        ("lockRoom", json!({ "locked": true })),
        ("hideRoom", json!({ "hidden": true })),
        ("transferRoom", json!({ "userId": "11" })),
        ("claimRoom", json!({})),
        ("closeRoom", json!({})),
        ("blockFromRoom", json!({ "userId": "11" })),
        ("unblockFromRoom", json!({ "userId": "11" })),
        ("createInvite", json!({})),
        ("revokeInvite", json!({})),
    ] {
        let mut body = more;
        body["channelId"] = json!(VAULT.to_string());
        let answer = desk.ask_as(&ben, name, &body).await;
        assert_eq!(answer.error(), (409, "not_managed"), "{name}");
        let sentence = &answer.body["error"]["message"];
        assert!(sentence.as_str().is_some_and(|it| it.len() > 20), "{name}");
        advance(Duration::from_secs(2)).await;
    }
    assert!(desk.gateway.was_asked_nothing());
}
