//! What the bot is told of people, commands, presences, pins and files is computed, not made up.

use serde_json::{Value, json};

use crate::{
    house::{Client, Failure, House, INTENTS, Outcome},
    rest_acts::{ADMINISTRATOR, call, empower},
};

const GUILD_PRESENCES: u64 = 1 << 8;
const VIEW_CHANNEL: u64 = 1 << 10;
const SEND_MESSAGES: u64 = 1 << 11;

/// A bot that hears of what a member does in a room.
struct Room {
    house: House,
    client: Client,
    channel: String,
    member: String,
}

impl Room {
    async fn open() -> Result<Self, Failure> {
        let house = House::open().await?;
        empower(&house, ADMINISTRATOR).await?;
        let (client, ..) = house.bot(INTENTS).await?;
        Ok(Self {
            client,
            channel: house.channel("game-night").await?,
            member: house.application.member_id.to_string(),
            house,
        })
    }

    async fn command(&self, body: Value) -> Outcome {
        let path = format!("/applications/{}/commands", self.house.application.id);
        let (status, told) = call(&self.house, "POST", &path, Some(body)).await?;
        assert_eq!(status, 201, "{told}");
        Ok(())
    }

    async fn try_ask(&self, mut body: Value) -> Result<(u16, Value), Failure> {
        body["userId"] = json!(self.member);
        body["channelId"] = json!(self.channel);
        self.house.try_act("POST", "/sim/interactions", body).await
    }

    async fn asks(&mut self, body: Value) -> Result<Value, Failure> {
        let (status, told) = self.try_ask(body).await?;
        assert_eq!(status, 200, "{told}");
        let heard = self.client.until_now().await?;
        let told = heard
            .into_iter()
            .find(|(name, _)| name == "INTERACTION_CREATE");
        Ok(told.ok_or("no INTERACTION_CREATE")?.1)
    }

    async fn answers(&self, told: &Value, body: Value) -> Result<Value, Failure> {
        let (id, token) = (told["id"].as_str(), told["token"].as_str());
        let (id, token) = (id.ok_or("no id")?, token.ok_or("no token")?);
        let path = format!("/interactions/{id}/{token}/callback?with_response=true");
        let (status, answer) = call(&self.house, "POST", &path, Some(body)).await?;
        assert_eq!(status, 200, "{answer}");
        Ok(answer)
    }
}

fn has(permissions: &Value, right: u64) -> bool {
    let bits = permissions
        .as_str()
        .and_then(|text| text.parse::<u64>().ok());
    bits.is_some_and(|bits| bits & right == right)
}

#[tokio::test]
async fn who_and_what_a_command_names_is_told_with_what_may_be_done_there() -> Outcome {
    let mut room = Room::open().await?;
    room.command(json!({"name": "show", "description": "Shows", "options": [
        {"type": 6, "name": "who", "description": "Who", "required": true},
        {"type": 7, "name": "where", "description": "Where", "required": true},
    ]}))
    .await?;
    let guild = room.house.guild().await?;
    let others = guild["members"].as_array().ok_or("no members")?;
    // Neither owns the guild nor rules it.
    let path = format!("/guilds/{}/members", room.house.application.guild_id);
    let user = room
        .house
        .act("POST", "/sim/users", json!({"username": "pat.new"}))
        .await?;
    let user = user["id"].as_str().ok_or("no id")?.to_owned();
    assert!(!others.iter().any(|one| one["userId"] == *user));
    room.house
        .act("POST", &format!("/sim{path}"), json!({"userId": user}))
        .await?;
    room.member.clone_from(&user);
    let mute = json!({"type": 1, "deny": SEND_MESSAGES.to_string()});
    let overwrite = format!("/sim/channels/{}/permissions/{user}", room.channel);
    room.house.act("PUT", &overwrite, mute).await?;
    let desk = room.house.channel("front-desk").await?;
    let hidden = json!({"type": 1, "deny": VIEW_CHANNEL.to_string()});
    let overwrite = format!("/sim/channels/{desk}/permissions/{user}");
    room.house.act("PUT", &overwrite, hidden).await?;

    let options = json!({"who": user, "where": room.channel});
    let told = room
        .asks(json!({"command": "show", "options": options}))
        .await?;
    let resolved = &told["data"]["resolved"];
    for permissions in [
        &resolved["members"][&user]["permissions"],
        &resolved["channels"][&room.channel]["permissions"],
    ] {
        assert!(has(permissions, VIEW_CHANNEL), "{resolved}");
        assert!(!has(permissions, SEND_MESSAGES), "{resolved}");
    }
    let options = json!({"who": user, "where": desk});
    let told = room
        .asks(json!({"command": "show", "options": options}))
        .await?;
    assert_eq!(
        told["data"]["resolved"]["channels"][&desk]["permissions"],
        "0"
    );
    Ok(())
}

#[tokio::test]
async fn of_commands_with_one_name_the_kind_that_is_meant_is_used() -> Outcome {
    let mut room = Room::open().await?;
    room.command(json!({"name": "report", "description": "Reports"}))
        .await?;
    room.command(json!({"name": "report", "type": 2})).await?;
    room.command(json!({"name": "report", "type": 3})).await?;
    room.command(json!({"name": "Hail", "type": 2})).await?;
    let body = json!({"channelId": room.channel, "authorId": room.member, "content": "hear"});
    let said = room.house.act("POST", "/sim/messages", body).await?["id"].clone();
    let member = room.member.clone();
    for (body, kind) in [
        (json!({"command": "report"}), 1),
        (json!({"command": "report", "targetId": member}), 2),
        (json!({"command": "report", "targetId": said}), 3),
        (json!({"command": "report", "targetId": said, "type": 3}), 3),
        (json!({"command": "Hail", "targetId": member}), 2),
    ] {
        let told = room.asks(body).await?;
        assert_eq!(told["data"]["type"], kind);
        let hello = json!({"type": 4, "data": {"content": "heard"}});
        let answer = room.answers(&told, hello).await?;
        let message = &answer["resource"]["message"];
        let about = &message["interaction_metadata"];
        assert_eq!(message["type"], if kind == 1 { 20 } else { 23 });
        let target = match kind {
            2 => (&about["target_user"]["id"], json!(member)),
            3 => (&about["target_message_id"], said.clone()),
            _ => (&about["target_user"], Value::Null),
        };
        assert_eq!(*target.0, target.1, "{about}");
    }
    for wrong in [
        json!({"command": "report", "type": 1, "targetId": member}),
        json!({"command": "Hail", "type": 1}),
        json!({"command": "Hail"}),
    ] {
        assert!(room.try_ask(wrong.clone()).await?.0 >= 400, "{wrong}");
    }
    Ok(())
}

#[tokio::test]
async fn a_modal_is_sent_off_as_a_person_can_fill_it() -> Outcome {
    let mut room = Room::open().await?;
    room.command(json!({"name": "apply", "description": "Applies"}))
        .await?;
    let told = room.asks(json!({"command": "apply"})).await?;
    let label = |component: Value| json!({"type": 18, "label": "x", "component": component});
    let modal = json!({"custom_id": "form", "title": "Form", "components": [
        label(json!({"type": 4, "custom_id": "why", "style": 1, "min_length": 3, "max_length": 5})),
        label(json!({"type": 3, "custom_id": "die", "options": [
            {"label": "six", "value": "6"}, {"label": "ten", "value": "10"},
        ]})),
        label(json!({"type": 5, "custom_id": "who", "required": false})),
    ]});
    room.answers(&told, json!({"type": 9, "data": modal}))
        .await?;
    let member = room.member.clone();
    let fields = json!({"why": "fun", "die": ["6"], "who": [member]});
    let sent = |name: &str, value: Value| {
        let mut fields = fields.clone();
        fields[name] = value;
        json!({"modalOf": told["id"], "fields": fields})
    };
    for (name, wrong) in [
        ("why", json!("it")),
        ("why", json!("for the fun of it")),
        ("die", json!(["20"])),
        ("die", json!(["6", "10"])),
        ("die", json!([])),
        ("die", json!([6])),
        ("who", json!(["nobody"])),
        ("who", json!([member, member])),
    ] {
        let (status, _) = room.try_ask(sent(name, wrong.clone())).await?;
        assert_eq!(status, 400, "{name}: {wrong}");
    }
    let submitted = room.asks(sent("why", json!("fun"))).await?;
    let resolved = &submitted["data"]["resolved"];
    assert_eq!(
        resolved["users"][&member]["id"],
        json!(member),
        "{submitted}"
    );
    let submitted = room.asks(sent("who", json!([]))).await?;
    assert!(submitted["data"].get("resolved").is_none());
    Ok(())
}

#[tokio::test]
async fn the_bot_is_shown_as_it_says_for_as_long_as_it_is_there() -> Outcome {
    let house = House::open().await?;
    let (guild, bot) = (house.application.guild_id, house.application.id.to_string());
    let shown = async |status: &str| {
        house
            .until("/sim/state", |state| {
                let users = state["users"].as_array();
                let mut users = users.into_iter().flatten();
                users.any(|user| user["id"] == *bot && user["status"] == *status)
            })
            .await
    };
    shown("offline").await?;
    let count = async || -> Result<u64, Failure> {
        let (_, told) = house
            .rest(&format!("/guilds/{guild}?with_counts=true"))
            .await?;
        told["approximate_presence_count"]
            .as_u64()
            .ok_or("no count".into())
    };
    let before = count().await?;
    let mut client = house.dial("/gateway?v=10&encoding=json").await?;
    let presence = json!({"presence": {
        "status": "dnd", "since": null, "afk": false,
        "activities": [{"name": "Chess", "type": 0, "state": "losing", "emoji": {}}],
    }});
    client
        .identify_with(INTENTS | GUILD_PRESENCES, presence)
        .await?;
    let (_ready, guilds) = client.begun().await?;
    let own = guilds[0]["presences"]
        .as_array()
        .ok_or("no presences")?
        .iter();
    let mut own = own.filter(|one| one["user"]["id"] == *bot);
    let own = own.next().ok_or("it is not among them")?;
    assert_eq!(
        (&own["status"], &own["activities"][0]["state"]),
        (&json!("dnd"), &json!("losing"))
    );
    assert!(
        own["activities"][0].get("emoji").is_none(),
        "no bot has one"
    );
    shown("dnd").await?;
    assert_eq!(count().await?, before + 1);
    client.until_now().await?;
    let idle = json!({"status": "idle", "since": 1, "afk": false, "activities": []});
    client.send(json!({"op": 3, "d": idle})).await?;
    let told = client.dispatch("PRESENCE_UPDATE").await?;
    assert_eq!(
        (&told["user"]["id"], &told["status"]),
        (&json!(bot), &json!("idle"))
    );
    let invisible = json!({"status": "invisible", "since": null, "afk": false, "activities": []});
    client.send(json!({"op": 3, "d": invisible})).await?;
    shown("offline").await?;
    let (_other, ..) = house.bot(INTENTS).await?;
    shown("online").await?;
    house
        .act("POST", "/sim/token", json!({"kind": "reset"}))
        .await?;
    shown("offline").await?;
    Ok(())
}

#[tokio::test]
async fn what_is_set_on_a_channel_is_kept_or_refused() -> Outcome {
    let room = Room::open().await?;
    let (house, path) = (&room.house, format!("/channels/{}", room.channel));
    let body = json!({
        "default_auto_archive_duration": 60, "default_thread_rate_limit_per_user": 5,
    });
    let (_, told) = call(house, "PATCH", &path, Some(body.clone())).await?;
    for (name, value) in body.as_object().ok_or("no object")? {
        assert_eq!(told[name], *value);
    }
    let body = json!({"name": "Snacks", "type": 11});
    let (_, thread) = call(house, "POST", &format!("{path}/threads"), Some(body)).await?;
    assert_eq!(thread["thread_metadata"]["auto_archive_duration"], 60);
    assert_eq!(thread["rate_limit_per_user"], 5);
    let guild = format!("/guilds/{}", house.application.guild_id);
    for (method, path, body) in [
        ("PATCH", path, json!({"default_auto_archive_duration": 61})),
        ("PATCH", guild.clone(), json!({"features": ["COMMUNITY"]})),
        (
            "POST",
            format!("{guild}/roles"),
            json!({"unicode_emoji": "🎲"}),
        ),
    ] {
        let (status, told) = call(house, method, &path, Some(body)).await?;
        assert_eq!((status, &told["code"]), (400, &json!(50_035)), "{told}");
    }
    let body = json!({"features": [], "name": "Inn"});
    assert_eq!(call(house, "PATCH", &guild, Some(body)).await?.0, 200);
    Ok(())
}

#[tokio::test]
async fn a_channel_tells_when_something_was_pinned_last() -> Outcome {
    let mut room = Room::open().await?;
    let path = format!("/channels/{}", room.channel);
    let (_, before) = call(&room.house, "GET", &path, None).await?;
    assert_eq!(before["last_pin_timestamp"], Value::Null);
    let list = format!("{path}/messages");
    let (_, said) = call(
        &room.house,
        "POST",
        &list,
        Some(json!({"content": "rules"})),
    )
    .await?;
    let pin = format!("{list}/pins/{}", said["id"].as_str().ok_or("no id")?);
    assert_eq!(call(&room.house, "PUT", &pin, None).await?.0, 204);
    let told = room.client.dispatch("CHANNEL_PINS_UPDATE").await?;
    let (_, after) = call(&room.house, "GET", &path, None).await?;
    assert!(after["last_pin_timestamp"].is_string());
    assert_eq!(after["last_pin_timestamp"], told["last_pin_timestamp"]);
    Ok(())
}

#[tokio::test]
async fn a_file_that_an_embed_shows_is_no_attachment_any_more() -> Outcome {
    let room = Room::open().await?;
    let list = format!("/channels/{}/messages", room.channel);
    let token = format!("Bot {}", room.house.application.bot_token);
    let json = json!({"embeds": [
        {"image": {"url": "attachment://a.png"}, "footer": {"text": "x", "icon_url": "attachment://none.png"}},
    ]});
    let part = |named: &str, content: &str| {
        format!("--x\r\nContent-Disposition: form-data; {named}\r\n\r\n{content}\r\n")
    };
    let body = [
        part("name=\"payload_json\"", &json.to_string()),
        part("name=\"files[0]\"; filename=\"a.png\"", "a"),
        part("name=\"files[1]\"; filename=\"b.png\"", "b"),
        "--x--\r\n".to_owned(),
    ];
    let request = room
        .house
        .http
        .post(room.house.url(&format!("/api/v10{list}")));
    let request = request
        .header("authorization", token)
        .header("content-type", "multipart/form-data; boundary=x");
    let said: Value = request.body(body.concat()).send().await?.json().await?;
    let names: Vec<_> = said["attachments"]
        .as_array()
        .ok_or("no list")?
        .iter()
        .collect();
    assert_eq!(names.len(), 1, "{said}");
    assert_eq!(names[0]["filename"], "b.png");
    let address = said["embeds"][0]["image"]["url"]
        .as_str()
        .ok_or("no address")?;
    assert!(
        address.starts_with("https://") && address.ends_with("/a.png"),
        "{address}"
    );
    assert_eq!(
        said["embeds"][0]["footer"]["icon_url"],
        "attachment://none.png"
    );

    let body = json!({
        "channelId": room.channel, "authorId": room.member,
        "attachments": [{"filename": "map.png", "size": 5, "contentType": "image/png"}],
    });
    let id = room.house.act("POST", "/sim/messages", body).await?["id"].clone();
    let own = format!("{list}/{}", id.as_str().ok_or("no id")?);
    let (_, read) = call(&room.house, "GET", &own, None).await?;
    let file = &read["attachments"][0];
    assert_eq!(
        (&file["filename"], &file["size"]),
        (&json!("map.png"), &json!(5))
    );
    assert!(file["id"].is_string() && file["url"].is_string());
    Ok(())
}
