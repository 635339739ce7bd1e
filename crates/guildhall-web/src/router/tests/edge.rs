use super::*;

fn listing() -> Served {
    let mut config = config();
    config.base_url = "https://hall.example/live".parse().expect("a URL");
    config.allowed_origins = vec![
        "https://app.example".parse().expect("an origin"),
        "http://localhost:5173".parse().expect("an origin"),
    ];
    config
        .allowed_hosts
        .add("web.internal".parse().expect("a name"));
    Served::set_up(&config, Config::keep_alive("web", 1_000))
}

/// The head of the answer, in lower case.
async fn head(
    served: &Served,
    method: &str,
    path: &str,
    host: &str,
    more: &[(&str, &str)],
) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in more {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.push_str("\r\n");
    let answer = served.say(&text).await.until_closed().await;
    let (head, _) = answer.split_once("\r\n\r\n").expect("a head");
    head.to_lowercase()
}

#[tokio::test]
async fn only_names_that_are_listed_are_answered() {
    let served = listing();
    for host in [
        "hall.example",
        "hall.example:443",
        "app.example",
        "web.internal:3000",
        "localhost:3000",
        "127.0.0.1",
        "[::1]:3000",
        "203.0.113.7:80",
    ] {
        let head = head(&served, "GET", "/live/api/me", host, &[]).await;
        assert!(head.starts_with("http/1.1 401"), "{host}: {head}");
    }
    for (path, status) in [
        ("/live/api/me", "421"),
        ("/live/", "421"),
        ("/live/auth/login", "421"),
        ("/elsewhere", "421"),
        // A load balancer asks by whatever address it has.
        ("/live/api/health", "200"),
    ] {
        let head = head(&served, "GET", path, "evil.example", &[]).await;
        assert!(
            head.starts_with(&format!("http/1.1 {status}")),
            "{path}: {head}"
        );
        assert!(
            head.contains("content-security-policy: default-src 'none'"),
            "{head}"
        );
    }
    let target = "http://evil.example/live/api/me";
    let head = head(&served, "GET", target, "hall.example", &[]).await;
    assert!(head.starts_with("http/1.1 421"), "{head}");
    let refused = "GET /live/api/me HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    let refused = served.say(refused).await.until_closed().await;
    assert!(refused.contains("\"code\":\"unknown_host\""), "{refused}");
    assert!(refused.contains("THE_HOSTS"), "{refused}");
}

#[tokio::test]
async fn without_a_list_nothing_is_said_to_other_origins() {
    let served = Served::at("http://localhost:3000");
    for origin in ["http://localhost:3000", "https://app.example", "null"] {
        let origin = [("Origin", origin), ("Access-Control-Request-Method", "GET")];
        for method in ["GET", "OPTIONS"] {
            let head = head(&served, method, "/api/me", "localhost", &origin).await;
            assert!(!head.contains("access-control-"), "{head}");
            assert!(!head.contains("vary:"), "{head}");
        }
    }
}

#[tokio::test]
async fn listed_origins_may_read_and_are_named_one_by_one() {
    let served = listing();
    for origin in ["https://app.example", "http://localhost:5173"] {
        for path in [
            "/live/api/state",
            "/live/api/me",
            "/live/auth/refresh",
            "/live/api/nothing",
        ] {
            let head = head(&served, "GET", path, "hall.example", &[("Origin", origin)]).await;
            let allowed = format!("access-control-allow-origin: {origin}\r\n");
            assert!(format!("{head}\r\n").contains(&allowed), "{path}: {head}");
            assert!(
                head.contains("access-control-allow-credentials: true"),
                "{head}"
            );
            assert!(head.contains("vary: origin"), "{head}");
        }
    }
    for origin in [
        "null",
        "*",
        "https://APP.example",
        "https://app.example/",
        "https://app.example:443",
        "http://app.example",
        "https://app.example.evil.example",
        "https://evil.example",
        "https://hall.example",
    ] {
        let head = head(
            &served,
            "GET",
            "/live/api/me",
            "hall.example",
            &[("Origin", origin)],
        )
        .await;
        assert!(!head.contains("access-control-"), "{origin}: {head}");
        assert!(
            head.contains("vary: origin"),
            "caches keep them apart: {head}"
        );
    }
    let page = head(
        &served,
        "GET",
        "/live/",
        "hall.example",
        &[("Origin", "https://app.example")],
    );
    assert!(
        !page.await.contains("access-control-"),
        "the page is nobody else's"
    );
}

#[tokio::test]
async fn a_preflight_of_a_listed_origin_is_answered_and_of_another_is_not() {
    let served = listing();
    let asked = ("Access-Control-Request-Method", "POST");
    let listed = [("Origin", "https://app.example"), asked];
    let path = "/live/api/rpc/renameRoom";
    let answer = head(&served, "OPTIONS", path, "hall.example", &listed).await;
    assert!(answer.starts_with("http/1.1 204"), "{answer}");
    for line in [
        "access-control-allow-origin: https://app.example",
        "access-control-allow-methods: get, head, post",
        "access-control-allow-headers: content-type, idempotency-key, last-event-id",
        "access-control-max-age: 600",
        "vary: access-control-request-method, access-control-request-headers",
    ] {
        assert!(answer.contains(line), "{line} in {answer}");
    }
    let other = [("Origin", "https://evil.example"), asked];
    let answer = head(&served, "OPTIONS", path, "hall.example", &other).await;
    assert!(answer.starts_with("http/1.1 405"), "{answer}");
    assert!(!answer.contains("access-control-allow"), "{answer}");
}

#[tokio::test]
async fn every_answer_has_the_headers_and_https_is_said_to_stay() {
    let served = listing();
    let plain = Served::at("http://localhost:3000");
    for path in [
        "/live/",
        "/live/api/me",
        "/live/api/health",
        "/live/nothing",
        "/",
    ] {
        let answer = head(&served, "GET", path, "hall.example", &[]).await;
        for line in [
            "content-security-policy: default-src 'none'",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: same-origin",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: same-origin",
            "strict-transport-security: max-age=31536000",
        ] {
            assert!(answer.contains(line), "{path}: {line} in {answer}");
        }
        let path = path.strip_prefix("/live").unwrap_or(path);
        let answer = head(&plain, "GET", path, "localhost", &[]).await;
        assert!(!answer.contains("strict-transport-security"), "{answer}");
    }
}
