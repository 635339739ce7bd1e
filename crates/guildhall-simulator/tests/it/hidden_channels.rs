use serde_json::{Value, json};

use crate::house::{Failure, House, INTENTS, Outcome};

const OBFUSCATED: u64 = 1 << 17;

fn channel_of(guild: &Value, id: &str) -> Result<Value, Failure> {
    guild["channels"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["id"] == id)
        .cloned()
        .ok_or_else(|| "the channel is not there".into())
}

#[tokio::test]
async fn a_channel_the_bot_may_not_view_arrives_as_a_placeholder() -> Outcome {
    let house = House::open().await?;
    let cellar = house.channel("The Cellar").await?;
    let said = json!({"channelId": cellar, "authorId": house.application.member_id,
        "content": "psst"});
    house.act("POST", "/sim/messages", said).await?;
    let (_, _, guilds) = house.bot(INTENTS).await?;
    let shown = channel_of(&guilds[0], &cellar)?;
    assert_eq!(shown["name"], "___hidden___");
    assert_eq!(shown["flags"], OBFUSCATED);
    assert_eq!(shown["type"], 2);
    assert_eq!(shown["last_message_id"], Value::Null);
    assert_eq!(
        shown["permission_overwrites"],
        json!([{"id": house.application.guild_id, "type": 0, "allow": "0", "deny": "1024"}])
    );
    assert!(!guilds[0].to_string().contains("The Cellar"));

    let (_, listed) = house
        .rest(&format!("/guilds/{}/channels", house.application.guild_id))
        .await?;
    let listed = listed.as_array().cloned().unwrap_or_default();
    assert_eq!(listed.len(), 14);
    assert!(listed.iter().all(|one| one["id"] != cellar));
    Ok(())
}

#[tokio::test]
async fn gaining_and_losing_sight_of_a_channel_is_a_channel_update() -> Outcome {
    let house = House::open().await?;
    let table = house.channel("Table One").await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let hide = json!({"kind": "obfuscate", "channelId": table});
    house.act("POST", "/sim/faults", hide).await?;
    let hidden = client.dispatch("CHANNEL_UPDATE").await?;
    assert_eq!(
        (&hidden["id"], &hidden["name"]),
        (&json!(table), &json!("___hidden___"))
    );
    let show = json!({"kind": "obfuscate", "channelId": table, "over": true});
    house.act("POST", "/sim/faults", show).await?;
    let shown = client.dispatch("CHANNEL_UPDATE").await?;
    assert_eq!(
        (&shown["name"], &shown["flags"]),
        (&json!("Table One"), &json!(0))
    );
    Ok(())
}

#[tokio::test]
async fn a_role_of_the_bot_that_opens_a_channel_shows_it_and_its_category() -> Outcome {
    let house = House::open().await?;
    let application = &house.application;
    let (cellar, below) = (
        house.channel("The Cellar").await?,
        house.channel("Below").await?,
    );
    let master = house.role("Game Master").await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let path = format!(
        "/sim/guilds/{}/members/{}/roles/{master}",
        application.guild_id, application.id
    );
    house.act("PUT", &path, json!({})).await?;
    // The bot hears of its own membership without GUILD_MEMBERS.
    client.dispatch("GUILD_MEMBER_UPDATE").await?;
    let first = client.dispatch("CHANNEL_UPDATE").await?;
    let second = client.dispatch("CHANNEL_UPDATE").await?;
    assert_eq!(
        [&first["id"], &second["id"]],
        [&json!(below), &json!(cellar)]
    );
    assert_eq!([&first["name"], &second["name"]], ["Below", "The Cellar"]);

    house
        .act(
            "PATCH",
            &format!("/sim/roles/{master}"),
            json!({"permissions": "8"}),
        )
        .await?;
    client.dispatch("GUILD_ROLE_UPDATE").await?;
    house
        .act("DELETE", &format!("/sim/roles/{master}"), json!({}))
        .await?;
    client.dispatch("GUILD_ROLE_DELETE").await?;
    client.dispatch("GUILD_MEMBER_UPDATE").await?;
    assert_eq!(
        client.dispatch("CHANNEL_UPDATE").await?["name"],
        "___hidden___"
    );
    Ok(())
}

#[tokio::test]
async fn being_connected_to_a_hidden_channel_shows_it() -> Outcome {
    let house = House::open().await?;
    let cellar = house.channel("The Cellar").await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let path = format!("/sim/guilds/{}/voice", house.application.guild_id);
    let join = json!({"userId": house.application.id, "channelId": cellar});
    house.act("POST", &path, join).await?;
    client.dispatch("VOICE_STATE_UPDATE").await?;
    client.dispatch("CHANNEL_UPDATE").await?;
    assert_eq!(
        client.dispatch("CHANNEL_UPDATE").await?["name"],
        "The Cellar"
    );
    Ok(())
}
