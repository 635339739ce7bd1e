//! What stands in the way of a bot that makes rooms: how many there may be, what it may put on them,
//! and what it loses by shutting itself out.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    house::{Failure, House, INTENTS, Outcome},
    rest_acts::{ADMINISTRATOR, WIDE, call, empower},
};

const VIEW_CHANNEL: u64 = 1 << 10;
const CONNECT: u64 = 1 << 20;
const MANAGE_CHANNELS: u64 = 1 << 4;
const MANAGE_ROLES: u64 = 1 << 28;

fn of_guild(house: &House, below: &str) -> String {
    format!("/guilds/{}{below}", house.application.guild_id)
}

/// The status and Discord's code.
async fn refused(
    house: &House,
    method: &str,
    path: &str,
    body: Value,
) -> Result<(u16, Value), Failure> {
    let (status, answer) = call(house, method, path, Some(body)).await?;
    Ok((status, answer["code"].clone()))
}

fn private(house: &House, more: &[Value]) -> Value {
    let guild = house.application.guild_id;
    let deny = (VIEW_CHANNEL | CONNECT).to_string();
    let mut overwrites = vec![json!({"id": guild, "type": 0, "deny": deny})];
    overwrites.extend(more.iter().cloned());
    json!({"name": "Nook", "type": 2, "permission_overwrites": overwrites})
}

#[tokio::test]
async fn a_guild_holds_five_hundred_channels_and_two_hundred_and_fifty_roles() -> Outcome {
    let house = House::open().await?;
    let state = house.guild().await?;
    let count = |what: &str| state[what].as_array().map_or(0, Vec::len);
    for (what, most, code, method) in [
        ("channels", 500, 30_013, "channels"),
        ("roles", 250, 30_005, "roles"),
    ] {
        let path = format!("/sim{}", of_guild(&house, &format!("/{what}")));
        for number in count(what)..most {
            let one = json!({"name": format!("Number {number}")});
            house.act("POST", &path, one).await?;
        }
        let path = of_guild(&house, &format!("/{method}"));
        let one_more = json!({"name": "One more"});
        let answer = refused(&house, "POST", &path, one_more).await?;
        assert_eq!(answer, (400, json!(code)), "{what}");
    }
    Ok(())
}

#[tokio::test]
async fn a_channel_holds_a_thousand_overwrites_and_one_of_them_can_still_be_changed() -> Outcome {
    let house = House::open().await?;
    let table = house.channel("Table One").await?;
    let mut people = Vec::new();
    for number in 0..1001 {
        let user = json!({"username": format!("guest{number}")});
        people.push(house.act("POST", "/sim/users", user).await?["id"].clone());
    }
    let allow = CONNECT.to_string();
    let one = |user: &Value| json!({"id": user, "type": 1, "allow": allow});
    let all: Vec<_> = people.iter().map(one).collect();
    let path = format!("/channels/{table}");
    let body = json!({"permission_overwrites": all});
    assert_eq!(refused(&house, "PATCH", &path, body).await?.1, 50_035);
    let body = json!({"permission_overwrites": &all[..1000]});
    assert_eq!(call(&house, "PATCH", &path, Some(body)).await?.0, 200);
    let put = |user: &Value| format!("{path}/permissions/{}", user.as_str().unwrap_or_default());
    let body = json!({"type": 1, "deny": allow});
    let full = refused(&house, "PUT", &put(&people[1000]), body.clone()).await?;
    assert_eq!(full, (400, json!(30_060)));
    let (first, last) = (put(&people[0]), put(&people[1000]));
    assert_eq!(
        call(&house, "PUT", &first, Some(body.clone())).await?.0,
        204
    );
    assert_eq!(call(&house, "DELETE", &first, None).await?.0, 204);
    assert_eq!(
        refused(&house, "DELETE", &first, json!({})).await?.1,
        10_009
    );
    assert_eq!(call(&house, "PUT", &last, Some(body)).await?.0, 204);
    Ok(())
}

#[tokio::test]
async fn few_roles_are_made_in_days_and_the_headers_foretell_it() -> Outcome {
    let house = House::with(|config| {
        config.rate_limits.role_requests = 3;
        config.rate_limits.role_window = Duration::from_hours(48);
    })
    .await?;
    let path = of_guild(&house, "/roles");
    let ask = async || {
        let token = format!("Bot {}", house.application.bot_token);
        let request = house.http.post(house.url(&format!("/api/v10{path}")));
        let request = request.header("authorization", token);
        request.json(&json!({"permissions": "0"})).send().await
    };
    let number = |answer: &reqwest::Response, name: &str| {
        let value = answer.headers().get(name);
        value.and_then(|value| value.to_str().ok()?.parse::<f64>().ok())
    };
    let mut gone = Vec::new();
    for left in [2.0, 1.0, 0.0] {
        let answer = ask().await?;
        assert_eq!(answer.status(), 200);
        assert_eq!(number(&answer, "x-ratelimit-limit"), Some(3.0));
        assert_eq!(number(&answer, "x-ratelimit-remaining"), Some(left));
        assert!(number(&answer, "x-ratelimit-reset-after") > Some(172_000.0));
        gone.push(answer.json::<Value>().await?["id"].clone());
    }
    // That they are gone again makes no room.
    for role in gone {
        let own = format!("{path}/{}", role.as_str().unwrap_or_default());
        assert_eq!(call(&house, "DELETE", &own, None).await?.0, 204);
    }
    let refused = ask().await?;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["x-ratelimit-scope"], "user");
    assert!(number(&refused, "retry-after") > Some(172_000.0));
    let refused: Value = refused.json().await?;
    assert!(
        refused["retry_after"].as_f64() > Some(172_000.0),
        "{refused}"
    );
    // It is that route's bucket alone.
    assert_eq!(call(&house, "GET", &path, None).await?.0, 200);
    let other = format!("/sim{path}");
    house
        .act("POST", &other, json!({"name": "By hand"}))
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_room_is_made_only_with_what_the_bot_has_and_managing_it_is_for_administrators() -> Outcome
{
    let house = House::open().await?;
    let (bot, member) = (house.application.id, house.application.member_id);
    let path = of_guild(&house, "/channels");
    let own = json!({"id": bot, "type": 1, "allow": (VIEW_CHANNEL | CONNECT).to_string()});
    let with = |what: &str, right: u64| {
        let mut owner = json!({"id": member, "type": 1});
        owner[what] = json!(right.to_string());
        private(&house, &[own.clone(), owner])
    };
    let mutes = 1_u64 << 22;
    for (what, right) in [
        ("allow", mutes),
        ("deny", mutes),
        ("allow", MANAGE_ROLES),
        ("deny", MANAGE_ROLES),
    ] {
        let answer = refused(&house, "POST", &path, with(what, right)).await?;
        assert_eq!(answer, (403, json!(50_013)), "{what} {right}");
    }
    let (status, room) = call(&house, "POST", &path, Some(with("allow", MANAGE_CHANNELS))).await?;
    assert_eq!(status, 201);
    let put = format!(
        "/channels/{}/permissions/{member}",
        room["id"].as_str().unwrap_or_default()
    );
    for right in [mutes, MANAGE_ROLES] {
        let body = json!({"type": 1, "allow": right.to_string()});
        let answer = refused(&house, "PUT", &put, body).await?;
        assert_eq!(answer, (403, json!(50_013)), "{right}");
    }
    empower(&house, ADMINISTRATOR).await?;
    for (what, right) in [("allow", mutes), ("allow", MANAGE_ROLES)] {
        let room = with(what, right);
        assert_eq!(call(&house, "POST", &path, Some(room)).await?.0, 201);
    }
    Ok(())
}

#[tokio::test]
async fn a_bot_that_shuts_itself_out_can_do_nothing_more_there() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(INTENTS).await?;
    let path = of_guild(&house, "/channels");
    let (status, room) = call(&house, "POST", &path, Some(private(&house, &[]))).await?;
    assert_eq!(status, 201);
    let told = client.dispatch("CHANNEL_CREATE").await?;
    assert_eq!(
        (&told["id"], &told["name"], &told["flags"]),
        (&room["id"], &json!("___hidden___"), &json!(1 << 17))
    );
    let own = format!("/channels/{}", room["id"].as_str().unwrap_or_default());
    let member = house.application.member_id;
    let overwrite = format!("{own}/permissions/{member}");
    let body = json!({"type": 1, "allow": VIEW_CHANNEL.to_string()});
    let lost = (403, json!(50_001));
    assert_eq!(refused(&house, "PUT", &overwrite, body).await?, lost);
    assert_eq!(refused(&house, "DELETE", &own, json!({})).await?, lost);
    let (_, listed) = call(&house, "GET", &path, None).await?;
    let listed = listed.as_array().cloned().unwrap_or_default();
    assert!(listed.iter().all(|one| one["id"] != room["id"]));
    Ok(())
}

#[tokio::test]
async fn a_room_that_is_deleted_puts_its_people_out_and_says_why() -> Outcome {
    let house = House::open().await?;
    let table = house.channel("Table Two").await?;
    house.voice(Some(&table)).await?;
    let message = json!({"channelId": table, "authorId": house.application.member_id,
        "content": "Who is next?"});
    house.act("POST", "/sim/messages", message).await?;
    let shown = house.guild().await?;
    let room = shown["channels"].as_array().into_iter().flatten();
    let room = room.filter(|one| one["id"] == table).collect::<Vec<_>>();
    assert_eq!(room[0]["messages"][0]["content"], "Who is next?");

    let (mut client, ..) = house.bot(WIDE).await?;
    let path = format!("/channels/{table}");
    assert_eq!(call(&house, "DELETE", &path, None).await?.0, 200);
    let heard = client.until_now().await?;
    let of = |name: &str| heard.iter().find(|(told, _)| told == name).map(|(_, d)| d);
    let left = of("VOICE_STATE_UPDATE").ok_or("a voice state")?;
    assert_eq!(left["channel_id"], Value::Null);
    assert_eq!(of("CHANNEL_DELETE").ok_or("a deletion")?["id"], table);
    let entry = of("GUILD_AUDIT_LOG_ENTRY_CREATE").ok_or("an entry")?;
    assert_eq!(
        (&entry["action_type"], &entry["target_id"]),
        (&json!(12), &json!(table))
    );
    assert_eq!(entry["reason"], "spring cleaning 🧹");
    assert_eq!(refused(&house, "DELETE", &path, json!({})).await?.1, 10_003);
    Ok(())
}
