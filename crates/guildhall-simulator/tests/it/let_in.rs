//! What Discord lets in, in each form that a library has for it.

use reqwest::{
    Method,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::{Value, json};

use crate::{
    house::{Failure, House, Outcome},
    rest_acts::{ADMINISTRATOR, call, empower},
};

const V2: u64 = 1 << 15;
const MANAGE_MESSAGES: u64 = 1 << 13;
const MEBIBYTE: usize = 1024 * 1024;

/// A picture of so many characters.
fn picture(length: usize) -> String {
    let begins = "data:image/png;base64,";
    format!("{begins}{}", "A".repeat(length - begins.len()))
}

async fn sent(request: reqwest::RequestBuilder) -> Result<(u16, Value), Failure> {
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    let text = answer.text().await?;
    Ok((status, serde_json::from_str(&text).unwrap_or_default()))
}

/// A request with parts: what stands behind `form-data;` of each, and what is in it.
fn with_parts(
    request: reqwest::RequestBuilder,
    parts: &[(&str, &[u8])],
) -> reqwest::RequestBuilder {
    let mut body = Vec::new();
    for (named, content) in parts {
        let head = format!("--x\r\nContent-Disposition: form-data; {named}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x--\r\n");
    let kind = "multipart/form-data; boundary=x";
    request.header(CONTENT_TYPE, kind).body(body)
}

fn as_bot(house: &House, method: Method, path: &str) -> reqwest::RequestBuilder {
    let token = format!("Bot {}", house.application.bot_token);
    let url = house.url(&format!("/api/v10{path}"));
    house.http.request(method, url).header(AUTHORIZATION, token)
}

#[tokio::test]
async fn json_is_read_from_a_field_of_a_form_whatever_the_form_is() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let path = format!("/channels/{}/messages", house.channel("game-night").await?);
    let json = r#"{"content":"a & b=c"}"#;
    let text: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("payload_json", json)
        .finish();
    let urlencoded = || {
        as_bot(&house, Method::POST, &path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
    };
    let (status, said) = sent(urlencoded().body(text)).await?;
    assert_eq!((status, &said["content"]), (200, &json!("a & b=c")));
    let parts: [(&str, &[u8]); 1] = [("name=\"payload_json\"", json.as_bytes())];
    let request = with_parts(as_bot(&house, Method::POST, &path), &parts);
    let (status, said) = sent(request).await?;
    assert_eq!((status, &said["content"]), (200, &json!("a & b=c")));
    let (status, said) = sent(urlencoded().body("content=plain")).await?;
    assert_eq!((status, &said["content"]), (200, &json!("plain")));
    let (status, said) = sent(urlencoded().body("payload_json=%7B")).await?;
    assert_eq!((status, &said["code"]), (400, &json!(50_109)));
    Ok(())
}

#[tokio::test]
async fn files_have_ten_mebibytes_and_pictures_too() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let path = format!("/channels/{}/messages", house.channel("game-night").await?);
    let large = vec![7; 10 * MEBIBYTE + 1];
    let (first, second) = (
        r#"name="files[0]"; filename="a""#,
        r#"name="files[1]"; filename="b""#,
    );
    let two: [(&str, &[u8]); 2] = [(first, &large[1..]), (second, &large[..3 * MEBIBYTE])];
    let request = with_parts(as_bot(&house, Method::POST, &path), &two);
    let (status, said) = sent(request).await?;
    assert_eq!(status, 200, "{said}");
    assert_eq!(said["attachments"][0]["size"], 10 * MEBIBYTE);
    let one: [(&str, &[u8]); 1] = [(first, &large)];
    let request = with_parts(as_bot(&house, Method::POST, &path), &one);
    let (status, said) = sent(request).await?;
    assert_eq!((status, &said["code"]), (413, &json!(40_005)));

    let avatar =
        |text: String| as_bot(&house, Method::PATCH, "/users/@me").json(&json!({"avatar": text}));
    let (status, said) = sent(avatar(picture(13 * MEBIBYTE))).await?;
    assert_eq!(status, 200, "{said}");
    let (status, said) = sent(avatar("a picture".to_owned())).await?;
    assert_eq!((status, &said["code"]), (400, &json!(50_035)));
    // More is read to its end and then refused: nobody's connection is torn.
    let (status, said) = sent(avatar(picture(15 * MEBIBYTE))).await?;
    assert_eq!((status, &said["code"]), (413, &json!(40_005)));
    // So is what is refused before anybody looks at it.
    let url = house.url(&format!("/api/v10{path}"));
    let (status, _) = sent(house.http.post(url).body(vec![b' '; 8 * MEBIBYTE])).await?;
    assert_eq!(status, 401);
    Ok(())
}

#[tokio::test]
async fn a_file_is_called_what_its_quoted_name_says() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let path = format!("/channels/{}/messages", house.channel("game-night").await?);
    for (written, name) in [
        (r#""a;b.txt""#, "a;b.txt"),
        (r#""a=b; name=c.txt""#, "a=b; name=c.txt"),
        (r#""say \"hi\".txt""#, r#"say "hi".txt"#),
        (r#""say %22hi%22.txt""#, r#"say "hi".txt"#),
        ("plain.txt", "plain.txt"),
    ] {
        let named = format!("name=\"files[0]\"; filename={written}");
        let request = with_parts(as_bot(&house, Method::POST, &path), &[(&named, b"hi")]);
        let (status, said) = sent(request).await?;
        assert_eq!(
            (status, &said["attachments"][0]["filename"]),
            (200, &json!(name))
        );
    }
    Ok(())
}

#[tokio::test]
async fn every_intent_that_a_library_has_is_let_in() -> Outcome {
    let house = House::open().await?;
    let (_client, ready, _) = house.bot(53_739_519).await?;
    assert_eq!(ready["v"], 10);
    let mut client = house.dial("/gateway?v=10&encoding=json").await?;
    client.identify(1 << 18).await?;
    assert_eq!(client.closed_with().await?, Some(4013));
    Ok(())
}

/// Text as components of version 2.
fn texts(texts: &[&str]) -> Value {
    let text = |text: &&str| json!({"type": 10, "content": text});
    texts.iter().map(text).collect()
}

#[tokio::test]
async fn a_message_of_components_is_edited_without_saying_so_again() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let list = format!("/channels/{}/messages", house.channel("game-night").await?);
    let body = json!({"flags": V2, "components": texts(&["a"])});
    let (_, said) = call(&house, "POST", &list, Some(body)).await?;
    let own = format!("{list}/{}", said["id"].as_str().ok_or("no id")?);
    let (status, edited) = call(
        &house,
        "PATCH",
        &own,
        Some(json!({"components": texts(&["b"])})),
    )
    .await?;
    assert_eq!(status, 200, "{edited}");
    assert_eq!(
        (&edited["components"][0]["content"], &edited["flags"]),
        (&json!("b"), &json!(V2))
    );
    let (long, poll) = (
        "x".repeat(2001),
        json!({"question": {"text": "When?"}, "answers": [{"poll_media": {"text": "Now"}}]}),
    );
    for (wrong, field) in [
        (json!({"content": "plain"}), "content"),
        (json!({"embeds": [{"title": "plain"}]}), "embeds"),
        (json!({"poll": poll}), "poll"),
        (json!({"components": texts(&[&long, &long])}), "components"),
        (json!({"components": texts(&["x"; 41])}), "components"),
    ] {
        let mut new = json!({"flags": V2, "components": texts(&["a"])});
        for (name, value) in wrong.as_object().ok_or("no object")? {
            new[name] = value.clone();
        }
        for (method, path, body) in [("PATCH", &own, wrong), ("POST", &list, new)] {
            let (status, refusal) = call(&house, method, path, Some(body)).await?;
            assert_eq!(status, 400, "{method} {field}: {refusal}");
            assert!(refusal["errors"][field].is_object(), "{method} {refusal}");
        }
    }
    let nested = json!({"type": 17, "components": texts(&["x"; 40])});
    let body = json!({"flags": V2, "components": [nested]});
    assert_eq!(call(&house, "POST", &list, Some(body)).await?.0, 400);

    let (_, plain) = call(&house, "POST", &list, Some(json!({"content": "plain"}))).await?;
    let own = format!("{list}/{}", plain["id"].as_str().ok_or("no id")?);
    let turned = json!({"flags": V2, "components": texts(&["a"])});
    let (status, refusal) = call(&house, "PATCH", &own, Some(turned.clone())).await?;
    assert_eq!(status, 400, "its content would stay: {refusal}");
    let mut turned = turned;
    turned["content"] = Value::Null;
    assert_eq!(call(&house, "PATCH", &own, Some(turned)).await?.0, 200);
    Ok(())
}

#[tokio::test]
async fn a_webhooks_message_of_components_is_edited_so_too() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let path = format!("/channels/{}/webhooks", house.channel("game-night").await?);
    let (_, made) = call(&house, "POST", &path, Some(json!({"name": "Herald"}))).await?;
    let (id, token) = (
        made["id"].as_str().ok_or("id")?,
        made["token"].as_str().ok_or("token")?,
    );
    let path = format!("/webhooks/{id}/{token}");
    let body = json!({"flags": V2, "components": texts(&["a"])});
    let (_, said) = call(&house, "POST", &format!("{path}?wait=true"), Some(body)).await?;
    let own = format!("{path}/messages/{}", said["id"].as_str().ok_or("no id")?);
    let (status, edited) = call(
        &house,
        "PATCH",
        &own,
        Some(json!({"components": texts(&["b"])})),
    )
    .await?;
    assert_eq!(
        (status, &edited["components"][0]["content"]),
        (200, &json!("b"))
    );
    let (status, _) = call(&house, "PATCH", &own, Some(json!({"content": "plain"}))).await?;
    assert_eq!(status, 400);
    Ok(())
}

#[tokio::test]
async fn whoever_manages_messages_hides_the_embeds_of_others_and_nothing_else() -> Outcome {
    let house = House::open().await?;
    let room = house.channel("game-night").await?;
    let body = json!({
        "channelId": room, "authorId": house.application.member_id, "content": "hear",
        "embeds": [{"title": "Tonight"}],
    });
    let id = house.act("POST", "/sim/messages", body).await?["id"].clone();
    let own = format!("/channels/{room}/messages/{}", id.as_str().ok_or("no id")?);
    empower(&house, 1 << 10 | 1 << 11).await?;
    let hide = json!({"flags": 4});
    let (status, refusal) = call(&house, "PATCH", &own, Some(hide.clone())).await?;
    assert_eq!((status, &refusal["code"]), (403, &json!(50_013)));
    empower(&house, MANAGE_MESSAGES | 1 << 10).await?;
    let (status, hidden) = call(&house, "PATCH", &own, Some(hide)).await?;
    assert_eq!((status, &hidden["flags"]), (200, &json!(4)));
    assert_eq!(hidden["edited_timestamp"], Value::Null);
    for more in [
        json!({"flags": 4, "content": "mine"}),
        json!({"content": "mine"}),
    ] {
        let (status, refusal) = call(&house, "PATCH", &own, Some(more)).await?;
        assert_eq!((status, &refusal["code"]), (403, &json!(50_005)));
    }
    Ok(())
}

#[tokio::test]
async fn commands_are_called_in_any_script_that_discord_takes() -> Outcome {
    let house = House::open().await?;
    let path = format!("/applications/{}/commands", house.application.id);
    for name in ["พูดคุย", "ที่", "नमस्ते", "हिन्दी", "häuser", "日本語", "a-b_c'd"]
    {
        let body = json!({"name": name, "description": "x"});
        let (status, told) = call(&house, "POST", &path, Some(body)).await?;
        assert_eq!((status, &told["name"]), (201, &json!(name)), "{told}");
    }
    for name in ["a b", "a!", "Ab", "।", "฿"] {
        let body = json!({"name": name, "description": "x"});
        let (status, _) = call(&house, "POST", &path, Some(body)).await?;
        assert_eq!(status, 400, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn earlier_versions_of_the_api_are_this_one() -> Outcome {
    let house = House::open().await?;
    let token = format!("Bot {}", house.application.bot_token);
    for prefix in ["/api/v9", "/api"] {
        for path in ["/users/@me", "/users/%40me", "/users/@me/guilds?limit=1"] {
            let url = house.url(&format!("{prefix}{path}"));
            let request = house.http.get(url).header(AUTHORIZATION, &token);
            let (status, told) = sent(request).await?;
            assert_eq!(status, 200, "{prefix}{path}: {told}");
        }
    }
    let requests = house.state().await?["requests"].clone();
    let counted = requests.to_string();
    assert!(counted.contains("/users/@me/guilds"), "{counted}");
    Ok(())
}

#[tokio::test]
async fn an_invite_is_shown_to_everybody_and_a_false_token_is_not_taken() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let path = format!("/channels/{}/invites", house.channel("game-night").await?);
    let (_, made) = call(&house, "POST", &path, Some(json!({}))).await?;
    let code = made["code"].as_str().ok_or("no code")?;
    let url = house.url(&format!("/api/v10/invites/{code}?with_counts=true"));
    let (status, told) = sent(house.http.get(&url)).await?;
    assert_eq!((status, &told["code"]), (200, &json!(code)));
    assert!(told["approximate_member_count"].is_u64());
    let (status, _) = sent(house.http.get(&url).header(AUTHORIZATION, "Bot no.body")).await?;
    assert_eq!(status, 401);
    Ok(())
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_named() -> Outcome {
    let house = House::open().await?;
    for (method, path, status) in [("PUT", "/gateway", 405), ("GET", "/rooms", 404)] {
        let (told, answer) = call(&house, method, path, None).await?;
        let said = answer["simulator"].as_str().unwrap_or_default();
        assert_eq!(told, status);
        assert!(
            said.starts_with(&format!("{method} /api/v10{path} is no route")),
            "{answer}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn many_are_banned_at_once_as_far_as_they_can_be() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let guild = house.guild().await?;
    let path = format!("/guilds/{}/bulk-ban", house.application.guild_id);
    let (owner, member) = (
        guild["ownerId"].clone(),
        house.application.member_id.to_string(),
    );
    let owner = owner.as_str().ok_or("no owner")?;
    let who = if owner == member {
        let others = guild["members"].as_array().ok_or("no members")?.iter();
        let bot = house.application.id.to_string();
        let mut others = others.filter_map(|one| one["userId"].as_str());
        others
            .find(|id| *id != owner && *id != bot)
            .ok_or("nobody else")?
            .to_owned()
    } else {
        member
    };
    let body = json!({"user_ids": [who, "1", owner]});
    let (status, told) = call(&house, "POST", &path, Some(body)).await?;
    assert_eq!(status, 200, "{told}");
    assert_eq!(
        told,
        json!({"banned_users": [who], "failed_users": ["1", owner]})
    );
    let (status, told) = call(&house, "POST", &path, Some(json!({"user_ids": [who]}))).await?;
    assert_eq!((status, &told["code"]), (400, &json!(500_000)));
    Ok(())
}

#[tokio::test]
async fn the_application_changes_what_is_its_own_and_says_what_is_not() -> Outcome {
    let house = House::open().await?;
    let path = "/applications/@me";
    let (_, before) = call(&house, "GET", path, None).await?;
    let key = house.state().await?["application"]["publicKey"].clone();
    assert_eq!(
        (
            &before["summary"],
            &before["verify_key"],
            &before["event_webhooks_status"]
        ),
        (&json!(""), &key, &json!(1))
    );
    let body = json!({"description": "Keeps the door.", "tags": ["inn"], "flags": 1 << 15});
    let (status, after) = call(&house, "PATCH", path, Some(body)).await?;
    assert_eq!(status, 200, "{after}");
    assert_eq!(
        (&after["description"], &after["tags"], &after["flags"]),
        (&json!("Keeps the door."), &json!(["inn"]), &json!(1 << 15))
    );
    let switches = &house.state().await?["application"]["privilegedIntents"];
    assert_eq!(
        *switches,
        json!({"guildMembers": true, "guildPresences": false, "messageContent": false})
    );
    let body = json!({"interactions_endpoint_url": "https://example.com"});
    let (status, refusal) = call(&house, "PATCH", path, Some(body)).await?;
    assert_eq!(status, 400);
    assert!(refusal["errors"]["interactions_endpoint_url"].is_object());
    Ok(())
}

#[tokio::test]
async fn what_can_be_mentioned_is_a_role_or_somebody() -> Outcome {
    let house = House::open().await?;
    let (mut client, ..) = house.bot(1).await?;
    let path = format!("/applications/{}/commands", house.application.id);
    let who = json!({"type": 9, "name": "who", "description": "Who", "required": true});
    let body = json!({"name": "hail", "description": "Hails", "options": [who]});
    assert_eq!(call(&house, "POST", &path, Some(body)).await?.0, 201);
    let (room, member) = (
        house.channel("game-night").await?,
        house.application.member_id,
    );
    let list = format!("/channels/{room}/messages");
    let select = json!({"type": 7, "custom_id": "who"});
    let body = json!({"content": "Who?", "components": [{"type": 1, "components": [select]}]});
    let (_, said) = call(&house, "POST", &list, Some(body)).await?;
    let (role, member) = (house.role("Keeper").await?, member.to_string());
    for (id, kind) in [(&role, "roles"), (&member, "users")] {
        for mut body in [
            json!({"command": "hail", "options": {"who": id}}),
            json!({"messageId": said["id"], "customId": "who", "values": [id]}),
        ] {
            body["userId"] = json!(member);
            body["channelId"] = json!(room);
            house.act("POST", "/sim/interactions", body).await?;
            let told = client.dispatch("INTERACTION_CREATE").await?;
            assert!(told["data"]["resolved"][kind][id].is_object(), "{told}");
        }
    }
    let body = json!({
        "userId": member, "channelId": room, "command": "hail", "options": {"who": "1"},
    });
    assert_eq!(
        house.try_act("POST", "/sim/interactions", body).await?.0,
        404
    );
    Ok(())
}
