use serde_json::{Value, json};

use crate::{
    house::{House, Outcome},
    rest_acts::{ADMINISTRATOR, call, empower},
};

#[tokio::test]
async fn without_message_content_rest_is_silent_about_what_was_said_too() -> Outcome {
    let house = House::open().await?;
    let room = house.channel("game-night").await?;
    let (user, bot) = (house.application.member_id, house.application.id);
    let mut said = Vec::new();
    for (author, content) in [
        (user, "dice at eight".to_owned()),
        (user, format!("hello <@{bot}>")),
        (bot, "my own words".to_owned()),
    ] {
        let body = json!({"channelId": room, "authorId": author, "content": content,
            "embeds": [{"title": "Tonight"}]});
        let id = house.act("POST", "/sim/messages", body).await?["id"].clone();
        said.push((id, content));
    }
    let list = format!("/channels/{room}/messages");
    for (reads, first) in [(true, "dice at eight"), (false, "")] {
        let switches = json!({"privilegedIntents": {"messageContent": reads}});
        house.act("PATCH", "/sim/application", switches).await?;
        let (_, listed) = call(&house, "GET", &list, None).await?;
        for (place, (id, content)) in said.iter().rev().enumerate() {
            let own = format!("{list}/{}", id.as_str().unwrap_or_default());
            let (_, one) = call(&house, "GET", &own, None).await?;
            assert_eq!(listed[place], one);
            let blank = place == 2 && !reads;
            assert_eq!(one["content"], if blank { first } else { content });
            let embeds = one["embeds"].as_array().map(Vec::len);
            assert_eq!(embeds, Some(usize::from(!blank)));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_message_comes_back_as_discord_has_it() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let desk = house.channel("front-desk").await?;
    let (channel, list) = (
        format!("/channels/{desk}"),
        format!("/channels/{desk}/messages"),
    );
    let (_, before) = call(&house, "GET", &channel, None).await?;
    assert_eq!(before["last_message_id"], Value::Null);
    let began = time::OffsetDateTime::now_utc();
    let body = json!({"content": "hear, hear", "tts": true, "embeds": [{"title": "Tonight"}]});
    let (_, message) = call(&house, "POST", &list, Some(body)).await?;
    assert_eq!(message["tts"], true);
    assert_eq!(
        message["embeds"],
        json!([{"title": "Tonight", "type": "rich"}])
    );
    let said_at = time::OffsetDateTime::parse(
        message["timestamp"].as_str().unwrap_or_default(),
        &time::format_description::well_known::Rfc3339,
    )?;
    assert!(said_at >= began - time::Duration::SECOND, "{said_at}");
    assert!(said_at <= time::OffsetDateTime::now_utc());

    let own = format!("{list}/{}", message["id"].as_str().unwrap_or_default());
    let emoji = "%F0%9F%8E%B2";
    call(&house, "PUT", &format!("{own}/reactions/{emoji}/@me"), None).await?;
    let (_, read) = call(&house, "GET", &own, None).await?;
    assert_eq!(read["reactions"][0]["me"], true);
    assert_eq!(
        (&read["tts"], &read["timestamp"]),
        (&json!(true), &message["timestamp"])
    );
    call(
        &house,
        "DELETE",
        &format!("{own}/reactions/{emoji}/@me"),
        None,
    )
    .await?;
    let reaction = json!({"userId": house.application.member_id, "emoji": "🎲"});
    house
        .act("POST", &format!("/sim{own}/reactions"), reaction)
        .await?;
    let (_, read) = call(&house, "GET", &own, None).await?;
    assert_eq!(
        (&read["reactions"][0]["me"], &read["reactions"][0]["count"]),
        (&json!(false), &json!(1))
    );

    let (_, after) = call(&house, "GET", &channel, None).await?;
    assert_eq!(after["last_message_id"], message["id"]);
    let (_, ready, guilds) = house.bot(1).await?;
    let channels = guilds[0]["channels"].as_array().ok_or("no channels")?;
    let told = channels.iter().find(|one| one["id"] == desk);
    assert_eq!(told.ok_or("no desk")?["last_message_id"], message["id"]);
    call(&house, "DELETE", &own, None).await?;
    let (_, after) = call(&house, "GET", &channel, None).await?;
    assert_eq!(
        after["last_message_id"], message["id"],
        "deleted, and still the last"
    );

    let (_, application) = call(&house, "GET", "/applications/@me", None).await?;
    assert_eq!(application["flags"], ready["application"]["flags"]);
    assert_ne!(application["flags"], 0);
    Ok(())
}
