use serde_json::json;

use super::*;

fn admin(house: &House, path: &str) -> String {
    format!("http://127.0.0.1:{}/admin/{path}", house.ports.web_ops)
}

async fn streams(house: &House) -> Value {
    let answer = house.http.get(admin(house, "streams")).send().await;
    let answer = answer.expect("the operator's listener answers");
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.expect("JSON")
}

fn keys(object: &Value) -> Vec<&str> {
    let object = object.as_object().expect("an object");
    let mut keys: Vec<_> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

async fn revoke(house: &House, body: &Value) -> StatusCode {
    let post = house.http.post(admin(house, "revoke")).json(body);
    post.send().await.expect("it answers").status()
}

#[tokio::test]
async fn who_is_here_is_seen_and_may_be_ended() {
    let house = House::start().await;
    let discord = &house.discord;
    assert_eq!(streams(&house).await["streams"], 0);
    let (here, mut first) = house.visit().await;
    let (_, mut second) = house.visit().await;
    let (ben, mut of_ben) = visit_as(&house, &discord.people[0]).await;

    let told = streams(&house).await;
    assert_eq!((&told["streams"], &told["users"]), (&json!(3), &json!(2)));
    let most = &told["people"][0];
    assert_eq!(most["userId"], json!(discord.visitor));
    assert_eq!(most["streams"], 2);
    let guilds = most["guilds"].as_array().expect("guilds");
    assert!(guilds.contains(&json!(discord.guild)), "{told}");
    // Nothing else is in it: no cookie, no session's name.
    let whole = ["overlayStreams", "overlays", "people", "streams", "users"];
    assert_eq!(keys(&told), whole);
    let of_each = ["guildCount", "guilds", "since", "streams", "userId"];
    for person in told["people"].as_array().expect("people") {
        assert_eq!(keys(person), of_each);
    }

    for wrong in [
        json!({}),
        json!({"userId": "nobody"}),
        json!({"userId": discord.visitor, "everybody": true}),
        json!([discord.visitor]),
        json!({"userId": discord.visitor.parse::<u64>().expect("an id")}),
    ] {
        assert_eq!(
            revoke(&house, &wrong).await,
            StatusCode::BAD_REQUEST,
            "{wrong}"
        );
    }
    assert!(is_signed_in(&house, &here).await);
    let user = json!({"userId": discord.visitor});
    assert_eq!(revoke(&house, &user).await, StatusCode::NO_CONTENT);
    ends_as_revoked(&mut first).await;
    ends_as_revoked(&mut second).await;
    assert!(!is_signed_in(&house, &here).await && is_signed_in(&house, &ben).await);
    goes_on(&house, &mut of_ben, &discord.people[1]).await;
    assert_eq!(streams(&house).await["users"], 1);
    let measured = house.metrics(house.ports.web_ops).await;
    for line in [
        "guildhall_sessions_ended_total{reason=\"operator\"} 1",
        "guildhall_stream_byes_total{reason=\"session_revoked\"} 2",
    ] {
        assert!(measured.contains(line), "{line}");
    }
}

#[tokio::test]
async fn pages_of_other_sites_are_refused() {
    let house = House::start().await;
    let (cookie, _stream) = house.visit().await;
    let body = json!({"userId": house.discord.visitor}).to_string();
    let post = || house.http.post(admin(&house, "revoke")).body(body.clone());
    let json = ("content-type", "application/json");
    for (said, status) in [
        (&[json, ("origin", "https://evil.example")][..], 403),
        (&[json, ("sec-fetch-site", "cross-site")], 403),
        (&[json, ("host", "evil.example")], 403),
        (&[json, ("host", "8.8.8.8")], 403),
        (&[json, ("x-forwarded-for", "203.0.113.7")], 403),
        (&[("content-type", "text/plain")], 415),
        (&[], 415),
    ] {
        let request = said
            .iter()
            .fold(post(), |it, (name, value)| it.header(*name, *value));
        let answer = request.send().await.expect("it answers");
        assert_eq!(answer.status().as_u16(), status, "{said:?}");
        let error: Value = answer.json().await.expect("JSON");
        assert!(error["error"]["message"].is_string(), "{error}");
    }
    assert!(is_signed_in(&house, &cookie).await);
    let nothing = house.http.get(admin(&house, "other")).send().await;
    assert_eq!(nothing.expect("it answers").status(), StatusCode::NOT_FOUND);
}
