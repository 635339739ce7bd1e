use serde_json::{Value, json};

use crate::house::{Failure, House, INTENTS, Outcome};

const GUILD_MEMBERS: u64 = 1 << 1;
const GUILD_PRESENCES: u64 = 1 << 8;

async fn set(house: &House, body: Value) -> Result<(u16, Value), Failure> {
    let user = house.application.member_id;
    let path = format!("/sim/users/{user}/presence");
    house.try_act("PUT", &path, body).await
}

fn of(presences: &Value, user: &Value) -> Option<Value> {
    let all = presences.as_array()?;
    let mut all = all.iter();
    all.find(|one| one["user"]["id"] == *user).cloned()
}

#[tokio::test]
async fn a_presence_is_told_once_in_each_guild_and_only_with_the_intent() -> Outcome {
    let house = House::open().await?;
    let (mut with, ..) = house.bot(INTENTS | GUILD_PRESENCES).await?;
    let (mut without, ..) = house.bot(INTENTS).await?;
    let activities = json!([{"name": "Chess", "type": 0}]);
    let busy = json!({"status": "dnd", "activities": activities});
    assert_eq!(set(&house, busy.clone()).await?.0, 200);
    assert_eq!(set(&house, busy).await?.0, 200, "which changes nothing");

    // The first member is in two of the three guilds.
    let heard = with.until_now().await?;
    let names: Vec<_> = heard.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["PRESENCE_UPDATE"; 2]);
    let told = &heard[0].1;
    assert_eq!(told["user"]["id"], json!(house.application.member_id));
    assert_eq!(told["guild_id"], json!(house.application.guild_id));
    assert_eq!(told["status"], "dnd");
    assert_eq!(told["activities"][0]["name"], activities[0]["name"]);
    assert!(told["activities"][0]["created_at"].is_u64());
    assert_eq!(told["client_status"], json!({"desktop": "dnd"}));
    assert_ne!(heard[1].1["guild_id"], told["guild_id"]);
    assert!(without.names_until_now().await?.is_empty());

    assert_eq!(set(&house, json!({"status": "offline"})).await?.0, 200);
    let told = &with.until_now().await?[0].1;
    assert_eq!(
        (&told["status"], &told["client_status"]),
        (&json!("offline"), &json!({}))
    );
    Ok(())
}

#[tokio::test]
async fn presences_are_shown_with_guilds_and_chunks_of_members() -> Outcome {
    let house = House::open().await?;
    let (guild, user) = (house.application.guild_id, house.application.member_id);
    set(&house, json!({"status": "idle"})).await?;
    let wide = INTENTS | GUILD_MEMBERS | GUILD_PRESENCES;
    let (mut with, _, guilds) = house.bot(wide).await?;
    let shown = of(&guilds[0]["presences"], &json!(user)).ok_or("no presence")?;
    assert_eq!(shown["status"], "idle");
    let (mut without, _, guilds) = house.bot(INTENTS | GUILD_MEMBERS).await?;
    assert_eq!(guilds[0]["presences"], json!([]));

    let ids = json!([user]);
    for (client, expected) in [(&mut with, true), (&mut without, false)] {
        let d = json!({"guild_id": guild, "user_ids": ids, "presences": true});
        client.send(json!({"op": 8, "d": d})).await?;
        let chunk = client.dispatch("GUILD_MEMBERS_CHUNK").await?;
        assert_eq!(chunk.get("presences").is_some(), expected);
        if expected {
            let shown = of(&chunk["presences"], &json!(user)).ok_or("no presence")?;
            assert_eq!(shown["status"], "idle");
        }
        let d = json!({"guild_id": guild, "user_ids": ids});
        client.send(json!({"op": 8, "d": d})).await?;
        let chunk = client.dispatch("GUILD_MEMBERS_CHUNK").await?;
        assert!(chunk.get("presences").is_none(), "nobody asked for them");
    }
    Ok(())
}

#[tokio::test]
async fn whoever_is_online_or_has_a_role_or_nickname_stands_in_a_large_guild() -> Outcome {
    let house = House::open().await?;
    let guild = house.application.guild_id;
    let mut visitors = Vec::new();
    for turn in 0..45 {
        let user = json!({"username": format!("visitor{turn}")});
        let user = house.act("POST", "/sim/users", user).await?;
        let member = json!({"userId": user["id"]});
        let path = format!("/sim/guilds/{guild}/members");
        house.act("POST", &path, member).await?;
        visitors.push(user["id"].as_str().unwrap_or_default().to_owned());
    }
    let shown = async |expected: usize| -> Outcome {
        let (_, _, guilds) = house.bot(INTENTS | GUILD_PRESENCES).await?;
        assert_eq!(
            guilds[0]["members"].as_array().map(Vec::len),
            Some(expected)
        );
        Ok(())
    };
    // The bot, the load user in voice, and ten people with roles.
    shown(12).await?;
    let presence = format!("/sim/users/{}/presence", visitors[0]);
    let online = json!({"status": "online"});
    house.act("PUT", &presence, online).await?;
    shown(13).await?;
    let member = |place: usize| format!("/sim/guilds/{guild}/members/{}", visitors[place]);
    let named = json!({"nick": "The Guest"});
    house.act("PATCH", &member(1), named).await?;
    shown(14).await?;
    let keeper = house.role("Keeper").await?;
    let with_role = json!({"roles": [keeper]});
    house.act("PATCH", &member(2), with_role).await?;
    shown(15).await?;
    let (_, _, guilds) = house.bot(INTENTS).await?;
    assert_eq!(guilds[0]["members"].as_array().map(Vec::len), Some(5));
    Ok(())
}

#[tokio::test]
async fn a_presence_that_is_none_is_refused() -> Outcome {
    let house = House::open().await?;
    for body in [
        json!({}),
        json!({"status": "busy"}),
        json!({"status": "online", "activities": [{"name": "Chess"}]}),
        json!({"status": "online", "activities": ["Chess"]}),
    ] {
        assert_eq!(set(&house, body.clone()).await?.0, 400, "{body}");
    }
    let path = "/sim/users/1/presence";
    let (status, _) = house
        .try_act("PUT", path, json!({"status": "online"}))
        .await?;
    assert_eq!(status, 404);
    Ok(())
}
