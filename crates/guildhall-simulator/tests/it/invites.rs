use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    house::{Failure, House, Outcome},
    rest_acts::{ADMINISTRATOR, call, empower},
};

/// GUILD_MEMBERS, GUILD_MODERATION, GUILD_INVITES.
const INTENTS: u64 = 1 << 1 | 1 << 2 | 1 << 6;

async fn make(house: &House, body: Value) -> Result<Value, Failure> {
    let hearth = house.channel("The Hearth").await?;
    let path = format!("/channels/{hearth}/invites");
    let (status, invite) = call(house, "POST", &path, Some(body)).await?;
    assert_eq!(status, 200, "{invite}");
    Ok(invite)
}

async fn newcomer(house: &House) -> Result<Value, Failure> {
    let user = json!({"username": "wanda.new"});
    Ok(house.act("POST", "/sim/users", user).await?["id"].clone())
}

fn at(invite: &Value) -> String {
    format!("/invites/{}", invite["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn an_invite_is_gone_at_its_age_and_nobody_is_told() -> Outcome {
    let house = House::with(|config| config.invite_second = Duration::from_millis(1)).await?;
    empower(&house, ADMINISTRATOR).await?;
    let mut client = house.dial("/gateway/?v=10&encoding=json").await?;
    client.identify(INTENTS).await?;
    client.dispatch("READY").await?;
    let forever = make(&house, json!({"max_age": 0})).await?;
    assert_eq!(forever["expires_at"], Value::Null);
    let short = make(&house, json!({"max_age": 60})).await?;
    assert!(short["expires_at"].is_string());
    house
        .until("/sim/state", |state| {
            state["guilds"][0]["invites"].as_array().map(Vec::len) == Some(1)
        })
        .await?;
    let (status, gone) = call(&house, "GET", &at(&short), None).await?;
    assert_eq!((status, &gone["code"]), (404, &json!(10_006)));
    assert_eq!(call(&house, "GET", &at(&forever), None).await?.0, 200);

    let heard = client.until_now().await?;
    let names: Vec<_> = heard.iter().map(|(name, _)| name.as_str()).collect();
    let made = ["INVITE_CREATE", "GUILD_AUDIT_LOG_ENTRY_CREATE"];
    assert_eq!(names, made.repeat(2));
    assert_eq!(heard[2].1["expires_at"], short["expires_at"]);
    let user = newcomer(&house).await?;
    let path = format!("/sim{}", at(&short));
    let (status, _) = house
        .try_act("POST", &path, json!({"userId": user}))
        .await?;
    assert_eq!(status, 404);
    Ok(())
}

#[tokio::test]
async fn the_last_use_ends_an_invite_before_the_newcomer_is_told() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let invite = make(&house, json!({"max_uses": 2})).await?;
    let path = format!("/sim{}", at(&invite));
    let mut client = house.dial("/gateway/?v=10&encoding=json").await?;
    client.identify(INTENTS).await?;
    client.dispatch("READY").await?;

    let member = json!({"userId": house.application.member_id});
    house.act("POST", &path, member).await?;
    let first = newcomer(&house).await?;
    let answer = house.act("POST", &path, json!({"userId": first})).await?;
    assert_eq!(answer["guildId"], json!(house.application.guild_id));
    let (_, now) = call(&house, "GET", &at(&invite), None).await?;
    assert_eq!(now["uses"], 1, "who is in already uses nothing up");
    let second = newcomer(&house).await?;
    house.act("POST", &path, json!({"userId": second})).await?;
    let heard = client.until_now().await?;
    let names: Vec<_> = heard.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["GUILD_MEMBER_ADD", "INVITE_DELETE", "GUILD_MEMBER_ADD"],
        "nobody took it back, so no log tells of it"
    );
    assert_eq!(heard[1].1["code"], invite["code"]);
    assert_eq!(heard[2].1["user"]["id"], second);
    assert_eq!(call(&house, "GET", &at(&invite), None).await?.0, 404);
    Ok(())
}

#[tokio::test]
async fn who_is_banned_comes_in_by_no_invite() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let invite = make(&house, json!({})).await?;
    let (guild, user) = (house.application.guild_id, house.application.member_id);
    let member = format!("/sim/guilds/{guild}/members/{user}?how=ban");
    house.act("DELETE", &member, json!({})).await?;
    let path = format!("/sim{}", at(&invite));
    let (status, _) = house
        .try_act("POST", &path, json!({"userId": user}))
        .await?;
    assert_eq!(status, 400);
    Ok(())
}
