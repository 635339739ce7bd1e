use std::time::Duration;

use serde_json::json;

use crate::house::{House, Outcome};

#[tokio::test]
async fn a_bot_reads_itself_and_its_guilds() -> Outcome {
    let house = House::open().await?;
    let application = &house.application;
    let guild = format!("/guilds/{}", application.guild_id);
    assert_eq!(house.rest("/users/@me").await?.1["bot"], true);
    assert_eq!(
        house
            .rest("/users/@me/guilds")
            .await?
            .1
            .as_array()
            .map(Vec::len),
        Some(3)
    );
    assert_eq!(
        house.rest("/applications/@me").await?.1["id"],
        application.id.to_string()
    );
    assert_eq!(house.rest(&guild).await?.1["name"], "The Gilded Griffin");
    assert_eq!(
        house
            .rest(&format!("{guild}/roles"))
            .await?
            .1
            .as_array()
            .map(Vec::len),
        Some(5)
    );
    let (_, member) = house
        .rest(&format!("{guild}/members/{}", application.member_id))
        .await?;
    assert_eq!(member["user"]["username"], "rowan.ash");
    let state = format!("{guild}/voice-states/{}", application.member_id);
    assert_eq!(house.rest(&state).await?.1["code"], 10065);
    house
        .voice(Some(&house.channel("The Hearth").await?))
        .await?;
    assert_eq!(
        house.rest(&state).await?.1["user_id"],
        application.member_id.to_string()
    );
    Ok(())
}

#[tokio::test]
async fn errors_have_discords_status_code_and_words() -> Outcome {
    let house = House::open().await?;
    let guild = house.application.guild_id;
    let cases = [
        ("/guilds/1".to_owned(), 404, 10004),
        (format!("/guilds/{guild}/members/1"), 404, 10007),
        (format!("/guilds/{guild}/members/abc"), 400, 50035),
        ("/guilds/%F0%9F%98%80".to_owned(), 400, 50035),
        ("/no/such/route".to_owned(), 404, 0),
    ];
    for (path, status, code) in cases {
        let (got, body) = house.rest(&path).await?;
        assert_eq!((got, &body["code"]), (status, &json!(code)), "{path}");
        assert!(body["message"].is_string(), "{path}");
    }
    let anonymous = house
        .http
        .get(house.url("/api/v10/users/@me"))
        .send()
        .await?;
    assert_eq!(anonymous.status(), 401);
    assert_eq!(
        anonymous.json::<serde_json::Value>().await?,
        json!({"message": "401: Unauthorized", "code": 0})
    );
    let posted = house
        .http
        .post(house.url("/api/v10/users/@me"))
        .send()
        .await?;
    assert_eq!(posted.status(), 405);
    Ok(())
}

#[tokio::test]
async fn a_bucket_and_the_whole_have_limits_with_headers() -> Outcome {
    let house = House::with(|config| {
        config.rate_limits.bucket_requests = 2;
        config.rate_limits.bucket_window = Duration::from_mins(1);
        config.rate_limits.global_requests = 10_000;
    })
    .await?;
    let token = format!("Bot {}", house.application.bot_token);
    let get = async |path: &str| {
        house
            .http
            .get(house.url(path))
            .header("authorization", &token)
            .send()
            .await
    };
    let first = get("/api/v10/users/@me").await?;
    assert_eq!(first.headers()["x-ratelimit-remaining"], "1");
    assert_eq!(first.headers()["x-ratelimit-limit"], "2");
    get("/api/v10/users/@me").await?;
    let third = get("/api/v10/users/@me").await?;
    assert_eq!(third.status(), 429);
    assert_eq!(third.headers()["x-ratelimit-scope"], "user");
    assert!(third.headers()["retry-after"].to_str()?.parse::<u64>()? >= 1);
    let body: serde_json::Value = third.json().await?;
    assert_eq!(body["global"], false);
    assert!(body["retry_after"].as_f64().is_some_and(|wait| wait > 0.0));
    // Another route is another bucket.
    assert_eq!(get("/api/v10/users/@me/guilds").await?.status(), 200);
    Ok(())
}

#[tokio::test]
async fn more_than_the_global_limit_is_refused_as_global() -> Outcome {
    let house = House::with(|config| config.rate_limits.global_requests = 1).await?;
    let token = format!("Bot {}", house.application.bot_token);
    let get = async |path: &str| {
        house
            .http
            .get(house.url(path))
            .header("authorization", &token)
            .send()
            .await
    };
    let both = tokio::join!(get("/api/v10/users/@me"), get("/api/v10/users/@me/guilds"));
    let mut statuses = [both.0?, both.1?];
    statuses.sort_by_key(reqwest::Response::status);
    assert_eq!(statuses[0].status(), 200);
    assert_eq!(statuses[1].status(), 429);
    assert_eq!(statuses[1].headers()["x-ratelimit-global"], "true");
    Ok(())
}

#[tokio::test]
async fn pictures_are_drawn_under_discords_paths() -> Outcome {
    let house = House::open().await?;
    let state = house.state().await?;
    let face = state["users"][0]["avatarUrl"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let guild = &state["guilds"][0];
    let icon = format!(
        "/icons/{}/{}.png",
        guild["id"].as_str().unwrap_or_default(),
        guild["icon"].as_str().unwrap_or_default()
    );
    for path in [face.as_str(), icon.as_str(), "/embed/avatars/3.png"] {
        let answer = house.http.get(house.url(path)).send().await?;
        assert_eq!(answer.headers()["content-type"], "image/svg+xml");
        assert!(answer.text().await?.starts_with("<svg"));
    }
    assert_eq!(
        house
            .http
            .get(house.url("/avatars/1/a'b.png"))
            .send()
            .await?
            .status(),
        404
    );
    Ok(())
}

#[tokio::test]
async fn the_list_of_members_asks_for_the_switch_as_it_is_now() -> Outcome {
    let house = House::open().await?;
    let path = format!("/guilds/{}/members?limit=1000", house.application.guild_id);
    for (on, status) in [(true, 200), (false, 403), (true, 200)] {
        let switches = json!({"privilegedIntents": {"guildMembers": on}});
        house.act("PATCH", "/sim/application", switches).await?;
        let (answered, body) = house.rest(&path).await?;
        assert_eq!(answered, status);
        if !on {
            assert_eq!(body["code"], 50_001);
        }
    }
    Ok(())
}
