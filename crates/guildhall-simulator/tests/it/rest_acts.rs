use serde_json::{Value, json};

use crate::house::{Failure, House, INTENTS, Outcome};

/// GUILDS, GUILD_MODERATION, GUILD_INVITES, GUILD_VOICE_STATES, GUILD_MESSAGES.
pub(crate) const WIDE: u64 = INTENTS | 1 << 2 | 1 << 6 | 1 << 9;

/// A REST call of the bot, with a reason for the audit log.
pub(crate) async fn call(
    house: &House,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> Result<(u16, Value), Failure> {
    let request = house
        .http
        .request(method.parse()?, house.url(&format!("/api/v10{path}")))
        .header(
            "authorization",
            format!("Bot {}", house.application.bot_token),
        )
        .header("x-audit-log-reason", "spring%20cleaning%20%F0%9F%A7%B9");
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    let text = answer.text().await?;
    let body = serde_json::from_str(&text).unwrap_or_default();
    Ok((status, body))
}

/// Gives the bot's role these permissions and no others.
pub(crate) async fn empower(house: &House, permissions: u64) -> Outcome {
    let role = house.role("Doorkeeper").await?;
    let body = json!({"permissions": permissions.to_string()});
    house
        .act("PATCH", &format!("/sim/roles/{role}"), body)
        .await?;
    Ok(())
}

pub(crate) const ADMINISTRATOR: u64 = 1 << 3;

#[tokio::test]
async fn a_private_room_with_its_role_is_made_and_told() -> Outcome {
    let house = House::open().await?;
    let (guild, bot) = (house.application.guild_id, house.application.id);
    let (mut client, ..) = house.bot(WIDE).await?;
    let (status, role) = call(
        &house,
        "POST",
        &format!("/guilds/{guild}/roles"),
        Some(json!({"name": "Room 7", "permissions": "0", "colors": {"primary_color": 255}})),
    )
    .await?;
    assert_eq!(
        (status, &role["permissions"], &role["color"]),
        (200, &json!("0"), &json!(255))
    );
    assert_eq!(
        client.dispatch("GUILD_ROLE_CREATE").await?["role"]["id"],
        role["id"]
    );
    let entry = client.dispatch("GUILD_AUDIT_LOG_ENTRY_CREATE").await?;
    assert_eq!(entry["action_type"], 30);
    assert_eq!(entry["reason"], "spring cleaning 🧹");
    assert_eq!(entry["user_id"], bot.to_string());

    let view = (1_u64 << 10 | 1 << 20).to_string();
    let (status, room) = call(
        &house,
        "POST",
        &format!("/guilds/{guild}/channels"),
        Some(
            json!({"name": "Room 7", "type": 2, "user_limit": 4, "bitrate": 96_000,
            "permission_overwrites": [
                {"id": guild, "type": 0, "deny": view},
                {"id": role["id"], "type": 0, "allow": view},
                {"id": bot, "type": 1, "allow": view},
            ]}),
        ),
    )
    .await?;
    assert_eq!(
        (status, &room["user_limit"], &room["bitrate"]),
        (201, &json!(4), &json!(96_000))
    );
    let told = client.dispatch("CHANNEL_CREATE").await?;
    assert_eq!(
        (&told["id"], &told["name"]),
        (&room["id"], &json!("Room 7"))
    );
    client.dispatch("GUILD_AUDIT_LOG_ENTRY_CREATE").await?;

    let id = room["id"].as_str().unwrap_or_default();
    let path = format!("/channels/{id}/permissions/{bot}");
    assert_eq!(call(&house, "DELETE", &path, None).await?.0, 204);
    let hidden = client.dispatch("CHANNEL_UPDATE").await?;
    assert_eq!(hidden["name"], "___hidden___");
    let (status, body) = call(&house, "GET", &format!("/channels/{id}"), None).await?;
    assert_eq!((status, &body["code"]), (403, &json!(50_001)));
    let log = &house.guild().await?["auditLog"];
    let actions: Vec<_> = log
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["action_type"].clone())
        .collect();
    assert_eq!(actions, [json!(30), json!(10), json!(15)]);
    Ok(())
}

#[tokio::test]
async fn people_are_moved_and_disconnected_only_from_voice_and_only_with_the_right() -> Outcome {
    let house = House::open().await?;
    let (guild, user) = (house.application.guild_id, house.application.member_id);
    let path = format!("/guilds/{guild}/members/{user}");
    let (hearth, table) = (
        house.channel("The Hearth").await?,
        house.channel("Table One").await?,
    );
    let to = |id: &str| Some(json!({"channel_id": id}));
    let (status, body) = call(&house, "PATCH", &path, to(&table)).await?;
    assert_eq!((status, &body["code"]), (400, &json!(40_032)));
    house.voice(Some(&hearth)).await?;
    let (mut client, ..) = house.bot(WIDE).await?;
    assert_eq!(call(&house, "PATCH", &path, to(&table)).await?.0, 200);
    let moved = client.dispatch("VOICE_STATE_UPDATE").await?;
    assert_eq!(moved["channel_id"], table);
    let entry = client.dispatch("GUILD_AUDIT_LOG_ENTRY_CREATE").await?;
    assert_eq!(
        (&entry["action_type"], &entry["options"]["channel_id"]),
        (&json!(26), &json!(table))
    );
    let text = house.channel("front-desk").await?;
    assert_eq!(
        call(&house, "PATCH", &path, to(&text)).await?.1["code"],
        50_024
    );
    assert_eq!(
        call(&house, "PATCH", &path, to("5")).await?.1["code"],
        10_003
    );
    let mute = call(&house, "PATCH", &path, Some(json!({"mute": true}))).await?;
    assert_eq!(mute.1["code"], 50_013, "the bot may not mute");
    assert_eq!(
        call(&house, "PATCH", &path, Some(json!({"channel_id": null})))
            .await?
            .0,
        200
    );
    assert!(client.dispatch("VOICE_STATE_UPDATE").await?["channel_id"].is_null());
    empower(&house, 1 << 10).await?;
    house.voice(Some(&hearth)).await?;
    assert_eq!(
        call(&house, "PATCH", &path, to(&table)).await?.1["code"],
        50_013
    );
    Ok(())
}

#[tokio::test]
async fn ranks_are_kept() -> Outcome {
    let house = House::open().await?;
    let guild = house.application.guild_id;
    let (bots, keeper) = (house.role("Doorkeeper").await?, house.role("Keeper").await?);
    let state = house.guild().await?;
    let owner = state["ownerId"].as_str().unwrap_or_default().to_owned();
    let user = house.application.member_id;
    let refused = async |method: &str, path: &str, body: Option<Value>| {
        Ok::<_, Failure>(
            call(&house, method, &format!("/guilds/{guild}{path}"), body)
                .await?
                .1["code"]
                .clone(),
        )
    };
    // Its own role is not below itself, and a bot's role is no one else's.
    assert_eq!(
        refused(
            "PATCH",
            &format!("/roles/{bots}"),
            Some(json!({"name": "x"}))
        )
        .await?,
        50_013
    );
    assert_eq!(
        refused("DELETE", &format!("/roles/{bots}"), None).await?,
        50_028
    );
    assert_eq!(
        refused("PUT", &format!("/members/{user}/roles/{bots}"), None).await?,
        50_028
    );
    assert_eq!(
        refused("PUT", &format!("/members/{user}/roles/1"), None).await?,
        10_011
    );
    assert_eq!(
        refused("PUT", &format!("/members/1/roles/{keeper}"), None).await?,
        10_007
    );
    // Only what the bot itself may do can be given.
    let kick = Some(json!({"permissions": "2"}));
    assert_eq!(refused("POST", "/roles", kick).await?, 50_013);
    let path = format!("/guilds/{guild}/members/{user}/roles/{keeper}");
    assert_eq!(call(&house, "PUT", &path, None).await?.0, 204);
    assert_eq!(
        call(&house, "PUT", &path, None).await?.0,
        204,
        "once more changes nothing"
    );
    empower(&house, ADMINISTRATOR).await?;
    // Even an administrator stands below the owner.
    assert_eq!(
        refused("DELETE", &format!("/members/{owner}"), None).await?,
        50_013
    );
    let until = Some(json!({"communication_disabled_until": "2999-01-01T00:00:00Z"}));
    assert_eq!(
        refused("PATCH", &format!("/members/{user}"), until).await?,
        50_035
    );
    assert_eq!(
        call(
            &house,
            "DELETE",
            &format!("/guilds/{guild}/members/{user}"),
            None
        )
        .await?
        .0,
        204
    );
    assert_eq!(
        refused("GET", &format!("/members/{user}"), None).await?,
        10_007
    );
    Ok(())
}

#[tokio::test]
async fn a_timed_out_bot_can_only_look() -> Outcome {
    let house = House::open().await?;
    let (guild, user) = (house.application.guild_id, house.application.member_id);
    empower(&house, ADMINISTRATOR).await?;
    let soon = time::OffsetDateTime::now_utc() + time::Duration::hours(1);
    let until = soon.format(&time::format_description::well_known::Rfc3339)?;
    let path = format!("/guilds/{guild}/members/{user}");
    let body = json!({"communication_disabled_until": until});
    let (status, member) = call(&house, "PATCH", &path, Some(body.clone())).await?;
    assert_eq!(status, 200);
    assert!(member["communication_disabled_until"].is_string());
    let (_, lifted) = call(
        &house,
        "PATCH",
        &path,
        Some(json!({"communication_disabled_until": null})),
    )
    .await?;
    assert!(lifted["communication_disabled_until"].is_null());
    Ok(())
}

#[tokio::test]
async fn form_errors_come_all_at_once_as_a_tree() -> Outcome {
    let house = House::open().await?;
    let path = format!("/guilds/{}/channels", house.application.guild_id);
    let body = json!({"type": 2, "user_limit": 100, "bitrate": 7,
        "permission_overwrites": [{"type": 0}, {"id": "x", "type": 9}]});
    let (status, answer) = call(&house, "POST", &path, Some(body)).await?;
    assert_eq!((status, &answer["code"]), (400, &json!(50_035)));
    let code = |path: &str| {
        answer["errors"]
            .pointer(&format!("{path}/_errors/0/code"))
            .cloned()
    };
    assert_eq!(code("/name"), Some(json!("BASE_TYPE_REQUIRED")));
    assert_eq!(code("/user_limit"), Some(json!("NUMBER_TYPE_MAX")));
    assert_eq!(code("/bitrate"), Some(json!("NUMBER_TYPE_MIN")));
    assert_eq!(
        code("/permission_overwrites/0/id"),
        Some(json!("BASE_TYPE_REQUIRED"))
    );
    assert_eq!(
        code("/permission_overwrites/1/id"),
        Some(json!("NUMBER_TYPE_COERCE"))
    );
    let bare = house
        .http
        .post(house.url(&format!("/api/v10{path}")))
        .header(
            "authorization",
            format!("Bot {}", house.application.bot_token),
        )
        .body("{\"name\":\"x\"}")
        .send()
        .await?;
    assert_eq!(bare.status(), 400);
    let answer: Value = bare.json().await?;
    assert_eq!(
        answer["errors"]["_errors"][0]["code"],
        "CONTENT_TYPE_INVALID"
    );
    Ok(())
}

#[tokio::test]
async fn messages_are_said_once_with_a_nonce_and_refused_where_discord_refuses() -> Outcome {
    let house = House::open().await?;
    let desk = house.channel("front-desk").await?;
    let path = format!("/channels/{desk}/messages");
    let body = json!({"content": "hello", "nonce": "n1", "enforce_nonce": true, "allowed_mentions": {"parse": []}});
    let (_, first) = call(&house, "POST", &path, Some(body.clone())).await?;
    let (_, second) = call(&house, "POST", &path, Some(body)).await?;
    assert!(first["id"].is_string());
    assert_eq!(first["id"], second["id"]);
    let (_, listed) = call(&house, "GET", &path, None).await?;
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    let message = format!("{path}/{}", first["id"].as_str().unwrap_or_default());
    let (_, edited) = call(&house, "PATCH", &message, Some(json!({"content": "bye"}))).await?;
    assert_eq!(edited["content"], "bye");
    assert!(edited["edited_timestamp"].is_string());
    let emoji = format!("{message}/reactions/%F0%9F%8E%B2/@me");
    assert_eq!(call(&house, "PUT", &emoji, None).await?.0, 204);
    let wrong = format!("{message}/reactions/nonsense/@me");
    assert_eq!(call(&house, "PUT", &wrong, None).await?.1["code"], 10_014);
    let long = json!({"content": "x".repeat(2001)});
    assert_eq!(
        call(&house, "POST", &path, Some(long)).await?.1["code"],
        50_035
    );
    let empty = json!({"content": ""});
    assert_eq!(
        call(&house, "POST", &path, Some(empty)).await?.1["code"],
        50_006
    );
    let category = house.channel("Welcome").await?;
    let there = format!("/channels/{category}/messages");
    let hello = Some(json!({"content": "hello"}));
    assert_eq!(
        call(&house, "POST", &there, hello.clone()).await?.1["code"],
        50_008
    );
    let cellar = house.channel("The Cellar").await?;
    let hidden = format!("/channels/{cellar}/messages");
    assert_eq!(
        call(&house, "POST", &hidden, hello).await?.1["code"],
        50_001
    );
    assert_eq!(call(&house, "DELETE", &message, None).await?.0, 204);
    assert_eq!(call(&house, "GET", &message, None).await?.1["code"], 10_008);
    Ok(())
}

#[tokio::test]
async fn invites_and_the_line_under_a_room_are_made_and_told() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let hearth = house.channel("The Hearth").await?;
    let (mut client, ..) = house.bot(WIDE).await?;
    let path = format!("/channels/{hearth}/voice-status");
    let status = Some(json!({"status": "storytelling"}));
    assert_eq!(call(&house, "PUT", &path, status).await?.0, 204);
    let told = client.dispatch("VOICE_CHANNEL_STATUS_UPDATE").await?;
    assert_eq!(told["status"], "storytelling");
    client.dispatch("GUILD_AUDIT_LOG_ENTRY_CREATE").await?;
    let again = Some(json!({"status": "storytelling"}));
    assert_eq!(call(&house, "PUT", &path, again).await?.0, 204);
    let state = house.state().await?;
    let log = state["guilds"][0]["auditLog"].as_array();
    let set = log.map(|all| all.iter().filter(|one| one["action_type"] == 192).count());
    assert_eq!(set, Some(1), "it stood there already");
    let path = format!("/channels/{hearth}/invites");
    let (_, invite) = call(&house, "POST", &path, Some(json!({"max_age": 60}))).await?;
    assert_eq!(
        client.dispatch("INVITE_CREATE").await?["code"],
        invite["code"]
    );
    let path = format!("/invites/{}", invite["code"].as_str().unwrap_or_default());
    assert_eq!(call(&house, "DELETE", &path, None).await?.0, 200);
    assert_eq!(call(&house, "GET", &path, None).await?.1["code"], 10_006);
    Ok(())
}
