use guildhall_model::{Change, ChannelId};

use super::*;
use crate::stream::tests::harness::{CARL, LOBBY, NOWHERE, VAULT, joined};

const GHOST: UserId = UserId(77);

/// BEN and a ghost are in the vault, which ANNA does not see; another is in the lobby.
fn desk() -> Desk {
    let mut harness = Harness::hall();
    harness.tell(joined(BEN, VAULT));
    harness.tell(joined(GHOST, VAULT));
    harness.tell(joined(UserId(78), LOBBY));
    harness.answer(ANNA, &[HALL], &[]);
    harness.answer(BEN, &[HALL], &[]);
    Desk::over(harness)
}

#[tokio::test]
async fn a_room_that_one_does_not_see_is_none() {
    let desk = desk();
    let (_, ben) = desk.sign_in(BEN, &[HALL]);
    for (room, for_anna, for_ben) in [
        (LOBBY, true, true),
        (VAULT, false, true),
        (ChannelId(999), false, false),
    ] {
        let body = json!({ "channelId": room.to_string() });
        let anna = desk.ask("checkRoomExists", &body).await;
        assert_eq!(anna.body, json!({ "exists": for_anna }), "{room}");
        let ben = desk.ask_as(&ben, "checkRoomExists", &body).await;
        assert_eq!(ben.body, json!({ "exists": for_ben }), "{room}");
    }
}

#[tokio::test]
async fn whoever_is_in_a_room_that_one_does_not_see_is_nowhere() {
    let desk = desk();
    let (_, ben) = desk.sign_in(BEN, &[HALL]);
    let body = |user: UserId| json!({ "guildId": "100", "userId": user.to_string() });
    for (user, for_anna, for_ben) in [
        (BEN, Value::Null, json!("202")),
        (GHOST, Value::Null, json!("202")),
        (UserId(78), json!("201"), json!("201")),
        (UserId(79), Value::Null, Value::Null),
    ] {
        let anna = desk.ask("checkUserInVoiceChannel", &body(user)).await;
        assert_eq!(anna.body, json!({ "channelId": for_anna }), "{user}");
        let ben = desk
            .ask_as(&ben, "checkUserInVoiceChannel", &body(user))
            .await;
        assert_eq!(ben.body, json!({ "channelId": for_ben }), "{user}");
    }
    let oneself = desk
        .ask_as(
            &ben,
            "checkUserInVoiceChannel",
            &json!({ "guildId": "100" }),
        )
        .await;
    assert_eq!(oneself.body, json!({ "channelId": "202" }));
}

#[tokio::test]
async fn members_are_told_to_who_sees_the_room() {
    let desk = desk();
    let (_, ben) = desk.sign_in(BEN, &[HALL]);
    let vault = json!({ "channelId": "202" });
    let anna = desk.ask("getVoiceChannelMembers", &vault).await;
    let nowhere = desk
        .ask("getVoiceChannelMembers", &json!({ "channelId": "999" }))
        .await;
    assert_eq!(anna.error(), (404, "not_found"));
    assert_eq!(
        anna.body, nowhere.body,
        "a hidden room is as one that is not there"
    );
    let ben = desk.ask_as(&ben, "getVoiceChannelMembers", &vault).await;
    let members = ben.body["members"].as_array().expect("members");
    let ids: Vec<&str> = members
        .iter()
        .filter_map(|it| it["userId"].as_str())
        .collect();
    assert_eq!(ids, ["12", "77"]);
    assert_eq!(members[0]["displayName"], "User 12", "as in a snapshot");
    assert_eq!(ben.headers[header::CACHE_CONTROL], "private, no-store");
    assert_eq!(ben.headers[header::CONTENT_TYPE], "application/json");
}

#[tokio::test]
async fn what_one_sees_is_what_one_sees_now() {
    let mut desk = desk();
    let (_, ben) = desk.sign_in(BEN, &[HALL]);
    let vault = json!({ "channelId": "202" });
    let before = desk.ask_as(&ben, "getVoiceChannelMembers", &vault).await;
    assert_eq!(before.status, StatusCode::OK);
    desk.harness
        .tell(crate::stream::tests::harness::left(BEN, VAULT));
    desk.harness.look_up(BEN, &[]);
    let after = desk.ask_as(&ben, "getVoiceChannelMembers", &vault).await;
    assert_eq!(after.error(), (404, "not_found"));
}

#[tokio::test(start_paused = true)]
async fn whether_one_is_a_member_is_told_and_nobody_is_added() {
    let mut desk = desk();
    let member = async |desk: &Desk, cookie: &HeaderValue, guild: GuildId| {
        let body = json!({ "guildId": guild.to_string() });
        desk.ask_as(cookie, "ensureUserInGuild", &body).await
    };
    let anna = desk.cookie.clone();
    assert_eq!(
        member(&desk, &anna, HALL).await.body,
        json!({ "member": true })
    );
    assert_eq!(
        member(&desk, &anna, NOWHERE).await.body,
        json!({ "member": false })
    );
    desk.harness.tell(Change::Rights {
        user_id: CARL,
        membership: Some(guildhall_model::guild::Membership::Stranger),
    });
    desk.harness.answer(CARL, &[HALL], &[]);
    let (_, carl) = desk.sign_in(CARL, &[HALL]);
    assert_eq!(
        member(&desk, &carl, HALL).await.body,
        json!({ "member": false })
    );
    assert!(desk.gateway.was_asked_nothing());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_answered_before_the_rights_are_known() {
    let desk = desk();
    let (_, carl) = desk.sign_in(CARL, &[HALL]);
    for (name, body) in [
        ("checkRoomExists", json!({ "channelId": "201" })),
        ("getVoiceChannelMembers", json!({ "channelId": "201" })),
        ("checkUserInVoiceChannel", json!({ "guildId": "100" })),
        ("ensureUserInGuild", json!({ "guildId": "100" })),
        ("disconnect", json!({ "guildId": "100" })),
        ("renameRoom", refused_rename()),
    ] {
        let answer = desk.ask_as(&carl, name, &body).await;
        assert_eq!(answer.error(), (503, "unavailable"), "{name}");
        assert_eq!(answer.headers["retry-after"], "1", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn before_the_world_has_come_nothing_is_nowhere() {
    let desk = Desk::over(Harness::empty(64));
    for (name, body) in [
        ("checkRoomExists", json!({ "channelId": "201" })),
        ("ensureUserInGuild", json!({ "guildId": "100" })),
        ("renameRoom", refused_rename()),
    ] {
        let answer = desk.ask(name, &body).await;
        assert_eq!(answer.error(), (503, "unavailable"), "{name}");
    }
}

#[tokio::test]
async fn rooms_are_looked_for_in_the_guilds_of_the_session_alone() {
    let desk = desk();
    let (_, elsewhere) = desk.sign_in(ANNA, &[NOWHERE]);
    let lobby = json!({ "channelId": "201" });
    let answer = desk
        .ask_as(&elsewhere, "getVoiceChannelMembers", &lobby)
        .await;
    assert_eq!(answer.error(), (404, "not_found"));
}
