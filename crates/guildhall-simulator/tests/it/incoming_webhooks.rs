use serde_json::{Value, json};

use crate::{
    house::{House, Outcome},
    rest_acts::{ADMINISTRATOR, call, empower},
};

#[tokio::test]
async fn whoever_has_the_token_speaks_and_is_not_told_who_made_it() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let channel = house.channel("game-night").await?;
    let path = format!("/channels/{channel}/webhooks");
    let (status, hook) = call(&house, "POST", &path, Some(json!({"name": "Herald"}))).await?;
    let own = house.application.id.to_string();
    assert_eq!(
        (status, &hook["type"], &hook["user"]["id"]),
        (200, &json!(1), &json!(own))
    );
    assert_eq!(hook["application_id"], own);
    let id = hook["id"].as_str().unwrap_or_default();
    let token = hook["token"].as_str().unwrap_or_default();
    let open = house.url(&format!("/api/v10/webhooks/{id}/{token}"));

    let read: Value = house.http.get(&open).send().await?.json().await?;
    assert_eq!((&read["id"], read.get("user")), (&hook["id"], None));
    let body =
        json!({"content": "Hear", "username": "Crier", "avatar_url": "https://example.org/a.png"});
    let answer = house.http.post(&open).json(&body).send().await?;
    assert_eq!(answer.status(), 204);
    let waiting = format!("{open}?wait=true");
    let said: Value = house
        .http
        .post(&waiting)
        .json(&body)
        .send()
        .await?
        .json()
        .await?;
    assert_eq!(
        (
            &said["author"]["username"],
            &said["author"]["discriminator"]
        ),
        (&json!("Crier"), &json!("0000"))
    );
    assert_eq!(
        (&said["webhook_id"], &said["author"]["id"]),
        (&hook["id"], &hook["id"])
    );
    assert_eq!(
        (&said["author"]["bot"], said.get("member")),
        (&json!(true), None)
    );
    let shown = house
        .act("GET", &format!("/sim/messages?authorId={id}"), json!({}))
        .await?;
    assert_eq!(shown[1]["webhook"]["username"], "Crier");

    let wrong = house.url(&format!("/api/v10/webhooks/{id}/nonsense"));
    let told: Value = house.http.get(&wrong).send().await?.json().await?;
    assert_eq!(told["code"], 50_027);
    let nobody = house.url(&format!("/api/v10/webhooks/1/{token}"));
    let told: Value = house.http.get(&nobody).send().await?.json().await?;
    assert_eq!(told["code"], 10_015);
    let empty: Value = house
        .http
        .post(&open)
        .json(&json!({}))
        .send()
        .await?
        .json()
        .await?;
    assert_eq!(empty["code"], 50_006);
    let other = house.act("POST", "/sim/messages",
        json!({"channelId": channel, "authorId": house.application.member_id, "content": "theirs"})).await?;
    let not_its = format!(
        "{open}/messages/{}",
        other["id"].as_str().unwrap_or_default()
    );
    let told: Value = house.http.get(&not_its).send().await?.json().await?;
    assert_eq!(told["code"], 10_008);
    Ok(())
}

#[tokio::test]
async fn a_webhook_has_a_name_that_discord_takes_and_a_channel_has_fifteen() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let channel = house.channel("game-night").await?;
    let path = format!("/channels/{channel}/webhooks");
    for name in ["Clyde", "My Discord", ""] {
        let (status, told) = call(&house, "POST", &path, Some(json!({"name": name}))).await?;
        assert_eq!((status, &told["code"]), (400, &json!(50_035)), "{name:?}");
        assert!(told["errors"]["name"]["_errors"].is_array(), "{told}");
    }
    for _ in 0..15 {
        let (status, _) = call(&house, "POST", &path, Some(json!({"name": "Herald"}))).await?;
        assert_eq!(status, 200);
    }
    let (status, told) = call(&house, "POST", &path, Some(json!({"name": "Herald"}))).await?;
    assert_eq!((status, &told["code"]), (400, &json!(30_007)));
    call(&house, "DELETE", &format!("/channels/{channel}"), None).await?;
    assert_eq!(house.guild().await?["webhooks"], json!([]));
    Ok(())
}
