use guildhall_model::command::{Command, CommandDone, CommandResult, Outcome};
use reqwest::Response;
use tokio::task::JoinHandle;

use super::*;

impl House {
    /// What a page of ours sends, begun.
    fn command(&self, cookie: &HeaderValue, key: &str) -> JoinHandle<Response> {
        let request = self
            .request(Method::POST, "/api/rpc/disconnect", cookie)
            .header(header::ORIGIN, "http://localhost:3000")
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .body("{\"guildId\":\"100\"}");
        self.tracker
            .spawn(async move { request.send().await.expect("an answer") })
    }
}

impl Gateway {
    /// Waits for a command. Somebody of whom the answer about their rights is still on its way is
    /// asked about once more before it.
    async fn commanded(&mut self) -> (u64, Command) {
        loop {
            let Frame::Request(request) = self.hear().await else {
                panic!("no request");
            };
            match request.body {
                RequestBody::Command(command) => return (request.id, command.command),
                RequestBody::Watch(_) => self.answer(request.id, at(1), &[]).await,
                other => panic!("no command: {other:?}"),
            }
        }
    }

    async fn tell(&mut self, id: u64, result: CommandResult) {
        let result = Ok(ReplyBody::Command(result));
        self.say(Frame::Reply(Reply { id, result })).await;
    }
}

#[tokio::test]
async fn a_command_crosses_the_link_and_is_answered_behind_what_it_did() {
    let house = House::open(|_| {}).await;
    let mut gateway = house.gateway().await;
    gateway.attach(at(0)).await;
    gateway.snapshot(at(0)).await;
    let cookie = begin(&house.sessions, ANNA, &[HALL]).1;
    let mut anna = Browser::asking(house.request(Method::GET, "/api/stream", &cookie));
    tokio::join!(anna.until("Lobby"), gateway.look_up(at(1)));

    let answer = house.command(&cookie, "my-key");
    let (id, command) = gateway.commanded().await;
    assert_eq!(command, Command::Disconnect { guild_id: HALL });
    gateway.append(at(2), joined(UserId(77), LOBBY)).await;
    let outcome = Outcome::Done;
    let done = CommandDone {
        outcome,
        at: Some(at(2).into()),
        made: None,
    };
    gateway.tell(id, Ok(done)).await;
    let answer = answer.await.expect("no panic");
    assert_eq!(answer.status(), StatusCode::OK);
    let body = answer.text().await.expect("text");
    let expected = format!("{{\"outcome\":\"done\",\"position\":\"{}\"}}", at(2));
    assert_eq!(body, expected);
    let told = anna.until("settled").await;
    let effect = told.find("event: voice.joined").expect("what it did");
    let settled = told.find("\"settled\":[\"my-key\"]").expect("its key");
    assert!(effect < settled, "{told}");
}

#[tokio::test]
async fn without_a_gateway_a_command_is_answered_at_once() {
    let house = House::open(|_| {}).await;
    let mut gateway = house.gateway().await;
    gateway.attach(at(0)).await;
    gateway.snapshot(at(0)).await;
    let cookie = begin(&house.sessions, ANNA, &[HALL]).1;
    let mut anna = Browser::asking(house.request(Method::GET, "/api/stream", &cookie));
    tokio::join!(anna.until("Lobby"), gateway.look_up(at(1)));
    let under_way = house.command(&cookie, "first");
    gateway.commanded().await;
    drop(gateway);
    anna.until("\"link\":\"down\"").await;
    for answer in [under_way, house.command(&cookie, "second")] {
        let answer = answer.await.expect("no panic");
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "2");
        let body = answer.text().await.expect("text");
        assert!(body.contains("\"retryAfter\":2"), "{body}");
    }
}

#[tokio::test]
async fn who_signs_out_while_their_rights_are_asked_for_gives_no_command() {
    let house = House::open(|_| {}).await;
    let mut gateway = house.gateway().await;
    gateway.attach(at(0)).await;
    gateway.snapshot(at(0)).await;
    let cookie = begin(&house.sessions, ANNA, &[HALL]).1;
    let answer = house.command(&cookie, "my-key");
    let (request_id, user_id, _) = gateway.asked().await;
    let logout = house
        .request(Method::POST, "/auth/logout", &cookie)
        .header(header::ORIGIN, "http://localhost:3000")
        .header(header::CONTENT_TYPE, "application/json");
    let logout = logout.send().await.expect("an answer");
    assert_eq!(logout.status(), StatusCode::NO_CONTENT);
    let membership = Some(Membership::member(Vec::new()));
    let rights = Change::Rights {
        user_id,
        membership,
    };
    gateway.append(at(1), rights).await;
    gateway.answer(request_id, at(1), &[]).await;
    let answer = answer.await.expect("no panic");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert!(gateway.has_said_nothing().await);
}
