//! A room that the asker does not see is answered for as one that is not there, to the byte: with a
//! key and without, whatever is known at the moment. The gateway is asked for nothing but what the key
//! was answered before, for the one as for the other.

use guildhall_link::{
    frame::{Discord, DiscordStatus},
    receiver::Unanswered,
};
use guildhall_model::{
    ChannelId, Guild, LogId,
    command::{Command, CommandError, CommandErrorCode, Outcome},
    guild::RoomRights,
};

use super::*;
use crate::stream::tests::harness::{
    ANNEX, EPOCH, LOBBY, VAULT, hall, hall_of, room as plain_room,
};

/// A room of the other guild that everybody there sees.
const ATTIC: ChannelId = ChannelId(303);
const OTHER: GuildId = GuildId(300);
const NO_ROOM: ChannelId = ChannelId(999);

/// Everything that names a room.
fn calls(room: ChannelId) -> Vec<(&'static str, Value)> {
    let id = room.to_string();
    vec![
        ("connectUserToVoiceChannel", json!({ "channelId": id })),
        (
            "connectUserToVoiceChannel",
            json!({ "channelId": id, "userId": "12" }),
        ),
        ("kickFromRoom", json!({ "channelId": id, "userId": "12" })),
        ("renameRoom", json!({ "channelId": id, "name": "Den" })),
        ("setRoomStatus", json!({ "channelId": id, "status": null })),
        ("setRoomLimit", json!({ "channelId": id, "limit": 7 })),
        ("lockRoom", json!({ "channelId": id, "locked": true })),
        ("hideRoom", json!({ "channelId": id, "hidden": false })),
        ("transferRoom", json!({ "channelId": id, "userId": "12" })),
        ("claimRoom", json!({ "channelId": id })),
        ("closeRoom", json!({ "channelId": id })),
        ("blockFromRoom", json!({ "channelId": id, "userId": "12" })),
        (
            "unblockFromRoom",
            json!({ "channelId": id, "userId": "12" }),
        ),
        ("createInvite", json!({ "channelId": id })),
        ("revokeInvite", json!({ "channelId": id })),
        (
            "revokeInvite",
            json!({ "token": invite(HALL, room).to_string() }),
        ),
        ("checkRoomExists", json!({ "channelId": id })),
        ("getVoiceChannelMembers", json!({ "channelId": id })),
    ]
}

/// A world, and the guilds that ANNA's session names.
type World = fn() -> (Harness, &'static [GuildId]);

fn known() -> (Harness, &'static [GuildId]) {
    let harness = Harness::hall();
    harness.answer(ANNA, &[HALL], &[]);
    (harness, &[HALL])
}

/// Discord has an outage in the hall, of which the rooms are remembered.
fn in_an_outage() -> (Harness, &'static [GuildId]) {
    let hall = Guild {
        available: false,
        ..hall()
    };
    let harness = Harness::of(64, vec![(HALL, hall)]);
    harness.answer(ANNA, &[HALL], &[]);
    (harness, &[HALL])
}

/// The hall, and another guild, whose room is the attic.
fn two_guilds() -> (Guild, Guild) {
    let mut other = hall_of(OTHER);
    let attic = plain_room(ATTIC, "Attic", RoomRights::default());
    other.rooms = [(ATTIC, attic)].into();
    (hall(), other)
}

/// What ANNA is in the other guild could not be found out.
fn not_found_out() -> (Harness, &'static [GuildId]) {
    let (hall, other) = two_guilds();
    let harness = Harness::of(64, vec![(HALL, hall), (OTHER, other)]);
    harness.answer(ANNA, &[HALL, OTHER], &[OTHER]);
    (harness, &[HALL, OTHER])
}

/// What ANNA is in the other guild is being looked up again.
fn looked_up_again() -> (Harness, &'static [GuildId]) {
    let (hall, mut other) = two_guilds();
    other.memberships.remove(&ANNA);
    let harness = Harness::of(64, vec![(HALL, hall), (OTHER, other)]);
    harness.answer(ANNA, &[HALL, OTHER], &[]);
    (harness, &[HALL, OTHER])
}

/// A guild of ANNA's has not come yet.
fn still_to_come() -> (Harness, &'static [GuildId]) {
    let mut harness = Harness::hall();
    let status = DiscordStatus {
        discord: Discord::Live,
        since: EPOCH,
        guild_ids: vec![ANNEX],
        complete: true,
    };
    harness.writer.status(LogId(0), status);
    harness.answer(ANNA, &[HALL], &[]);
    (harness, &[HALL, ANNEX])
}

/// The gateway, which answers nobody, is asked what ANNA is in the hall.
fn never_looked_up() -> (Harness, &'static [GuildId]) {
    (Harness::hall(), &[HALL])
}

/// ANNA asks once, in a world of her own: nothing is left of what was asked before.
async fn ask_in(
    world: World,
    name: &str,
    body: &Value,
    key: Option<&'static str>,
) -> (Answered, usize) {
    let (harness, guilds) = world();
    let mut desk = Desk::over(harness);
    let (_, cookie) = desk.sign_in(ANNA, guilds);
    let mut request = desk.request(name, body.to_string());
    request.headers_mut().insert(header::COOKIE, cookie);
    if let Some(key) = key {
        request = with_key(request, key);
    }
    let answer = desk.send(request);
    desk.gateway.knows_nothing(answer).await
}

#[tokio::test(start_paused = true)]
async fn a_hidden_room_is_answered_for_as_none_to_the_byte() {
    let worlds: [(World, u16); 6] = [
        (known, 404),
        (in_an_outage, 404),
        (not_found_out, 503),
        (looked_up_again, 503),
        (still_to_come, 503),
        (never_looked_up, 503),
    ];
    for (number, (world, status)) in worlds.into_iter().enumerate() {
        // Where there is no attic, it is one more room that is nowhere.
        for hidden in [VAULT, ATTIC] {
            for ((name, body), (_, nowhere)) in calls(hidden).iter().zip(calls(NO_ROOM)) {
                for key in [None, Some("key")] {
                    let (hidden, asked) = ask_in(world, name, body, key).await;
                    let (none, as_often) = ask_in(world, name, &nowhere, key).await;
                    let case = format!("world {number}: {name} {body} {key:?}");
                    assert_eq!(asked, as_often, "{case}");
                    assert!(asked == 0 || (key.is_some() && status == 404), "{case}");
                    assert_eq!(hidden.whole(), none.whole(), "{case}");
                    let told = (status, *name) == (404, "checkRoomExists");
                    let status = if told { 200 } else { status };
                    assert_eq!(hidden.status.as_u16(), status, "{case}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_that_one_sees_is_there_whatever_is_known_of_other_guilds() {
    let body = json!({ "channelId": LOBBY.to_string() });
    let worlds: [World; 5] = [
        known,
        in_an_outage,
        not_found_out,
        looked_up_again,
        still_to_come,
    ];
    for world in worlds {
        let (answer, _) = ask_in(world, "checkRoomExists", &body, None).await;
        assert_eq!(answer.body, json!({ "exists": true }));
    }
    let rename = refused_rename();
    let (outage, _) = ask_in(in_an_outage, "renameRoom", &rename, None).await;
    assert_eq!(outage.error(), (503, "guild_unavailable"));
}

#[tokio::test(start_paused = true)]
async fn the_key_that_hid_a_room_is_answered_to_whoever_hid_it_from_themselves() {
    let body = json!({ "channelId": VAULT.to_string(), "hidden": true });
    let answers = [
        (Ok(Ok(Outcome::Done.answer())), 200),
        // What can't be said is as if there was nothing.
        (Ok(Err(CommandError::nowhere())), 404),
        (Err(Unanswered::Down), 404),
        (Err(Unanswered::Busy), 404),
        (
            Ok(Err(CommandError::new(CommandErrorCode::Stopping, "so"))),
            404,
        ),
    ];
    let (nowhere, _) = ask_in(known, "hideRoom", &body, None).await;
    for (told, status) in answers {
        let mut desk = Desk::over(known().0);
        let request = desk.request("hideRoom", body.to_string());
        let answer = desk.begin(with_key(request, "my-key"));
        let (given, asker) = desk.gateway.repeat().await;
        assert_eq!((given.actor, given.key.as_deref()), (ANNA, Some("my-key")));
        let command = Command::HideRoom {
            guild_id: HALL,
            channel_id: VAULT,
            hidden: true,
        };
        assert_eq!(given.command, command);
        asker.tell(told);
        let answer = answer.await.expect("no panic");
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        if status == 404 {
            assert_eq!(answer.whole(), nowhere.whole());
        } else {
            assert_eq!(answer.body, json!({ "outcome": "done" }));
        }
    }
}
