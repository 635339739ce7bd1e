//! Mistakes that Discord refuses, refused here.

use serde_json::{Value, json};

use crate::{
    house::{House, Outcome},
    rest_acts::{ADMINISTRATOR, call, empower},
};

#[tokio::test]
async fn components_that_discord_refuses_are_refused() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let list = format!("/channels/{}/messages", house.channel("game-night").await?);
    let button = |label: &str| json!({"type": 2, "style": 1, "label": label, "custom_id": label});
    let select = |more: Value| {
        let mut select = json!({"type": 3, "custom_id": "die", "options": [
            {"label": "six", "value": "6"}, {"label": "ten", "value": "10"},
        ]});
        for (name, value) in more.as_object().into_iter().flatten() {
            select[name] = value.clone();
        }
        select
    };
    let input = json!({"type": 4, "custom_id": "why", "style": 1, "label": "Why"});
    let twins = json!([{"label": "six", "value": "6"}, {"label": "sechs", "value": "6"}]);
    for (row, fits) in [
        (json!([button("a"), button("b")]), true),
        (
            json!([select(json!({"min_values": 0, "max_values": 2}))]),
            true,
        ),
        (json!([{"type": 99}]), false),
        (json!([input]), false),
        (json!([button("a"), select(json!({}))]), false),
        (json!([button(&"x".repeat(81))]), false),
        (json!([select(json!({"min_values": 9}))]), false),
        (json!([select(json!({"max_values": 3}))]), false),
        (json!([select(json!({"options": twins}))]), false),
        (
            json!([select(json!({"options": [{"label": "six"}]}))]),
            false,
        ),
        (json!([select(json!({"options": [{"value": "6"}]}))]), false),
        (
            json!([select(json!({"placeholder": "x".repeat(151)}))]),
            false,
        ),
    ] {
        let body = json!({"content": "x", "components": [{"type": 1, "components": row}]});
        let (status, told) = call(&house, "POST", &list, Some(body)).await?;
        assert_eq!(status, if fits { 200 } else { 400 }, "{row}: {told}");
    }
    for (component, fits) in [
        (json!({"type": 10, "content": "x"}), true),
        (json!({"type": 10}), false),
        (json!({"type": 18, "label": "x", "component": input}), false),
    ] {
        let body = json!({"flags": 1 << 15, "components": [component]});
        let (status, told) = call(&house, "POST", &list, Some(body)).await?;
        assert_eq!(status, if fits { 200 } else { 400 }, "{component}: {told}");
    }
    Ok(())
}

#[tokio::test]
async fn commands_that_discord_refuses_are_refused() -> Outcome {
    let house = House::open().await?;
    let path = format!("/applications/{}/commands", house.application.id);
    let command = |more: Value| {
        let mut command = json!({"name": "roll", "description": "Rolls"});
        for (name, value) in more.as_object().into_iter().flatten() {
            command[name] = value.clone();
        }
        command
    };
    let option = |more: Value| {
        let mut option = json!({"name": "one", "description": "One"});
        for (name, value) in more.as_object().into_iter().flatten() {
            option[name] = value.clone();
        }
        command(json!({"options": [option]}))
    };
    let choices = |value: Value| json!([{"name": "x", "value": value}]);
    let long: Vec<_> = (0..25)
        .map(|turn| {
            let choices: Vec<_> = (0..5)
                .map(|choice| json!({"name": "n".repeat(50), "value": format!("{choice:050}")}))
                .collect();
            json!({"type": 3, "name": format!("o{turn}"), "description": "x", "choices": choices})
        })
        .collect();
    for (body, fits) in [
        (
            command(json!({"default_member_permissions": "8", "contexts": [0, 1]})),
            true,
        ),
        (
            command(json!({"default_member_permissions": null, "contexts": null})),
            true,
        ),
        (
            option(json!({"type": 4, "min_value": 1, "choices": choices(json!(6))})),
            true,
        ),
        (
            option(json!({"type": 10, "max_value": 1.5, "autocomplete": true})),
            true,
        ),
        (command(json!({"default_member_permissions": "abc"})), false),
        (command(json!({"contexts": ["x"]})), false),
        (command(json!({"contexts": [3]})), false),
        (command(json!({"type": 4})), false),
        (command(json!({"options": long})), false),
        (
            option(json!({"type": 4, "choices": choices(json!("six"))})),
            false,
        ),
        (
            option(json!({"type": 3, "choices": choices(json!(6))})),
            false,
        ),
        (
            option(json!({"type": 3, "choices": choices(json!("six")), "autocomplete": true})),
            false,
        ),
        (option(json!({"type": 5, "autocomplete": true})), false),
        (option(json!({"type": 4, "min_value": "x"})), false),
        (option(json!({"type": 3, "min_value": 1})), false),
        (option(json!({"type": 3, "max_length": 6001})), false),
    ] {
        let (status, told) = call(&house, "POST", &path, Some(body.clone())).await?;
        assert_eq!(status < 300, fits, "{body}: {told}");
        assert!(fits || told["code"] == 50_035, "{told}");
    }
    let other = json!({"name": "other", "description": "x"});
    let (_, other) = call(&house, "POST", &path, Some(other)).await?;
    let own = format!("{path}/{}", other["id"].as_str().ok_or("no id")?);
    let taken = json!({"name": "roll"});
    assert_eq!(call(&house, "PATCH", &own, Some(taken)).await?.0, 400);
    let same = json!({"name": "other", "description": "y"});
    assert_eq!(call(&house, "PATCH", &own, Some(same)).await?.0, 200);
    Ok(())
}

#[tokio::test]
async fn a_command_is_there_for_those_alone_whom_it_is_for() -> Outcome {
    let house = House::open().await?;
    let path = format!("/applications/{}/commands", house.application.id);
    for command in [
        json!({"name": "here", "description": "x", "contexts": [0]}),
        json!({"name": "apart", "description": "x", "contexts": [1]}),
        json!({"name": "rule", "description": "x", "default_member_permissions": "8"}),
        json!({"name": "none", "description": "x", "default_member_permissions": "0"}),
    ] {
        let (status, told) = call(&house, "POST", &path, Some(command)).await?;
        assert_eq!(status, 201, "{told}");
    }
    let guild = house.application.guild_id;
    let user = house
        .act("POST", "/sim/users", json!({"username": "pat.new"}))
        .await?;
    let id = user["id"].as_str().ok_or("no id")?;
    let body = json!({"userId": id});
    house
        .act("POST", &format!("/sim/guilds/{guild}/members"), body)
        .await?;
    let direct = format!("/sim/users/{id}/direct-messages");
    let direct = house.act("POST", &direct, json!({})).await?["id"].clone();
    let room = json!(house.channel("game-night").await?);
    for (command, place, fits) in [
        ("here", &room, true),
        ("here", &direct, false),
        ("apart", &room, false),
        ("apart", &direct, true),
        ("rule", &room, false),
        ("none", &room, false),
    ] {
        let body = json!({"userId": id, "channelId": place, "command": command});
        let (status, told) = house.try_act("POST", "/sim/interactions", body).await?;
        assert_eq!(status < 300, fits, "{command}: {told}");
    }
    let role = json!({"permissions": "8"});
    let everyone = format!("/sim/roles/{guild}");
    house.act("PATCH", &everyone, role).await?;
    for command in ["rule", "none"] {
        let body = json!({"userId": id, "channelId": room, "command": command});
        house.act("POST", "/sim/interactions", body).await?;
    }
    Ok(())
}

#[tokio::test]
async fn small_mistakes_are_refused_and_forwards_say_that_they_are_absent() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let room = house.channel("game-night").await?;
    let list = format!("/channels/{room}/messages");
    let (_, said) = call(&house, "POST", &list, Some(json!({"content": "hear"}))).await?;
    let id = said["id"].as_str().ok_or("no id")?;
    for emoji in ["foo:123", "%C3%A9t%C3%A9", "abc"] {
        let path = format!("{list}/{id}/reactions/{emoji}/@me");
        let (status, told) = call(&house, "PUT", &path, None).await?;
        assert_eq!((status, &told["code"]), (400, &json!(10_014)), "{emoji}");
    }
    let guild = format!("/guilds/{}", house.application.guild_id);
    let poll =
        |answers: Value| json!({"poll": {"question": {"text": "When?"}, "answers": answers}});
    for (method, path, body, field) in [
        ("POST", &list, poll(json!([])), "poll"),
        ("POST", &list, poll(json!([{"poll_media": {}}])), "poll"),
        ("PATCH", &guild, json!({"afk_timeout": 7}), "afk_timeout"),
        (
            "PATCH",
            &"/users/@me".to_owned(),
            json!({"username": "my discord bot"}),
            "username",
        ),
        (
            "POST",
            &list,
            json!({"message_reference": {"type": 1, "message_id": id, "channel_id": room}}),
            "message_reference",
        ),
    ] {
        let (status, told) = call(&house, method, path, Some(body)).await?;
        assert_eq!(
            (status, &told["code"]),
            (400, &json!(50_035)),
            "{field}: {told}"
        );
        assert!(told["errors"][field].is_object(), "{told}");
    }
    let body = json!({"afk_channel_id": room});
    let (status, told) = call(&house, "PATCH", &guild, Some(body)).await?;
    assert_eq!((status, &told["code"]), (400, &json!(50_024)));
    let body = json!({"afk_channel_id": house.channel("The Hearth").await?, "afk_timeout": 900});
    assert_eq!(call(&house, "PATCH", &guild, Some(body)).await?.0, 200);
    Ok(())
}
