//! Answers of Discord's that are not as they are documented.

use serde_json::Value;

use super::*;

async fn signs_in(path: &'static str, body: Value) -> Value {
    let mut visit = Visit::to(BASE).await;
    let said = body.to_string();
    visit.discord.answer(path, 200, body);
    let callback = visit.consent("/auth/login").await;
    let answer = visit.get(&callback).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{said}");
    visit.get("/api/me").await.json()
}

#[tokio::test]
async fn a_guild_that_cannot_be_read_costs_nobody_the_others() {
    for odd in [
        json!({"id": null}),
        json!({"name": "x"}),
        json!({"id": {}}),
        json!(5),
        json!(null),
    ] {
        let me = signs_in("guilds", json!([{"id": "1"}, odd, {"id": "3"}])).await;
        assert_eq!(me["guilds"], json!(["1", "3"]));
    }
}

#[tokio::test]
async fn an_odd_name_or_picture_keeps_nobody_from_signing_in() {
    let id = "80351110224678912";
    for (field, value, shown) in [
        ("avatar", json!(5), "Ada L."),
        ("global_name", json!(5), "ada"),
        ("global_name", json!(["x"]), "ada"),
        ("username", json!(5), "Ada L."),
    ] {
        let mut user = json!({"id": id, "username": "ada", "global_name": "Ada L."});
        user[field] = value;
        let me = signs_in("me", user).await;
        assert_eq!(me["user"]["displayName"], shown, "{field}");
    }
    let me = signs_in("me", json!({"id": id})).await;
    assert_eq!(me["user"]["displayName"], id);
}

#[tokio::test]
async fn of_the_token_only_itself_must_be_readable() {
    for (field, value) in [
        ("expires_in", json!(604_800.0)),
        ("expires_in", json!(-5)),
        ("expires_in", json!("soon")),
        ("token_type", json!(null)),
        ("refresh_token", json!(5)),
        ("scope", json!(["identify", "guilds"])),
    ] {
        let mut token = json!({"access_token": "a-token-nobody-keeps", "token_type": "Bearer"});
        token[field] = value;
        let me = signs_in("token", token).await;
        assert_eq!(me["guilds"], json!(["1", "3"]), "{field}");
    }
}

#[tokio::test]
async fn a_refused_code_is_known_by_its_error_alone() {
    let mut visit = Visit::to(BASE).await;
    let body = json!({"error": "invalid_grant", "error_description": {"x": 1}, "error_uri": 5});
    visit.discord.answer("token", 400, body);
    let callback = visit.consent("/auth/login").await;
    assert_eq!(visit.get(&callback).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn without_an_id_nobody_is_signed_in() {
    let mut visit = Visit::to(BASE).await;
    for body in [json!({"username": "ada"}), json!({"id": null}), json!([])] {
        visit.discord.answer("me", 200, body);
        let callback = visit.consent("/auth/login").await;
        assert_eq!(visit.get(&callback).await.status, StatusCode::BAD_GATEWAY);
    }
}
