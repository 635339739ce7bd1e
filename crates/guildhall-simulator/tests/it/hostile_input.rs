use std::time::Duration;

use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use serde_json::{Value, json};

use crate::{
    house::{Failure, House, INTENTS, Outcome},
    raw::{Frame, GATEWAY, Raw},
};

/// Draws `count` values; the same on every run, so that a failure comes again.
fn drawn<T>(strategy: &impl Strategy<Value = T>, count: usize) -> Result<Vec<T>, Failure> {
    let mut runner = TestRunner::deterministic();
    (0..count)
        .map(|_| {
            Ok(strategy
                .new_tree(&mut runner)
                .map_err(|why| why.to_string())?
                .current())
        })
        .collect()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        let keys = prop_oneof![
            ".{0,8}",
            "op|d|s|t|token|intents|seq|session_id|shard|properties|kind|status|activities|privilegedIntents|content|authorId|userId|channelId|guildId|name|id|type|permissionOverwrites|roles|guilds|seconds|eventsPerSecond|stamp"
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(keys, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[tokio::test]
async fn no_frame_breaks_the_gateway() -> Outcome {
    let house = House::open().await?;
    let frames = prop_oneof![
        ".{0,64}",
        any_json().prop_map(|json| json.to_string()),
        (0_i64..50, any_json()).prop_map(|(op, d)| json!({"op": op, "d": d}).to_string()),
    ];
    for (turn, frame) in drawn(&frames, 160)?.iter().enumerate() {
        let mut client = if turn % 2 == 0 {
            house.dial("/gateway?v=10&encoding=json").await?
        } else {
            house.bot(INTENTS).await?.0
        };
        client.send_text(frame).await?;
        // Answered, ignored or closed with one of Discord's codes; never torn. Whether
        // there is still somebody to hear the heartbeat is seen by what comes.
        let _ = client.beat().await;
        loop {
            match client.next().await? {
                Ok(payload) if payload["op"] == 11 => break,
                Ok(_) => {}
                Err(code) => {
                    assert!(
                        code.is_some_and(|code| (4000..4015).contains(&code)),
                        "{code:?} for {frame}"
                    );
                    break;
                }
            }
        }
    }
    house.bot(INTENTS).await?;
    house.close().await
}

#[tokio::test]
async fn what_is_no_payload_is_closed_and_never_torn() -> Outcome {
    let house = House::open().await?;
    let beat = br#"{"op":1,"d":null}"#;
    let long = |length: usize| {
        let mut text = beat.to_vec();
        text.resize(length, b' ');
        text
    };
    for length in [4097, 64 * 1024, 64 * 1024 + 1, 70_000, 1 << 20] {
        let mut raw = Raw::dial(&house, GATEWAY).await?;
        raw.send(Frame::text(&long(length))).await?;
        assert_eq!(raw.closed_with().await?, Some(4002), "{length} bytes");
    }
    for text in [&b"\xff\xfe"[..], b"{\"op\":1,\"d\":\"\xc3\x28\"}"] {
        let mut raw = Raw::dial(&house, GATEWAY).await?;
        raw.send(Frame::text(text)).await?;
        assert_eq!(raw.closed_with().await?, Some(4002), "{text:?}");
    }
    for wrong in [
        Frame {
            masked: false,
            ..Frame::text(beat)
        },
        Frame {
            head: 0x81 | 0x40,
            ..Frame::text(beat)
        },
        Frame {
            head: 0x83,
            ..Frame::text(beat)
        },
        Frame {
            head: 0x80,
            ..Frame::text(beat)
        },
    ] {
        let mut raw = Raw::dial(&house, GATEWAY).await?;
        raw.send(wrong).await?;
        assert_eq!(raw.closed_with().await?, Some(1002), "{wrong:?}");
    }
    // In parts it is one payload.
    let mut raw = Raw::dial(&house, GATEWAY).await?;
    for (head, part) in [(0x01, &beat[..5]), (0x80, &beat[5..])] {
        let part = Frame {
            head,
            ..Frame::text(part)
        };
        raw.send(part).await?;
    }
    assert_eq!(raw.payload().await?["op"], 11);
    house.close().await
}

#[tokio::test]
async fn an_array_is_no_payload_and_no_data() -> Outcome {
    let house = House::open().await?;
    let token = &house.application.bot_token;
    for (text, code) in [
        (json!([1]), 4002),
        (json!([1, null]), 4002),
        (
            json!({"op": 2, "d": [token, 129, null, null, null, null, {}]}),
            4013,
        ),
        (json!({"op": 6, "d": [token, "x", 1]}), 4002),
    ] {
        let mut client = house.dial(GATEWAY).await?;
        client.send(text.clone()).await?;
        let closed = client.closed_with().await?;
        assert!(
            closed == Some(code) || closed == Some(4002),
            "{closed:?} for {text}"
        );
    }
    let guild = house.application.guild_id;
    for (op, d) in [
        (3, json!([null, [], "online", false])),
        (
            3,
            json!({"since": null, "activities": [["x", 0]], "status": "online", "afk": false}),
        ),
        (4, json!([guild, null, false, false])),
        (8, json!([guild, "", 1])),
        (31, json!([[guild]])),
        (43, json!([guild, ["status"]])),
    ] {
        let (mut client, ..) = house.bot(INTENTS).await?;
        client.send(json!({"op": op, "d": d})).await?;
        assert_eq!(client.closed_with().await?, Some(4001), "op {op} {d}");
    }
    house.close().await
}

#[tokio::test]
async fn no_body_and_no_path_is_an_internal_error() -> Outcome {
    let house = House::open().await?;
    let (guild, person) = (house.application.guild_id, house.application.member_id);
    let routes = [
        ("POST", format!("/sim/guilds/{guild}/voice")),
        ("POST", "/sim/guilds".to_owned()),
        ("POST", "/sim/users".to_owned()),
        ("POST", "/sim/channels".to_owned()),
        ("POST", "/sim/roles".to_owned()),
        ("POST", "/sim/members".to_owned()),
        ("POST", "/sim/faults".to_owned()),
        ("POST", "/sim/stamp".to_owned()),
        ("POST", "/sim/messages".to_owned()),
        ("PUT", format!("/sim/users/{person}/presence")),
        ("PATCH", format!("/sim/users/{person}")),
        ("PATCH", format!("/sim/guilds/{guild}/members/{person}")),
        ("POST", "/sim/invites/nothing".to_owned()),
        ("PATCH", "/sim/application".to_owned()),
        ("POST", "/sim/load".to_owned()),
        ("PATCH", format!("/sim/guilds/{guild}")),
        ("POST", "/sim/script".to_owned()),
        ("POST", "/sim/chaos".to_owned()),
        ("POST", "/sim/scenario".to_owned()),
        ("POST", "/api/oauth2/token".to_owned()),
        ("POST", "/api/oauth2/token/revoke".to_owned()),
    ];
    let bodies = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        any_json().prop_map(|json| json.to_string().into_bytes()),
        "[a-z_]{1,12}=.{0,12}(&[a-z_]{1,12}=.{0,12}){0,3}".prop_map(String::into_bytes),
    ];
    for (turn, body) in drawn(&bodies, 400)?.into_iter().enumerate() {
        let (method, path) = &routes[turn % routes.len()];
        let content_type = match turn % 3 {
            0 => "application/json",
            1 => "application/x-www-form-urlencoded",
            _ => "text/nonsense",
        };
        let request = house
            .http
            .request(
                reqwest::Method::from_bytes(method.as_bytes())?,
                house.url(path),
            )
            .header("content-type", content_type)
            .body(body.clone());
        let status = request.send().await?.status();
        assert!(
            !status.is_server_error(),
            "{status} for {method} {path} {body:?}"
        );
    }
    let paths =
        "/(api/v10/|sim/|oauth2/authorize|avatars/|icons/|guilds/|embed/)[a-z0-9@/%?=&._-]{0,24}";
    for path in drawn(&proptest::string::string_regex(paths)?, 300)? {
        let Ok(url) = url::Url::parse(&house.url(&path)) else {
            continue;
        };
        if path.contains("events") {
            continue;
        }
        let status = house
            .http
            .get(url)
            .timeout(Duration::from_secs(5))
            .send()
            .await?
            .status();
        assert!(!status.is_server_error(), "{status} for {path}");
    }
    assert_eq!(house.rest("/users/@me").await?.0, 200);
    house.close().await
}

/// What somebody may get wrong in a body of Discord's REST.
fn any_body() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        2 => any_json(),
        1 => Just(json!("1024")),
        1 => Just(json!(2)),
        1 => Just(json!([{"id": "1", "type": 0, "allow": "1024"}])),
        1 => Just(json!({"parse": ["users"], "users": ["1"], "message_id": "5"})),
    ];
    let names = "name|type|position|parent_id|user_limit|bitrate|topic|nsfw|rtc_region|permission_overwrites|rate_limit_per_user|permissions|color|colors|hoist|mentionable|allow|deny|nick|roles|mute|deaf|channel_id|communication_disabled_until|content|embeds|nonce|enforce_nonce|allowed_mentions|message_reference|flags|tts|messages|status|suppress|max_age|max_uses|unique|access_token|request_to_speak_timestamp|id";
    prop::collection::hash_map(names, value, 0..8)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

#[tokio::test]
async fn no_rest_body_is_an_internal_error() -> Outcome {
    let house = House::open().await?;
    let (guild, user) = (house.application.guild_id, house.application.member_id);
    let (desk, hearth) = (
        house.channel("front-desk").await?,
        house.channel("The Hearth").await?,
    );
    let (keeper, bots) = (house.role("Keeper").await?, house.role("Doorkeeper").await?);
    let all = json!({"permissions": "8"});
    house
        .act("PATCH", &format!("/sim/roles/{bots}"), all)
        .await?;
    let routes = [
        ("POST", format!("/guilds/{guild}/channels")),
        ("PATCH", format!("/guilds/{guild}/channels")),
        ("PATCH", format!("/channels/{desk}")),
        ("PATCH", format!("/channels/{hearth}")),
        ("PUT", format!("/channels/{desk}/permissions/{keeper}")),
        ("PUT", format!("/channels/{hearth}/voice-status")),
        ("POST", format!("/guilds/{guild}/roles")),
        ("PATCH", format!("/guilds/{guild}/roles")),
        ("PATCH", format!("/guilds/{guild}/roles/{keeper}")),
        ("PUT", format!("/guilds/{guild}/members/{user}")),
        ("PATCH", format!("/guilds/{guild}/members/{user}")),
        ("PATCH", format!("/guilds/{guild}/members/@me")),
        ("PUT", format!("/guilds/{guild}/bans/1")),
        ("PATCH", format!("/guilds/{guild}/voice-states/{user}")),
        ("POST", format!("/channels/{desk}/messages")),
        ("POST", format!("/channels/{desk}/messages/bulk-delete")),
        ("PATCH", format!("/channels/{desk}/messages/1")),
        ("POST", format!("/channels/{hearth}/invites")),
    ];
    let token = format!("Bot {}", house.application.bot_token);
    let kinds = [
        "application/json",
        "application/json",
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ];
    let bodies = prop_oneof![
        4 => any_body().prop_map(|body| body.to_string()),
        1 => any_json().prop_map(|body| body.to_string()),
        1 => any_body().prop_map(|body| format!(
            "--x\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\r\n{body}\r\n--x--"
        )),
        1 => any_body().prop_map(|body| format!("[{body}]")),
    ];
    for (turn, body) in drawn(&bodies, 900)?.into_iter().enumerate() {
        let (method, path) = &routes[turn % routes.len()];
        let status = house
            .http
            .request(method.parse()?, house.url(&format!("/api/v10{path}")))
            .header("authorization", &token)
            .header("content-type", kinds[turn % kinds.len()])
            .body(body.clone())
            .send()
            .await?
            .status();
        assert!(
            !status.is_server_error(),
            "{status} for {method} {path} {body}"
        );
    }
    assert_eq!(house.rest("/users/@me").await?.0, 200);
    house.bot(INTENTS).await?;
    house.close().await
}
