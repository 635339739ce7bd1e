use super::*;

#[tokio::test]
async fn what_there_is_not_is_an_unknown_command_whoever_asks() {
    let desk = Desk::open();
    for name in [
        "createroom",
        "enterLobby",
        "renameroom",
        "renameRoom/x",
        "%2e%2e",
        "x".repeat(4_000).as_str(),
    ] {
        let mut request = desk.request(name, "{}");
        request.headers_mut().clear();
        let answer = desk.send(request).await;
        assert_eq!(answer.error(), (404, "unknown_command"), "{name}");
    }
}

#[tokio::test]
async fn other_methods_are_refused() {
    let desk = Desk::open();
    for method in [
        Method::GET,
        Method::HEAD,
        Method::PUT,
        Method::DELETE,
        Method::OPTIONS,
    ] {
        let mut request = desk.request("disconnect", r#"{"guildId":"100"}"#);
        *request.method_mut() = method.clone();
        let answer = desk.send(request).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
}

#[tokio::test]
async fn who_asks_and_from_where_is_looked_at_before_what() {
    type Change = (&'static str, Option<&'static str>);
    let cases: &[(&[Change], (u16, &str))] = &[
        (&[("cookie", None)], (401, "unauthorized")),
        (
            &[("cookie", Some("guildhall=forged"))],
            (401, "unauthorized"),
        ),
        (
            &[("cookie", None), ("origin", Some("https://evil.example"))],
            (401, "unauthorized"),
        ),
        (&[("origin", None)], (403, "forbidden")),
        (
            &[("origin", Some("https://evil.example"))],
            (403, "forbidden"),
        ),
        (&[("origin", Some("null"))], (403, "forbidden")),
        (
            &[("origin", None), ("sec-fetch-site", Some("same-site"))],
            (403, "forbidden"),
        ),
        (&[("content-type", None)], (415, "unsupported_media_type")),
        (
            &[("content-type", Some("text/plain"))],
            (415, "unsupported_media_type"),
        ),
    ];
    let mut desk = Desk::open();
    for (changes, refusal) in cases {
        let mut request = desk.request("disconnect", "no JSON");
        for (name, value) in *changes {
            request.headers_mut().remove(*name);
            let value = value.map(HeaderValue::from_static);
            request
                .headers_mut()
                .extend(value.map(|it| (HeaderName::from_static(name), it)));
        }
        assert_eq!(desk.send(request).await.error(), *refusal, "{changes:?}");
    }
    assert!(desk.gateway.was_asked_nothing());
}

#[tokio::test]
async fn a_page_that_says_no_origin_is_believed_if_the_browser_vouches_for_it() {
    let desk = Desk::open();
    let mut request = desk.request("checkRoomExists", r#"{"channelId":"201"}"#);
    request.headers_mut().remove(header::ORIGIN);
    let vouched = HeaderName::from_static("sec-fetch-site");
    request
        .headers_mut()
        .insert(vouched, HeaderValue::from_static("same-origin"));
    assert_eq!(desk.send(request).await.body, json!({ "exists": true }));
}

#[tokio::test]
async fn what_is_no_json_object_is_refused_in_a_sentence() {
    let desk = Desk::open();
    let deep = "[".repeat(60_000);
    let deep_field = format!("{{\"guildId\":{}", "[".repeat(60_000));
    let bodies: &[&[u8]] = &[
        b"",
        b"null",
        b"[]",
        b"\"x\"",
        b"{",
        b"{}{}",
        b"{\"guildId\":NaN}",
        b"{\"guildId\":Infinity}",
        b"{'guildId':'100'}",
        b"{\"guildId\":\"1\xff\"}",
        b"\xef\xbb\xbf{\"guildId\":\"100\"}",
        b"{\"guildId\":\"\\ud800\"",
        deep.as_bytes(),
        deep_field.as_bytes(),
    ];
    for body in bodies {
        let answer = desk.send(desk.request("disconnect", body.to_vec())).await;
        let said = String::from_utf8_lossy(&body[..body.len().min(40)]);
        assert_eq!(answer.error(), (400, "invalid"), "{said}");
        assert_eq!(answer.fields(), [""; 0], "{said}");
        let message = answer.body["error"]["message"].as_str().unwrap_or_default();
        assert!(
            message.starts_with("The body must be a JSON object"),
            "{said}: {message}"
        );
    }
}

/// Bodies with fields that are wrong.
const WRONG: &[(&str, &str, &[&str])] = &[
    ("renameRoom", "{}", &["channelId", "name"]),
    (
        "renameRoom",
        r#"{"channelId":201,"name":""}"#,
        &["channelId", "name"],
    ),
    (
        "renameRoom",
        r#"{"channelId":"201","name":" \t"}"#,
        &["name"],
    ),
    (
        "renameRoom",
        r#"{"channelId":"201","name":"a\u0000b"}"#,
        &["name"],
    ),
    (
        "renameRoom",
        r#"{"channelId":"201","name":"a\nb"}"#,
        &["name"],
    ),
    (
        "renameRoom",
        r#"{"channelId":"201","name":"\u200b\u3164 \ufe0f"}"#,
        &["name"],
    ),
    (
        "createRoom",
        r#"{"guildId":"100","name":"\u202eevil"}"#,
        &["name"],
    ),
    (
        "renameRoom",
        r#"{"channelId":"+201","name":["a"]}"#,
        &["channelId", "name"],
    ),
    (
        "renameRoom",
        r#"{"channelId":"201","name":"a","nmae":1}"#,
        &["nmae"],
    ),
    (
        "renameRoom",
        r#"{"channelid":"201","name":"a"}"#,
        &["channelId", "channelid"],
    ),
    (
        "setRoomLimit",
        r#"{"channelId":"201","limit":100}"#,
        &["limit"],
    ),
    (
        "setRoomLimit",
        r#"{"channelId":"201","limit":-1}"#,
        &["limit"],
    ),
    (
        "setRoomLimit",
        r#"{"channelId":"201","limit":1.5}"#,
        &["limit"],
    ),
    (
        "setRoomLimit",
        r#"{"channelId":"201","limit":1e999}"#,
        &["limit"],
    ),
    (
        "setRoomLimit",
        r#"{"channelId":"201","limit":"5"}"#,
        &["limit"],
    ),
    ("setRoomStatus", r#"{"channelId":"201"}"#, &["status"]),
    (
        "setRoomStatus",
        r#"{"channelId":"","status":false}"#,
        &["channelId", "status"],
    ),
    (
        "kickFromRoom",
        r#"{"channelId":null,"userId":{},"allowReturn":1}"#,
        &["allowReturn", "channelId", "userId"],
    ),
    (
        "disconnect",
        r#"{"guildId":"18446744073709551616"}"#,
        &["guildId"],
    ),
    (
        "disconnect",
        r#"{"guildId":"000000000000000000100"}"#,
        &["guildId"],
    ),
    (
        "disconnect",
        r#"{"guildId":"100","guildId":"100"}"#,
        &["guildId"],
    ),
    ("disconnect", r#"{"guildId":"\ud800"}"#, &["guildId"]),
    (
        "disconnect",
        r#"{"guildId":"100","__proto__":{}}"#,
        &["__proto__"],
    ),
    (
        "checkUserInVoiceChannel",
        r#"{"guildId":"100","userId":null}"#,
        &["userId"],
    ),
    (
        "createRoom",
        r#"{"guildId":"100","name":"","limit":100,"parentId":5,"private":"yes"}"#,
        &["limit", "name", "parentId", "private"],
    ),
    (
        "createInvite",
        r#"{"channelId":"201","seats":0,"expiresInSeconds":0}"#,
        &["expiresInSeconds", "seats"],
    ),
    (
        "createInvite",
        r#"{"channelId":"201","seats":10001,"expiresInSeconds":2592001,"singleUse":1}"#,
        &["expiresInSeconds", "seats", "singleUse"],
    ),
    (
        "createInvite",
        r#"{"channelId":"201","seats":2,"singleUse":true}"#,
        &["seats"],
    ),
    ("revokeInvite", "{}", &["channelId", "token"]),
    (
        "joinRoom",
        r#"{"channelId":"201"}"#,
        &["channelId", "token"],
    ),
    (
        "lockRoom",
        r#"{"channelId":"201","locked":null}"#,
        &["locked"],
    ),
    ("transferRoom", r#"{"channelId":"201"}"#, &["userId"]),
];

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once_and_by_name() {
    let mut desk = Desk::open();
    for (name, body, wrong) in WRONG {
        let answer = desk.send(desk.request(name, *body)).await;
        assert_eq!(answer.error(), (400, "invalid"), "{body}");
        assert_eq!(answer.fields(), *wrong, "{body}");
    }
    assert!(desk.gateway.was_asked_nothing());
}

#[tokio::test]
async fn long_and_deep_fields_are_wrong_by_name_too() {
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let text = |length: usize| "x".repeat(length);
    let cases = [
        (
            "renameRoom",
            format!(r#"{{"channelId":"201","name":"{}"}}"#, text(101)),
            "name",
        ),
        (
            "setRoomStatus",
            format!(r#"{{"channelId":"201","status":"{}"}}"#, text(501)),
            "status",
        ),
        ("disconnect", format!(r#"{{"guildId":{deep}}}"#), "guildId"),
        (
            "disconnect",
            format!(r#"{{"guildId":"100","more":{deep}}}"#),
            "more",
        ),
    ];
    let desk = Desk::open();
    for (name, body, wrong) in cases {
        let answer = desk.send(desk.request(name, body)).await;
        assert_eq!(answer.error(), (400, "invalid"), "{name}");
        assert_eq!(answer.fields(), [wrong]);
    }
}

#[tokio::test]
async fn an_unknown_field_is_told_which_there_are() {
    let desk = Desk::open();
    let answer = desk
        .ask("renameRoom", &json!({ "channelId": "201", "title": "Den" }))
        .await;
    let fields = &answer.body["error"]["fields"];
    assert_eq!(
        fields["title"],
        "is no field of this request; its fields are channelId, name"
    );
    assert_eq!(
        fields["name"],
        "is missing; it must be text of 1 to 100 characters that are not all blank, without line ends \
         and other control characters"
    );
}

#[tokio::test]
async fn complaints_are_bounded_and_so_is_what_they_repeat() {
    let desk = Desk::open();
    let fields = (0..900).map(|number| (format!("{number:-<50}"), json!(1)));
    let body = Value::Object(fields.collect());
    let answer = desk.ask("disconnect", &body).await;
    let names = answer.fields();
    assert_eq!(names.len(), 20);
    assert!(names.iter().all(|name| name.len() <= 40), "{names:?}");
}

#[tokio::test]
async fn keys_are_there_once_short_and_visible() {
    let desk = Desk::open();
    let long = HeaderValue::from_str(&"k".repeat(201)).expect("ASCII");
    let latin = HeaderValue::from_bytes(b"caf\xe9").expect("a value");
    for keys in [
        vec![long],
        vec![latin],
        vec![""; 1]
            .into_iter()
            .map(HeaderValue::from_static)
            .collect(),
        vec![HeaderValue::from_static("a"); 2],
        vec![HeaderValue::from_static("my key")],
        vec![HeaderValue::from_static("my\tkey")],
    ] {
        let mut request = desk.request("renameRoom", "{}");
        for key in keys {
            request.headers_mut().append("idempotency-key", key);
        }
        let answer = desk.send(request).await;
        assert_eq!(answer.error(), (400, "invalid"));
        assert_eq!(answer.fields(), ["Idempotency-Key", "channelId", "name"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_is_bounded_in_size_and_time() {
    let desk = Desk::open();
    let body = r#"{"channelId":"201"}"#;
    let filled = |bytes: usize| body.to_owned() + &" ".repeat(bytes - body.len());
    let fits = desk.request("checkRoomExists", filled(64 * 1024));
    assert_eq!(desk.send(fits).await.status, StatusCode::OK);
    let large = desk.request("checkRoomExists", filled(64 * 1024 + 1));
    assert_eq!(desk.send(large).await.error(), (413, "too_large"));
    let pieces = futures_util::stream::repeat(Ok::<_, std::convert::Infallible>(filled(16 * 1024)));
    let endless = desk.request("checkRoomExists", Body::from_stream(pieces));
    assert_eq!(desk.send(endless).await.error(), (413, "too_large"));
    let never = futures_util::stream::pending::<Result<String, std::io::Error>>();
    let slow = desk.request("checkRoomExists", Body::from_stream(never));
    assert_eq!(desk.send(slow).await.error(), (408, "too_slow"));
    let cut = futures_util::stream::iter([Err::<String, _>(std::io::Error::other("cut"))]);
    let cut = desk.request("checkRoomExists", Body::from_stream(cut));
    assert_eq!(desk.send(cut).await.error(), (400, "invalid"));
}
