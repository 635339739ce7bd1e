//! Back to the beginning; and what is said of a route that is not there.

use serde_json::{Value, json};

use crate::house::{Failure, House, INTENTS, Outcome};

#[tokio::test]
async fn a_reset_brings_back_the_world_of_the_seed() -> Outcome {
    let house = House::open().await?;
    let before = house.state().await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let said = json!({
        "channelId": house.channel("game-night").await?,
        "authorId": house.application.member_id,
        "content": "hm",
    });
    house.act("POST", "/sim/messages", said).await?;
    let room = json!({"guildId": house.application.guild_id, "name": "Nook"});
    house.act("POST", "/sim/channels", room).await?;
    house
        .act("POST", "/sim/faults", json!({"kind": "hang"}))
        .await?;
    let messages = async || {
        let url = house.url("/sim/messages");
        let all: Value = house.http.get(url).send().await?.json().await?;
        Ok::<Value, Failure>(all)
    };
    assert_eq!(messages().await?[0]["content"], "hm");

    house.act("POST", "/sim/reset", json!({})).await?;
    assert_eq!(client.closed_with().await?, Some(4000));
    assert_eq!(messages().await?, json!([]));
    let after = house.state().await?;
    for same in ["members", "roles", "auditLog"] {
        assert_eq!(
            after["guilds"][0][same], before["guilds"][0][same],
            "{same}"
        );
    }
    // Since when a room is occupied is another matter: it begins again, too.
    let channels = |state: &Value| {
        let channels = state["guilds"][0]["channels"].as_array().into_iter();
        let ids = channels.flatten().map(|channel| channel["id"].clone());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(channels(&after), channels(&before));
    assert_eq!(after["sessions"], json!([]));
    assert_eq!(after["requests"], json!({}));
    assert_eq!(after["application"], before["application"]);
    assert_eq!(house.rest("/users/@me").await?.0, 200, "nothing hangs");
    house.bot(INTENTS).await?;
    Ok(())
}

#[tokio::test]
async fn a_route_that_is_not_there_says_so() -> Outcome {
    let house = House::open().await?;
    let (status, told) = house.rest("/guilds/5/unheard-of").await?;
    assert_eq!((status, &told["message"]), (404, &json!("404: Not Found")));
    let said = told["simulator"].as_str().unwrap_or_default();
    assert!(said.contains("GET /api/v10/guilds/5/unheard-of"), "{said}");
    Ok(())
}
