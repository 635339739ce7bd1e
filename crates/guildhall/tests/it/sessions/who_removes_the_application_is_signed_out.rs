use serde_json::json;

use super::*;
use crate::house::until;

/// Has the simulated Discord take the house's address, as the developer portal does.
async fn register(house: &House) {
    let url = json!({"url": house.url("/webhooks/discord")});
    let put = house
        .http
        .put(format!("{}/sim/application/webhook", house.discord.url));
    let answer = put.json(&url).send().await.expect("Discord answers");
    let status = answer.status();
    let said = answer.text().await.unwrap_or_default();
    assert_eq!(status, StatusCode::OK, "{said}");
}

async fn remove_the_application(house: &House, user: &str) {
    let url = format!("{}/sim/users/{user}/deauthorize", house.discord.url);
    let answer = house.http.post(url).send().await.expect("Discord answers");
    assert_eq!(answer.status(), StatusCode::OK);
}

/// What Discord was answered to each try of the first event.
async fn answers(house: &House) -> (Vec<Value>, bool) {
    let url = format!("{}/sim/application/webhook", house.discord.url);
    let told = house.http.get(url).send().await.expect("Discord answers");
    let told: Value = told.json().await.expect("JSON");
    let event = &told["events"][0];
    let answers = event["answers"].as_array().cloned().unwrap_or_default();
    (answers, event["acknowledged"] == true)
}

#[tokio::test]
async fn everywhere_and_nobody_else_is() {
    let house = House::start().await;
    let discord = &house.discord;
    register(&house).await;
    let (here, mut first) = house.visit().await;
    let (there, mut second) = house.visit().await;
    let (ben, mut of_ben) = visit_as(&house, &discord.people[0]).await;

    remove_the_application(&house, &discord.visitor).await;
    ends_as_revoked(&mut first).await;
    ends_as_revoked(&mut second).await;
    assert!(!is_signed_in(&house, &here).await && !is_signed_in(&house, &there).await);
    assert!(is_signed_in(&house, &ben).await);
    goes_on(&house, &mut of_ben, &discord.people[1]).await;
    until("Discord is answered", || async { answers(&house).await.1 }).await;
    assert_eq!(answers(&house).await.0, [json!(204)]);

    let (again, _stream) = house.visit().await;
    assert!(is_signed_in(&house, &again).await, "they agreed anew");
}

#[tokio::test]
async fn while_the_gateway_is_away_it_ends_here_and_discord_tells_it_again() {
    let mut house = House::start().await;
    register(&house).await;
    let (cookie, mut stream) = house.visit().await;
    house.gateway.signal("KILL");
    house.gateway.ended().await;
    let down = stream.until("status").await;
    assert_eq!(down.data["link"], "down");

    remove_the_application(&house, &house.discord.visitor).await;
    ends_as_revoked(&mut stream).await;
    assert!(!is_signed_in(&house, &cookie).await);
    let refused = || async { answers(&house).await.0.first() == Some(&json!(503)) };
    until("Discord hears that nobody keeps it", refused).await;

    house.restart_gateway();
    until("Discord is answered", || async { answers(&house).await.1 }).await;
    assert_eq!(answers(&house).await.0.last(), Some(&json!(204)));
    assert!(!is_signed_in(&house, &cookie).await);
}

#[tokio::test]
async fn nobody_but_discord_says_so() {
    let house = House::start().await;
    let (cookie, _stream) = house.visit().await;
    let event = json!({
        "version": 1,
        "application_id": house.discord.application_id,
        "type": 1,
        "event": {
            "type": "APPLICATION_DEAUTHORIZED",
            "timestamp": "2033-01-01T00:00:00",
            "data": {"user": {"id": house.discord.visitor}},
        },
    });
    let post = |signature: Option<String>| {
        let request = house.http.post(house.url("/webhooks/discord")).json(&event);
        let request = request.header("x-signature-timestamp", "2000000000");
        match signature {
            Some(signature) => request.header("x-signature-ed25519", signature),
            None => request,
        }
    };
    for signature in [None, Some("0".repeat(128)), Some("f".repeat(128))] {
        let answer = post(signature).send().await.expect("web answers");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
    assert!(is_signed_in(&house, &cookie).await);
}

#[tokio::test]
async fn without_a_key_there_is_no_such_address() {
    let house = House::with(&[("DISCORD_PUBLIC_KEY", "")]).await;
    let post = house.http.post(house.url("/webhooks/discord"));
    let answer = post.body("{}").send().await.expect("web answers");
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}
