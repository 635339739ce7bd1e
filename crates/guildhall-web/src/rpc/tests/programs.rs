use guildhall_model::command::{CommandDone, Outcome};

use super::*;
use crate::stream::tests::harness::{APP_TOKEN, BOARD_TOKEN, LOBBY, VAULT, joined};

impl Desk {
    pub(super) fn program(
        &self,
        token: &str,
        acts_as: Option<UserId>,
        name: &str,
        body: &Value,
    ) -> Request<Body> {
        let mut request = self.request(name, body.to_string());
        let headers = request.headers_mut();
        headers.remove(header::COOKIE);
        headers.remove(header::ORIGIN);
        let bearer = HeaderValue::from_str(&format!("Bearer {token}")).expect("visible ASCII");
        headers.insert(header::AUTHORIZATION, bearer);
        if let Some(user) = acts_as {
            headers.insert("guildhall-as", HeaderValue::from(user.0));
        }
        request
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_asks_what_the_bot_sees() {
    let mut desk = Desk::open();
    desk.harness.tell(joined(BEN, VAULT));
    for (name, body, expected) in [
        (
            "checkRoomExists",
            json!({ "channelId": VAULT }),
            json!({ "exists": true }),
        ),
        (
            "checkUserInVoiceChannel",
            json!({ "guildId": HALL, "userId": BEN }),
            json!({ "channelId": VAULT }),
        ),
        (
            "ensureUserInGuild",
            json!({ "guildId": HALL }),
            json!({ "member": true }),
        ),
    ] {
        let answer = desk
            .send(desk.program(BOARD_TOKEN, None, name, &body))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {answer:?}");
        assert_eq!(answer.body, expected, "{name}");
    }
    let body = json!({ "channelId": VAULT });
    let members = desk.program(BOARD_TOKEN, None, "getVoiceChannelMembers", &body);
    let members = desk.send(members).await;
    assert_eq!(members.body["members"][0]["userId"], json!(BEN));
    let oneself = json!({ "guildId": HALL });
    let nobody = desk.program(BOARD_TOKEN, None, "checkUserInVoiceChannel", &oneself);
    assert_eq!(desk.send(nobody).await.error(), (400, "invalid"));
    // As a person it sees what they see.
    let hidden = desk.program(APP_TOKEN, Some(ANNA), "checkRoomExists", &body);
    assert_eq!(desk.send(hidden).await.body, json!({ "exists": false }));
}

#[tokio::test(start_paused = true)]
async fn only_who_may_write_as_somebody_has_something_done() {
    let mut desk = Desk::open();
    let body = json!({ "channelId": LOBBY, "userId": BEN });
    for (token, acts_as) in [(BOARD_TOKEN, None), (APP_TOKEN, None)] {
        let request = desk.program(token, acts_as, "connectUserToVoiceChannel", &body);
        assert_eq!(
            desk.send(request).await.error(),
            (403, "forbidden"),
            "{token}"
        );
    }
    let mut from_page = desk.program(
        APP_TOKEN,
        Some(ANNA),
        "disconnect",
        &json!({ "guildId": HALL }),
    );
    let origin = HeaderValue::from_static("http://localhost:3000");
    from_page.headers_mut().insert(header::ORIGIN, origin);
    assert_eq!(desk.send(from_page).await.error(), (403, "forbidden"));
    let mut form = desk.program(
        APP_TOKEN,
        Some(ANNA),
        "disconnect",
        &json!({ "guildId": HALL }),
    );
    form.headers_mut().remove(header::CONTENT_TYPE);
    assert_eq!(
        desk.send(form).await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    assert!(desk.gateway.was_asked_nothing());
}

#[tokio::test(start_paused = true)]
async fn a_program_s_keys_are_its_own_and_it_is_told_by_them() {
    let mut desk = Desk::open();
    let (session, _) = desk.sign_in(ANNA, &[HALL]);
    let own = std::mem::replace(&mut desk.harness.session, session);
    desk.harness.session.id = guildhall_ports::SessionId::new("token:app".to_owned());
    let mut program = desk.harness.open(ANNA, None);
    desk.harness.session = own;
    let mut browser = desk.harness.open(ANNA, None);
    assert_eq!(
        (program.names(), browser.names()),
        (vec!["snapshot".into()], vec!["snapshot".into()])
    );
    let body = json!({ "guildId": HALL });
    let request = desk.program(APP_TOKEN, Some(ANNA), "disconnect", &body);
    let answer = desk.begin(with_key(request, "app"));
    let (given, asker) = desk.gateway.command().await;
    assert_eq!((given.actor, given.key.as_deref()), (ANNA, Some("app app")));
    asker.tell(Ok(Ok(CommandDone {
        outcome: Outcome::Done,
        at: None,
        made: None,
    })));
    let answer = answer.await.expect("no panic");
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(program.events()[0].data["settled"], json!(["app"]));
    assert_eq!(browser.names(), [""; 0]);
}
