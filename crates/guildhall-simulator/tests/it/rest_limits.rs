//! What a body may hold, what a path may be, which channels a guild has.

use serde_json::{Value, json};

use crate::{
    house::{House, Outcome},
    rest_acts::{ADMINISTRATOR, call, empower},
};

/// What is taken, what is not, where the complaint stands, and its code.
#[expect(clippy::too_many_lines, reason = "a flat table")]
fn limits() -> Vec<(Value, Value, &'static str, &'static str)> {
    let long = |length: usize| "é".repeat(length);
    let fields = |count: usize| json!(vec![json!({"name": "a", "value": "b"}); count]);
    let field = |name: usize, value: usize| json!([{"name": long(name), "value": long(value)}]);
    let too_long = "BASE_TYPE_MAX_LENGTH";
    let bad_length = "BASE_TYPE_BAD_LENGTH";
    vec![
        (
            json!({"title": long(256)}),
            json!({"title": long(257)}),
            "/title",
            too_long,
        ),
        (
            json!({"description": long(4096)}),
            json!({"description": long(4097)}),
            "/description",
            too_long,
        ),
        (
            json!({"fields": fields(25)}),
            json!({"fields": fields(26)}),
            "/fields",
            too_long,
        ),
        (
            json!({"fields": field(256, 1024)}),
            json!({"fields": field(257, 1024)}),
            "/fields/0/name",
            bad_length,
        ),
        (
            json!({"fields": field(1, 1)}),
            json!({"fields": field(1, 1025)}),
            "/fields/0/value",
            bad_length,
        ),
        (
            json!({"footer": {"text": long(2048)}}),
            json!({"footer": {"text": long(2049)}}),
            "/footer/text",
            too_long,
        ),
        (
            json!({"author": {"name": long(256)}}),
            json!({"author": {"name": long(257)}}),
            "/author/name",
            too_long,
        ),
        (
            json!({"title": "x", "url": "https://example.org/"}),
            json!({"title": "x", "url": "nope"}),
            "/url",
            "URL_TYPE_INVALID_URL",
        ),
        (
            json!({"image": {"url": "attachment://map.png"}}),
            json!({"image": {"url": "javascript:1"}}),
            "/image/url",
            "URL_TYPE_INVALID_SCHEME",
        ),
        (
            json!({"title": "x", "timestamp": "2026-01-01T00:00:00Z"}),
            json!({"title": "x", "timestamp": "today"}),
            "/timestamp",
            "DATE_TIME_TYPE_PARSE",
        ),
        (
            json!({"title": "x", "color": 0x00ff_ffff}),
            json!({"title": "x", "color": "red"}),
            "/color",
            "NUMBER_TYPE_COERCE",
        ),
        (
            json!({"title": "x"}),
            json!({"title": 5}),
            "/title",
            "STRING_TYPE_CONVERT",
        ),
        (
            json!({"description": "x"}),
            json!({}),
            "/description",
            "BASE_TYPE_REQUIRED",
        ),
        (
            json!({"title": "x", "footer": null}),
            json!({"footer": "x"}),
            "/footer",
            "DICT_TYPE_CONVERT",
        ),
    ]
}

#[tokio::test]
async fn embeds_are_as_long_as_discord_lets_them_be_and_no_longer() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let desk = house.channel("front-desk").await?;
    let path = format!("/channels/{desk}/messages");
    for (good, bad, place, code) in limits() {
        let (status, answer) = call(&house, "POST", &path, Some(json!({"embeds": [good]}))).await?;
        assert_eq!(status, 200, "{place}: {answer}");
        let message = answer["id"].as_str().unwrap_or_default();
        let own = format!("{path}/{message}");
        for (method, path) in [("POST", &path), ("PATCH", &own)] {
            let (status, answer) =
                call(&house, method, path, Some(json!({"embeds": [bad]}))).await?;
            assert_eq!((status, &answer["code"]), (400, &json!(50_035)), "{place}");
            let found = answer["errors"]["embeds"]["0"].pointer(&format!("{place}/_errors/0/code"));
            assert_eq!(found, Some(&json!(code)), "{answer}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_component_poll_or_reference_is_refused() -> Outcome {
    let house = House::open().await?;
    let desk = house.channel("front-desk").await?;
    let path = format!("/channels/{desk}/messages");
    for (name, wrong, code) in [
        ("components", json!([5]), "DICT_TYPE_CONVERT"),
        ("components", json!("buttons"), "LIST_TYPE_CONVERT"),
        ("poll", json!(5), "DICT_TYPE_CONVERT"),
        ("message_reference", json!("5"), "DICT_TYPE_CONVERT"),
    ] {
        let mut body = json!({"content": "x"});
        body[name] = wrong;
        let (_, answer) = call(&house, "POST", &path, Some(body)).await?;
        assert_eq!(answer["code"], 50_035, "{name}");
        let errors = answer["errors"][name].to_string();
        assert!(errors.contains(code), "{errors}");
    }
    let button = json!({"type": 2, "style": 2, "label": "Roll", "custom_id": "roll"});
    for (row, status) in [(json!([]), 400), (json!([button]), 200)] {
        let body = json!({"content": "x", "components": [{"type": 1, "components": row}]});
        assert_eq!(call(&house, "POST", &path, Some(body)).await?.0, status);
    }
    Ok(())
}

#[tokio::test]
async fn a_path_that_is_no_text_is_answered_in_json() -> Outcome {
    let house = House::open().await?;
    let desk = house.channel("front-desk").await?;
    let guild = house.application.guild_id;
    let reactions = format!("/channels/{desk}/messages/1/reactions");
    for (method, path) in [
        ("GET", "/invites/%ff".to_owned()),
        ("DELETE", "/invites/%80".to_owned()),
        ("GET", format!("/guilds/{guild}/voice-states/%ff")),
        ("GET", "/guilds/%ff/voice-states/@me".to_owned()),
        ("PUT", format!("{reactions}/%ff/@me")),
        ("DELETE", format!("{reactions}/%ff/@me")),
        ("DELETE", format!("{reactions}/%ff/5")),
        ("DELETE", format!("{reactions}/%ff")),
        ("GET", format!("{reactions}/%ff")),
        ("GET", "/channels/%ff".to_owned()),
    ] {
        let (status, answer) = call(&house, method, &path, None).await?;
        assert_eq!(status, 404, "{method} {path}");
        assert_eq!(answer, json!({"message": "404: Not Found", "code": 0}));
    }
    for path in ["/api", "/api/", "/api/v10", "/api/v10/", "/api/v8/gateway"] {
        let answer = house.http.get(house.url(path)).send().await?;
        assert_eq!(answer.status(), 404, "{path}");
        let answer: Value = answer.json().await?;
        assert_eq!(answer["message"], "404: Not Found", "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_guild_without_features_has_plain_channels_in_known_regions() -> Outcome {
    let house = House::open().await?;
    empower(&house, ADMINISTRATOR).await?;
    let path = format!("/guilds/{}/channels", house.application.guild_id);
    let make = async |mut body: Value| {
        body["name"] = json!("Nook");
        call(&house, "POST", &path, Some(body)).await
    };
    for kind in [0, 2, 4] {
        assert_eq!(make(json!({"type": kind})).await?.0, 201, "{kind}");
    }
    for kind in [5, 13, 15] {
        assert_eq!(make(json!({"type": kind})).await?.1["code"], 50_024);
    }
    assert_eq!(make(json!({"type": 1})).await?.1["code"], 50_035);
    let body = json!({"type": 2, "rtc_region": "rotterdam", "video_quality_mode": 2});
    let (status, room) = make(body).await?;
    assert_eq!(status, 201);
    assert_eq!(
        (&room["rtc_region"], &room["video_quality_mode"]),
        (&json!("rotterdam"), &json!(2))
    );
    let own = format!("/channels/{}", room["id"].as_str().unwrap_or_default());
    for (name, wrong, code) in [
        ("rtc_region", json!("atlantis"), 50_035),
        ("video_quality_mode", json!(3), 50_035),
        ("video_quality_mode", json!(0), 50_035),
        ("type", json!(0), 50_024),
    ] {
        let mut body = json!({});
        body[name] = wrong;
        let (_, answer) = call(&house, "PATCH", &own, Some(body)).await?;
        assert_eq!(answer["code"], code, "{name}: {answer}");
    }
    let auto = json!({"rtc_region": null, "type": 2});
    let (status, room) = call(&house, "PATCH", &own, Some(auto)).await?;
    assert_eq!((status, &room["rtc_region"]), (200, &Value::Null));

    let category = house.channel("Welcome").await?;
    let invite = |channel: &str| format!("/channels/{channel}/invites");
    let (_, refusal) = call(&house, "POST", &invite(&category), Some(json!({}))).await?;
    assert_eq!(refusal["code"], 50_024);
    let desk = house.channel("front-desk").await?;
    let (status, _) = call(&house, "POST", &invite(&desk), Some(json!({}))).await?;
    assert_eq!(status, 200);
    Ok(())
}
