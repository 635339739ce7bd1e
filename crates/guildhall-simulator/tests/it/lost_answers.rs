//! A client that hears no answer, or a wrong one, cannot tell whether its request was done.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{task::JoinSet, time::timeout};

use crate::{
    house::{Failure, House, Outcome, PATIENCE},
    rest_acts::call,
};

/// How long a client waits that will hear nothing.
const A_WHILE: Duration = Duration::from_millis(300);

/// What a client sees of one request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Seen {
    Status(u16),
    Nothing,
    Torn,
}

/// Renames a room by REST, and waits for so long.
async fn rename(house: &House, room: &str, patience: Duration) -> Result<Seen, Failure> {
    let body = Some(json!({"name": "Table Nine"}));
    let path = format!("/channels/{room}");
    let answer = call(house, "PATCH", &path, body);
    Ok(match timeout(patience, answer).await {
        Ok(Ok((status, _))) => Seen::Status(status),
        Ok(Err(_)) => Seen::Torn,
        Err(_) => Seen::Nothing,
    })
}

/// Whether it was done, by `/sim/state`.
fn is_renamed(state: &Value) -> bool {
    let channels = state["guilds"][0]["channels"].as_array();
    channels.is_some_and(|all| all.iter().any(|channel| channel["name"] == "Table Nine"))
}

#[tokio::test]
async fn whatever_comes_in_place_of_an_answer_the_request_is_done_or_it_is_not() -> Outcome {
    for (fault, seen, patience) in [
        (
            json!({"kind": "status", "status": 500}),
            Seen::Status(500),
            PATIENCE,
        ),
        (
            json!({"kind": "status", "status": 409}),
            Seen::Status(409),
            PATIENCE,
        ),
        (json!({"kind": "hang"}), Seen::Nothing, A_WHILE),
        (json!({"kind": "tear"}), Seen::Torn, PATIENCE),
    ] {
        for undone in [true, false] {
            let house = House::open().await?;
            let room = house.channel("Table One").await?;
            let mut fault = fault.clone();
            fault["undone"] = json!(undone);
            fault["route"] = json!("PATCH /channels/{channel_id}");
            house.act("POST", "/sim/faults", fault.clone()).await?;
            let shown = house.until("/sim/faults", |_| true).await?;
            assert!(shown.to_string().contains("\"undone\":"), "{shown}");

            assert_eq!(rename(&house, &room, patience).await?, seen, "{fault}");
            if undone {
                assert!(!is_renamed(&house.state().await?), "{fault}");
                let again = rename(&house, &room, PATIENCE).await?;
                assert_eq!(again, Seen::Status(200), "once, and then never");
            }
            house.until("/sim/state", is_renamed).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_request_is_counted_when_it_comes_whatever_becomes_of_it() -> Outcome {
    const RENAME: &str = "PATCH /channels/{channel_id}";
    let house = House::open().await?;
    let room = house.channel("Table One").await?;
    assert_eq!(house.state().await?["requests"].get(RENAME), None);
    let lost = [
        json!({"kind": "hang", "undone": true, "route": RENAME}),
        json!({"kind": "tear", "undone": true, "route": RENAME}),
        json!({"kind": "rate_limit", "route": RENAME, "retryAfterMs": 1}),
    ];
    for (fault, count) in lost.into_iter().zip(1..) {
        house.act("POST", "/sim/faults", fault).await?;
        let seen = rename(&house, &room, A_WHILE).await?;
        assert_ne!(seen, Seen::Status(200));
        assert_eq!(house.state().await?["requests"][RENAME], count, "{seen:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_refusal_can_be_asked_for_by_its_code() -> Outcome {
    let house = House::open().await?;
    let path = format!("/channels/{}", house.channel("Table One").await?);
    for (status, code) in [(403, 50_013), (404, 10_003), (400, 40_032), (409, 0)] {
        let fault = json!({"kind": "status", "status": status, "code": code, "undone": true});
        house.act("POST", "/sim/faults", fault).await?;
        let (came, body) = call(&house, "GET", &path, None).await?;
        assert_eq!((came, &body["code"]), (status, &json!(code)));
        assert!(body["message"].is_string());
    }
    let (status, body) = call(&house, "GET", &path, None).await?;
    assert_eq!((status, &body["name"]), (200, &json!("Table One")));
    Ok(())
}

#[tokio::test]
async fn so_many_requests_as_a_fault_skips_pass_before_it() -> Outcome {
    let house = House::open().await?;
    let path = format!("/channels/{}", house.channel("Table One").await?);
    let route = "GET /channels/{channel_id}";
    for (status, skip) in [(503, 2), (403, 1)] {
        let fault = json!({"kind": "status", "status": status, "skip": skip, "route": route});
        house.act("POST", "/sim/faults", fault).await?;
    }
    let elsewhere = format!("/guilds/{}", house.application.guild_id);
    for (path, wanted) in [
        (&path, 200),
        (&elsewhere, 200),
        (&path, 403),
        (&path, 503),
        (&path, 200),
    ] {
        assert_eq!(call(&house, "GET", path, None).await?.0, wanted, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_429_may_ask_for_more_patience_than_anything_here_has() -> Outcome {
    let house = House::open().await?;
    let path = format!("/channels/{}", house.channel("Table One").await?);
    for scope in ["user", "global", "shared"] {
        let fault = json!({"kind": "rate_limit", "scope": scope, "retryAfterMs": 600_000});
        house.act("POST", "/sim/faults", fault).await?;
        let (status, body) = call(&house, "GET", &path, None).await?;
        assert_eq!((status, &body["retry_after"]), (429, &json!(600.0)));
        house
            .act("POST", "/sim/faults", json!({"kind": "heal"}))
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_simulator_stops_while_a_request_hangs() -> Outcome {
    let house = House::open().await?;
    let room = house.channel("Table One").await?;
    house
        .act("POST", "/sim/faults", json!({"kind": "hang"}))
        .await?;
    let token = format!("Bot {}", house.application.bot_token);
    let request = house
        .http
        .patch(house.url(&format!("/api/v10/channels/{room}")))
        .header("authorization", token)
        .json(&json!({"name": "Table Nine"}));
    let mut hangs = JoinSet::new();
    hangs.spawn(request.send());
    house.until("/sim/state", is_renamed).await?;
    house.close().await?;
    let answer = hangs.join_next().await.ok_or("it hangs")?;
    let told = answer?.map(|answer| answer.status().as_u16());
    assert!(told.is_err() || told.is_ok_and(|status| status == 503));
    Ok(())
}
