//! What of a channel can be changed only rarely, and nothing foretells it.

use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::house::{Failure, House, Outcome, PATIENCE};

async fn edit(house: &House, channel: &str, body: Value) -> Result<Response, Failure> {
    let url = house.url(&format!("/api/v10/channels/{channel}"));
    let token = format!("Bot {}", house.application.bot_token);
    let request = house.http.patch(url).header("authorization", token);
    Ok(request.json(&body).send().await?)
}

async fn status(house: &House, channel: &str, body: Value) -> Result<u16, Failure> {
    Ok(edit(house, channel, body).await?.status().as_u16())
}

#[tokio::test]
async fn a_third_name_has_to_wait_and_nothing_else_of_the_room_does() -> Outcome {
    let house =
        House::with(|config| config.rate_limits.rename_window = Duration::from_secs(2)).await?;
    let (table, hearth) = (
        house.channel("Table One").await?,
        house.channel("The Hearth").await?,
    );
    for name in ["Chess", "Go"] {
        assert_eq!(status(&house, &table, json!({"name": name})).await?, 200);
    }
    let refused_at = Instant::now();
    let refused = edit(&house, &table, json!({"name": "Draughts", "user_limit": 7})).await?;
    let headers = refused.headers().clone();
    assert_eq!(refused.status(), 429);
    assert_eq!(headers["x-ratelimit-scope"], "shared");
    let remaining = headers["x-ratelimit-remaining"].to_str()?.parse::<u32>()?;
    assert!(remaining > 0, "the route's own bucket is not empty");
    let body: Value = refused.json().await?;
    assert_eq!(body["global"], false);
    let wait = body["retry_after"].as_f64().ok_or("no retry_after")?;
    assert!((0.0..=2.0).contains(&wait), "{body}");
    let seconds = format!("{:.0}", wait.ceil());
    assert_eq!(headers["retry-after"], seconds.as_str());

    let room = &house.rest(&format!("/channels/{table}")).await?.1;
    assert_eq!(
        (&room["name"], &room["user_limit"]),
        (&json!("Go"), &json!(0)),
        "of what was refused nothing was done"
    );
    let limit = json!({"user_limit": 7});
    assert_eq!(status(&house, &table, limit).await?, 200);
    assert_eq!(status(&house, &table, json!({"topic": "x"})).await?, 200);
    assert_eq!(status(&house, &hearth, json!({"name": "Pyre"})).await?, 200);
    assert_eq!(house.state().await?["invalidRequests"], 0);

    let again = async {
        while status(&house, &table, json!({"name": "Draughts"})).await? != 200 {}
        Ok::<_, Failure>(())
    };
    timeout(PATIENCE, again).await??;
    assert!(
        refused_at.elapsed().as_secs_f64() > wait - 0.01,
        "not before"
    );
    Ok(())
}

#[tokio::test]
async fn names_that_are_refused_or_come_from_people_do_not_count() -> Outcome {
    let house = House::open().await?;
    let table = house.channel("Table One").await?;
    let cellar = house.channel("The Cellar").await?;
    for _ in 0..3 {
        let nameless = json!({"name": ""});
        assert_eq!(status(&house, &table, nameless).await?, 400);
        let hidden = json!({"name": "Crypt"});
        assert_eq!(status(&house, &cellar, hidden).await?, 403);
        let path = format!("/sim/channels/{table}");
        house.act("PATCH", &path, json!({"name": "Chess"})).await?;
    }
    for name in ["Chess", "Chess"] {
        assert_eq!(status(&house, &table, json!({"name": name})).await?, 200);
    }
    let third = status(&house, &table, json!({"name": "Chess"})).await?;
    assert_eq!(third, 429, "the same name again is a name, too");
    Ok(())
}
