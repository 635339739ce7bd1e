use std::sync::atomic::Ordering;

use guildhall_model::{Change, guild::Membership};

use super::*;
use crate::stream::tests::harness::{
    APP_TOKEN, BOARD_TOKEN, CARL, LOBBY, VAULT, VAULT_ROLE, hidden_but_for,
};

/// `createOverlayLink` in the lobby, by ANNA.
async fn made(desk: &Desk) -> Value {
    let answer = desk
        .ask("createOverlayLink", &json!({ "channelId": LOBBY }))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.body
}

fn is_good(desk: &Desk, made: &Value) -> bool {
    let token = made["token"].as_str().expect("a token").to_owned();
    let token = crate::auth::OverlayToken::said(token);
    let sessions = desk.auth.sessions();
    let asked = sessions.requester_or_overlay(&HeaderMap::new(), Some(&token));
    asked.is_ok()
}

#[tokio::test(start_paused = true)]
async fn whoever_sees_a_room_makes_a_link_to_it() {
    let mut desk = Desk::open();
    let answer = made(&desk).await;
    let now = desk.harness.clock.now();
    assert_eq!(answer["outcome"], "done");
    assert_eq!(answer["expiresAt"], now + 30 * 24 * 3_600_000);
    let token = answer["token"].as_str().expect("a token");
    let url = format!("http://localhost:3000/overlay?overlay={token}");
    assert_eq!(answer["url"], url);
    assert!(is_good(&desk, &answer));
    let body = json!({ "channelId": LOBBY, "expiresInSeconds": 60 });
    let short = desk.ask("createOverlayLink", &body).await.body;
    assert_eq!(short["expiresAt"], now + 60_000);
    for (body, field) in [
        (json!({}), "channelId"),
        (
            json!({ "channelId": LOBBY, "expiresInSeconds": 0 }),
            "expiresInSeconds",
        ),
        (
            json!({ "channelId": LOBBY, "expiresInSeconds": 2_592_001 }),
            "expiresInSeconds",
        ),
        (json!({ "channelId": LOBBY, "userId": BEN }), "userId"),
    ] {
        let refused = desk.ask("createOverlayLink", &body).await;
        assert_eq!(
            (refused.error(), refused.fields()),
            ((400, "invalid"), vec![field])
        );
    }
    // Hidden, nowhere, and in a guild that they are not in are the same.
    for channel in ["202", "999", "1"] {
        let answer = desk
            .ask("createOverlayLink", &json!({ "channelId": channel }))
            .await;
        assert_eq!(answer.error(), (404, "not_found"), "{channel}");
    }
    assert!(
        desk.gateway.was_given_no_command(),
        "it is none of the gateway's"
    );
}

#[tokio::test(start_paused = true)]
async fn only_who_may_write_makes_one_and_the_streams_are_told_that_it_is_done() {
    let desk = Desk::open();
    let body = json!({ "channelId": LOBBY });
    let mut stream = desk.harness.open(ANNA, None);
    assert_eq!(stream.names(), ["snapshot"]);
    let request = desk.request("createOverlayLink", body.to_string());
    let answer = desk.send(with_key(request, "mine")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(stream.events()[0].data["settled"], json!(["mine"]));
    for (token, acts_as, status) in [
        (BOARD_TOKEN, None, 403),
        (APP_TOKEN, None, 403),
        (APP_TOKEN, Some(ANNA), 200),
        // By another link: it shows a room and does nothing else.
        (answer.body["token"].as_str().expect("a token"), None, 401),
    ] {
        let request = desk.program(token, acts_as, "createOverlayLink", &body);
        let answer = desk.send(request).await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    }
    let mut foreign = desk.request("createOverlayLink", body.to_string());
    let evil = HeaderValue::from_static("https://evil.example");
    foreign.headers_mut().insert(header::ORIGIN, evil);
    assert_eq!(desk.send(foreign).await.error(), (403, "forbidden"));
}

#[tokio::test(start_paused = true)]
async fn its_maker_takes_it_back_whatever_they_see_by_then() {
    let mut desk = Desk::open();
    let (one, two) = (made(&desk).await, made(&desk).await);
    for wrong in ["none", "a b", ""] {
        let answer = desk.ask("revokeOverlayLink", &json!({ "id": wrong })).await;
        assert!([400, 404].contains(&answer.status.as_u16()), "{answer:?}");
    }
    let rights = hidden_but_for(VAULT_ROLE);
    let channel_id = LOBBY;
    desk.harness.tell(Change::RoomRights { channel_id, rights });
    for id in [&one["id"], &two["token"]] {
        for _ in 0..2 {
            let answer = desk.ask("revokeOverlayLink", &json!({ "id": id })).await;
            assert_eq!(
                (answer.status, &answer.body),
                (StatusCode::OK, &json!({ "outcome": "done" }))
            );
        }
    }
    assert!(!is_good(&desk, &one) && !is_good(&desk, &two));
    assert_eq!(desk.revocations.kept.lock().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn whoever_manages_the_room_takes_it_back_and_others_do_not() {
    let mut desk = Desk::open();
    let link = made(&desk).await;
    let (_, ben) = desk.sign_in(BEN, &[HALL]);
    let body = json!({ "id": link["token"] });
    let refused = desk.ask_as(&ben, "revokeOverlayLink", &body).await;
    assert_eq!(refused.error(), (403, "forbidden"));
    assert_eq!(refused.body["error"]["missing"], json!(["MANAGE_CHANNELS"]));
    // Who does not see the room, or is in no guild of it, learns nothing.
    desk.harness.tell(Change::RoomRights {
        channel_id: LOBBY,
        rights: hidden_but_for(guildhall_model::RoleId(51)),
    });
    let refused = desk.ask_as(&ben, "revokeOverlayLink", &body).await;
    assert_eq!(refused.error(), (404, "not_found"));
    let (_, carl) = desk.sign_in(CARL, &[HALL]);
    desk.harness.tell(Change::Rights {
        user_id: CARL,
        membership: Some(Membership::Stranger),
    });
    desk.harness.answer(CARL, &[HALL], &[]);
    let of_stranger = desk.ask_as(&carl, "revokeOverlayLink", &body).await;
    let of_none = desk
        .ask_as(&carl, "revokeOverlayLink", &json!({ "id": "none" }))
        .await;
    assert_eq!(of_stranger.whole(), of_none.whole());
    assert!(is_good(&desk, &link));
    // The owner of the guild may everything.
    let owner = UserId(1);
    let (_, theirs) = desk.sign_in(owner, &[HALL]);
    desk.harness.look_up(owner, &[]);
    desk.harness.answer(owner, &[HALL], &[]);
    let done = desk.ask_as(&theirs, "revokeOverlayLink", &body).await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    assert!(!is_good(&desk, &link));
}

#[tokio::test(start_paused = true)]
async fn while_no_gateway_keeps_it_that_is_said_and_here_it_is_over() {
    let desk = Desk::open();
    let link = made(&desk).await;
    desk.revocations.is_away.store(true, Ordering::Relaxed);
    let body = json!({ "id": link["id"] });
    let answer = desk.ask("revokeOverlayLink", &body).await;
    assert_eq!(answer.error(), (503, "unavailable"));
    assert!(answer.headers.contains_key("retry-after"));
    assert!(!is_good(&desk, &link));
    desk.revocations.is_away.store(false, Ordering::Relaxed);
    let answer = desk.ask("revokeOverlayLink", &body).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_link_to_a_hidden_room_is_made_by_whoever_sees_it() {
    let desk = Desk::open();
    let (_, ben) = desk.sign_in(BEN, &[HALL]);
    let body = json!({ "channelId": VAULT });
    let answer = desk.ask_as(&ben, "createOverlayLink", &body).await;
    assert!(is_good(&desk, &answer.body), "{answer:?}");
}
